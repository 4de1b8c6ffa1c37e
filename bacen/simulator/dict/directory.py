"""The process that owns DICT: takes what was asked, decides, commits, then answers.

Whatever is queued becomes one batch and one commit; each request is a step of its own in it, taken
back alone when it is refused or when the bank's own code fails on it. A batch that cannot be
committed ends the process, and the next one starts from what the disk says.
"""

import sqlite3
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from actors import (
    TIMEOUT,
    ActorError,
    ExitReason,
    From,
    GenServer,
    IdleTimeout,
    NoReply,
    Reply,
    TimerRef,
    UnhandledMessage,
)
from bacen.dict import ERROR_TYPES, OPERATIONS, Entry
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.families import Families
from bacen.simulator.dict.office import Office
from bacen.simulator.dict.requests import (
    Ask,
    DirectoryStatistics,
    GetDirectoryStatistics,
    GetFile,
)
from bacen.simulator.dict.settings import DictSettings
from bacen.simulator.dict.store import DictStore
from bacen.simulator.errors import BankFault
from bacen.simulator.participants import Participant
from bacen.simulator.requests import SETTLEMENT, GetPayment, Originate
from bacen.simulator.virtual_returner import ReturnOrder, pacs004_of
from bacen.simulator.watching import DICT_ANSWERED

ANSWERS_GATHERED_MAX = 50  # then a batch is committed although more is waiting
TIDY_EVERY_MS = 60_000
SPI_TIMEOUT_MS = 2_000
DUE_STEP_MS = 1  # what is due is due at once, but never in a loop without time
READS_SPI = frozenset(  # operations that have to know the newest payments
    {
        *("createFundsRecovery", "createRefund", "closeRefund"),
        *("getPersonStatistics", "getEntryStatistics"),
        *("getRefund", "listRefunds", "getFundsRecovery", "listFundsRecoveryRefunds"),
    }
)
WHEN_IDLE: Final = IdleTimeout(0)

_log = structlog.get_logger("bacen")


class Due:
    """To itself: something is due by the clock."""


class Upkeep:
    """To itself: take in what settled."""


