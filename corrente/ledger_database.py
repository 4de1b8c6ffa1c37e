"""The ledger's database for commands that only read, whether the platform runs or not."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, NoReturn

import asyncpg

from actors import Node, StartFailed
from config import Profile, Settings
from corrente.servers import HomeInUse, ServerError, claim_home, postgres_child
from corrente.why import why
from supervisors import Strategy, Supervisor

CONNECT_TIMEOUT_SECONDS: Final = 10
READ_TIMEOUT_SECONDS: Final = 3_600


@contextlib.asynccontextmanager
async def ledger_database(
    settings: Settings, fail: Callable[[str], NoReturn]
) -> AsyncIterator[str]:
    """Give the address of the database for the time of the block.

    While no platform runs on an embedded home, its database is started for that time. A database
    that cannot be reached, or refuses to be read in the block, ends the command through `fail`.
    """
    try:
        if settings.profile is Profile.EMBEDDED:
            async with _embedded(settings, fail) as dsn:
                yield dsn
        else:
            assert settings.postgres.dsn is not None  # the settings were checked
            yield settings.postgres.dsn.get_secret_value()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        fail(f"the ledger cannot be read: {str(error) or type(error).__name__}")


@contextlib.asynccontextmanager
async def ledger_snapshot(
    settings: Settings, fail: Callable[[str], NoReturn]
) -> AsyncIterator[Any]:
    """Give an asyncpg connection that sees one moment of the ledger; as `ledger_database`."""
    async with ledger_database(settings, fail) as dsn:
        connection = await asyncpg.connect(
            dsn, timeout=CONNECT_TIMEOUT_SECONDS, command_timeout=READ_TIMEOUT_SECONDS
        )
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield connection
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)


@contextlib.asynccontextmanager
async def _embedded(settings: Settings, fail: Callable[[str], NoReturn]) -> AsyncIterator[str]:
    if not (settings.home / "postgres").exists():
        fail(f"{settings.home} has no ledger: start a platform with `make up`")
    node = Node("ledger-reader")
    try:
        child, endpoint = postgres_child(settings.home, node.clock)
        try:
            with claim_home(settings.home):
                try:
                    await node.start(Supervisor([child], strategy=Strategy.ONE_FOR_ONE))
                    yield endpoint.dsn
                finally:
                    # Still claimed: the next command must not find the server half stopped.
                    await node.shutdown()
        except HomeInUse:  # a platform runs, and its database with it
            yield endpoint.dsn
    except ServerError as error:
        fail(str(error))
    except StartFailed as error:
        fail(why(error))
