"""The STR as far as liquidity goes: takes requests, moves money, answers.

The money of an account at the STR and that of a PI account are in two databases. A deposit first
leaves the one, a withdrawal first leaves the other, and the order in between stands in the book as
moving; a desk that was killed finishes it at its next start, under the same control number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import msgspec
import structlog

from actors import From, GenServer, NoReply, Reply, Stop
from bacen import StrRefused
from bacen.simulator.errors import InsufficientBalance
from bacen.simulator.liquidity import fund, withdraw
from bacen.simulator.participants import Participant
from bacen.simulator.payments import BRASILIA
from bacen.simulator.settings import BankSettings
from bacen.simulator.str.book import (
    E_MONEY,
    REJECTED,
    RESERVES,
    SETTLED,
    AutomaticRule,
    StrBook,
    StrOrder,
)
from bacen.simulator.str.hours import GENERAL, StrHours, day_of
from bacen.simulator.str.rules import (
    DIRECTIONS,
    KINDS,
    ORDERERS,
    PI_OWNERS,
    STR_OWNERS,
    Rules,
    hundredths_of,
    rule_of,
)
from bacen.str import (
    REFUSABLE,
    STR_ISPB,
    StrMessage,
    control_number,
    operation_number,
    read_message,
)
from bacen.wire import cents_to_text

STR_DESK: Final = "bacen.str"
DATABASE: Final = "str.sqlite3"
EFFECTIVE: Final = "1"
NO_FUNDS: Final = "5"
CONTROL_NUMBERS: Final = "control"
OPERATIONS: Final = "operation"
AUTOMATIC_DAY: Final = "automatic"
SHARE_TAGS: Final = {RESERVES: ("PercSldRB_CL", "VlrRB_CL"), E_MONEY: ("PercSldCCME", "VlrCCME")}
ANSWER_TO: Final = {"LPI0001": "ISPBPSPI", "LPI0003": "ISPBIFCredtd"}
R2_FIELDS: Final = {
    "LPI0001": ("ISPBIF", "ISPBPSPI", "VlrLanc", "DtMovto"),
    "LPI0003": ("ISPBPSPI", "ISPBIFCredtd", "FinlddLPI", "NumCtrlSTROr", "VlrLanc", "DtMovto"),
}

_log = structlog.get_logger("bacen")


@dataclass(frozen=True, slots=True)
class TakeStrMessage:
    """To the desk: a document as it came. Replies None when it and its answers are stored."""

    ispb: str
    body: bytes


@dataclass(frozen=True, slots=True)
class FetchStrMail:
    """To the desk: replies number and bytes of the oldest message for a participant, or None."""

    ispb: str


@dataclass(frozen=True, slots=True)
class ConfirmStrMail:
    """To the desk: forget a message that was fetched. Replies False when there is none."""

    ispb: str
    number: int


@dataclass(frozen=True, slots=True)
class GetStrAccounts:
    """To the desk: replies the `StrAccounts` of a participant."""

    ispb: str


@dataclass(frozen=True, slots=True)
class Close:
    """To the desk itself: the general grid may have closed."""


class StrAccounts(msgspec.Struct, frozen=True):
    """Accounts at the STR in centavos, None where a participant has none, and the hours now."""

    reserves_cents: int | None
    e_money_cents: int | None
    is_open: bool
    automatic: Mapping[str, str]


class StrDesk(GenServer):
    """One desk for all participants; handles one message at a time.

    Args:
        settings: Of the bank.
        participants: By ISPB.
    """

    trap_exit = True  # so that the database is closed

    def __init__(self, settings: BankSettings, participants: Mapping[str, Participant]) -> None:
        self._settings = settings
        self._participants = participants
        self._hours = StrHours()

    async def init(self) -> None:
        """Open the book, finish what was on its way, watch for closing time."""
        settings = self._settings
        self._book = StrBook(settings.home / DATABASE)
        self.node.on_exit(self._book.close)
        members = set(self._participants) - set(settings.outside_str)
        owners = sorted(each for each in members if self._has_pi_account(each))
        self._book.open_accounts(owners, settings.str_balance_cents)
        self._rules = Rules(self._book, self._hours, self._has_pi_account)
        for order in self._book.moving_orders():
            await self._finish(order)
        await self._transfer_at_closing()

    async def handle_call(self, request: Any, sender: From) -> Reply | NoReply | Stop:
        """Take a message, hand out mail, show accounts."""
        match request:
            case TakeStrMessage(ispb, body):
                await self._take(ispb, body)
                return Reply(None)
            case FetchStrMail(ispb):
                return Reply(self._book.first_mail(ispb))
            case ConfirmStrMail(ispb, number):
                with self._book.transaction():
                    return Reply(self._book.confirm_mail(ispb, number))
            case GetStrAccounts(ispb):
                return Reply(self._accounts(ispb))
            case _:
                return await super().handle_call(request, sender)

    async def handle_info(self, message: Any) -> NoReply | Stop | None:
        """Make the automatic transfers when the grid has closed."""
        if not isinstance(message, Close):
            return await super().handle_info(message)
        await self._transfer_at_closing()
        return NoReply()

    def _has_pi_account(self, ispb: str) -> bool:
        participant = self._participants.get(ispb)
        return participant is not None and participant.settled_by == ispb

    def _accounts(self, ispb: str) -> StrAccounts:
        rule = self._book.automatic().get(ispb, AutomaticRule({}))
        return StrAccounts(
            self._book.balance(ispb, RESERVES),
            self._book.balance(ispb, E_MONEY),
            self._hours.window(GENERAL, self.node.clock.now()) is not None,
            rule.shares,
        )

    # Messages

    async def _take(self, ispb: str, body: bytes) -> None:
        try:
            message = read_message(body)
            self._check_envelope(message, ispb)
        except StrRefused as error:
            self._refuse(ispb, error)
            return
        earlier = self._book.operation(message.operation)
        if earlier is not None:
            self._repeat(ispb, message.operation, body, earlier)
            return
        now = self.node.clock.now()
        errors = self._rules.broken(message, now)
        if errors:
            self._answer_new(message, body, [message.refused(errors)])
        elif message.code == "LPI0005":
            self._set_rule(message, body, now)
        else:
            await self._order(message, body, now)

    def _check_envelope(self, message: StrMessage, ispb: str) -> None:
        """Refuse what is not for the STR, or not from whom it says.

        Raises:
            StrRefused: It is.
        """
        if message.sender != ispb:
            raise StrRefused("EGEN0005", "the sender is another one", message.operation)
        if message.receiver != STR_ISPB:
            raise StrRefused("EGEN0009", "the receiver is another one", message.operation)
        if message.code not in REFUSABLE:
            raise StrRefused("EGEN0006", "is no request", message.operation)

    def _refuse(self, ispb: str, error: StrRefused) -> None:
        fields = {
            "ErroGEN": error.code,
            "ISPBEmissor": ispb,
            "ISPBDestinatario": STR_ISPB,
            "Hist": error.problem[:200],
            "DtHrPart": self._local_time(self.node.clock.now()),
        }
        if error.operation is not None:
            fields["NUOpOr"] = error.operation
        with self._book.transaction():
            self._book.mail([self._notice("GEN0004", ispb, fields)])

    def _repeat(
        self, ispb: str, number: str, body: bytes, earlier: tuple[bytes, list[StrMessage]]
    ) -> None:
        """A repetition is answered again; another message under the same number is refused."""
        stored, answers = earlier
        if stored != body:
            self._refuse(ispb, StrRefused("EGEN0011", "NUOp is taken", number))
            return
        with self._book.transaction():
            self._book.mail(each for each in answers if each.receiver == ispb)

    def _answer_new(self, message: StrMessage, body: bytes, answers: list[StrMessage]) -> None:
        with self._book.transaction():
            self._book.add_operation(message.operation, body)
            self._book.answer(message.operation, answers)

    def _set_rule(self, message: StrMessage, body: bytes, now: datetime) -> None:
        names = ("NumCtrlPSPI", "ISPBPSPI", "DtMovto")
        fields = {name: message.fields[name] for name in names}
        fields["DtHrBC"] = self._local_time(now)
        with self._book.transaction():
            self._book.set_automatic(message.sender, rule_of(message))
            self._book.add_operation(message.operation, body)
            self._book.answer(message.operation, [answer_to(message, "R1", fields)])

    # Money

    async def _order(self, message: StrMessage, body: bytes, now: datetime) -> None:
        """Write the order down, move the money, answer."""
        with self._book.transaction():
            self._book.add_operation(message.operation, body)
            order = StrOrder(
                control_number=self._new_control_number(now),
                direction=DIRECTIONS[message.code],
                pi_owner=message.fields[PI_OWNERS[message.code]],
                str_owner=message.fields[STR_OWNERS[message.code]],
                kind=KINDS[message.code],
                amount_cents=message.amount_cents,
                message=message,
            )
            is_moving = self._begin(order)
            if not is_moving:
                self._end(order, NO_FUNDS)
        if is_moving:
            await self._finish(order)

    def _begin(self, order: StrOrder) -> bool:
        """Write an order down, a deposit out of its account; False without the money for it."""
        balance_cents = self._book.balance(order.str_owner, order.kind) or 0
        self._book.add_order(order)
        if order.direction > 0:
            if balance_cents < order.amount_cents:
                return False
            self._book.move(order.str_owner, order.kind, -order.amount_cents)
        return True

    async def _finish(self, order: StrOrder) -> None:
        """Move the money of the PI account, once, and write down how that ended.

        Raises:
            CallTimeout, CalleeDied: Not known yet: the next start of this process asks again.
        """
        owner, cents, number = order.pi_owner, order.amount_cents, order.control_number
        outcome = EFFECTIVE
        if order.direction > 0:
            await fund(self.node, owner, cents, number)
        else:
            try:
                await withdraw(self.node, owner, cents, number)
            except InsufficientBalance:
                outcome = NO_FUNDS
        with self._book.transaction():
            if order.direction < 0 and outcome == EFFECTIVE:
                self._book.move(order.str_owner, order.kind, cents)
            self._end(order, outcome)

    def _end(self, order: StrOrder, outcome: str) -> None:
        """Write down how an order ended and tell whom it concerns, within a transaction."""
        is_settled = outcome == EFFECTIVE
        self._book.end_order(order.control_number, SETTLED if is_settled else REJECTED)
        message = order.message
        now = self._local_time(self.node.clock.now())
        taken = {
            "NumCtrlSTR": order.control_number,
            "SitLancSTR": outcome,
            "DtHrSit": now,
            "DtMovto": message.fields["DtMovto"],
        }
        if message.code == "LPI0006":
            fields = {**message.fields, **taken}
            self._book.mail([msgspec.structs.replace(message, fields=fields)])
        else:
            answers = [answer_to(message, "R1", {**first_fields(message), **taken})]
            if is_settled:
                answers += third_party(order, now)
            self._book.answer(message.operation, answers)
        _log.info("liquidity", ispb=order.pi_owner, code=message.code, outcome=outcome)

    # Closing time

    async def _transfer_at_closing(self) -> None:
        """Make the automatic transfers of the last closing, once, and wait for the next."""
        now = self.node.clock.now()
        closing = self._hours.last_closing(GENERAL, now)
        day = closing.date()
        done = self._book.counter(AUTOMATIC_DAY)
        if done < day.toordinal():
            orders: list[StrOrder] = []
            with self._book.transaction():
                self._book.set_counter(AUTOMATIC_DAY, day.toordinal())
                if done:  # nothing is owed for the days before the first start
                    orders = self._begin_automatic(day, now)
            for order in orders:
                await self._finish(order)
        wait = self._hours.next_closing(GENERAL, now) - now
        self.node.send_after(int(wait.total_seconds() * 1_000) + 1, self.pid, Close())

    def _begin_automatic(self, day: date, now: datetime) -> list[StrOrder]:
        begun = []
        for ispb, rule in self._book.automatic().items():
            for kind, tags in SHARE_TAGS.items():
                shares = {tag: rule.shares[tag] for tag in tags if tag in rule.shares}
                balance_cents = self._book.balance(ispb, kind)
                if not shares or balance_cents is None:
                    continue
                cents = share_of(balance_cents, shares)
                fields = {"ISPBPSPI": ispb, "TpCtBC": kind, **shares, "DtMovto": day.isoformat()}
                order = StrOrder(
                    control_number=self._new_control_number(now),
                    direction=1,
                    pi_owner=ispb,
                    str_owner=ispb,
                    kind=kind,
                    amount_cents=cents,
                    message=self._notice(
                        "LPI0006", ispb, {**fields, "VlrLanc": cents_to_text(cents)}
                    ),
                )
                if cents and self._begin(order):
                    begun.append(order)
                else:
                    self._end(order, NO_FUNDS)
        return begun

    def _notice(self, code: str, ispb: str, fields: Mapping[str, str]) -> StrMessage:
        """A message of the STR's own, within a transaction."""
        day = day_of(self.node.clock.now())
        number = operation_number(STR_ISPB, day, self._book.next_number(OPERATIONS))
        return StrMessage(
            code=code, sender=STR_ISPB, receiver=ispb, operation=number, fields=dict(fields)
        )

    def _new_control_number(self, now: datetime) -> str:
        return control_number(day_of(now), self._book.next_number(CONTROL_NUMBERS))

    def _local_time(self, at: datetime) -> str:
        return at.astimezone(BRASILIA).replace(tzinfo=None, microsecond=0).isoformat()