class Directory(GenServer):
    """Owner of the keys and of all that is settled about them.

    Args:
        home: Folder of `dict.sqlite3` and of the SPI's `bank.sqlite3`, which must be there.
        settings: Of DICT.
        participants: By ISPB.
        connected: ISPBs that speak for themselves.
        entries: Known from the first start on.
    """

    trap_exit = True  # so that the store is closed in order

    def __init__(
        self,
        home: Path,
        settings: DictSettings,
        participants: Mapping[str, Participant],
        connected: Iterable[str],
        entries: Iterable[Entry],
    ) -> None:
        self._home = home
        self._settings = settings
        self._participants = participants
        self._connected = frozenset(connected)
        self._seed = entries
        self._waiting: list[tuple[From, object]] = []
        self._answers: Counter[tuple[str, str]] = Counter()
        self._faults = 0
        self._due: TimerRef | None = None
        self._due_ms = 0
        self._tidied_ms = 0

    async def init(self) -> None:
        self._store = DictStore(self._home / "dict.sqlite3")
        self.node.on_exit(self._store.abandon)
        self._office = Office(
            self.node, self._store, self._settings, self._participants, self._connected
        )
        self._families = Families(self._office, self._home / "bank.sqlite3")
        self.node.on_exit(self._families.transactions.close)
        self._store.begin()
        self._families.entries.seed(self._seed)
        self._upkeep()
        await self._flush()

    async def handle_call(self, request: Any, sender: From) -> Reply | NoReply:
        match request:
            case Ask():
                self._store.begin()
                self._waiting.append((sender, self._answer(request)))
                if len(self._waiting) < ANSWERS_GATHERED_MAX:
                    return NoReply(WHEN_IDLE)
                await self._flush()
                return NoReply()
            case GetFile(token):
                self._store.begin()
                self._advance()
                return Reply(self._families.cids.content(token), WHEN_IDLE)
            case GetDirectoryStatistics():
                return Reply(self._statistics(), self._then())
            case _:
                raise UnhandledMessage("handle_call", type(request).__name__)

    async def handle_info(self, message: Any) -> NoReply:
        if message is TIMEOUT:
            await self._flush()
            return NoReply()
        match message:
            case Due():
                self._due = None
                self._store.begin()
            case Upkeep():
                self._upkeep()
            case _:
                await super().handle_info(message)
        await self._flush()
        return NoReply()

    async def terminate(self, reason: ExitReason) -> None:  # noqa: ARG002 (a callback)
        self._store.close()

    def _then(self) -> IdleTimeout | None:
        return WHEN_IDLE if self._waiting else None

    def _answer(self, ask: Ask) -> object:
        """Do what was asked; gives the response, or the error to raise at the asker."""
        self._advance()
        operation, asked = OPERATIONS[ask.operation], ask.asked
        families = self._families
        try:
            if ask.operation in READS_SPI:
                families.read_on()
            self._require_tokens(ask)
            with self._store.step():
                answer: object = families.answer(ask.operation, asked)
            kind, status = "OK", operation.status
        except DictRefusal as refusal:
            answer, kind, status = refusal, refusal.type, ERROR_TYPES[refusal.type].status
        except (sqlite3.Error, MemoryError):
            raise  # the disk's or the machine's, not this request's: the batch fails
        except Exception as error:  # noqa: BLE001 (our own, whatever it is: the others go on)
            self._fault(ask.operation, error)
            answer, kind, status = DictRefusal("InternalServerError"), "InternalServerError", 500
        if status != 429:
            families.limits.settle(operation, asked, status)
        self._answers[ask.operation, kind] += 1
        told: dict[str, Any] = {"ispb": asked.by, "operation": ask.operation, "type": kind}
        told |= {"request": asked.request, "response": answer}
        self.node.telemetry.execute(DICT_ANSWERED, {}, told)
        return answer

    def _require_tokens(self, ask: Ask) -> None:
        operation, limits = OPERATIONS[ask.operation], self._families.limits
        try:
            limits.require_tokens(operation, ask.asked)
        except DictRefusal:  # payments that were not looked at yet may give tokens back
            self._families.read_on()
            limits.require_tokens(operation, ask.asked)

    def _advance(self) -> None:
        """Do what is due before anybody is answered."""
        now_ms = self._office.now_ms()
        while (due := self._families.due_next()) is not None and due.due_ms <= now_ms:
            try:
                with self._store.step():
                    self._families.advance(due)
            except (sqlite3.Error, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 (our own, whatever it is: the others go on)
                self._fault(due.family, error)
                self._families.postpone(due)

    async def _flush(self) -> None:
        if not self._waiting and not self._store.is_open:
            return
        self._advance()
        self._store.commit()
        waiting, self._waiting = self._waiting, []
        for sender, answer in waiting:
            if isinstance(answer, DictRefusal):
                self.node.fail(sender, answer)
            else:
                self.node.reply(sender, answer)
        self._watch()
        for order in self._families.returns_wanted():
            await self._give_back(order)

    async def _give_back(self, order: ReturnOrder) -> None:
        """Send the return of a virtual participant; what goes wrong is tried again later."""
        node = self.node
        try:
            asked = GetPayment(order.end_to_end_id)
            original = await node.call(SETTLEMENT, asked, timeout_ms=SPI_TIMEOUT_MS)
            message = pacs004_of(order, original, node.ids, node.clock.now())
            await node.call(SETTLEMENT, Originate(message), timeout_ms=SPI_TIMEOUT_MS)
        except (ActorError, BankFault) as error:
            _log.warning("dict_return_failed", error=type(error).__name__)

    def _upkeep(self) -> None:
        self._store.begin()
        try:
            delay_ms = self._families.read_on()
        except (sqlite3.Error, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 (our own, whatever it is: DICT goes on)
            self._fault("read_on", error)
            delay_ms = TIDY_EVERY_MS
        now_ms = self._office.now_ms()
        if now_ms >= self._tidied_ms + TIDY_EVERY_MS:
            self._tidied_ms = now_ms
            self._families.forget()
            self._store.checkpoint()
        self.node.send_after(delay_ms, self.pid, Upkeep())

    def _watch(self) -> None:
        """Set the timer for what is due next."""
        due = self._families.due_next()
        if due is None or (self._due is not None and self._due_ms <= due.due_ms):
            return
        if self._due is not None:
            self.node.cancel_timer(self._due)
        delay_ms = max(DUE_STEP_MS, due.due_ms - self._office.now_ms())
        self._due = self.node.send_after(delay_ms, self.pid, Due())
        self._due_ms = due.due_ms

    def _fault(self, operation: str, error: Exception) -> None:
        """Count and log a fault of our own code; its text may quote a request, so frames only."""
        self._faults += 1
        frames = "".join(traceback.format_tb(error.__traceback__))
        name = type(error).__name__
        _log.error("dict_fault", operation=operation, error=name, traceback=frames)

    def _statistics(self) -> DirectoryStatistics:
        row = self._store.row("SELECT count(*) FROM entries")
        return DirectoryStatistics(dict(self._answers), row[0] if row else 0, self._faults)
