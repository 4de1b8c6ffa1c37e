"""Any reader, any order: each letter is delivered until it is confirmed, and confirmed once."""

import contextlib
import itertools
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bacen.simulator.changes import ReceivedMessage, Supply
from bacen.simulator.errors import StreamGone
from bacen.simulator.outbox import DELIVERY_BYTES_MAX, Letter, Outbox, Stream
from bacen.simulator.payments import Payment
from bacen.simulator.store import (
    Batch,
    OutboxRow,
    Prune,
    Store,
    StoredMessage,
    payment_row,
    read_entries,
)


def make_outbox() -> Outbox:
    numbers = itertools.count(1)
    return Outbox(lambda: f"token{next(numbers)}", 6)


def letters(count: int, size: int = 1, start: int = 0) -> list[Letter]:
    return [Letter(f"id{start + each}", b"x" * size, each) for each in range(count)]


def test_delivery_is_bounded_by_number_and_by_bytes() -> None:
    outbox = make_outbox()
    outbox.put(letters(3, DELIVERY_BYTES_MAX))
    outbox.put(letters(11, start=3))
    stream = outbox.start(lambda: True, 0)

    sizes = [len(outbox.deliver(stream, 10, 0).letters) for _ in range(5)]

    assert sizes == [1, 1, 1, 10, 1]


def test_abandoned_letters_are_the_next_in_their_old_order() -> None:
    outbox = make_outbox()
    outbox.put(letters(4))
    stream = outbox.start(lambda: True, 0)
    outbox.deliver(stream, 2, 0)

    outbox.abandon(stream)
    again = outbox.deliver(outbox.start(lambda: True, 0), 10, 0)

    assert [each.resource_id for each in again.letters] == ["id0", "id1", "id2", "id3"]


def test_token_of_an_older_delivery_is_gone() -> None:
    outbox = make_outbox()
    stream = outbox.start(lambda: True, 0)
    tokens = [outbox.deliver(stream, 1, 0).token for _ in range(3)]

    with pytest.raises(StreamGone):
        outbox.pull(tokens[0], lambda: True, 0)
    assert outbox.pull(tokens[1], lambda: True, 0)[2] is True
    assert outbox.pull(tokens[2], lambda: True, 0)[2] is False


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["put", "start", "pull", "close", "abandon", "sweep"]), st.integers(0, 5)
    ),
    max_size=80,
)


class Readers:
    """Readers of one outbox that do anything, also with tokens that are long gone."""

    def __init__(self) -> None:
        self.outbox = make_outbox()
        self.confirmed: Counter[str] = Counter()
        self.made = 0
        self._tokens = [""]

    def act(self, action: str, number: int) -> None:
        with contextlib.suppress(StreamGone):
            getattr(self, action)(number)

    def put(self, number: int) -> None:
        self.outbox.put(letters(number, start=self.made))
        self.made += number

    def start(self, _: int) -> None:
        if len(self.outbox.streams()) < 6:
            self._deliver(self.outbox.start(lambda: True, 0))

    def pull(self, number: int) -> None:
        stream, confirmed, is_repeated = self.outbox.pull(self._token(number), lambda: True, 0)
        self._confirm(confirmed)
        if not is_repeated:
            self._deliver(stream)

    def close(self, number: int) -> None:
        self._confirm(self.outbox.close(self._token(number)))

    def abandon(self, number: int) -> None:
        for stream in self.outbox.streams()[:number]:
            self.outbox.abandon(stream)

    def sweep(self, _: int) -> None:
        self.outbox.sweep(10, 5, 10)

    def read_all(self) -> None:
        self.abandon(6)
        stream = self.outbox.start(lambda: True, 0)
        while delivered := self.outbox.deliver(stream, 10, 0).letters:
            self._confirm(delivered)

    def _deliver(self, stream: Stream) -> None:
        self._tokens.append(self.outbox.deliver(stream, 2, 0).token)

    def _confirm(self, confirmed: tuple[Letter, ...]) -> None:
        self.confirmed.update(each.resource_id for each in confirmed)

    def _token(self, number: int) -> str:
        return self._tokens[-1 - number % len(self._tokens)]


@given(ACTIONS)
def test_every_letter_is_confirmed_exactly_once_however_readers_behave(
    actions: list[tuple[str, int]],
) -> None:
    readers = Readers()

    for action, number in actions:
        readers.act(action, number)
    readers.read_all()

    assert readers.confirmed == Counter(f"id{each}" for each in range(readers.made))


