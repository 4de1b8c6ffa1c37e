"""Any reader, any order: each letter is delivered until it is confirmed, and confirmed once."""

import contextlib
import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bacen.simulator.errors import StreamGone
from bacen.simulator.outbox import DELIVERY_BYTES_MAX, Letter, Outbox, Stream
from bacen.simulator.store import Batch, OutboxRow, ReceivedMessage, Store, StoredMessage


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


def test_store_prunes_old_messages_with_their_finished_payments_only(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = Store(tmp_path_factory.mktemp("store") / "bank.sqlite3")
    store.commit(
        Batch(
            payments=[payment("E1", "SETTLED"), payment("E2", "PENDING"), payment("E3", "SETTLED")],
            received=[
                ReceivedMessage("M1", "12345678", 1_000, ["E1", "E2"]),
                ReceivedMessage("M2", "12345678", 2_000, ["E3"]),
            ],
            outbox=[OutboxRow(1, "12345678", [StoredMessage("id", b"<a/>")])],
        )
    )

    store.commit(Batch(prune_before_ms=2_000, confirmed_rows=[1]))

    assert set(store.payments(["E1", "E2", "E3"])) == {"E2", "E3"}
    assert store.received("M1") is None
    assert store.received("M2") == ReceivedMessage("M2", "12345678", 2_000, ["E3"])
    assert [each.end_to_end_id for each in store.pending()] == ["E2"]
    assert store.outbox() == []
    store.close()


def payment(end_to_end_id: str, status: str) -> tuple[str | int | None, ...]:
    return (end_to_end_id, "M1", "12345678", "60701190", 1, status, None, 0, 0)
