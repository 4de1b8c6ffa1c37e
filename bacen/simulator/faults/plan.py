"""The faults in force: who is struck, how often, and what was done to whom.

One plain object for a whole bank: everything that asks it runs in the loop of one node, and most
of them in the middle of something that must not wait. It outlives restarts inside the process.
"""

from collections import Counter
from dataclasses import dataclass

import structlog

from actors import Event, Node
from bacen.simulator.durations import duration_ms
from bacen.simulator.errors import InvalidControl
from bacen.simulator.faults.kinds import KINDS
from bacen.simulator.faults.order import FaultOrder

FAULTS_MAX = 1_000
EVERYBODY = ""  # the label of what strikes before it is known whom
FAULT_APPLIED: Event = ("bacen", "fault", "applied")
NS_PER_MS = 1_000_000
MILLION = 1_000_000

_log = structlog.get_logger("bacen")


@dataclass(slots=True)
class Fault:
    """One fault in force; `left` and `hits` move.

    Attributes:
        id: By which it is removed.
        order: As it was asked for.
        message: Kind of message; None: every kind.
        by_ms: How late, slow or far off; negative where a clock is behind.
        chance: Of a million.
        starts_ns: By the node's monotonic time.
        ends_ns: The same; None: when it is removed.
        left: How many times it still strikes; None: no limit.
        hits: How many times it has struck.
    """

    id: str
    order: FaultOrder
    message: str | None
    by_ms: int
    chance: int
    starts_ns: int
    ends_ns: int | None
    left: int | None
    hits: int = 0

    def meets(self, ispb: str, message: str | None, service: str | None) -> bool:
        """Say whether it is meant for this participant, message and service."""
        order = self.order
        return (
            order.ispb in (None, ispb)
            and self.message in (None, message)
            and order.service in (None, service)
        )

    def is_in_force(self, now_ns: int) -> bool:
        """Say whether it may strike now."""
        if self.left == 0 or now_ns < self.starts_ns:
            return False
        return self.ends_ns is None or now_ns < self.ends_ns


class FaultPlan:
    """Adds, removes, applies and counts faults.

    Args:
        node: Its clock for windows, its generator for probabilities.

    Attributes:
        strikes: How often each fault was applied, by its name and the ISPB it met.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._faults: dict[str, list[Fault]] = {}
        self._last = 0
        self.strikes: Counter[tuple[str, str]] = Counter()

    @property
    def is_empty(self) -> bool:
        """No fault was asked for: what is busy need look no further."""
        return not self._faults

    def all(self) -> list[Fault]:
        """Give every fault that was not removed, also those that are over, by name."""
        return [fault for faults in self._faults.values() for fault in faults]

    def add(self, order: FaultOrder) -> Fault:
        """Put a fault into force; its window begins to count now.

        Raises:
            InvalidControl: It cannot be had, or there are too many.
        """
        kind = order.check()
        if len(self.all()) >= FAULTS_MAX:
            raise InvalidControl("fault", f"there are {FAULTS_MAX} already: remove some")
        self._last += 1
        starts_ns = self._node.clock.monotonic_ns() + window_ns(order.from_ or "0s")
        fault = Fault(
            id=f"f{self._last}",
            order=order,
            message=order.message or kind.message,
            by_ms=signed_ms(order.by or kind.by or "0s"),
            chance=MILLION if order.probability is None else int(order.probability * MILLION),
            starts_ns=starts_ns,
            ends_ns=None if order.for_ is None else starts_ns + window_ns(order.for_),
            left=order.next,
        )
        self._faults.setdefault(order.fault, []).append(fault)
        _log.info("fault_added", fault=order.fault, fault_id=fault.id)
        return fault

    def remove(self, fault_id: str) -> bool:
        """Take a fault out of force; False when there is none of this id."""
        for name, faults in self._faults.items():
            kept = [each for each in faults if each.id != fault_id]
            if len(kept) == len(faults):
                continue
            self._faults[name] = kept
            if not kept:
                del self._faults[name]
            _log.info("fault_removed", fault=name, fault_id=fault_id)
            return True
        return False

    def in_force(self, name: str) -> bool:
        """Say whether a fault of this name may strike somebody now; strikes nobody."""
        now_ns = self._node.clock.monotonic_ns()
        return any(each.is_in_force(now_ns) for each in self._faults.get(name, ()))

    def strike(
        self, name: str, ispb: str, *, message: str | None = None, service: str | None = None
    ) -> Fault | None:
        """Give the fault that strikes here, logged and counted; None: all goes well.

        Args:
            name: Which fault can be applied at this point.
            ispb: Whom it would meet.
            message: Kind of message, where it is about one.
            service: `icom` or `dict`, where it is about a request.
        """
        faults = self._faults.get(name)
        if faults is None:
            return None
        now_ns = self._node.clock.monotonic_ns()
        for fault in faults:
            if not fault.is_in_force(now_ns) or not fault.meets(ispb, message, service):
                continue
            if fault.chance < MILLION and self._node.rng.randrange(MILLION) >= fault.chance:
                continue
            if fault.left is not None:
                fault.left -= 1
            fault.hits += 1
            self.strikes[name, ispb] += 1
            self._tell(fault, ispb, message or service)
            return fault
        return None

    def _tell(self, fault: Fault, ispb: str, about: str | None) -> None:
        name = fault.order.fault
        _log.warning("fault_applied", fault=name, fault_id=fault.id, ispb=ispb, about=about)
        seen = {"fault": name, "fault_id": fault.id, "ispb": ispb, "about": about}
        self._node.telemetry.execute(FAULT_APPLIED, {}, seen)

    def shown(self, fault: Fault) -> dict[str, object]:
        """Give a fault as the control API shows it."""
        now_ns = self._node.clock.monotonic_ns()
        is_over = fault.left == 0 or (fault.ends_ns is not None and now_ns >= fault.ends_ns)
        order = fault.order
        return {
            "id": fault.id,
            "fault": order.fault,
            "does": KINDS[order.fault].does,
            "by": order.by or KINDS[order.fault].by,
            "ispb": order.ispb,
            "message": fault.message,
            "service": order.service,
            "probability": None if order.probability is None else str(order.probability),
            "next": order.next,
            "from": order.from_,
            "for": order.for_,
            "state": "over" if is_over else "waiting" if now_ns < fault.starts_ns else "in force",
            "left": fault.left,
            "hits": fault.hits,
        }


def window_ns(text: str) -> int:
    return duration_ms(text) * NS_PER_MS


def signed_ms(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    return sign * duration_ms(text.removeprefix("-"))
