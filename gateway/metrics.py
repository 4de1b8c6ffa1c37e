"""Metrics of the gateway, and the page that shows those of the whole node."""

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

LATENCY_BUCKETS_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class GatewayMetrics:
    """Counters bound once, so that a request costs an increment and no look-up by label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._requests = Counter(
            "corrente_gateway_requests",
            "Requests answered, by status class.",
            ["status"],
            registry=registry,
        )
        self._by_class = {number: self._requests.labels(f"{number}xx") for number in range(1, 6)}
        self.accept_seconds = Histogram(
            "corrente_gateway_accept_seconds",
            "Time from the request to the answer of POST /api/v1/payments.",
            buckets=LATENCY_BUCKETS_SECONDS,
            registry=registry,
        )
        self.auth_failed = Counter(
            "corrente_gateway_auth_failed", "Requests without a valid token.", registry=registry
        )

    def answered(self, status: int) -> None:
        """Count an answer."""
        self._by_class[status // 100].inc()

    def page(self) -> tuple[bytes, str]:
        """The exposition text of everything in the registry, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
