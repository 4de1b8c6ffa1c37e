"""Bringing a database to the newest version of the tables."""

from pathlib import Path

import asyncpg

MIGRATIONS = Path(__file__).parent / "migrations"
CONNECT_TIMEOUT_SECONDS = 10


async def migrate(dsn: str) -> None:
    """Run the migrations that the database at `dsn` has not seen; safe to run at any start.

    One transaction under an advisory lock: programs that start together take turns, and a
    migration that fails changes nothing.

    Raises:
        OSError, asyncpg.PostgresError: The database cannot be reached, or refused a statement.
    """
    if await _version(dsn) == newest_version():
        return
    from ledger.upgrade import upgrade  # noqa: PLC0415 # see there: it is slow to load

    await upgrade(dsn, MIGRATIONS)


def newest_version() -> str:
    """Revision of the newest migration; the history is linear and files are named by it."""
    return max(file.name for file in (MIGRATIONS / "versions").glob("[0-9]*.py")).split("_")[0]


async def _version(dsn: str) -> str | None:
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_SECONDS)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        version: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return version
    finally:
        await connection.close()
