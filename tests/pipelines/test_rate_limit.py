"""A rate limit is one count for all producers, and changes when it is told to."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from actors import Node, NoProcess, VirtualClock
from pipelines import (
    BatcherOptions,
    MemorySource,
    Message,
    ProcessorOptions,
    ProducerOptions,
    RateLimit,
    Source,
    get_rate_limit,
    push,
    push_test_batch,
    set_rate_limit,
    start_pipeline,
)
from tests.pipelines.flows import Ledger, Recorder, options


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def virtual(clock: VirtualClock) -> AsyncIterator[Node]:
    node = Node("virtual", clock=clock, seed=1)
    yield node
    await asyncio.gather(node.shutdown(), clock.advance(1_000))  # what is held back drains


async def test_producers_share_one_count(virtual: Node, clock: VirtualClock) -> None:
    ledger = Ledger()
    producer = ProducerOptions(make=MemorySource, concurrency=2, rate_limit=RateLimit(3, 100))
    await start_pipeline(virtual, Recorder(), options(producer=producer))

    for number in range(2):
        await push(virtual, "p", [Message(number, ledger)] * 4, producer=number)
    counts = []
    for _ in range(3):
        await clock.advance(1)
        counts.append(ledger.count)
        await clock.advance(99)

    assert counts == [3, 6, 8]


async def test_demand_that_meets_a_closed_window_is_remembered(
    virtual: Node, clock: VirtualClock
) -> None:
    asked: list[tuple[int, int]] = []

    class Numbers(Source):
        async def handle_demand(self, count: int) -> None:
            asked.append((clock.monotonic_ns() // 1_000_000, count))
            self.emit([Message(None, ledger) for _ in range(count)])

    ledger = Ledger()
    producer = ProducerOptions(make=Numbers, rate_limit=RateLimit(2, 100))
    processors = ProcessorOptions(concurrency=1, max_demand=2, min_demand=0)
    await start_pipeline(virtual, Recorder(), options(producer=producer, processors=processors))

    await clock.advance(250)

    assert asked == [(0, 2), (100, 2), (200, 2)]  # once a window, never in between
    assert ledger.count == 6


async def test_limit_is_never_passed_whatever_arrives(virtual: Node, clock: VirtualClock) -> None:
    ledger = Ledger()
    producer = ProducerOptions(make=MemorySource, rate_limit=RateLimit(5, 100))
    batch = BatcherOptions(batch_size=2, batch_timeout_ms=10)
    await start_pipeline(virtual, Recorder(), options(producer=producer, batch=batch))

    for window in range(1, 6):
        await push(virtual, "p", [Message(n, ledger) for n in range(7)])
        await clock.advance(50)
        assert ledger.count <= 5 * window
        await clock.advance(50)
    await clock.advance(200)

    assert ledger.count == 35


async def test_pipeline_without_a_limit_has_none_to_read(node: Node) -> None:
    await start_pipeline(node, Recorder(), options())

    with pytest.raises(NoProcess):
        await get_rate_limit(node, "p")


async def test_lower_limit_holds_from_the_next_window_on(
    virtual: Node, clock: VirtualClock
) -> None:
    pipeline = Recorder()
    producer = ProducerOptions(make=MemorySource, rate_limit=RateLimit(4, 100))
    await start_pipeline(virtual, pipeline, options(producer=producer))
    await push_test_batch(virtual, "p", range(3))
    await set_rate_limit(virtual, "p", RateLimit(1, 100))

    await push_test_batch(virtual, "p", range(3, 6))
    await clock.advance(1)
    first = len(pipeline.handled)
    await clock.advance(99)
    second = len(pipeline.handled)

    assert (first, second) == (4, 5)
