"""An account's transfers in a period, in order, with the balance after each."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ledger.accounts import AccountCode, Balance
from ledger.cosif import Nature, nature_of
from ledger.errors import OverLimit
from ledger.reports.balances import COUNTERS, EFFECTS, Funds, add, funds, nearest_start
from ledger.reports.errors import AccountNotFound
from ledger.reports.period import Period
from ledger.transfers import TransferKind

LINES_MAX: Final = 1_000
"""Lines of one page."""

ACCOUNT: Final = """
SELECT id, code, ledger, branch, number, name FROM accounts WHERE id = $1 AND tenant = $2
"""

# 0: before the period, 1: in it and on an earlier page, 2: in it.
PARTS: Final = f"""
SELECT CASE WHEN at < $2 THEN 0 WHEN sequence <= $4 THEN 1 ELSE 2 END AS part, {COUNTERS}
FROM ({EFFECTS}) AS effects WHERE timestamp > $5 AND at <= $3 GROUP BY part
"""  # noqa: S608 - constants

LINES: Final = f"""
SELECT * FROM ({EFFECTS}) AS effects WHERE at BETWEEN $2 AND $3 AND sequence > $4
ORDER BY sequence
"""  # noqa: S608 - constants

NO_MONEY: Final = Balance(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class StatementAccount:
    """Whose statement it is.

    Attributes:
        id: Account.
        code: Its type.
        ledger: Its currency, as its ISO 4217 number.
        branch: As the customer knows it, if any.
        number: As the customer knows it, if any.
        name: Holder's name, if any.
    """

    id: UUID
    code: AccountCode
    ledger: int
    branch: str | None
    number: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One transfer, seen from the account.

    Attributes:
        sequence: Its place in the order of the account's shard.
        at: When it was booked, UTC.
        transfer_id: Its id.
        kind: Posted, a hold, or how one ended.
        code: Why the money moved, a `TransferCode` in our own transfers.
        pending_id: The hold that has ended.
        counterpart_id: The other account.
        is_debit: The account is the debited one.
        amount_cents: Amount of the transfer; a post may be smaller than its hold.
        moved_cents: What it did to the balance: 0 for a hold, which only blocks, and its release.
        after: Funds after it.
    """

    sequence: int
    at: datetime
    transfer_id: UUID
    kind: TransferKind
    code: int
    pending_id: UUID | None
    counterpart_id: UUID
    is_debit: bool
    amount_cents: int
    moved_cents: int
    after: Funds


@dataclass(frozen=True, slots=True)
class Statement:
    """A page of an account's statement.

    Attributes:
        account: Whose.
        period: Which instants.
        opening: Funds before the period, whatever the page.
        lines: In order.
        closing: Funds at the end of the period, whatever the page.
        next_cursor: Where the next page begins; None on the last one.
    """

    account: StatementAccount
    period: Period
    opening: Funds
    lines: tuple[StatementLine, ...]
    closing: Funds
    next_cursor: int | None


async def statement(
    connection: Any,
    account_id: UUID,
    period: Period,
    *,
    tenant: str,
    cursor: int | None = None,
    lines_max: int = 100,
) -> Statement:
    """One page of the statement of an account, read in one snapshot.

    Give all pages the same `REPEATABLE READ` transaction to have all of them of one moment.

    Args:
        connection: asyncpg connection; a transaction of its caller is used.
        account_id: The account.
        period: Which instants.
        tenant: Whose account it must be.
        cursor: `next_cursor` of the page before; None for the first page.
        lines_max: Lines of a page, 1 to `LINES_MAX`.

    Raises:
        AccountNotFound: The tenant has no such account.
        NoRubric: Its account code is not known here.
        OverLimit: `lines_max` is out of its range.
        OSError, asyncpg.PostgresError: The database cannot be read.
    """
    _check_lines_max(lines_max)
    async with snapshot(connection):
        head = await _head(connection, account_id, period, tenant, cursor or 0)
        rows = await connection.fetch(f"{LINES} LIMIT $5", *head.asked, cursor or 0, lines_max + 1)
    lines, _ = _lines(rows[:lines_max], head.before_page, head.nature)
    return head.page(lines, has_more=len(rows) > lines_max)


