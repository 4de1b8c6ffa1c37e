"""Connections to stores, each owned by a process of the tree."""

from typing import Any

import asyncpg

from actors import GenServer

POOL_MAX = 8
COMMAND_TIMEOUT_SECONDS = 10


class Pool:
    """The PostgreSQL pool for reads; there while its process lives."""

    def __init__(self) -> None:
        self.current: asyncpg.Pool[Any] | None = None

    def __call__(self) -> "asyncpg.Pool[Any]":
        """The pool; an interface error of asyncpg where none is open, like a lost connection."""
        if self.current is None:
            raise asyncpg.InterfaceError("the pool is closed")
        return self.current


class PostgresPool(GenServer):
    """Opens the pool when it starts, closes it when it stops; connects at the first use."""

    trap_exit = True

    def __init__(self, dsn: str, pool: Pool) -> None:
        self._dsn = dsn
        self._pool = pool

    async def init(self) -> None:
        """Make the pool."""
        self._pool.current = await asyncpg.create_pool(
            self._dsn, min_size=0, max_size=POOL_MAX, command_timeout=COMMAND_TIMEOUT_SECONDS
        )

    async def terminate(self, reason: object) -> None:
        """Close the pool; connections in use are cut, their readers see an error."""
        del reason
        pool, self._pool.current = self._pool.current, None
        if pool is not None:
            pool.terminate()
