"""Who is simulated: what the settlement knows of the counterparties.

To the engine a counterparty is connected, as those are that speak ICOM: it is asked, and it is told
how its payments ended. Here its part of a batch is kept from being written and signed, and given to
its process once the batch is stored.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from actors import Name, Node
from bacen.simulator.changes import Changes
from bacen.simulator.counterparties.config import Counterparty
from bacen.wire import CreditTransfer, PaymentReturn, StatusReport


@dataclass(frozen=True, slots=True)
class Asked:
    """To a counterparty: payments and returns that wait for its answer."""

    transfers: tuple[CreditTransfer, ...] = ()
    returns: tuple[PaymentReturn, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """To a counterparty: how payments ended."""

    reports: tuple[StatusReport, ...]


@dataclass(slots=True)
class CounterpartyCounts:
    """Since its start: payments sent and how they ended, payments asked about and how answered."""

    sent: int = 0
    failed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    answers: Counter[str] = field(default_factory=Counter)


class Roster:
    """The counterparties of one bank; outlives the processes that ask it.

    Args:
        connected: Those that speak for themselves over ICOM.

    Attributes:
        configs: Who is simulated, and how, by ISPB.
        counts: What each of them did since it was started.
    """

    def __init__(self, connected: Iterable[str]) -> None:
        self.connected = frozenset(connected)
        self.configs: dict[str, Counterparty] = {}
        self.counts: dict[str, CounterpartyCounts] = {}
        self._ever: set[str] = set()  # a batch may still be on its way when one is dismissed

    def __contains__(self, ispb: object) -> bool:
        """Say whether the engine asks and tells this participant."""
        return ispb in self.connected or ispb in self.configs

    def enlist(self, config: Counterparty) -> None:
        """Simulate a participant from now on."""
        self.configs[config.ispb] = config
        self._ever.add(config.ispb)

    def dismiss(self, ispb: str) -> bool:
        """Simulate it no more; False when it was not."""
        self.counts.pop(ispb, None)
        return self.configs.pop(ispb, None) is not None

    def count_anew(self, ispb: str) -> CounterpartyCounts:
        """Give the counts of a counterparty that is about to start."""
        self.counts[ispb] = CounterpartyCounts()
        return self.counts[ispb]

    def written(self, changes: Changes) -> Changes:
        """Give what of a batch is to be written and signed."""
        simulated = self._ever
        if not simulated:
            return changes
        told = Changes()
        told.add(changes)
        for address in [each for each in told.forwards if each[0] in simulated]:
            del told.forwards[address]
        for ispb in simulated:
            told.returns.pop(ispb, None)
            told.reports.pop(ispb, None)
        told.rejections = [each for each in told.rejections if each.ispb not in simulated]
        told.drafts = [each for each in told.drafts if each[0] not in simulated]
        return told

    def tell(self, node: Node, changes: Changes) -> None:
        """Give the counterparties their part of a stored batch."""
        if not self.configs:
            return
        for (ispb, *_), transfers in changes.forwards.items():
            if ispb in self.configs:
                node.cast(process_name(ispb), Asked(transfers=tuple(transfers)))
        for ispb in self.configs:
            if ispb in changes.returns:
                node.cast(process_name(ispb), Asked(returns=tuple(changes.returns[ispb])))
            if ispb in changes.reports:
                node.cast(process_name(ispb), Told(tuple(changes.reports[ispb])))


def process_name(ispb: str) -> Name:
    """Name of the process of a counterparty."""
    return f"bacen.counterparty.{ispb}"
