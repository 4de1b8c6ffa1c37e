"""The STR side of liquidity: money comes to a PI account and goes back, once, in STR hours."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import aiohttp
import pytest

from actors import Node
from bacen.simulator import RunningBank
from bacen.simulator.clock import STEPPED, BankClock
from bacen.simulator.payments import BRASILIA
from bacen.simulator.requests import SETTLEMENT, GetAccount, GetBankStatistics
from bacen.simulator.str import STR_DESK, GetStrAccounts, StrAccounts, StrHours
from bacen.simulator.str.book import StrBook, StrOrder
from bacen.str import STR_ISPB, StrMessage, operation_number, read_message, write_message
from bacen.wire import Camt054
from tests.bacen.simulator.conftest import BALANCE_CENTS, OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, DeskKeys

STR_CENTS = 50_000
HOURS = StrHours()
TEN = time(10, 0)


async def move_to(node: Node, at: time, *, days: int = 0) -> datetime:
    """Move the bank's clock to a time of the next business day, or of one after it."""
    clock = node.clock
    assert isinstance(clock, BankClock)
    day = clock.now().astimezone(BRASILIA).date() + timedelta(days=1)
    while not HOURS.is_business_day(day) or days:
        days -= HOURS.is_business_day(day)
        day += timedelta(days=1)
    target = datetime.combine(day, at, BRASILIA)
    await clock.advance((target - clock.now()) // timedelta(milliseconds=1) + 1)
    return clock.now()


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """A node whose clock stands at ten on a business day."""
    node = Node("str", clock=BankClock(STEPPED))
    await move_to(node, TEN)
    yield node
    await node.shutdown()


class StrLine:
    """A participant's line to the STR; close it."""

    def __init__(self, bank: RunningBank, keys: DeskKeys) -> None:
        self.ispb = keys.ispb
        self.node = bank.node
        self._url = f"{bank.url}/str/{keys.ispb}/msgs"
        self._context = keys.context
        self._session = aiohttp.ClientSession()
        self._sent = 0

    async def close(self) -> None:
        await self._session.close()

    async def post(self, body: bytes, url: str | None = None) -> int:
        async with self._session.post(url or self._url, data=body, ssl=self._context) as answer:
            return answer.status

    async def mail(self) -> list[StrMessage]:
        """Fetch and confirm everything that waits."""
        found: list[StrMessage] = []
        while True:
            async with self._session.get(self._url, ssl=self._context) as answer:
                if answer.status == 204:
                    return found
                found.append(read_message(await answer.read()))
                number = answer.headers["STR-MessageId"]
            async with self._session.delete(f"{self._url}/{number}", ssl=self._context) as done:
                assert done.status == 204

    def message(self, code: str, **fields: str) -> StrMessage:
        """A request of today under a new number."""
        self._sent += 1
        today = self.node.clock.now().astimezone(BRASILIA).date()
        return StrMessage(
            code=code,
            sender=self.ispb,
            receiver=STR_ISPB,
            operation=operation_number(self.ispb, today, self._sent),
            fields={"DtMovto": today.isoformat(), **fields},
        )

    def deposit(self, amount: str = "100.00", **changes: str) -> StrMessage:
        fields = {"NumCtrlIF": "d", "ISPBIF": self.ispb, "ISPBPSPI": self.ispb}
        return self.message("LPI0001", **{**fields, "VlrLanc": amount, **changes})

    def withdrawal(self, amount: str = "100.00", **changes: str) -> StrMessage:
        fields = {"NumCtrlPSPI": "w", "ISPBPSPI": self.ispb, "ISPBIFCredtd": self.ispb}
        return self.message("LPI0003", **{**fields, "FinlddLPI": "1", "VlrLanc": amount, **changes})

    async def ask(self, message: StrMessage) -> StrMessage:
        """Send a request and fetch its only answer."""
        assert await self.post(write_message(message)) == 201
        (answer,) = await self.mail()
        assert answer.operation == message.operation or answer.code == "GEN0004"
        return answer


OpenLine = Callable[..., StrLine]


@pytest.fixture
async def line_to(desk_keys: dict[str, DeskKeys]) -> AsyncIterator[OpenLine]:
    opened: list[StrLine] = []

    def open_line(bank: RunningBank, ispb: str = PAYER) -> StrLine:
        opened.append(StrLine(bank, desk_keys[ispb]))
        return opened[-1]

    yield open_line
    for each in opened:
        await each.close()


@pytest.fixture
def start_str(start: StartBank) -> Callable[..., Awaitable[RunningBank]]:
    async def started(**settings: object) -> RunningBank:
        return await start(**{"str_balance_cents": STR_CENTS, **settings})

    return started


@pytest.fixture
async def bank(start_str: StartBank) -> RunningBank:
    return await start_str()


@pytest.fixture
async def line(bank: RunningBank, line_to: OpenLine) -> StrLine:
    return line_to(bank)


async def pi_cents(node: Node, ispb: str = PAYER) -> int:
    account = await node.call(SETTLEMENT, GetAccount(ispb))
    assert account is not None
    return int(account.balance_cents)


async def str_accounts(node: Node, ispb: str = PAYER) -> StrAccounts:
    accounts: StrAccounts = await node.call(STR_DESK, GetStrAccounts(ispb))
    return accounts


async def assert_no_money_lost(node: Node) -> None:
    statistics = await node.call(SETTLEMENT, GetBankStatistics())
    assert statistics.money_missing_cents == 0


async def test_deposit_moves_money_from_the_reserves_to_the_pi_account(
    bank: RunningBank, line: StrLine, desks: OpenDesk
) -> None:
    answer = await line.ask(line.deposit("123.45"))

    assert (answer.code, answer.fields["SitLancSTR"]) == ("LPI0001R1", "1")
    assert await pi_cents(bank.node) == BALANCE_CENTS + 12_345
    assert (await str_accounts(bank.node)).reserves_cents == STR_CENTS - 12_345
    await assert_no_money_lost(bank.node)
    (notice,) = await desks(bank).read()
    assert isinstance(notice, Camt054)
    assert answer.fields["NumCtrlSTR"] in repr(notice)


async def test_withdrawal_moves_it_back(bank: RunningBank, line: StrLine) -> None:
    answer = await line.ask(line.withdrawal("50.00"))

    assert (answer.code, answer.fields["SitLancSTR"]) == ("LPI0003R1", "1")
    assert await pi_cents(bank.node) == BALANCE_CENTS - 5_000
    assert (await str_accounts(bank.node)).reserves_cents == STR_CENTS + 5_000


async def test_e_money_account_serves_too(bank: RunningBank, line: StrLine) -> None:
    into = line.message("LPI0002", NumCtrlIEME="e", ISPBIEME=PAYER, VlrLanc="10.00")
    out = line.message("LPI0004", NumCtrlPSPI="e", ISPBPSPI=PAYER, VlrLanc="4.00")

    assert (await line.ask(into)).fields["SitLancSTR"] == "1"
    assert (await line.ask(out)).fields["SitLancSTR"] == "1"

    assert (await str_accounts(bank.node)).e_money_cents == STR_CENTS - 600
    assert await pi_cents(bank.node) == BALANCE_CENTS + 600


async def test_without_funds_nothing_waits_and_nothing_moves(
    bank: RunningBank, line: StrLine
) -> None:
    assert (await line.ask(line.deposit("500.01"))).fields["SitLancSTR"] == "5"
    assert (await line.ask(line.withdrawal("10000.01"))).fields["SitLancSTR"] == "5"

    assert await pi_cents(bank.node) == BALANCE_CENTS
    assert (await str_accounts(bank.node)).reserves_cents == STR_CENTS


async def test_resend_is_answered_again_and_moves_nothing(bank: RunningBank, line: StrLine) -> None:
    message = line.deposit("10.00")

    first, second = await line.ask(message), await line.ask(message)

    assert first == second
    assert await pi_cents(bank.node) == BALANCE_CENTS + 1_000


async def test_other_message_under_a_taken_number_is_refused(
    bank: RunningBank, line: StrLine
) -> None:
    message = line.deposit("10.00")
    await line.ask(message)
    changed = StrMessage(
        code="LPI0001",
        sender=PAYER,
        receiver=STR_ISPB,
        operation=message.operation,
        fields={**message.fields, "VlrLanc": "20.00"},
    )

    answer = await line.ask(changed)

    assert (answer.code, answer.fields["ErroGEN"]) == ("GEN0004", "EGEN0011")
    assert await pi_cents(bank.node) == BALANCE_CENTS + 1_000


BROKEN: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
    ("LPI0001", {"DtMovto": "2026-01-02"}, {"DtMovto": "ESTR0002"}),
    ("LPI0001", {"ISPBPSPI": "99999999"}, {"ISPBPSPI": "ELPI0001"}),
    ("LPI0001", {"ISPBPSPI": CONNECTED}, {"ISPBPSPI": "ELPI0002"}),
    ("LPI0001", {"ISPBIF": CONNECTED}, {"ISPBIF": "ESTR0003", "ISPBPSPI": "ELPI0002"}),
    ("LPI0001", {"VlrLanc": "0"}, {"VlrLanc": "ESTR0016"}),
    ("LPI0001", {"VlrLanc": "-1"}, {"VlrLanc": "ESTR0016"}),
    ("LPI0003", {"FinlddLPI": "9"}, {"FinlddLPI": "EGEN0023"}),
    ("LPI0003", {"FinlddLPI": "2"}, {"": "ELPI0014"}),
    ("LPI0003", {"NumCtrlSTROr": "STR20260101000000001"}, {"NumCtrlSTROr": "ELPI0013"}),
    (
        "LPI0003",
        {"FinlddLPI": "2", "NumCtrlSTROr": "STR20260101000000001"},
        {"NumCtrlSTROr": "ELPI0016"},
    ),
    ("LPI0003", {"ISPBIFCredtd": CONNECTED}, {"ISPBPSPI": "ELPI0002", "": "ELPI0012"}),
    (
        "LPI0003",
        {
            "Grupo_LPI0003_CliCredtd/CtCredtd": "1",
            "Grupo_LPI0003_CliCredtd/CNPJCliCredtd": "12345678000195",
        },
        {"Grupo_LPI0003_CliCredtd": "ELPI0015"},
    ),
)


