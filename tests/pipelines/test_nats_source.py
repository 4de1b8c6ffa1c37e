"""Messages from a real JetStream: each acknowledged, given back or ended, none lost at the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.errors import ConnectionClosedError

from actors import Killed, Node
from pipelines import (
    Message,
    NatsConsumer,
    NatsSource,
    Pipeline,
    PipelineOptions,
    ProcessorOptions,
    ProducerOptions,
    RateLimit,
    start_pipeline,
)
from tests.pipelines.streams import DURABLE, STREAM, jetstream, publish, unacknowledged


@pytest.fixture
async def client(node: Node, tmp_path: Path) -> AsyncIterator[Client]:
    async with jetstream(node, tmp_path) as connection:
        yield connection


class Record(Pipeline):
    """Remembers what it handled; fails what it is told to."""

    def __init__(self, judge: Callable[[int, int], str] = lambda _n, _attempt: "") -> None:
        self.handled: list[int] = []
        self._judge = judge

    async def handle_message(self, message: Message) -> Message:
        number = int(message.data)
        self.handled.append(number)
        verdict = self._judge(number, self.handled.count(number))
        if verdict:
            message.fail(verdict, is_final=verdict == "final")
        return message


def options(client: Client, **changes: Any) -> PipelineOptions:
    consumer = NatsConsumer(connection=lambda: client, stream=STREAM, durable=DURABLE)
    given: dict[str, Any] = {
        "name": "p",
        "producer": ProducerOptions(make=lambda: NatsSource(consumer)),
        "processors": ProcessorOptions(concurrency=2),
    }
    return PipelineOptions(**(given | changes))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def all_acknowledged(client: Client) -> int:
    """Wait until nothing delivered is left to acknowledge; gives what was never delivered."""
    while True:
        waiting, left = await unacknowledged(client)
        if not waiting:
            return left
        await asyncio.sleep(0.01)


async def test_every_message_is_handled_and_acknowledged(node: Node, client: Client) -> None:
    record = Record()
    await publish(client, range(50))
    pid = await start_pipeline(node, record, options(client))

    await publish(client, range(50, 100))
    await until(lambda: len(record.handled) >= 100)
    assert await all_acknowledged(client) == 0

    assert sorted(record.handled) == list(range(100))
    await node.stop(pid)


async def test_failed_message_is_redelivered_and_a_final_one_is_not(
    node: Node, client: Client
) -> None:
    def judge(number: int, attempt: int) -> str:
        return {1: "again" if attempt < 3 else "", 2: "final"}.get(number, "")

    record = Record(judge)
    await publish(client, range(4))

    pid = await start_pipeline(node, record, options(client))
    await until(lambda: len(record.handled) >= 6)
    assert await all_acknowledged(client) == 0

    assert sorted(record.handled) == [0, 1, 1, 1, 2, 3]
    await node.stop(pid)


async def test_stopping_pipeline_leaves_nothing_fetched_and_unacknowledged(
    node: Node, client: Client
) -> None:
    record = Record()
    pid = await start_pipeline(node, record, options(client))
    await publish(client, range(5))
    await until(lambda: len(record.handled) == 5)  # and a request stays open at the server

    await node.stop(pid)
    await publish(client, range(5, 10))

    assert await all_acknowledged(client) == 5  # nobody fetched what came after the end
    pid = await start_pipeline(node, record, options(client))
    await until(lambda: len(record.handled) == 10)
    assert record.handled == list(range(10))
    await node.stop(pid)


async def test_messages_that_wait_for_the_rate_limit_are_delivered_before_the_end(
    node: Node, client: Client
) -> None:
    record = Record()
    limit = RateLimit(2, 30)
    consumer = NatsConsumer(connection=lambda: client, stream=STREAM, durable=DURABLE)
    slow = ProducerOptions(make=lambda: NatsSource(consumer), rate_limit=limit)
    await publish(client, range(8))
    pid = await start_pipeline(node, record, options(client, producer=slow))
    await until(lambda: len(record.handled) == 2)

    await node.stop(pid)

    left = await all_acknowledged(client)
    assert sorted(record.handled) == list(range(8 - left))


async def test_killed_source_gives_back_what_still_comes_for_it(node: Node, client: Client) -> None:
    record = Record()
    pid = await start_pipeline(node, record, options(client))
    await publish(client, range(1))
    await until(lambda: len(record.handled) == 1)
    killed = node.whereis("p.producer.0")
    assert killed is not None

    node.exit(killed, Killed())
    await publish(client, range(1, 20))
    await until(lambda: len(set(record.handled)) == 20)
    assert await all_acknowledged(client) == 0

    await node.stop(pid)


async def test_source_without_a_connection_tries_again(node: Node, client: Client) -> None:
    away = True

    def connection() -> Client:
        if away:
            raise ConnectionClosedError
        return client

    failures: list[str] = []
    node.telemetry.attach(
        ("pipeline", "nats", "failed"), lambda _e, _m, about: failures.append(about["problem"])
    )
    record = Record()
    consumer = NatsConsumer(connection=connection, stream=STREAM, durable=DURABLE)
    producer = ProducerOptions(make=lambda: NatsSource(consumer))
    pid = await start_pipeline(node, record, options(client, producer=producer))
    await publish(client, range(3))
    await until(lambda: bool(failures))

    away = False
    await until(lambda: len(record.handled) == 3)

    assert failures[0] == "ConnectionClosedError"
    await node.stop(pid)


async def test_request_that_runs_out_is_made_again(node: Node, client: Client) -> None:
    record = Record()
    consumer = NatsConsumer(
        connection=lambda: client, stream=STREAM, durable=DURABLE, expires_ms=50
    )
    ends = []

    class Watched(NatsSource):
        async def handle_info(self, message: Any) -> Any:
            ends.append(getattr(message, "status", None))
            return await super().handle_info(message)

    producer = ProducerOptions(make=lambda: Watched(consumer))
    pid = await start_pipeline(node, record, options(client, producer=producer))
    await until(lambda: ends.count("408") >= 2)

    await publish(client, range(3))
    await until(lambda: len(record.handled) == 3)

    await node.stop(pid)


async def test_missing_consumer_is_reported_and_asked_for_again(node: Node, client: Client) -> None:
    failures: list[str] = []
    node.telemetry.attach(
        ("pipeline", "nats", "failed"), lambda _e, _m, about: failures.append(about["problem"])
    )
    consumer = NatsConsumer(connection=lambda: client, stream=STREAM, durable="nobody")
    producer = ProducerOptions(make=lambda: NatsSource(consumer))

    pid = await start_pipeline(node, Record(), options(client, producer=producer))
    await until(lambda: bool(failures))

    await node.stop(pid)
