"""The HTTP interface of the platform: routes, tokens, errors, description.

Import from here; the modules behind it may move.
"""

from gateway.auth import Tokens
from gateway.context import GatewayContext
from gateway.endpoint import HttpEndpoint, application
from gateway.errors import Forbidden, GatewayError, InvalidRequest, Unauthorized
from gateway.metrics import GatewayMetrics

__all__ = [
    "Forbidden",
    "GatewayContext",
    "GatewayError",
    "GatewayMetrics",
    "HttpEndpoint",
    "InvalidRequest",
    "Tokens",
    "Unauthorized",
    "application",
]