async def test_request_that_breaks_a_rule_comes_back_with_the_codes(line: StrLine) -> None:
    for code, changes, errors in BROKEN:
        make = line.deposit if code == "LPI0001" else line.withdrawal

        answer = await line.ask(make(**changes))

        assert (answer.code, answer.errors) == (f"{code}E", errors)


async def test_settler_funds_a_participant_outside_the_str_and_is_paid_back(
    start_str: StartBank, line_to: OpenLine
) -> None:
    bank = await start_str(outside_str=(CONNECTED,))
    settler, outside = line_to(bank, PAYER), line_to(bank, CONNECTED)

    assert (await settler.ask(settler.deposit("30.00", ISPBPSPI=CONNECTED))).code == "LPI0001R1"
    (told,) = await outside.mail()
    assert (told.code, told.fields["VlrLanc"]) == ("LPI0001R2", "30.00")
    assert await pi_cents(bank.node, CONNECTED) == BALANCE_CENTS + 3_000

    back = {"FinlddLPI": "2", "NumCtrlSTROr": told.fields["NumCtrlSTR"], "ISPBIFCredtd": PAYER}
    assert (await outside.ask(outside.withdrawal("20.00", **back))).code == "LPI0003R1"
    (told_back,) = await settler.mail()
    assert (told_back.code, told_back.fields["VlrLanc"]) == ("LPI0003R2", "20.00")
    too_much = await outside.ask(outside.withdrawal("10.01", **back))
    assert too_much.errors == {"NumCtrlSTROr": "ELPI0016"}

    client = {
        "Grupo_LPI0003_CliCredtd/CtCredtd": "12345",
        "Grupo_LPI0003_CliCredtd/CNPJCliCredtd": "12345678000195",
    }
    own = outside.withdrawal("1.00", ISPBIFCredtd=PAYER, **client)
    assert (await outside.ask(own)).fields["SitLancSTR"] == "1"
    (told_own,) = await settler.mail()
    assert told_own.fields["Grupo_LPI0003R2_CliCredtd/CtCredtd"] == "12345"


