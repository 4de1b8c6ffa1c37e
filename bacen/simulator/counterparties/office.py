"""The process that starts and stops counterparties, each one a child of a dynamic supervisor."""

from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from actors import From, GenServer, Node, NoReply, Pid, Reply, UnhandledMessage
from bacen.simulator.counterparties.config import COUNTERPARTIES_MAX, Counterparty
from bacen.simulator.counterparties.process import CounterpartyProcess
from bacen.simulator.counterparties.roster import Roster, process_name
from bacen.simulator.errors import InvalidControl
from bacen.simulator.participants import Participant
from supervisors import ChildNotFound, ChildSpec, start_child, terminate_child

COUNTERPARTIES = "bacen.counterparties"
OFFICE = "bacen.counterparties.office"


@dataclass(frozen=True, slots=True)
class Enlist:
    """To the office: start a counterparty, or let it go on with other settings. Replies None.

    Raises `InvalidControl` at the caller.
    """

    config: Counterparty


@dataclass(frozen=True, slots=True)
class Dismiss:
    """To the office: stop a counterparty. Replies whether there was one."""

    ispb: str


@dataclass(frozen=True, slots=True)
class ListCounterparties:
    """To the office: replies (`Counterparty`, `CounterpartyCounts`) of each."""


class CounterpartyOffice(GenServer):
    """Keeps the counterparties of the roster running.

    Args:
        timeout_ms: After which an answer is late.
        roster: Who is simulated.
        participants: By ISPB.
    """

    def __init__(
        self, timeout_ms: int, roster: Roster, participants: Mapping[str, Participant]
    ) -> None:
        self._timeout_ms = timeout_ms
        self._roster = roster
        self._participants = participants

    async def init(self) -> None:
        for config in self._roster.configs.values():
            if self.node.whereis(process_name(config.ispb)) is None:  # it outlived the last office
                await self._start(config)

    async def handle_call(self, request: Any, sender: From) -> Reply | NoReply:
        match request:
            case Enlist(config):
                try:
                    await self._enlist(config)
                except InvalidControl as error:
                    self.node.fail(sender, error)
                    return NoReply()
                return Reply(None)
            case Dismiss(ispb):
                return Reply(await self._dismiss(ispb))
            case ListCounterparties():
                roster = self._roster
                return Reply([(each, roster.counts[each.ispb]) for each in roster.configs.values()])
            case _:
                raise UnhandledMessage("handle_call", type(request).__name__)

    async def _enlist(self, config: Counterparty) -> None:
        check_place(config, self._roster, self._participants)
        await self._dismiss(config.ispb)
        self._roster.enlist(config)
        await self._start(config)

    async def _dismiss(self, ispb: str) -> bool:
        if not self._roster.dismiss(ispb):
            return False
        while (pid := self.node.whereis(process_name(ispb))) is not None:
            with suppress(ChildNotFound):  # it has just died: its next life has another pid
                await terminate_child(self.node, COUNTERPARTIES, pid)
        return True

    async def _start(self, config: Counterparty) -> None:
        def start(node: Node) -> Awaitable[Pid]:
            counts = self._roster.count_anew(config.ispb)
            process = CounterpartyProcess(config, self._timeout_ms, counts)
            return node.start(process, name=process_name(config.ispb))

        await start_child(self.node, COUNTERPARTIES, ChildSpec(id=config.ispb, start=start))


def check_place(
    config: Counterparty, roster: Roster, participants: Mapping[str, Participant]
) -> None:
    """Refuse a counterparty that cannot be one of this bank's.

    Raises:
        InvalidControl: It speaks for itself, or has no PI account, or there are too many.
    """
    known = participants.get(config.ispb)
    if config.ispb in roster.connected:
        raise InvalidControl("ispb", f"{config.ispb} is connected: it speaks for itself")
    if known is None or known.kind != "DRCT":
        raise InvalidControl("ispb", f"{config.ispb} is no direct participant of this bank")
    if config.ispb not in roster.configs and len(roster.configs) >= COUNTERPARTIES_MAX:
        raise InvalidControl("ispb", f"there are {COUNTERPARTIES_MAX} already")
