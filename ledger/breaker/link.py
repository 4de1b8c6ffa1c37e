"""The one connection that each store of the breaker has."""

from collections.abc import Mapping
from typing import Any, Final

import asyncpg

CONNECT_TIMEOUT_SECONDS: Final = 5


class Linked:
    """One asyncpg connection, made when it is needed, and again when it was lost.

    Args:
        dsn: PostgreSQL with the ledger's tables (`migrate`).
        session: Its settings.
        statement_timeout_seconds: Longest statement.
    """

    def __init__(
        self, dsn: str, session: Mapping[str, str], statement_timeout_seconds: int
    ) -> None:
        self._dsn = dsn
        self._session = session
        self._statement_timeout_seconds = statement_timeout_seconds
        self._connection: Any = None

    async def close(self) -> None:
        """Part from the database."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)

    def abort(self) -> None:
        """Drop the connection without a word: also run when its owner is killed."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            connection.terminate()

    async def _link(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        return self._connection

    async def _connect(self) -> Any:
        return await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=self._statement_timeout_seconds,
            server_settings=dict(self._session),
        )