async def test_closed_str_moves_nothing(bank: RunningBank, line: StrLine) -> None:
    await move_to(bank.node, time(20, 0))

    assert (await line.ask(line.deposit())).errors == {"": "ESTR0300"}
    assert (await line.ask(line.withdrawal())).errors == {"": "ESTR0300"}


async def test_additional_window_takes_deposits_to_the_own_account_alone(
    start_str: StartBank, line_to: OpenLine
) -> None:
    bank = await start_str(outside_str=(CONNECTED,))
    line = line_to(bank)
    await move_to(bank.node, time(18, 45))

    assert (await line.ask(line.deposit())).code == "LPI0001R1"
    assert (await line.ask(line.deposit(ISPBPSPI=CONNECTED))).errors == {"": "ESTR0300"}
    assert (await line.ask(line.withdrawal())).errors == {"": "ESTR0300"}


async def set_rule(line: StrLine, **shares: str) -> StrMessage:
    fields = {"NumCtrlPSPI": "a", "ISPBPSPI": line.ispb}
    return await line.ask(line.message("LPI0005", **{**fields, **shares}))


async def test_automatic_transfer_follows_the_closing_of_every_business_day(
    bank: RunningBank, line: StrLine
) -> None:
    answer = await set_rule(line, PercSldRB_CL="10", VlrCCME="7.00")
    assert answer.code == "LPI0005R1"

    await move_to(bank.node, TEN)
    reserves, e_money = await line.mail()

    assert (reserves.code, reserves.fields["TpCtBC"]) == ("LPI0006", "RL")
    assert reserves.fields["VlrLanc"] == "50.00"
    assert (e_money.fields["TpCtBC"], e_money.fields["VlrLanc"]) == ("ME", "7.00")
    assert await pi_cents(bank.node) == BALANCE_CENTS + 5_700

    await move_to(bank.node, TEN)
    assert [each.fields["VlrLanc"] for each in await line.mail()] == ["45.00", "7.00"]
    await assert_no_money_lost(bank.node)


