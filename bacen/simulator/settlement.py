"""The process that owns the money of the bank: takes messages, decides, stores, then tells.

One batch is on its way to the disk while the next gathers; a POST is answered and a message handed
out only when its batch is stored. When a commit fails the process dies with it, and the next one
starts from what the disk says.

Each message is a step of its own inside its batch: when the bank's own code fails on it, what the
step did is taken back, its sender is told, and the batch goes on. The savepoint is in memory,
where the decisions are made; the disk sees whole batches only (`bacen.simulator.store` says why).
"""

import sqlite3
import traceback
from asyncio import Future, wrap_future
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog

from actors import (
    TIMEOUT,
    ExitReason,
    From,
    GenServer,
    IdleTimeout,
    NoReply,
    Reply,
    TimerRef,
    UnhandledMessage,
)
from bacen.simulator.accounts import PiAccounts
from bacen.simulator.changes import Changes, FileRequest, OwnData
from bacen.simulator.counterparties import Roster
from bacen.simulator.engine import Engine
from bacen.simulator.errors import BankFault
from bacen.simulator.faults import Delivery, FaultPlan, Late, LetterFaults
from bacen.simulator.files import EntryFiles, FileMade
from bacen.simulator.gathering import Gathering
from bacen.simulator.home import HomeLock
from bacen.simulator.intake import Intake, fault_of
from bacen.simulator.liquidity import move, refusal
from bacen.simulator.outbox import Letter
from bacen.simulator.outgoing import MessageIds, Outgoing
from bacen.simulator.participants import Participant
from bacen.simulator.payments import DAY_MS, Moment, Payment, to_ms
from bacen.simulator.requests import (
    Announce,
    BankStatistics,
    ChangeParticipant,
    Confirmed,
    GetAccount,
    GetBankStatistics,
    GetParticipant,
    GetPayment,
    MoveLiquidity,
    Originate,
    Receive,
)
from bacen.simulator.settings import BankSettings
from bacen.simulator.statements import Statements, announce, file_failed, file_made
from bacen.simulator.store import OutboxRow, Prune, Store, StoredMessage, seed
from bacen.simulator.watching import Watch
from bacen.wire import Pacs002, Pacs004, Pacs008, Signer, Verifier

MESSAGES_GATHERED_MAX = 50  # then a batch is written although more is waiting
EXPIRY_STEP_MS = 20  # payments whose time limits lie close together are rejected together
EXPIRY_RETRY_MS = 60_000  # a payment that the bank failed to reject is tried again
PRUNE_EVERY_MS = 60_000
MS_PER_HOUR = 3_600_000

WHEN_IDLE: Final = IdleTimeout(0)

_log = structlog.get_logger("bacen")


@dataclass(frozen=True, slots=True)
class Committed:
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class FileDone:
    """The file, or what went wrong with it."""

    request: FileRequest
    done: FileMade | BaseException


@dataclass(frozen=True, slots=True)
class Expire:
    pass


@dataclass(frozen=True, slots=True)
class PruneNow:
    pass


@dataclass(slots=True)
class RowLeft:
    """A stored row whose letters are not all confirmed: how many are not."""

    ispb: str
    letters: int


@dataclass(frozen=True, slots=True)
class Keys:
    """What the bank signs with and whom it believes."""

    signer: Signer
    verifier: Verifier


