"""A batch of transfers on its way through a breaker. No I/O."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import msgspec

from ledger.breaker.errors import Unsupported
from ledger.breaker.messages import Answer, Standing
from ledger.breaker.mirror import Mirror
from ledger.breaker.rows import Route, Row, RowState, first_answer, later_answer
from ledger.core import COUNTER_MAX, ID_MAX
from ledger.transfers import AMOUNT_ALL, Transfer, TransferFlag, TransferResult

SUPPORTED_FLAGS: Final = int(
    TransferFlag.PENDING | TransferFlag.POST_PENDING_TRANSFER | TransferFlag.VOID_PENDING_TRANSFER
)
USER_BITS: Final = (
    ("user_data_128", 128),
    ("user_data_64", 64),
    ("user_data_32", 32),
    ("code", 16),
)
EXISTS: Final = TransferResult.EXISTS
CREATED: Final = TransferResult.CREATED


def problem_of(transfers: Iterable[Transfer], mirror: Mirror) -> Unsupported | None:
    """Say what is wrong with transfers as such, if anything.

    A chain, a balancing or closing transfer, and a hold with a timeout of TigerBeetle's might end
    one way there and another way here.
    """
    currencies = mirror.currencies | {0}
    for transfer in transfers:
        what = _unsupported(transfer)
        if what is None and transfer.ledger not in currencies:
            what = "ledger"
        if what is not None:
            return Unsupported(what)
    return None


def _unsupported(transfer: Transfer) -> str | None:
    amount = transfer.amount_cents
    is_all = bool(transfer.flags & TransferFlag.POST_PENDING_TRANSFER) and amount == AMOUNT_ALL
    in_order = (
        (transfer.flags & ~SUPPORTED_FLAGS, "flags"),
        (transfer.timeout_seconds, "timeout_seconds"),
        (not 0 < transfer.id.int < ID_MAX, "id"),
        (type(amount) is not int or not (0 <= amount <= COUNTER_MAX or is_all), "amount_cents"),
        *((not 0 <= getattr(transfer, name) < 1 << bits, name) for name, bits in USER_BITS),
    )
    return next((what for is_wrong, what in in_order if is_wrong), None)


class Batch:
    """Transfers of many callers, in order.

    Args:
        transfers: All of them.

    Attributes:
        rows: What has to be written of those that are new.
    """

    def __init__(self, transfers: Sequence[Transfer]) -> None:
        self._transfers = transfers
        self._known: dict[int, Row] = {}
        self._fresh: dict[int, Row] = {}
        self._undecided: set[int] = set()
        self.rows: list[Row] = []

    @property
    def ids(self) -> list[UUID]:
        """Of all transfers."""
        return [each.id for each in self._transfers]

    @property
    def holds(self) -> list[UUID]:
        """That they post or void."""
        return [each.pending_id for each in self._transfers if each.pending_id is not None]

    def know(self, rows: Iterable[Row]) -> None:
        """Take over what the journal has of these ids."""
        self._known = {row.transfer.id.int: row for row in rows}

    def to_send(self, mirror: Mirror, epoch: int, sequence: int) -> list[Row]:
        """Make the rows of new transfers; gives those that TigerBeetle is to decide."""
        for transfer in self._new():
            debit, credit, amount = mirror.extent_of(transfer, self._fresh)
            state, result = RowState.SENT, 0
            if transfer.pending_id is None and not (mirror.has(debit) and mirror.has(credit)):
                state, result = RowState.FAILED, int(mirror.book(transfer))
            sequence += 1
            row = Row(sequence, transfer, debit, credit, amount, epoch, Route.TB, state, result)
            self._fresh[transfer.id.int] = row
        self.rows = list(self._fresh.values())
        return [row for row in self.rows if row.state is RowState.SENT]

    def decided(self, sent: Sequence[Row], results: Sequence[TransferResult]) -> list[Row]:
        """The rows that were sent, with TigerBeetle's results."""
        rows = []
        for row, result in zip(sent, results, strict=True):
            is_booked = result in (CREATED, EXISTS)
            state = RowState.DONE if is_booked else RowState.FAILED
            code = int(CREATED if is_booked else result)
            rows.append(msgspec.structs.replace(row, state=state, result=code))
        self._fresh.update((row.transfer.id.int, row) for row in rows)
        return rows

    def undecide(self, sent: Sequence[Row]) -> None:
        """Forget the results: they do not fit the mirror."""
        self._fresh.update((row.transfer.id.int, row) for row in sent)

    def decide(self, mirror: Mirror, epoch: int, sequence: int) -> None:
        """Book new transfers in the mirror, and make their rows."""
        for transfer in self._new():
            if mirror.is_in_doubt(transfer):
                self._undecided.add(transfer.id.int)
                continue
            debit, credit, amount = mirror.extent_of(transfer, self._fresh)
            result = mirror.book(transfer)
            is_booked = result is CREATED
            state = RowState.NEW if is_booked else RowState.FAILED
            sequence += 1
            self._fresh[transfer.id.int] = Row(
                sequence,
                transfer,
                debit,
                credit,
                amount,
                epoch,
                Route.PG,
                state,
                int(result),
                is_verified=not is_booked,
            )
        self.rows = list(self._fresh.values())

    def answers(self) -> Iterable[Answer]:
        """One for each transfer, in order."""
        answered: set[int] = set()
        for transfer in self._transfers:
            key = transfer.id.int
            row = self._fresh.get(key)
            if key in self._undecided:
                yield Standing.NOT_NOW
            elif row is not None and key not in answered:
                yield first_answer(row)
            else:
                yield later_answer(row or self._known[key], transfer)
            answered.add(key)

    def _new(self) -> Iterable[Transfer]:
        seen = set(self._known)
        for transfer in self._transfers:
            if transfer.id.int not in seen:
                seen.add(transfer.id.int)
                yield transfer
