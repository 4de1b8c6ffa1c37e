from collections.abc import Hashable, Iterable, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from actors import CalleeDied, From, GenServer, NoReply
from ledger import Commit, CommitFor, Committed, Entry, Stale, verify
from tests.ledger.bank import FUNDS_CENTS, Bank

TABLES = """
CREATE TABLE notes (text text);
CREATE FUNCTION keep_notes(texts text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF 'poison' = ANY (texts) THEN
        RAISE EXCEPTION 'no';
    END IF;
    INSERT INTO notes SELECT * FROM unnest(texts);
END
$$
"""


class Notes:
    """Writes records into a table of its own."""

    function = "keep_notes"

    def __init__(self) -> None:
        self.durable: list[object] = []

    async def load(self, connection: Any, oldest_open_hold: UUID | None) -> None:
        pass

    def claims(self, record: object) -> Iterable[Hashable] | None:
        del record
        return ()

    def committed(self, records: Sequence[object]) -> None:
        self.durable.extend(records)

    def arguments(self, records: Sequence[object]) -> Sequence[object]:
        if "unreadable" in records:
            raise ValueError("no")
        return [list(records)]


async def rows(bank: Bank) -> list[str]:
    connection = await asyncpg.connect(bank.dsn)
    try:
        return [row[0] for row in await connection.fetch("SELECT text FROM notes ORDER BY text")]
    finally:
        await connection.close()


async def make_tables(bank: Bank) -> None:
    connection = await asyncpg.connect(bank.dsn)
    await connection.execute(TABLES)
    await connection.close()


@pytest.fixture
async def notes(empty_bank: Bank) -> Notes:
    await make_tables(empty_bank)
    companion = Notes()
    await empty_bank.start(companion=companion)
    await empty_bank.open()
    return companion


async def test_records_of_committed_entries_are_written_with_them(
    notes: Notes, empty_bank: Bank
) -> None:
    bank = empty_bank

    await bank.commit(
        Entry((bank.hold_of(1),), record="kept"),
        Entry((bank.hold_of(FUNDS_CENTS),), record="refused"),
    )

    assert await rows(bank) == ["kept"]
    assert notes.durable == ["kept"]


@pytest.mark.parametrize("record", ["poison", "unreadable"])
async def test_failing_companion_takes_the_money_back_with_it(
    notes: Notes, empty_bank: Bank, record: str
) -> None:
    bank = empty_bank

    with pytest.raises(CalleeDied):
        await bank.commit(Entry((bank.hold_of(1),), record=record))

    assert await rows(bank) == []
    assert not notes.durable
    report = await verify(bank.dsn)
    assert (report.ok, report.open_holds) == (True, 0)


async def test_stored_key_beside_records_is_replayed_and_records_are_written_once(
    notes: Notes, empty_bank: Bank
) -> None:
    bank = empty_bank
    first = bank.hold_of(1)
    await bank.commit(Entry((first,), record="first"))

    answers = await bank.commit(
        Entry((bank.hold_of(2),), record="second"), Entry((first,), record="again")
    )

    assert answers[0] == Committed()
    assert await rows(bank) == ["first", "second"]


class Seats(Notes):
    """A record names a seat; each seat is taken once."""

    def claims(self, record: object) -> Iterable[Hashable] | None:
        return None if record in self.durable else (record,)


async def test_record_that_claims_what_is_taken_is_stale_and_leaves_nothing(
    empty_bank: Bank,
) -> None:
    bank = empty_bank
    await make_tables(bank)
    await bank.start(companion=Seats())
    await bank.open()

    same_batch = await bank.commit(
        Entry((bank.hold_of(1),), record="seat"), Entry((bank.hold_of(1),), record="seat")
    )
    next_batch = await bank.commit(Entry((bank.hold_of(1),), record="seat"))

    assert same_batch == (Committed(), Stale())
    assert next_batch == (Stale(),)
    assert bank.balance(bank.customer()).debits_pending == 1


async def test_entry_that_another_process_passes_on_is_answered_to_the_caller(
    empty_bank: Bank,
) -> None:
    bank = empty_bank
    writer = await bank.start()
    await bank.open()

    class Gate(GenServer):
        async def handle_call(self, request: Entry, sender: From) -> NoReply:
            self.node.cast(writer, CommitFor(Commit((request,)), sender))
            return NoReply()

    gate = await bank.node.start(Gate())

    assert await bank.node.call(gate, Entry((bank.hold_of(1),))) == (Committed(),)
    await bank.node.stop(gate)
