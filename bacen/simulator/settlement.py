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
from dataclasses import dataclass, field
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
from bacen.simulator.engine import Changes, Engine
from bacen.simulator.errors import BankFault
from bacen.simulator.home import HomeLock
from bacen.simulator.intake import Intake, fault_of
from bacen.simulator.outbox import Letter
from bacen.simulator.outgoing import MessageIds, Outgoing
from bacen.simulator.participants import Participant
from bacen.simulator.payments import Moment, Payment, to_ms
from bacen.simulator.requests import (
    MAILROOM,
    BankStatistics,
    Confirmed,
    GetAccount,
    GetBankStatistics,
    GetPayment,
    Originate,
    Post,
    Receive,
)
from bacen.simulator.settings import BankSettings
from bacen.simulator.store import Batch, OutboxRow, Store, StoredMessage, seed
from bacen.wire import Pacs008, Signer, Verifier

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
    fault: Exception | None = None


@dataclass(frozen=True, slots=True)
class Expire:
    pass


@dataclass(frozen=True, slots=True)
class Prune:
    pass


@dataclass(slots=True)
class Gathering:
    """A batch before it is written."""

    changes: Changes = field(default_factory=Changes)
    waiters: list[tuple[From, object]] = field(default_factory=list)
    messages: int = 0
    confirmed_rows: list[int] = field(default_factory=list)
    prune_before_ms: int | None = None
    is_empty: bool = True


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
    """

    trap_exit = True  # so that the commit under way ends before the store is closed

    def __init__(
        self, settings: BankSettings, participants: Mapping[str, Participant], keys: Keys
    ) -> None:
        self._settings = settings
        self._participants = participants
        self._keys = keys
        self._gathering = Gathering()
        self._in_flight: tuple[Gathering, list[OutboxRow]] | None = None
        self._rows_left: dict[int, int] = {}
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
        seed(self._store, self._opening_balances())
        accounts = PiAccounts(self._store.accounts())
        self._engine = Engine(
            self._participants,
            accounts,
            settings.connected,
            acceptance_timeout_ms=settings.acceptance_timeout_ms,
            scheduled_timeout_ms=settings.scheduled_timeout_ms,
        )
        self._engine.resume(self._store.pending())
        self._total_cents = accounts.total_cents()
        self._intake = Intake(self._engine, self._store, self._keys.verifier)
        self._outgoing = Outgoing(self._keys.signer, MessageIds(self._store.epoch), self._fault)
        for row in self._store.outbox():
            self._row = row.number
            self._post(row)
        self._watch_deadlines()
        self.node.send_after(PRUNE_EVERY_MS, self.pid, Prune())

    async def handle_call(self, request: Any, sender: From) -> Reply | NoReply:
        match request:
            case Receive(ispb, bodies):
                self._receive(ispb, bodies, sender)
                return self._wait()
            case Originate(message):
                self._originate(message, sender)
                return self._wait()
            case GetAccount(ispb):
                return Reply(self._engine.accounts.get(ispb), WHEN_IDLE)
            case GetPayment(end_to_end_id):
                return Reply(self._payment(end_to_end_id), WHEN_IDLE)
            case GetBankStatistics():
                return Reply(self._statistics(), WHEN_IDLE)
            case _:
                raise UnhandledMessage("handle_call", type(request).__name__)

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
            case Committed(error, fault):
                self._committed(error, fault)
            case Expire():
                self._expire()
            case Prune():
                retention_ms = self._settings.retention_hours * MS_PER_HOUR
                self._gathering.prune_before_ms = to_ms(self.node.clock.now()) - retention_ms
                self._gathering.is_empty = False
                self.node.send_after(PRUNE_EVERY_MS, self.pid, Prune())
            case _:
                await super().handle_info(message)
        return self._wait()

    async def terminate(self, reason: ExitReason) -> None:  # noqa: ARG002 (a callback)
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

    def _receive(self, ispb: str, bodies: tuple[bytes, ...], sender: From) -> None:
        moment = Moment(self.node.clock.now())
        gathering = self._gathering
        gathering.is_empty = False
        gathering.messages += len(bodies)
        resource_ids = tuple(self.node.ids.new_id().hex for _ in bodies)
        for resource_id, body in zip(resource_ids, bodies, strict=True):
            take = partial(self._intake.take, ispb, resource_id, body, moment)
            if self._step("message", take, ispb=ispb, resource_id=resource_id) is not None:
                gathering.changes.rejections.append(fault_of(ispb, resource_id, body))
        gathering.waiters.append((sender, resource_ids))
        self._watch_deadlines()

    def _originate(self, message: Pacs008, sender: From) -> None:
        moment = Moment(self.node.clock.now())
        error = self._step("virtual payer", partial(self._engine.pay, message, {}, moment))
        if error is not None:
            self.node.fail(sender, BankFault(type(error).__name__))
            return
        self._gathering.is_empty = False
        self._gathering.waiters.append((sender, None))
        self._watch_deadlines()

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
        for row in rows:
            left = self._rows_left.get(row, 0) - 1
            if left > 0:
                self._rows_left[row] = left
            elif self._rows_left.pop(row, None) is not None:
                self._gathering.confirmed_rows.append(row)
                self._gathering.is_empty = False

    def _flush(self) -> None:
        gathering = self._gathering
        if gathering.is_empty or self._in_flight is not None:
            return
        self._gathering = Gathering()
        changes = gathering.changes
        now = self.node.clock.now()
        bodies = self._outgoing.signed(changes, now)
        rows = [self._row_of(ispb, letters) for ispb, letters in bodies.items()]
        accounts = self._engine.accounts
        batch = Batch(
            accounts=[(each.ispb, each.balance_cents) for each in accounts.some(changes.accounts)],
            payments=[payment_row(each) for each in changes.payments.values()],
            received=list(changes.received.values()),
            outbox=rows,
            confirmed_rows=gathering.confirmed_rows,
            prune_before_ms=gathering.prune_before_ms,
        )
        self._in_flight = gathering, rows
        wrap_future(self._store.submit(batch)).add_done_callback(
            lambda done: self.node.send(self.pid, committed(done))
        )

    def _committed(self, error: BaseException | None, fault: Exception | None) -> None:
        if error is not None:
            raise error
        if fault is not None:
            self._fault("prune", fault)
        assert self._in_flight is not None  # only a flush submits, and only when there is none
        (stored, rows), self._in_flight = self._in_flight, None
        self._commits += 1
        self._engine.stored(stored.changes, self._gathering.changes)
        self._intake.stored(stored.changes)
        for row in rows:
            self._post(row)
        for sender, answer in stored.waiters:
            self.node.reply(sender, answer)

    def _row_of(self, ispb: str, bodies: list[bytes]) -> OutboxRow:
        self._row += 1
        messages = [StoredMessage(self.node.ids.new_id().hex, body) for body in bodies]
        return OutboxRow(self._row, ispb, messages)

    def _post(self, row: OutboxRow) -> None:
        letters = tuple(Letter(each.resource_id, each.body, row.number) for each in row.messages)
        self._rows_left[row.number] = len(letters)
        self.node.cast(MAILROOM, Post(row.ispb, letters))

    def _expire(self) -> None:
        self._expiry = None
        moment = Moment(self.node.clock.now())
        for payment in self._engine.due(moment):
            expire = partial(self._engine.expire, payment, moment)
            if self._step("time limit", expire, message_id=payment.message_id) is not None:
                self._engine.postpone(payment, moment.ms + EXPIRY_RETRY_MS)
        if self._gathering.changes.payments:
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

    def _payment(self, end_to_end_id: str) -> Payment | None:
        here = self._engine.payments.get(end_to_end_id)
        return here or self._store.payments([end_to_end_id]).get(end_to_end_id)

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
            money_missing_cents=self._total_cents - engine.accounts.total_cents(),
            faults=self._faults,
        )


def committed(done: Future[Exception | None]) -> Committed:
    error = done.exception()
    return Committed(error) if error is not None else Committed(None, done.result())


def payment_row(payment: Payment) -> tuple[str | int | None, ...]:
    return (
        payment.end_to_end_id,
        payment.message_id,
        payment.payer,
        payment.receiver,
        payment.amount_cents,
        payment.status,
        payment.reason,
        payment.deadline_ms,
        payment.finished_ms,
    )
