import asyncio

from ledger import Committed, Entry, Replayed, verify
from ledger.decision import RecentKeys
from tests.ledger.bank import FUNDS_CENTS, Bank, key


async def test_key_in_memory_is_replayed_with_the_first_subject(bank: Bank) -> None:
    first = key("k")
    await bank.commit(Entry((bank.hold_of(1),), (), first))

    again = await bank.commit(Entry((bank.hold_of(1),), (), key("k")))
    other = await bank.commit(Entry((bank.hold_of(1),), (), key("k", fingerprint=b"other")))

    assert again == (Replayed(first.subject_id, is_same=True),)
    assert other == (Replayed(first.subject_id, is_same=False),)
    assert bank.balance(bank.customer()).debits_pending == 1


async def test_key_in_the_table_is_replayed_and_its_neighbours_are_committed(bank: Bank) -> None:
    first = key("k")
    await bank.commit(Entry((bank.hold_of(1),), (), first))
    await bank.restart()

    answers = await bank.commit(
        Entry((bank.hold_of(10),), (), key("before")),
        Entry((bank.hold_of(100),), (), key("k")),
        Entry((bank.hold_of(1_000),), (), key("after")),
    )

    assert answers == (Committed(), Replayed(first.subject_id, is_same=True), Committed())
    assert bank.balance(bank.customer()).debits_pending == 1_011
    report = await verify(bank.dsn)
    assert (report.ok, report.idempotency_keys) == (True, 3)


async def test_stored_key_is_replayed_even_when_the_funds_are_gone(bank: Bank) -> None:
    first = key("k")
    await bank.commit(Entry((bank.hold_of(FUNDS_CENTS),), (), first))
    await bank.restart()

    again = await bank.commit(Entry((bank.hold_of(FUNDS_CENTS),), (), key("k")))

    assert again == (Replayed(first.subject_id, is_same=True),)


async def test_equal_keys_in_one_batch_commit_once(bank: Bank) -> None:
    first = key("k")

    answers = await asyncio.gather(
        bank.commit(Entry((bank.hold_of(5),), (), first)),
        bank.commit(Entry((bank.hold_of(5),), (), key("k"))),
    )

    assert answers == [(Committed(),), (Replayed(first.subject_id, is_same=True),)]
    assert bank.balance(bank.customer()).debits_pending == 5


def test_recent_keys_forget_the_one_unused_longest() -> None:
    recent = RecentKeys(keys_max=2)
    recent.update({"a": key("a"), "b": key("b")})

    assert recent.get("a") is not None
    recent.update({"c": key("c")})

    assert recent.get("b") is None
    assert recent.get("a") is not None
    assert len(recent) == 2
