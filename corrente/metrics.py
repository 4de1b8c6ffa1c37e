"""Telemetry of the rooms as Prometheus metrics of the node.

Rooms report what happens as telemetry events and know nothing of metrics; here each event that an
operator watches becomes a counter or a gauge, named ``corrente_<room>_<what>_<unit>``.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from actors import Node
from pix import OpenPayments

BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
COMMIT_BUCKETS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)
NS = 1_000_000_000

log = structlog.get_logger("corrente")
Values = Mapping[str, Any]


class NodeMetrics:
    """Everything one node shows on its metrics page."""

    def __init__(self, node: Node, opened: OpenPayments) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._payments = Counter(
            "corrente_pix_payments", "Payments by state reached.", ["state"], registry=registry
        )
        self._by_state = {
            state: self._payments.labels(state)
            for state in ("processing", "submitted", "confirmed", "rejected", "failed")
        }
        without = "corrente_pix_open_payments", "Payments without outcome."
        Gauge(*without, registry=registry).set_function(lambda: len(opened.payments))
        unsent = "corrente_pix_unsent_payments", "Payments that wait for a message."
        Gauge(*unsent, registry=registry).set_function(lambda: opened.unassigned_count)
        self._entries = Histogram(
            "corrente_ledger_batch_entries",
            "Entries a commit.",
            buckets=BATCH_BUCKETS,
            registry=registry,
        )
        self._commit = Histogram(
            "corrente_ledger_commit_seconds",
            "Time of a commit.",
            buckets=COMMIT_BUCKETS_SECONDS,
            registry=registry,
        )
        self._is_full = Gauge(
            "corrente_ledger_out_of_space", "1: the database's disk is full.", registry=registry
        )
        self._odd = Gauge(
            "corrente_ledger_odd_transfers", "Transfers in no month.", registry=registry
        )
        self._alarms = Counter(
            "corrente_pix_alarms", "Messages of the SPI put into quarantine.", registry=registry
        )
        self._given_up = Counter(
            "corrente_pix_given_up", "Accepted payments that were never sent.", registry=registry
        )
        self._failures = Counter(
            "corrente_bacen_failures", "Calls of the SPI that failed.", ["what"], registry=registry
        )
        self._throttled = Counter(
            "corrente_bacen_throttled_ms", "Waits for tokens of ICOM.", registry=registry
        )
        self._available = Gauge(
            "corrente_pix_position_available_cents", "Position left, centavos.", registry=registry
        )
        self._relayed = Gauge(
            "corrente_pix_relay_sequence", "Outbox sequence that was published.", registry=registry
        )
        self._relay_failures = Counter(
            "corrente_pix_relay_failures", "Attempts to publish that failed.", registry=registry
        )
        self._restarts = Counter(
            "corrente_supervisors_restarts", "Children started again.", ["child"], registry=registry
        )
        self._crashes = Counter(
            "corrente_actors_crashes", "Processes that crashed.", ["server"], registry=registry
        )
        self._gave_up = Counter(
            "corrente_supervisors_gave_up",
            "Supervisors that ended because a child failed too often.",
            registry=registry,
        )
        self._attach(node)

    def reached(self, states: Mapping[str, int]) -> None:
        """Count payments that reached states, by name of the state."""
        for state, count in states.items():
            self._by_state[state].inc(count)

    def _attach(self, node: Node) -> None:
        attach = node.telemetry.attach
        attach(("ledger", "batch", "committed"), self._on_batch)
        attach(("ledger", "space", "missing"), lambda *_: self._is_full.set(1))
        attach(("ledger", "partitions", "odd"), self._on_odd)
        attach(("pix", "receiver", "alarm"), self._on_alarm)
        attach(("pix", "sender", "alarm"), self._on_given_up)
        attach(("bacen", "icom", "pull_failed"), self._on_failure)
        attach(("bacen", "icom", "post_failed"), self._on_failure)
        attach(("bacen", "icom", "throttled"), lambda _e, m, _a: self._throttled.inc(m["ms"]))
        attach(("pix", "sender", "post_failed"), self._on_failure)
        attach(("pix", "position", "level"), self._on_position)
        attach(("pix", "relay", "published"), self._on_relayed)
        attach(("pix", "relay", "failed"), self._on_relay_failure)
        attach(("supervisor", "restart"), self._on_restart)
        attach(("supervisor", "limit_reached"), self._on_limit)
        attach(("process", "crash"), self._on_crash)

    def _on_batch(self, _event: object, measured: Values, _about: Values) -> None:
        self._entries.observe(measured["entries"])
        self._commit.observe(measured["duration_ns"] / NS)
        self._is_full.set(0)

    def _on_odd(self, _event: object, measured: Values, _about: Values) -> None:
        self._odd.set(measured["transfers"])

    def _on_alarm(self, _event: object, measured: Values, about: Values) -> None:
        self._alarms.inc(measured["count"])
        log.error("message of the SPI put into quarantine", **about)

    def _on_given_up(self, _event: object, measured: Values, about: Values) -> None:
        self._given_up.inc(measured["count"])
        log.error("payment could not be sent", **about)

    def _on_failure(self, event: tuple[str, ...], measured: Values, about: Values) -> None:
        self._failures.labels(event[-1]).inc(measured["count"])
        log.warning("call of the SPI failed", what=event[-1], **about)

    def _on_position(self, _event: object, measured: Values, about: Values) -> None:
        self._available.set(measured["available_cents"])
        if about["level"] != "normal":
            log.warning("position is low", **about, **measured)

    def _on_relayed(self, _event: object, measured: Values, _about: Values) -> None:
        self._relayed.set(measured["sequence"])

    def _on_relay_failure(self, _event: object, measured: Values, about: Values) -> None:
        self._relay_failures.inc(measured["count"])
        log.warning("events could not be published", **about)

    def _on_restart(self, _event: object, _measured: Values, about: Values) -> None:
        self._restarts.labels(str(about.get("child", ""))).inc()
        log.warning("child started again", **{key: str(value) for key, value in about.items()})

    def _on_limit(self, _event: object, _measured: Values, _about: Values) -> None:
        self._gave_up.inc()

    def _on_crash(self, _event: object, _measured: Values, about: Values) -> None:
        self._crashes.labels(about["report"].server or "process").inc()
