"""DICT's index of what the SPI settled: all of it, once, in pages, across restarts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bacen.simulator.dict import transactions
from bacen.simulator.dict.store import DictStore
from bacen.simulator.dict.transactions import Transactions
from bacen.simulator.payments import DAY_MS, SETTLED, Details, Payment, encode_details
from bacen.simulator.store import Batch, Store, payment_row
from bacen.wire import AccountId, CreditTransfer
from tests.bacen.simulator.desk import CONNECTED, PAYER
from tests.bacen.simulator.dict.member import ANA, BRUNO, PHONE

AT_MS = 1_800_000_000_000
ANA_S = f"{PAYER}/0001/1000/CACC"
BRUNO_S = f"{CONNECTED}/0000/2000/SVGS"


@pytest.fixture
def spi(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "bank.sqlite3")
    yield store
    store.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DictStore]:
    made = DictStore(tmp_path / "dict.sqlite3")
    yield made
    made.close()


@pytest.fixture
def index(spi: Store, store: DictStore, tmp_path: Path) -> Iterator[Transactions]:
    made = Transactions(store, tmp_path / "bank.sqlite3")
    yield made
    made.close()


def number(n: int) -> str:
    return f"E{PAYER}202601010000{n:011d}"


def payment(n: int, at_ms: int, *, details: bool = True, status: str = SETTLED) -> Payment:
    transfer = CreditTransfer(
        end_to_end_id=number(n),
        amount_cents=100 + n,
        accepted_at=datetime(2026, 1, 1, tzinfo=UTC),
        local_instrument="DICT",
        debtor_name="Ana",
        debtor_tax_id=ANA,
        debtor_account=AccountId("1000", branch="0001"),
        debtor_ispb=PAYER,
        creditor_ispb=CONNECTED,
        creditor_tax_id=BRUNO,
        creditor_account=AccountId("2000", "SVGS"),
        creditor_key=PHONE,
    )
    return Payment(
        instruction_id=number(n),
        end_to_end_id=number(n),
        message_id="M",
        payer=PAYER,
        receiver=CONNECTED,
        amount_cents=100 + n,
        status=status,
        finished_ms=at_ms if status == SETTLED else 0,
        details=encode_details(Details(transfer=transfer)) if details else b"",
    )


def ids_of(index: Transactions) -> tuple[list[str], bool]:
    new, is_more = index.read_on()
    return [each.id for each in new], is_more


def settle(spi: Store, *payments: Payment) -> None:
    assert spi.commit(Batch(payments=[payment_row(each) for each in payments])) is None


def test_payment_is_known_by_its_accounts_and_counted_for_its_receiver(
    spi: Store, index: Transactions
) -> None:
    settle(spi, payment(1, AT_MS), payment(2, AT_MS, status="PENDING"))

    assert ids_of(index) == ([number(1)], False)
    assert index.read_on() == ([], False)
    found = index.get(number(1))
    assert found is not None
    assert (found.debtor_account, found.creditor_account) == (ANA_S, BRUNO_S)
    assert index.spent(ANA_S, (AT_MS, AT_MS), 101, 9) == [found]
    assert index.spent(ANA_S, (AT_MS, AT_MS), 102, 9) == []
    assert index.spent(ANA_S, (AT_MS + 1, AT_MS + 9), 0, 9) == []
    assert index.settlements(BRUNO, AT_MS) == index.settlements(PHONE, AT_MS) == 1
    assert index.settlements(ANA, AT_MS) == 0
    assert (index.status(number(1)), index.status(number(2))) == ("SETTLED", "PENDING")
    assert index.status(number(3)) is None


def test_payments_of_one_millisecond_in_two_batches_are_all_found(
    spi: Store, index: Transactions
) -> None:
    settle(spi, payment(2, AT_MS))
    assert ids_of(index) == ([number(2)], False)
    settle(spi, payment(1, AT_MS))

    assert ids_of(index) == ([number(1)], False)


def test_what_waits_is_read_in_pages_however_crowded_a_millisecond_is(
    spi: Store, index: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "PAGE", 3)
    settle(spi, *(payment(n, AT_MS + (0 if n < 7 else n)) for n in range(12)))
    found: list[str] = []
    pages = 0
    is_more = True
    while is_more:
        new, is_more = ids_of(index)
        found += new
        pages += 1

    assert sorted(found) == [number(n) for n in range(12)]
    assert pages > 2
    assert index.settlements(BRUNO, AT_MS) == 12


def test_payment_of_an_older_bank_has_no_parties_and_no_graph(
    spi: Store, index: Transactions
) -> None:
    settle(spi, payment(1, AT_MS, details=False))

    assert ids_of(index) == ([number(1)], False)
    found = index.get(number(1))
    assert found is not None
    assert (found.debtor_account, found.creditor_tax_id) == ("", "")


def test_old_payments_are_forgotten_and_their_counts_are_not(
    spi: Store, index: Transactions
) -> None:
    settle(spi, payment(1, AT_MS))
    index.read_on()

    index.forget_before(AT_MS + DAY_MS)

    assert index.get(number(1)) is None
    assert index.settlements(BRUNO, AT_MS) == 1
