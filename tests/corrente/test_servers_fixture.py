import signal

import asyncpg

from tests.postgres import PostgresServer


async def test_fixture_gives_an_empty_database(postgres_dsn: str) -> None:
    connection = await asyncpg.connect(postgres_dsn)
    try:
        tables = await connection.fetchval("SELECT count(*) FROM pg_stat_user_tables")
    finally:
        await connection.close()

    assert tables == 0


async def test_fixture_server_writes_durably(postgres_dsn: str) -> None:
    connection = await asyncpg.connect(postgres_dsn)
    try:
        settings = [
            await connection.fetchval(f"SHOW {name}")
            for name in ("fsync", "synchronous_commit", "full_page_writes")
        ]
    finally:
        await connection.close()

    assert settings == ["on", "on", "on"]


async def test_committed_row_outlives_a_killed_server(
    postgres_server: PostgresServer, postgres_dsn: str
) -> None:
    postgres_server.execute("CREATE TABLE kept AS SELECT 42 AS answer", postgres_dsn)

    killed = postgres_server.pid
    postgres_server.kill()
    postgres_server.start()

    assert postgres_server.pid != killed
    connection = await asyncpg.connect(postgres_dsn)
    try:
        assert await connection.fetchval("SELECT answer FROM kept") == 42
    finally:
        await connection.close()


def test_killed_server_is_back_for_the_next_test_one(postgres_server: PostgresServer) -> None:
    postgres_server.kill()

    assert not postgres_server.is_running()
    assert postgres_server._process is not None
    assert postgres_server._process.returncode == -signal.SIGKILL


async def test_killed_server_is_back_for_the_next_test_two(postgres_dsn: str) -> None:
    connection = await asyncpg.connect(postgres_dsn)
    await connection.close()
