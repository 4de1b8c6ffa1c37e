"""Handlers of the HTTP interface, one module a resource."""

from gateway.routes.admin_breaker import (
    close_breaker,
    get_breaker,
    get_breaker_history,
    open_breaker,
)
from gateway.routes.admin_processes import get_process, get_processes, kill_process
from gateway.routes.health import health, metrics, openapi, ready
from gateway.routes.payments import create_payment, get_payment
from gateway.routes.position import get_position

__all__ = [
    "close_breaker",
    "create_payment",
    "get_breaker",
    "get_breaker_history",
    "get_payment",
    "get_position",
    "get_process",
    "get_processes",
    "health",
    "kill_process",
    "metrics",
    "open_breaker",
    "openapi",
    "ready",
]