def test_store_forgets_old_messages_and_later_what_was_booked_long_ago(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "bank.sqlite3")
    store.commit(
        Batch(
            payments=[
                payment_row(payment("E1", "SETTLED", 500)),
                payment_row(payment("E2", "PENDING", 0)),
                payment_row(payment("E3", "SETTLED", 1_000)),
            ],
            received=[
                ReceivedMessage("M1", "12345678", 1_000, ["E1", "E2"]),
                ReceivedMessage("M2", "12345678", 2_000, ["E3"]),
            ],
            supplies=[Supply("C1", "12345678", 5, 999), Supply("C2", "12345678", 5, 1_000)],
            outbox=[OutboxRow(1, "12345678", [StoredMessage("id", b"<a/>")])],
        )
    )

    store.commit(Batch(prune=Prune(2_000, 1_000), confirmed_rows=[1]))

    assert set(store.payments(["E1", "E2", "E3"])) == {"E2", "E3"}
    assert store.received("M1") is None
    assert store.received("M2") == ReceivedMessage("M2", "12345678", 2_000, ["E3"])
    assert [each.end_to_end_id for each in store.pending()] == ["E2"]
    assert (store.supply("C1"), store.supply("C2")) == (None, Supply("C2", "12345678", 5, 1_000))
    assert store.outbox() == []
    store.close()


def payment(end_to_end_id: str, status: str, finished_ms: int) -> Payment:
    return Payment(
        end_to_end_id, end_to_end_id, "M1", "12345678", "60701190", 1, status,
        finished_ms=finished_ms, details='{"a":"é"}'.encode(),
    )  # fmt: skip


def test_store_gives_back_what_it_was_given(tmp_path: Path) -> None:
    store = Store(tmp_path / "bank.sqlite3")
    one = payment("E1", "SETTLED", 7)
    returned = Payment("D1", "E1", "M2", "60701190", "12345678", 1, "REJECTED", "AC03", 3, 4, 5)

    store.commit(Batch(payments=[payment_row(one), payment_row(returned)]))

    assert store.payments(["E1", "D1"]) == {"E1": one, "D1": returned}
    assert store.returns(["E1"]) == {"D1": returned}
    assert store.returns(["E2"]) == {}
    store.close()


def test_no_question_to_the_store_reads_the_whole_table(tmp_path: Path) -> None:
    store = Store(tmp_path / "bank.sqlite3")
    asked: list[str] = []
    store._reader.set_trace_callback(asked.append)

    store.payments(["E1"])
    store.returns(["E1"])
    store.pending()
    list(read_entries(store._reader, "12345678", 0, 1))
    store._reader.set_trace_callback(None)

    plans = [row[3] for sql in asked for row in store._reader.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert len(asked) == 5
    assert [each for each in plans if each.startswith("SCAN") and "json_each" not in each] == [
        "SCAN payments USING INDEX payments_pending"
    ]
    store.close()


OLDER = """
CREATE TABLE payments (end_to_end_id TEXT PRIMARY KEY, message_id TEXT NOT NULL,
    payer TEXT NOT NULL, receiver TEXT NOT NULL, amount_cents INTEGER NOT NULL,
    status TEXT NOT NULL, reason TEXT, deadline_ms INTEGER NOT NULL, finished_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX payments_pending ON payments (end_to_end_id) WHERE status = 'PENDING';
CREATE TABLE received (message_id TEXT PRIMARY KEY, ispb TEXT NOT NULL, at_ms INTEGER NOT NULL,
    end_to_end_ids TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO payments VALUES ('E1', 'M1', 'A', 'B', 5, 'SETTLED', NULL, 0, 9);
INSERT INTO received VALUES ('M1', 'A', 8, '["E1"]');
"""


def test_home_of_before_returns_is_brought_up_to_date_and_keeps_its_payments(
    tmp_path: Path,
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "bank.sqlite3")) as older:
        older.executescript(OLDER)

    for _ in range(2):
        store = Store(tmp_path / "bank.sqlite3")
        assert store.payments(["E1"]) == {
            "E1": Payment("E1", "E1", "M1", "A", "B", 5, "SETTLED", finished_ms=9)
        }
        assert store.received("M1") == ReceivedMessage("M1", "A", 8, ["E1"])
        store.close()
