"""What handlers need, put into the application once at the start."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from actors import Node
from gateway.auth import Tokens
from gateway.metrics import GatewayMetrics
from ledger.breaker import BreakerDesk
from pix import PixService


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayContext:
    """Everything behind the routes of one gateway.

    Attributes:
        node: The node that serves.
        pix: Payments of the institution.
        tokens: Issuer and judge of bearer tokens.
        metrics: Counters of this gateway and the page of all metrics of the node.
        missing: What a payment still waits for, by name; empty when one can be accepted now.
        breaker: Where operators ask for the circuit breaker; None: PostgreSQL keeps the money
            alone.
    """

    node: Node
    pix: PixService
    tokens: Tokens
    metrics: GatewayMetrics
    missing: Callable[[], tuple[str, ...]]
    breaker: BreakerDesk | None = None


CONTEXT = web.AppKey("context", GatewayContext)
