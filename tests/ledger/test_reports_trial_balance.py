"""The trial balance and the CADOC 4010 made of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from lxml import etree

from ledger import AccountCode, Check
from ledger.cosif import CHART, CosifCode, NoRubric, rubric_of
from ledger.reports import (
    CannotFile,
    InvalidPeriod,
    Submission,
    TenantNotFound,
    TrialBalance,
    cadoc_4010,
    day_end,
    day_start,
    signed_text,
    trial_balance,
)
from ledger.reports.trial_balance import Sums, sums_by_rubric
from tests.ledger.bank import TENANT
from tests.ledger.history import OTHER_TENANT, History, stored

JANUARY = date(2026, 1, 1), date(2026, 1, 31)
FEBRUARY = date(2026, 2, 1), date(2026, 2, 28)


@pytest.fixture
def history() -> History:
    """December: capital. January: money comes in, a fee, a hold, a partial post at its very end."""
    history = History()
    history.move(history.pi, history.own, 10_000, day_end(date(2025, 12, 31)))
    history.move(history.pi, history.ana, 1_000, day_start(JANUARY[0]))
    history.move(history.ana, history.fees, 25, datetime(2026, 1, 15, tzinfo=UTC))
    partly = history.hold(history.ana, history.pi, 100, datetime(2026, 1, 15, tzinfo=UTC))
    history.hold(history.ana, history.pi, 7, datetime(2026, 1, 16, tzinfo=UTC))
    history.post(partly, day_end(JANUARY[1]), 60)
    history.move(history.ana, history.bea, 300, day_start(FEBRUARY[0]))
    history.move(history.strange_pi, history.stranger, 5, day_start(JANUARY[0]))
    return history


@pytest.fixture
async def connection(history: History, migrated_dsn: str) -> AsyncIterator[Any]:
    connection = await stored(history, migrated_dsn)
    yield connection
    await connection.close()


def amounts(balance: TrialBalance) -> dict[str, tuple[int, int, int, int]]:
    """The analytic lines by their codes."""
    return {
        str(line.rubric.code): (
            *(line.opening_cents, line.debits_cents, line.credits_cents, line.closing_cents),
        )
        for line in balance.lines
        if line.rubric.is_analytic
    }


def code_of(account_code: AccountCode) -> str:
    return str(rubric_of(account_code, JANUARY[0]).code)


async def test_trial_balance_has_what_each_rubric_had_took_and_gave(connection: Any) -> None:
    january = await trial_balance(connection, *JANUARY, tenant=TENANT)

    assert january.ok
    assert amounts(january) == {
        code_of(AccountCode.PI_ACCOUNT): (10_000, 1_000, 60, 10_940),
        code_of(AccountCode.CUSTOMER): (0, 85, 1_000, 915),
        code_of(AccountCode.OWN_FUNDS): (10_000, 0, 0, 10_000),
        code_of(AccountCode.FEE_INCOME): (0, 0, 25, 25),
    }


async def test_month_opens_as_the_one_before_it_closed(connection: Any) -> None:
    january = await trial_balance(connection, *JANUARY, tenant=TENANT)
    february = await trial_balance(connection, *FEBRUARY, tenant=TENANT)

    closing = {line.rubric: line.closing_cents for line in january.lines}
    assert {line.rubric: line.opening_cents for line in february.lines} == closing
    assert amounts(february)[code_of(AccountCode.CUSTOMER)] == (915, 300, 300, 915)


async def test_every_level_is_the_sum_of_what_is_below_it(connection: Any) -> None:
    january = await trial_balance(connection, *JANUARY, tenant=TENANT)

    closing = {line.rubric.code.digits: line.closing_cents for line in january.lines}
    assert closing["100000000"] == closing["140000000"] == closing["142060000"] == 10_940
    assert closing["400000000"] == closing["419300000"] == 915
    assert [code for code in closing if code == "2"] == []


def test_reducing_account_lessens_the_level_above_it() -> None:
    systems = CHART.rubric(CosifCode("251150000"))
    written_off = CHART.rubric(CosifCode("251990000"))
    above = CHART.rubric(CosifCode("251000000"))
    assert systems is not None
    assert written_off is not None
    assert above is not None

    totals = sums_by_rubric([(systems, Sums(0, 0, 500, 0)), (written_off, Sums(0, 0, 0, 200))])

    assert written_off.nature.balance_cents(*totals[written_off][2:]) == 200
    assert above.nature.balance_cents(*totals[above][2:]) == 300


async def test_books_of_tenants_are_apart(connection: Any) -> None:
    other = await trial_balance(connection, *JANUARY, tenant=OTHER_TENANT)

    assert amounts(other)[code_of(AccountCode.CUSTOMER)] == (0, 0, 5, 5)
    with pytest.raises(TenantNotFound, match="no accounts of tenant 99999999"):
        await trial_balance(connection, *JANUARY, tenant="99999999")


async def test_accounts_of_another_currency_are_not_in_the_books_of_reais(
    history: History, connection: Any
) -> None:
    await connection.execute("UPDATE accounts SET ledger = 840 WHERE tenant = $1", OTHER_TENANT)

    other = await trial_balance(connection, *JANUARY, tenant=OTHER_TENANT)

    assert (other.lines, other.ok) == ((), True)


async def test_books_before_the_first_transfer_are_empty_and_add_up(connection: Any) -> None:
    balance = await trial_balance(
        connection, date(2025, 6, 1), date(2025, 6, 30), tenant=OTHER_TENANT
    )

    assert (balance.lines, balance.ok) == ((), True)


async def test_one_sided_booking_breaks_the_identities(history: History, connection: Any) -> None:
    # Half of a transfer: its other side belongs to an account that another tenant has.
    await connection.execute("UPDATE accounts SET tenant = 'x' WHERE id = $1", history.fees)

    balance = await trial_balance(connection, *JANUARY, tenant=TENANT)

    broken = [check for check in balance.checks if not check.ok]
    assert broken == [
        Check("debits of the period equal its credits", 1_085, 1_060),
        Check("groups 1, 2 and 8 equal groups 4, 6 and 7", 10_940, 10_915),
    ]
    with pytest.raises(CannotFile, match="does not add up"):
        cadoc_4010(balance)


async def test_bookings_of_an_account_code_without_a_rubric_are_no_trial_balance(
    history: History, connection: Any
) -> None:
    await connection.execute("UPDATE accounts SET code = 9999 WHERE id = $1", history.fees)

    with pytest.raises(NoRubric, match="account code 9999"):
        await trial_balance(connection, *JANUARY, tenant=TENANT)


async def test_days_must_be_in_order(connection: Any) -> None:
    with pytest.raises(InvalidPeriod):
        await trial_balance(connection, JANUARY[1], JANUARY[0], tenant=TENANT)


def read(document: bytes) -> tuple[dict[str, str], dict[str, int]]:
    """Read a CADOC back: its head, and centavos by ten digits."""
    root = etree.fromstring(document)
    assert root.tag == "documento"
    (accounts,) = root
    assert accounts.tag == "contas"
    balances = {}
    for account in accounts:
        assert account.tag == "conta"
        code, text = account.get("codigoConta"), account.get("saldo")
        assert code is not None
        assert text is not None
        assert text[-3] == "."
        balances[code] = int(text.replace(".", ""))
    return {str(name): str(value) for name, value in root.attrib.items()}, balances


async def test_cadoc_reads_back_as_the_trial_balance_it_was_made_of(connection: Any) -> None:
    january = await trial_balance(connection, *JANUARY, tenant=TENANT)

    head, balances = read(cadoc_4010(january))

    assert head == {
        "codigoDocumento": "4010",
        "cnpj": TENANT,
        "dataBase": "2026-01",
        "tipoRemessa": "I",
    }
    assert balances == {
        line.rubric.code.ten_digits: line.closing_cents
        for line in january.lines
        if line.closing_cents
    }
    assert list(balances) == sorted(balances)
    assert all(CosifCode.parse(code).ten_digits == code for code in balances)


async def test_same_trial_balance_gives_the_same_bytes(connection: Any) -> None:
    first = cadoc_4010(await trial_balance(connection, *JANUARY, tenant=TENANT))
    second = cadoc_4010(await trial_balance(connection, *JANUARY, tenant=TENANT))

    assert first == second
    assert first.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<documento codigoDocumento=')
    assert b'<conta codigoConta="1000000009" saldo="109.40"/>' in first


async def test_replacement_says_so(connection: Any) -> None:
    january = await trial_balance(connection, *JANUARY, tenant=TENANT)

    head, _ = read(cadoc_4010(january, Submission.REPLACEMENT))

    assert head["tipoRemessa"] == "S"


async def test_balance_on_the_wrong_side_is_negative_and_zero_is_left_out(
    history: History, migrated_dsn: str
) -> None:
    history.booked.clear()
    history.move(history.own, history.pi, 5, day_start(JANUARY[0]))
    history.move(history.ana, history.fees, 9, day_start(JANUARY[0]))
    history.move(history.fees, history.ana, 9, day_start(JANUARY[0]))
    connection = await stored(history, migrated_dsn)

    _, balances = read(cadoc_4010(await trial_balance(connection, *JANUARY, tenant=TENANT)))

    await connection.close()
    assert set(balances.values()) == {-5}
    assert not [code for code in balances if code[0] in "47"]


async def test_month_that_is_not_over_is_not_filed(connection: Any) -> None:
    january = await trial_balance(connection, *JANUARY, tenant=TENANT)

    with pytest.raises(CannotFile, match="ends with a month, not on 2026-01-30"):
        cadoc_4010(replace(january, last=date(2026, 1, 30)))


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-1_050, "-10.50"), (10**20, "1" + "0" * 18 + ".00")],
)
def test_amounts_have_two_places_and_a_sign_below_zero(cents: int, text: str) -> None:
    assert signed_text(cents) == text