def share_of(balance_cents: int, shares: Mapping[str, str]) -> int:
    """What a rule moves out of a balance: a part of it, or an amount."""
    ((tag, text),) = shares.items()
    hundredths = hundredths_of(text)
    return balance_cents * hundredths // 10_000 if tag.startswith("Perc") else hundredths


def first_fields(message: StrMessage) -> dict[str, str]:
    """The fields of a request that its R1 repeats."""
    own = next(name for name in message.fields if name.startswith("NumCtrl"))
    orderer = ORDERERS[message.code]
    return {own: message.fields[own], orderer: message.fields[orderer]}


def third_party(order: StrOrder, now: str) -> list[StrMessage]:
    """The R2 for the institution at the other end, where there is one."""
    message = order.message
    receiver = message.fields.get(ANSWER_TO.get(message.code, ""), message.sender)
    if receiver == message.sender:
        return []
    names = R2_FIELDS[message.code]
    fields = {name: message.fields[name] for name in names if name in message.fields}
    groups = {
        path.replace("LPI0003_", "LPI0003R2_"): text
        for path, text in message.fields.items()
        if "/" in path
    }
    fields |= {**groups, "NumCtrlSTR": order.control_number, "DtHrBC": now}
    answer = answer_to(message, "R2", fields)
    return [msgspec.structs.replace(answer, receiver=receiver, user_text=message.user_text)]


def answer_to(message: StrMessage, role: str, fields: Mapping[str, str]) -> StrMessage:
    """An answer under the request's own number."""
    return StrMessage(
        code=message.code + role,
        sender=STR_ISPB,
        receiver=message.sender,
        operation=message.operation,
        fields=dict(fields),
    )
