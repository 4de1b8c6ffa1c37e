"""Handlers of the HTTP interface, one module a resource."""

from gateway.routes.admin_processes import get_process, get_processes, kill_process
from gateway.routes.health import health, metrics, openapi, ready
from gateway.routes.payments import create_payment, get_payment
from gateway.routes.position import get_position

__all__ = [
    "create_payment",
    "get_payment",
    "get_position",
    "get_process",
    "get_processes",
    "health",
    "kill_process",
    "metrics",
    "openapi",
    "ready",
]
