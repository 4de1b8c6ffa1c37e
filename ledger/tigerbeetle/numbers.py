"""Which TigerBeetle ledger holds a tenant's money in a currency: a table in PostgreSQL."""

from collections.abc import Sequence
from typing import Any, Final

ASSIGN: Final = """
INSERT INTO tigerbeetle_ledgers (tenant, currency)
SELECT $1, currency FROM unnest($2::integer[]) AS currency
ON CONFLICT (tenant, currency) DO NOTHING
"""
READ: Final = "SELECT currency, number FROM tigerbeetle_ledgers WHERE tenant = $1"


async def ledger_numbers(connection: Any, tenant: str, currencies: Sequence[int]) -> dict[int, int]:
    """The tenant's TigerBeetle ledger of each currency; those that it lacks are assigned now.

    A number is never changed and never given to anybody else: it is part of every account.

    Args:
        connection: asyncpg connection to the ledger's database.
        tenant: ISPB.
        currencies: ISO 4217 numbers that must be there.

    Raises:
        OSError, asyncpg.PostgresError: The database cannot be reached, or has no such table.
    """
    rows = await connection.fetch(READ, tenant)
    known = {int(row["currency"]): int(row["number"]) for row in rows}
    if not known.keys() >= set(currencies):
        await connection.execute(ASSIGN, tenant, sorted(set(currencies) - known.keys()))
        rows = await connection.fetch(READ, tenant)
        known = {int(row["currency"]): int(row["number"]) for row in rows}
    return known