async def test_zeros_switch_the_automatic_transfer_off(bank: RunningBank, line: StrLine) -> None:
    await set_rule(line, PercSldRB_CL="10", VlrCCME="7.00")
    await set_rule(line, PercSldRB_CL="0", VlrCCME="0")

    await move_to(bank.node, TEN)

    assert await line.mail() == []
    assert await pi_cents(bank.node) == BALANCE_CENTS


async def test_automatic_amount_above_the_balance_is_rejected_and_told(
    bank: RunningBank, line: StrLine
) -> None:
    await set_rule(line, VlrRB_CL="500.01", PercSldCCME="0")

    await move_to(bank.node, TEN)

    (told,) = await line.mail()
    assert told.fields["SitLancSTR"] == "5"
    assert await pi_cents(bank.node) == BALANCE_CENTS


async def test_senseless_rule_comes_back(line: StrLine) -> None:
    answer = await set_rule(line, PercSldRB_CL="100.01", VlrCCME="-1")
    assert answer.errors == {"PercSldRB_CL": "EGEN0023", "VlrCCME": "EGEN0023"}


async def test_restarted_bank_knows_accounts_rules_and_mail(
    bank: RunningBank, line: StrLine, start_str: StartBank, line_to: OpenLine
) -> None:
    await set_rule(line, PercSldRB_CL="10", VlrCCME="0")
    message = line.deposit("10.00")
    assert await line.post(write_message(message)) == 201
    await bank.stop()

    again = await start_str()
    other = line_to(again)

    (answer,) = await other.mail()
    assert answer.operation == message.operation
    accounts = await str_accounts(again.node)
    assert accounts.reserves_cents == STR_CENTS - 1_000
    assert accounts.automatic == {"PercSldRB_CL": "10"}


