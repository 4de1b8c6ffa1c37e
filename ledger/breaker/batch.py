"""A batch of transfers on its way through a breaker. No I/O."""

from collections.abc import Container, Iterable, Sequence
from typing import Final
from uuid import UUID

import msgspec

from ledger.breaker.chains import CHAIN_MAX, LINKED, chains
from ledger.breaker.errors import Unsupported
from ledger.breaker.expiry import PENDING, expiry_of
from ledger.breaker.messages import Answer, Standing
from ledger.breaker.mirror import Mirror
from ledger.breaker.rows import Route, Row, RowState, first_answer, later_answer
from ledger.core import COUNTER_MAX, ID_MAX
from ledger.transfers import AMOUNT_ALL, Transfer, TransferFlag, TransferResult

BALANCING: Final = int(TransferFlag.BALANCING_DEBIT | TransferFlag.BALANCING_CREDIT)
SUPPORTED_FLAGS: Final = 0xFF & ~BALANCING
USER_BITS: Final = (
    ("user_data_128", 128),
    ("user_data_64", 64),
    ("user_data_32", 32),
    ("timeout_seconds", 32),
    ("code", 16),
)
EXISTS: Final = TransferResult.EXISTS
CREATED: Final = TransferResult.CREATED
BROKEN: Final = TransferResult.LINKED_EVENT_FAILED


def problem_of(transfers: Sequence[Transfer], mirror: Mirror) -> Unsupported | None:
    """Say what is wrong with transfers as such, if anything.

    A balancing transfer takes what there is, and TigerBeetle's answer does not say how much: while
    it is unknown, nobody could say what to hold against its accounts.
    """
    currencies = mirror.currencies | {0}
    linked = 0
    for transfer in transfers:
        linked = linked + 1 if transfer.flags & LINKED else 0
        if linked >= CHAIN_MAX:
            return Unsupported("a chain of more than 100")
        what = _unsupported(transfer)
        if what is None and transfer.ledger not in currencies:
            what = "ledger"
        if what is not None:
            return Unsupported(what)
    return Unsupported("an open chain") if linked else None


def _unsupported(transfer: Transfer) -> str | None:
    amount = transfer.amount_cents
    is_all = bool(transfer.flags & TransferFlag.POST_PENDING_TRANSFER) and amount == AMOUNT_ALL
    in_order = (
        (transfer.flags & ~SUPPORTED_FLAGS, "flags"),
        (not 0 < transfer.id.int < ID_MAX, "id"),
        (type(amount) is not int or not (0 <= amount <= COUNTER_MAX or is_all), "amount_cents"),
        (transfer.timeout_seconds and not transfer.flags & PENDING, "timeout_seconds"),
        *((not 0 <= getattr(transfer, name) < 1 << bits, name) for name, bits in USER_BITS),
    )
    return next((what for is_wrong, what in in_order if is_wrong), None)


class Batch:
    """Transfers of many callers, in order.

    Args:
        transfers: All of them.
        own: Ids of the breaker's own, which end holds whose time is over.

    Attributes:
        rows: What has to be written of those that are new.
    """

    def __init__(self, transfers: Sequence[Transfer], own: Container[UUID] = ()) -> None:
        self._transfers = transfers
        self._own = own
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

    def to_send(self, mirror: Mirror, epoch: int, sequence: int, now_ns: int) -> list[Row]:
        """Make the rows of new transfers; gives those that TigerBeetle is to decide."""
        for chain, is_whole in self._new():
            rows = [self._row(each, mirror, epoch, now_ns) for each in chain]
            refusals = [self._refusal(each, mirror, now_ns) for each in chain]
            if not is_whole:
                refusals = [BROKEN] * len(chain)
            elif any(refusals):
                first = next(refusal for refusal in refusals if refusal)
                place = refusals.index(first)
                refusals = [BROKEN] * len(chain)
                refusals[place] = first
            for row, refusal in zip(rows, refusals, strict=True):
                sequence += 1
                state = RowState.FAILED if refusal else RowState.SENT
                self._keep(row, Route.TB, state, refusal, sequence)
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

    def decide(self, mirror: Mirror, epoch: int, sequence: int, now_ns: int) -> None:
        """Book new transfers in the mirror, and make their rows."""
        for chain, is_whole in self._new():
            if any(mirror.is_in_doubt(each) for each in chain):
                self._undecided.update(each.id.int for each in chain)
                continue
            # Before they are booked: what ends a hold takes it away.
            rows = [self._row(each, mirror, epoch, now_ns) for each in chain]
            results = [BROKEN] * len(chain)
            over = next(
                (n for n, each in enumerate(chain) if self._is_late(each, mirror, now_ns)), None
            )
            if is_whole and over is not None:
                results[over] = TransferResult.PENDING_TRANSFER_EXPIRED
            elif is_whole:
                results = mirror.book_chain(chain)
            for row, result in zip(rows, results, strict=True):
                sequence += 1
                state = RowState.NEW if result is CREATED else RowState.FAILED
                kept = self._keep(row, Route.PG, state, result, sequence)
                if result is CREATED:
                    mirror.watch(kept)
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

    def _row(self, transfer: Transfer, mirror: Mirror, epoch: int, now_ns: int) -> Row:
        """A row without a place; later ones of its chain may be about it."""
        debit, credit, amount = mirror.extent_of(transfer, self._fresh)
        expires_at = expiry_of(transfer, now_ns)
        row = Row(
            0,
            transfer,
            debit,
            credit,
            amount,
            epoch,
            Route.TB,
            RowState.SENT,
            expires_at=expires_at,
        )
        self._fresh[transfer.id.int] = row
        return row

    def _keep(
        self, row: Row, route: Route, state: RowState, result: int | None, sequence: int
    ) -> Row:
        kept = msgspec.structs.replace(
            row,
            sequence=sequence,
            route=route,
            state=state,
            result=int(result or 0),
            is_verified=state is not RowState.NEW,
        )
        self._fresh[row.transfer.id.int] = kept
        return kept

    def _new(self) -> Iterable[tuple[list[Transfer], bool]]:
        """Transfers nobody has asked for, with all they are linked to; False: a part of a chain.

        A chain in which an id was used before fails, as it does in TigerBeetle.
        """
        seen = set(self._known)
        for chain in chains(self._transfers, lambda each: each):
            fresh = []
            for transfer in chain:
                if transfer.id.int not in seen:
                    seen.add(transfer.id.int)
                    fresh.append(transfer)
            if fresh:
                yield fresh, len(fresh) == len(chain)

    def _is_late(self, transfer: Transfer, mirror: Mirror, now_ns: int) -> bool:
        return mirror.is_over(transfer, now_ns) and transfer.id not in self._own

    def _refusal(self, transfer: Transfer, mirror: Mirror, now_ns: int) -> TransferResult | None:
        """Why TigerBeetle need not be asked."""
        if self._is_late(transfer, mirror, now_ns):
            return TransferResult.PENDING_TRANSFER_EXPIRED
        sides = (transfer.debit_account_id, transfer.credit_account_id)
        if transfer.pending_id is None and not all(map(mirror.has, sides)):
            return mirror.book(transfer)
        return None
