"""Alembic at work.

Loaded only when there is something to migrate: it takes long to import.
"""

from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

CONNECT_TIMEOUT_SECONDS = 10


async def upgrade(dsn: str, migrations: Path) -> None:
    """Bring the database at `dsn` to the newest of the migrations, in one transaction."""

    async def connect() -> Any:
        return await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_SECONDS)

    def run(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(migrations).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    # asyncpg reads the DSN itself: SQLAlchemy would not take a socket folder from it.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()