async def statement_pages(
    connection: Any, account_id: UUID, period: Period, *, tenant: str, lines_max: int = LINES_MAX
) -> AsyncGenerator[Statement, None]:
    """The whole statement, page after page in one snapshot and one pass; at least one page.

    Leave it with `contextlib.aclosing`: it holds a transaction.

    Args and errors as `statement`.
    """
    _check_lines_max(lines_max)
    async with snapshot(connection):
        head = await _head(connection, account_id, period, tenant, 0)
        cursor = await connection.cursor(LINES, *head.asked, 0)
        counters = head.before_page
        rows = await cursor.fetch(lines_max)
        while True:
            following = await cursor.fetch(lines_max) if len(rows) == lines_max else []
            lines, counters = _lines(rows, counters, head.nature)
            yield head.page(lines, has_more=bool(following))
            if not following:
                return
            rows = following


@dataclass(frozen=True, slots=True)
class _Head:
    """What all pages have, and the counters that the asked one begins with."""

    account: StatementAccount
    period: Period
    nature: Nature
    opening: Balance
    before_page: Balance
    closing: Balance

    @property
    def asked(self) -> tuple[object, ...]:
        return self.account.id, self.period.start, self.period.end

    def page(self, lines: tuple[StatementLine, ...], *, has_more: bool) -> Statement:
        return Statement(
            account=self.account,
            period=self.period,
            opening=funds(self.opening, self.nature),
            lines=lines,
            closing=funds(self.closing, self.nature),
            next_cursor=lines[-1].sequence if has_more else None,
        )


async def _head(
    connection: Any, account_id: UUID, period: Period, tenant: str, cursor: int
) -> _Head:
    row = await connection.fetchrow(ACCOUNT, account_id, tenant)
    if row is None:
        raise AccountNotFound(str(account_id))
    nature = nature_of(row["code"])
    account = StatementAccount(row["id"], AccountCode(row["code"]), *row[2:])
    start = await nearest_start(
        connection, account_id, period.start, tenant=tenant, is_included=False
    )
    parts = await connection.fetch(
        PARTS, account_id, period.start, period.end, cursor, start.timestamp
    )
    sums = {part: Balance(*map(int, counters)) for part, *counters in parts}
    opening = add(start.counters, sums.get(0, NO_MONEY))
    before_page = add(opening, sums.get(1, NO_MONEY))
    closing = add(before_page, sums.get(2, NO_MONEY))
    return _Head(account, period, nature, opening, before_page, closing)


def _check_lines_max(lines_max: int) -> None:
    if not 1 <= lines_max <= LINES_MAX:
        raise OverLimit("lines of a page", lines_max, LINES_MAX)


@contextlib.asynccontextmanager
async def snapshot(connection: Any) -> AsyncIterator[None]:
    """Let every read of the block see one moment: that of the caller's transaction, if any."""
    if connection.is_in_transaction():
        yield
        return
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield


def _lines(
    rows: Any, counters: Balance, nature: Nature
) -> tuple[tuple[StatementLine, ...], Balance]:
    """The lines of `rows`, and the counters after the last of them."""
    lines = []
    before = funds(counters, nature)
    for row in rows:
        counters = add(counters, _effect(row))
        after = funds(counters, nature)
        line = StatementLine(
            sequence=row["sequence"],
            at=row["at"],
            transfer_id=row["id"],
            kind=TransferKind(row["kind"]),
            code=row["code"],
            pending_id=row["pending_id"],
            counterpart_id=row["counterpart_id"],
            is_debit=row["is_debit"],
            amount_cents=row["amount_cents"],
            moved_cents=after.balance_cents - before.balance_cents,
            after=after,
        )
        lines.append(line)
        before = after
    return tuple(lines), counters


def _effect(row: Any) -> Balance:
    pending, posted = row["pending_cents"], row["posted_cents"]
    return Balance(pending, posted, 0, 0) if row["is_debit"] else Balance(0, 0, pending, posted)
