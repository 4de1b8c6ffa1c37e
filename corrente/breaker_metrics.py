"""The circuit breaker on the metrics page; there when TigerBeetle is."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from actors import Node

Values = Mapping[str, Any]


class BreakerMetrics:
    """Telemetry of the breaker, and of what follows PostgreSQL, as gauges and counters.

    Args:
        registry: Of the node's page.
        node: Where the breaker runs.
    """

    def __init__(self, registry: CollectorRegistry, node: Node) -> None:
        def gauge(name: str, what: str) -> Gauge:
            return Gauge(f"corrente_ledger_{name}", what, registry=registry)

        self._is_open = gauge("breaker_open", "1: PostgreSQL decides, not TigerBeetle.")
        self._is_held = gauge("breaker_held", "1: it stays open until a person closes it.")
        self._epoch = gauge("breaker_epoch", "Fencing epoch of the breaker's journal.")
        self._failures = gauge("breaker_failures", "Failures of TigerBeetle in a row.")
        self._unknown = gauge("breaker_unknown_transfers", "Transfers whose fate is unknown.")
        self._waiting = gauge(
            "breaker_waiting_transfers", "Booked by PostgreSQL, to be replayed in TigerBeetle."
        )
        self._behind = gauge(
            "follower_behind_transfers", "Written by PostgreSQL, not yet told to the breaker."
        )
        self._alarms = Counter(
            "corrente_ledger_breaker_alarms",
            "Times the two ledgers were found to differ.",
            registry=registry,
        )
        self._refused = Counter(
            "corrente_ledger_follower_refused",
            "Times TigerBeetle refused what PostgreSQL had written.",
            registry=registry,
        )
        attach = node.telemetry.attach
        attach(("ledger", "breaker", "state"), self._on_state)
        attach(("ledger", "breaker", "mirror"), self._on_mirror)
        attach(("ledger", "breaker", "alarm"), lambda *_: self._alarms.inc())
        attach(("ledger", "follower", "progress"), self._on_progress)
        attach(("ledger", "follower", "refused"), lambda *_: self._refused.inc())

    def _on_state(self, _event: object, measured: Values, about: Values) -> None:
        self._is_open.set(about["position"] == "open")
        self._is_held.set(about["is_held"])
        self._epoch.set(measured["epoch"])
        self._failures.set(measured["failures"])

    def _on_mirror(self, _event: object, measured: Values, _about: Values) -> None:
        self._unknown.set(measured["unknown"])
        self._waiting.set(measured["lag"])

    def _on_progress(self, _event: object, measured: Values, _about: Values) -> None:
        self._behind.set(measured["behind"])
