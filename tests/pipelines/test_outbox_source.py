"""Rows of a real PostgreSQL: in order, each at least once, the place behind what is done."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from actors import Killed, Node
from pipelines import (
    BatcherOptions,
    InvalidPipeline,
    Message,
    OutboxReader,
    OutboxSource,
    OutboxTable,
    Pipeline,
    PipelineOptions,
    ProcessorOptions,
    ProducerOptions,
    start_pipeline,
)

# The outbox of the ledger, as its migration makes it.
TABLE = OutboxTable(
    table="outbox",
    shard="shard",
    sequence="sequence",
    columns=("id", "name", "payload"),
    positions="outbox_positions",
    reader="consumer",
    position_shard="shard",
    position="sequence",
)
SHARD = 1


@pytest.fixture
async def pool(migrated_dsn: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    made = await asyncpg.create_pool(migrated_dsn, min_size=0, max_size=4)
    await made.execute("INSERT INTO shards (id, tenant, owner) VALUES (1, 't', 'o'), (2, 't', 'o')")
    yield made
    await made.close()


async def insert(pool: "asyncpg.Pool[Any]", numbers: range, shard: int = SHARD) -> None:
    await pool.execute(
        "INSERT INTO outbox SELECT $1, n, gen_random_uuid(), gen_random_uuid(), 'made', now(), "
        "n::text::bytea FROM unnest($2::bigint[]) AS n",
        shard,
        list(numbers),
    )


async def place(pool: "asyncpg.Pool[Any]") -> int:
    found = await pool.fetchval(TABLE.select_position, "test", SHARD)
    return int(found or 0)


class Record(Pipeline):
    """Remembers numbers and attempts; fails what it is told to."""

    def __init__(self, judge: Callable[[int, int], str] = lambda _n, _attempt: "") -> None:
        self.handled: list[int] = []
        self.attempts: list[int] = []
        self._judge = judge

    async def handle_message(self, message: Message) -> Message:
        number = int(message.data["payload"])
        assert message.metadata is not None
        self.handled.append(number)
        self.attempts.append(message.metadata["attempt"])
        verdict = self._judge(number, message.metadata["attempt"])
        if verdict:
            message.fail(verdict, is_final=verdict == "final")
        return message


def reader(pool: "asyncpg.Pool[Any]", **changes: Any) -> OutboxReader:
    made = OutboxReader(
        pool=lambda: pool, table=TABLE, reader="test", shard=SHARD, poll_ms=20, retry_ms=20
    )
    return replace(made, **changes)


def options(source: OutboxReader, **changes: Any) -> PipelineOptions:
    given: dict[str, Any] = {
        "name": "p",
        "producer": ProducerOptions(make=lambda: OutboxSource(source)),
        "processors": ProcessorOptions(concurrency=1),
    }
    return PipelineOptions(**(given | changes))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def until_place(pool: "asyncpg.Pool[Any]", expected: int) -> None:
    while await place(pool) != expected:
        await asyncio.sleep(0.01)


async def test_rows_come_in_order_and_the_place_follows(
    node: Node, pool: "asyncpg.Pool[Any]"
) -> None:
    record = Record()
    await insert(pool, range(1, 701))  # more than is read at a time
    await insert(pool, range(1, 11), shard=2)
    pid = await start_pipeline(node, record, options(reader(pool)))

    await until_place(pool, 700)
    await insert(pool, range(701, 706))
    await until_place(pool, 705)
    await node.stop(pid)

    assert record.handled == list(range(1, 706))


async def test_reading_goes_on_behind_the_saved_place_after_a_stop(
    node: Node, pool: "asyncpg.Pool[Any]"
) -> None:
    await insert(pool, range(1, 31))
    batchers = {"default": BatcherOptions(batch_size=1_000, batch_timeout_ms=600_000)}
    first = Record()
    pid = await start_pipeline(node, first, options(reader(pool), batchers=batchers))
    await until(lambda: len(first.handled) == 30)

    await node.stop(pid)  # flushes the batch; its acknowledgement reaches the place

    assert await place(pool) == 30
    second = Record()
    await insert(pool, range(31, 33))
    pid = await start_pipeline(node, second, options(reader(pool)))
    await until_place(pool, 32)
    assert second.handled == [31, 32]
    await node.stop(pid)


async def test_failed_row_is_delivered_again_and_holds_the_place(
    node: Node, pool: "asyncpg.Pool[Any]"
) -> None:
    def judge(number: int, attempt: int) -> str:
        return "again" if number == 3 and attempt < 3 else ""

    record = Record(judge)
    await insert(pool, range(1, 7))
    pid = await start_pipeline(node, record, options(reader(pool, retry_ms=300)))
    await until(lambda: len(record.handled) == 6)
    await until_place(pool, 2)

    await until_place(pool, 6)
    await node.stop(pid)

    assert sorted(record.handled) == [1, 2, 3, 3, 3, 4, 5, 6]
    assert sorted(record.attempts) == [1, 1, 1, 1, 1, 1, 2, 3]


async def test_row_that_failed_for_good_does_not_hold_the_place(
    node: Node, pool: "asyncpg.Pool[Any]"
) -> None:
    record = Record(lambda number, _attempt: "final" if number == 2 else "")
    await insert(pool, range(1, 4))
    pid = await start_pipeline(node, record, options(reader(pool)))

    await until_place(pool, 3)
    await node.stop(pid)

    assert record.handled == [1, 2, 3]


async def test_rows_of_a_killed_stage_are_delivered_again(
    node: Node, pool: "asyncpg.Pool[Any]"
) -> None:
    class Stuck(Record):
        async def handle_message(self, message: Message) -> Message:
            await super().handle_message(message)
            if len(self.handled) == 1:
                await node.clock.sleep_ms(600_000)
            return message

    record = Stuck()
    await insert(pool, range(1, 4))
    pid = await start_pipeline(node, record, options(reader(pool, acknowledge_within_ms=200)))
    await until(lambda: len(record.handled) == 1)
    stuck = node.whereis("p.processor.0")
    assert stuck is not None

    node.exit(stuck, Killed())
    await until_place(pool, 3)

    assert set(record.handled) == {1, 2, 3}
    await node.stop(pid)


async def test_killed_source_goes_on_where_it_had_saved(
    node: Node, pool: "asyncpg.Pool[Any]"
) -> None:
    record = Record()
    await insert(pool, range(1, 11))
    pid = await start_pipeline(node, record, options(reader(pool)))
    await until_place(pool, 10)
    source = node.whereis("p.producer.0")
    assert source is not None

    node.exit(source, Killed())
    await insert(pool, range(11, 21))
    await until_place(pool, 20)

    assert record.handled == list(range(1, 21))
    await node.stop(pid)


async def test_nothing_is_read_beyond_what_may_be_unsettled(
    node: Node, pool: "asyncpg.Pool[Any]"
) -> None:
    batchers = {"default": BatcherOptions(batch_size=1_000, batch_timeout_ms=600_000)}
    record = Record()
    await insert(pool, range(1, 31))
    pid = await start_pipeline(
        node, record, options(reader(pool, unsettled_max=12), batchers=batchers)
    )
    await until(lambda: len(record.handled) == 12)
    assert len(record.handled) == 12
    await node.stop(pid)


async def test_source_without_a_database_tries_again(node: Node, pool: "asyncpg.Pool[Any]") -> None:
    away = True

    def get() -> "asyncpg.Pool[Any]":
        if away:
            raise asyncpg.InterfaceError("the pool is closed")
        return pool

    failures: list[str] = []
    node.telemetry.attach(
        ("pipeline", "outbox", "failed"), lambda _e, _m, about: failures.append(about["problem"])
    )
    record = Record()
    await insert(pool, range(1, 4))
    pid = await start_pipeline(node, record, options(replace(reader(pool), pool=get)))
    await until(lambda: bool(failures))

    away = False
    await until_place(pool, 3)

    assert failures[0] == "InterfaceError"
    await node.stop(pid)


async def test_place_that_could_not_be_saved_is_saved_later(
    node: Node, pool: "asyncpg.Pool[Any]"
) -> None:
    failures: list[str] = []
    node.telemetry.attach(
        ("pipeline", "outbox", "failed"), lambda _e, _m, about: failures.append(about["problem"])
    )
    record = Record()
    pid = await start_pipeline(node, record, options(reader(pool)))
    await pool.execute("ALTER TABLE outbox_positions RENAME TO elsewhere")
    await insert(pool, range(1, 4))
    await until(lambda: "UndefinedTableError" in failures)

    await pool.execute("ALTER TABLE elsewhere RENAME TO outbox_positions")
    await until_place(pool, 3)

    await node.stop(pid)
    assert record.handled == [1, 2, 3]


def test_name_that_is_no_name_is_refused() -> None:
    with pytest.raises(InvalidPipeline):
        replace(TABLE, table="outbox; DROP TABLE outbox")
