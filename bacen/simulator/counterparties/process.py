"""One counterparty as a process: pays at its rate, answers what it is asked in its own time."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from actors import ActorError, GenServer, UnhandledMessage, make_rng
from bacen.dict import GetEntryRequest, parse_key
from bacen.simulator.counterparties.behaviour import REJECTED, SILENT, Behaviour
from bacen.simulator.counterparties.config import Counterparty, Target, transfer_to
from bacen.simulator.counterparties.roster import Asked, CounterpartyCounts, Told
from bacen.simulator.dict import DIRECTORY, Ask, DictRefusal
from bacen.simulator.dict import Asked as Question
from bacen.simulator.errors import BankFault
from bacen.simulator.requests import SETTLEMENT, Originate
from bacen.simulator.virtual_payer import PAYER_TAX_ID
from bacen.wire import (
    SPI_ISPB,
    CreditTransfer,
    Pacs002,
    Pacs008,
    StatusReport,
    make_end_to_end_id,
    message_id,
)

GROUP_MAX = 10  # payments of a pacs.008, reports of a pacs.002
GROUPS_MAX = 10  # of one turn, so that answers get theirs
TICK_MS_MIN = 10
SEED_BITS = 64
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Pay:
    pass


@dataclass(frozen=True, slots=True)
class AnswerDue:
    pass


class CounterpartyProcess(GenServer):
    """Pays connected participants and other counterparties, and receives from them.

    Args:
        config: How it behaves; checked.
        timeout_ms: After which an answer is late.
        counts: What it did, from zero.
    """

    mailbox_max = 100_000

    def __init__(self, config: Counterparty, timeout_ms: int, counts: CounterpartyCounts) -> None:
        self._config = config
        self._timeout_ms = timeout_ms
        self._counts = counts
        self._due: list[tuple[int, int, StatusReport]] = []

    async def init(self) -> None:
        paying, answering = (make_rng(self.node.rng.getrandbits(SEED_BITS)) for _ in range(2))
        self._behaviour = Behaviour(self._config, paying, answering, self._timeout_ms)
        self._start_ns = self.node.clock.monotonic_ns()
        if self._config.rate_per_second is not None:
            self._rate = int(self._config.rate_per_second * 1_000)  # a thousand seconds' payments
            self._tick_ms = max(TICK_MS_MIN, 1_000_000 // self._rate)
            self.node.send_after(self._tick_ms, self.pid, Pay())

    async def handle_cast(self, message: Any) -> None:
        match message:
            case Asked(transfers, returns):
                for transfer in transfers:
                    self._plan_answer(transfer.end_to_end_id, transfer.end_to_end_id)
                for one in returns:
                    self._plan_answer(one.return_id, one.end_to_end_id)
            case Told(reports):
                self._learn(reports)
            case _:
                raise UnhandledMessage("handle_cast", type(message).__name__)

    async def handle_info(self, message: Any) -> None:
        match message:
            case Pay():
                await self._pay()
            case AnswerDue():
                await self._answer()
            case _:
                await super().handle_info(message)

    async def _pay(self) -> None:
        passed_ns = self.node.clock.monotonic_ns() - self._start_ns
        wanted = passed_ns * self._rate // (1_000 * NS_PER_S)
        if self._config.payments_max is not None:
            wanted = min(wanted, self._config.payments_max)
        for _ in range(GROUPS_MAX):
            count = min(GROUP_MAX, wanted - self._counts.sent - self._counts.failed)
            if count <= 0:
                break
            drawn = [await self._transfer() for _ in range(count)]
            transfers = tuple(each for each in drawn if each is not None)
            if transfers and await self._send(self._pacs008(transfers)):
                self._counts.sent += len(transfers)
                count -= len(transfers)
            self._counts.failed += count
        if self._counts.sent + self._counts.failed != self._config.payments_max:
            self.node.send_after(self._tick_ms, self.pid, Pay())

    def _plan_answer(self, instruction_id: str, end_to_end_id: str) -> None:
        verdict = self._behaviour.verdict()
        self._counts.asked += 1
        self._counts.answers[verdict.reason or verdict.kind] += 1
        if verdict.kind == SILENT:
            return
        report = StatusReport(
            original_instruction_id=instruction_id,
            end_to_end_id=end_to_end_id,
            status="RJCT" if verdict.kind == REJECTED else "ACSP",
            reasons=(verdict.reason,) if verdict.reason else (),
        )
        due_ns = self.node.clock.monotonic_ns() + verdict.after_ms * NS_PER_MS
        heapq.heappush(self._due, (due_ns, self._counts.asked, report))
        self.node.send_after(verdict.after_ms, self.pid, AnswerDue())

    async def _answer(self) -> None:
        """Send what has fallen due, together; another message came for what this one takes."""
        now_ns = self.node.clock.monotonic_ns()
        reports: list[StatusReport] = []
        while self._due and self._due[0][0] <= now_ns and len(reports) < GROUP_MAX:
            reports.append(heapq.heappop(self._due)[2])
        if reports:
            await self._send(self._pacs002(tuple(reports)))

    def _learn(self, reports: Iterable[StatusReport]) -> None:
        """Count how payments of its own ended: it is told of what it received as well."""
        for report in reports:
            is_payment = report.original_instruction_id == report.end_to_end_id  # or a return
            if is_payment and report.end_to_end_id[1:9] == self._config.ispb:
                self._counts.outcomes[report.reasons[0] if report.reasons else report.status] += 1

    async def _send(self, message: Pacs008 | Pacs002) -> bool:
        try:
            await self.node.call(SETTLEMENT, Originate(message), timeout_ms=None)
        except (ActorError, BankFault):
            return False  # the core starts again, or has failed on it: both are in the log
        return True

    async def _transfer(self) -> CreditTransfer | None:
        """Draw a payment; None where DICT does not say where its key leads to."""
        target, amount_cents = self._behaviour.payment()
        now = self.node.clock.now()
        end_to_end_id = make_end_to_end_id(self._config.ispb, now, self.node.ids.token(11))
        if target.is_key:
            found = await self._look_up(target, end_to_end_id)
            if found is None:
                return None
            target = found
        return transfer_to(target, end_to_end_id, amount_cents, now)

    async def _look_up(self, target: Target, end_to_end_id: str) -> Target | None:
        """Ask DICT as any participant does: each question costs tokens."""
        assert target.key is not None  # the config was checked
        request = GetEntryRequest(
            key=parse_key(target.key).value,
            participant=self._config.ispb,
            payer_id=PAYER_TAX_ID,
            end_to_end_id=end_to_end_id,
        )
        head = {
            "response_time": self.node.clock.now(),
            "correlation_id": self.node.ids.new_id().hex,
        }
        ask = Ask("getEntry", Question(self._config.ispb, request, head, files_url=""))
        try:
            entry = (await self.node.call(DIRECTORY, ask, timeout_ms=None)).entry
        except (ActorError, DictRefusal):
            return None
        account = entry.account
        return Target(
            ispb=account.participant,
            account_number=account.account_number,
            account_type=account.account_type,
            branch=account.branch,
            tax_id=entry.owner.tax_id_number,
            key=entry.key,
        )

    def _pacs008(self, transfers: tuple[CreditTransfer, ...]) -> Pacs008:
        return Pacs008(
            sender=self._config.ispb,
            receiver=SPI_ISPB,
            message_id=self._message_id(),
            created_at=self.node.clock.now(),
            transfers=transfers,
        )

    def _pacs002(self, reports: tuple[StatusReport, ...]) -> Pacs002:
        return Pacs002(
            sender=self._config.ispb,
            receiver=SPI_ISPB,
            message_id=self._message_id(),
            created_at=self.node.clock.now(),
            reports=reports,
        )

    def _message_id(self) -> str:
        return message_id(self._config.ispb, self.node.ids.token(23))