@pytest.mark.parametrize("direction", [1, -1])
async def test_order_that_was_on_its_way_is_finished_once_at_the_next_start(
    bank: RunningBank, line: StrLine, start_str: StartBank, line_to: OpenLine, direction: int
) -> None:
    message = line.deposit("10.00") if direction > 0 else line.withdrawal("10.00")
    await bank.stop()
    leave_moving(bank, message, direction)

    again = await start_str()
    (answer,) = await line_to(again).mail()

    assert answer.fields["SitLancSTR"] == "1"
    assert await pi_cents(again.node) == BALANCE_CENTS + direction * 1_000
    assert (await str_accounts(again.node)).reserves_cents == STR_CENTS - direction * 1_000
    await again.stop()
    once_more = await start_str()
    assert await pi_cents(once_more.node) == BALANCE_CENTS + direction * 1_000


def leave_moving(bank: RunningBank, message: StrMessage, direction: int) -> None:
    """Do what the desk does before the money of the PI account moves."""
    book = StrBook(bank.home / "str.sqlite3")
    order = StrOrder(
        control_number="STR20260310000000077",
        direction=direction,
        pi_owner=PAYER,
        str_owner=PAYER,
        kind="RL",
        amount_cents=1_000,
        message=message,
    )
    with book.transaction():
        book.add_operation(message.operation, write_message(message))
        book.add_order(order)
        if direction > 0:
            book.move(PAYER, "RL", -1_000)
    book.close()


async def test_only_the_participant_itself_is_served(
    bank: RunningBank, line: StrLine, line_to: OpenLine
) -> None:
    foreign = f"{bank.url}/str/{CONNECTED}/msgs"
    assert await line.post(b"", foreign) == 403
    lie = line_to(bank, CONNECTED).deposit()
    answer = await line_to(bank).ask(lie)
    assert (answer.code, answer.fields["ErroGEN"]) == ("GEN0004", "EGEN0005")


async def test_garbage_is_told_to_its_sender(line: StrLine) -> None:
    for body in (b"", b"<a/>", "<DOC/>".encode("utf-16-be"), b"\xff" * 100):
        assert await line.post(body) == 201
        (answer,) = await line.mail()
        assert answer.code == "GEN0004"


async def test_admin_port_shows_the_accounts(bank: RunningBank) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{bank.admin_url}/admin/str/{PAYER}") as answer,
    ):
        shown: dict[str, Any] = await answer.json()
    assert shown == {
        "reserves_cents": STR_CENTS,
        "e_money_cents": STR_CENTS,
        "is_open": True,
        "automatic": {},
    }


@pytest.mark.parametrize(
    ("at", "window"),
    [
        ("2026-03-10T06:29", None),
        ("2026-03-10T06:30", "standard"),
        ("2026-03-10T18:29", "standard"),
        ("2026-03-10T18:30", "additional"),
        ("2026-03-10T19:00", None),
        ("2026-03-14T12:00", None),  # Saturday
        ("2026-11-20T12:00", None),  # a holiday
        ("2026-02-17T12:00", None),  # Carnival
    ],
)
def test_hours_of_deposits(at: str, window: str | None) -> None:
    local = datetime.fromisoformat(at).replace(tzinfo=BRASILIA)
    assert HOURS.window("LPI02", local.astimezone(UTC)) == window