class Settlement(GenServer):
    """Owner of the PI accounts.

    Args:
        settings: Of the bank.
        participants: By ISPB.
        keys: The SPI's signer, the participants' certificates.
        plan: Faults in what the participants are told.
        roster: Who is asked and told, over ICOM or as a counterparty of the bank's own.
    """

    trap_exit = True  # so that the commit under way ends before the store is closed

    def __init__(
        self,
        settings: BankSettings,
        participants: Mapping[str, Participant],
        keys: Keys,
        plan: FaultPlan,
        roster: Roster,
    ) -> None:
        self._settings = settings
        self._participants = participants
        self._keys = keys
        self._plan = plan
        self._roster = roster
        self._letter_faults = LetterFaults(plan)
        self._gathering = Gathering()
        self._in_flight: tuple[Gathering, list[OutboxRow]] | None = None
        self._rows_left: dict[int, RowLeft] = {}
        self._row = 0
        self._commits = 0
        self._faults = 0
        self._expiry: TimerRef | None = None
        self._expiry_ms = 0

    async def init(self) -> None:
        settings = self._settings
        self.node.on_exit(HomeLock(settings.home).release)
        self._store = Store(settings.home / "bank.sqlite3")
        self.node.on_exit(self._store.abandon)
        self._files = EntryFiles(settings.home)
        self.node.on_exit(self._files.abandon)
        seed(self._store, self._opening_balances())
        accounts = PiAccounts(self._store.accounts())
        self._engine = Engine(
            {**self._participants, **self._store.participants()},
            accounts,
            self._roster,
            acceptance_timeout_ms=settings.acceptance_timeout_ms,
            scheduled_timeout_ms=settings.scheduled_timeout_ms,
            return_days=settings.return_days,
        )
        self._engine.resume(self._store.pending(), self._store.moves())
        self._total_cents = accounts.total_cents()
        self._watch = Watch(self.node)
        self._intake = Intake(
            self._engine,
            Statements(self._engine, self._store),
            self._store,
            self._keys.verifier,
            self._watch,
        )
        self._outgoing = Outgoing(
            self._keys.signer,
            MessageIds(self._store.epoch),
            self._fault,
            self._letter_faults.encode,
            self._watch,
        )
        self._delivery = Delivery(self.node, self.pid, self._plan)
        for row in self._store.outbox():
            self._row = row.number
            self._post(row, self._delivery.post_again)
        for request in self._store.file_requests():
            self._make_file(request)
        self._watch_deadlines()
        self.node.send_after(PRUNE_EVERY_MS, self.pid, PruneNow())

    async def handle_call(self, request: Any, sender: From) -> Reply | NoReply:
        match request:
            case GetAccount(ispb):
                return Reply(self._engine.accounts.get(ispb), WHEN_IDLE)
            case GetPayment(instruction_id):
                return Reply(self._payment(instruction_id), WHEN_IDLE)
            case GetParticipant(ispb):
                return Reply(self._participant(ispb), WHEN_IDLE)
            case GetBankStatistics():
                return Reply(self._statistics(), WHEN_IDLE)
            case Receive():
                self._receive(request, sender)
            case Originate(message):
                self._originate(message, sender)
            case MoveLiquidity():
                self._move_liquidity(request, sender)
            case Announce(text):
                self._announce(text, sender)
            case ChangeParticipant(ispb, public):
                change = partial(self._intake.registrations.change, ispb, public)
                self._order("participant", change, sender)
            case _:
                raise UnhandledMessage("handle_call", type(request).__name__)
        return self._wait()

    async def handle_cast(self, message: Any) -> NoReply:
        match message:
            case Confirmed(rows):
                self._confirm(rows)
            case _:
                raise UnhandledMessage("handle_cast", type(message).__name__)
        return self._wait()

    async def handle_info(self, message: Any) -> NoReply:
        if message is TIMEOUT:
            self._flush()
            return NoReply()
        match message:
            case Committed(error):
                self._committed(error)
            case Expire():
                self._expire()
            case Late():
                self._delivery.release(message)
            case FileDone():
                self._file_done(message)
            case PruneNow():
                self._prune()
            case _:
                await super().handle_info(message)
        return self._wait()

    async def terminate(self, reason: ExitReason) -> None:  # noqa: ARG002 (a callback)
        self._files.close()
        self._store.close()

    def _opening_balances(self) -> dict[str, int]:
        settings = self._settings
        return {
            ispb: settings.pi_balances_cents.get(ispb, settings.pi_balance_cents)
            for ispb, participant in self._participants.items()
            if participant.kind == "DRCT"
        }

    def _wait(self) -> NoReply:
        if self._in_flight is not None:
            return NoReply()
        if self._gathering.messages >= MESSAGES_GATHERED_MAX:
            self._flush()
            return NoReply()
        return NoReply(WHEN_IDLE)

    def _receive(self, post: Receive, sender: From) -> None:
        moment = Moment(self.node.clock.now())
        ispb, bodies, gathering = post.ispb, post.bodies, self._gathering
        gathering.is_empty = False
        gathering.messages += len(bodies)
        resource_ids = tuple(self.node.ids.new_id().hex for _ in bodies)
        for resource_id, body in zip(resource_ids, bodies, strict=True):
            take = partial(self._intake.take, post, resource_id, body, moment)
            if self._step("message", take, ispb=ispb, resource_id=resource_id) is not None:
                gathering.changes.rejections.append(fault_of(ispb, resource_id, body))
        gathering.waiters.append((sender, resource_ids))
        self._watch_deadlines()

    def _originate(self, message: Pacs008 | Pacs004 | Pacs002, sender: From) -> None:
        moment = Moment(self.node.clock.now())
        if isinstance(message, Pacs004):
            self._order("virtual return", partial(self._intake.give_back, message, moment), sender)
        elif isinstance(message, Pacs002):
            self._order("virtual answer", partial(self._engine.answer, message, moment), sender)
        else:
            self._order("virtual payer", partial(self._engine.pay, message, {}, moment), sender)
        self._watch_deadlines()

    def _move_liquidity(self, request: MoveLiquidity, sender: From) -> None:
        number = request.control_number
        earlier = self._engine.supplies.get(number) or self._store.supply(number)
        error = refusal(request, earlier, self._engine.accounts)
        if error is not None:
            self.node.fail(sender, error)
            return
        moment = Moment(self.node.clock.now())
        if earlier is None:
            self._order("liquidity", partial(move, self._engine, request, moment), sender)
            return
        # The movement may still be on its way to the disk: the answer comes with the next commit.
        self._gathering.is_empty = False
        self._gathering.waiters.append((sender, None))

    def _announce(self, text: str, sender: From) -> None:
        self._order("announcement", partial(announce, self._settings.connected, text), sender)

    def _order(self, name: str, decide: Callable[[Changes], object], sender: From) -> None:
        """Decide what no participant sent, as one step; answered once it is stored."""
        error = self._step(name, decide)
        if error is not None:
            self.node.fail(sender, BankFault(type(error).__name__))
            return
        self._gathering.is_empty = False
        self._gathering.waiters.append((sender, None))

    def _step(
        self, name: str, decide: Callable[[Changes], object], **named: str
    ) -> Exception | None:
        """Decide one thing and add it to the batch, or take it back and give what was raised."""
        step = self._engine.begin()
        try:
            decide(step)
        except (sqlite3.Error, MemoryError):
            raise  # the disk's or the machine's, not this message's: the batch fails
        except Exception as error:  # noqa: BLE001 (our own, whatever it is: the others go on)
            self._engine.undo(step)
            self._fault(name, error, **named)
            return error
        self._gathering.changes.add(step)
        return None

    def _fault(self, name: str, error: Exception, **named: str) -> None:
        """Count and log a fault of our own code; its text may quote a message, so frames only."""
        self._faults += 1
        frames = "".join(traceback.format_tb(error.__traceback__))
        _log.error("fault", step=name, error=type(error).__name__, traceback=frames, **named)

    def _confirm(self, rows: tuple[int, ...]) -> None:
        left = self._rows_left
        self._watch.confirmed(left[row].ispb for row in rows if row in left)
        for row in rows:
            if row not in left:
                continue
            left[row].letters -= 1
            if left[row].letters == 0:
                del left[row]
                self._gathering.confirmed_rows.append(row)
                self._gathering.is_empty = False

    def _flush(self) -> None:
        gathering = self._gathering
        if gathering.is_empty or self._in_flight is not None:
            return
        self._gathering = Gathering()
        changes = gathering.changes
        now = self.node.clock.now()
        told = self._roster.written(changes)
        bodies = self._letter_faults.signed(self._outgoing, told, now)
        rows = [self._row_of(ispb, letters) for ispb, letters in bodies.items()]
        batch = gathering.batch(self._engine.accounts, rows)
        self._in_flight = gathering, rows
        wrap_future(self._store.submit(batch)).add_done_callback(
            lambda done: self.node.send(self.pid, committed(done))
        )

    def _committed(self, error: BaseException | None) -> None:
        if error is not None:
            raise error
        assert self._in_flight is not None  # only a flush submits, and only when there is none
        (stored, rows), self._in_flight = self._in_flight, None
        self._commits += 1
        self._watch.offered(stored.changes)
        self._watch.finished(self._engine.stored(stored.changes, self._gathering.changes))
        self._watch.moved(stored.changes.supplies.values())
        self._intake.stored(stored.changes)
        self._roster.tell(self.node, stored.changes)
        for row in rows:
            self._post(row, self._delivery.post)
        for sender, answer in stored.waiters:
            self.node.reply(sender, answer)
        for request in stored.changes.file_requests:
            self._make_file(request)

    def _make_file(self, request: FileRequest) -> None:
        def tell(future: Future[FileMade]) -> None:
            if not future.cancelled():
                done = FileDone(request, future.exception() or future.result())
                self.node.send(self.pid, done)

        wrap_future(self._files.submit(request)).add_done_callback(tell)

    def _file_done(self, message: FileDone) -> None:
        request, done = message.request, message.done
        if isinstance(done, FileMade):
            decide = partial(file_made, request, done.entries, done.sha256)
        else:
            if isinstance(done, Exception):
                self._fault("file", done, ispb=request.ispb, message_id=request.message_id)
            decide = partial(file_failed, request)
        self._step("file", decide)
        self._gathering.is_empty = False

    def _prune(self) -> None:
        now_ms = to_ms(self.node.clock.now())
        self._gathering.prune = Prune(
            now_ms - self._settings.retention_hours * MS_PER_HOUR,
            now_ms - self._settings.entry_days * DAY_MS,
        )
        self._gathering.is_empty = False
        self.node.send_after(PRUNE_EVERY_MS, self.pid, PruneNow())

    def _row_of(self, ispb: str, bodies: list[bytes]) -> OutboxRow:
        self._row += 1
        messages = [StoredMessage(self.node.ids.new_id().hex, body) for body in bodies]
        return OutboxRow(self._row, ispb, messages)

    def _post(self, row: OutboxRow, post: Callable[[str, tuple[Letter, ...]], int]) -> None:
        letters = tuple(Letter(each.resource_id, each.body, row.number) for each in row.messages)
        self._rows_left[row.number] = RowLeft(row.ispb, post(row.ispb, letters))

    def _expire(self) -> None:
        self._expiry = None
        moment = Moment(self.node.clock.now())
        for waiting in self._engine.due(moment):
            expire = partial(self._intake.expire, waiting, moment)
            if self._step("time limit", expire, message_id=waiting.message_id) is not None:
                self._engine.postpone(waiting, moment.ms + EXPIRY_RETRY_MS)
        if self._gathering.changes.payments or self._gathering.changes.moves:
            self._gathering.is_empty = False
        self._watch_deadlines()

    def _watch_deadlines(self) -> None:
        deadline_ms = self._engine.next_deadline_ms()
        if deadline_ms is None or (self._expiry is not None and self._expiry_ms <= deadline_ms):
            return
        if self._expiry is not None:
            self.node.cancel_timer(self._expiry)
        delay_ms = max(EXPIRY_STEP_MS, deadline_ms - to_ms(self.node.clock.now()))
        self._expiry = self.node.send_after(delay_ms, self.pid, Expire())
        self._expiry_ms = deadline_ms

    def _payment(self, instruction_id: str) -> Payment | None:
        here = self._engine.payments.get(instruction_id)
        return here or self._store.payments([instruction_id]).get(instruction_id)

    def _participant(self, ispb: str) -> tuple[Participant, OwnData | None] | None:
        known = self._engine.participants.get(ispb)
        return None if known is None else (known, self._store.own_data(ispb))

    def _statistics(self) -> BankStatistics:
        engine = self._engine
        accounts = engine.accounts.all()
        return BankStatistics(
            messages=dict(self._intake.kinds),
            payments=dict(engine.outcomes),
            accounts=tuple(
                (each.ispb, each.balance_cents, each.blocked_cents) for each in accounts
            ),
            pending=len(engine.payments),
            late_answers=engine.late_answers,
            commits=self._commits,
            money_missing_cents=(
                self._total_cents + engine.accounts.supplied_cents - engine.accounts.total_cents()
            ),
            faults=self._faults,
        )


def committed(done: Future[None]) -> Committed:
    return Committed(done.exception())
