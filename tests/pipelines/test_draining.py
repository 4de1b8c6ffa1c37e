"""A pipeline that stops finishes what it took, in order, and kills what takes too long."""

import asyncio
from typing import Any

import pytest

from actors import Draining, Killed, Node, VirtualClock
from pipelines import (
    BatcherOptions,
    MemorySource,
    Message,
    ProcessorOptions,
    ProducerOptions,
    RateLimit,
    Trigger,
    push,
    push_test_batch,
    start_pipeline,
)
from tests.pipelines.flows import FAR_MS, Gated, Ledger, Recorder, kill, options, pid_of, until

HUNDRED = BatcherOptions(batch_size=100, batch_timeout_ms=FAR_MS)


async def test_half_full_batches_leave_at_once(node: Node) -> None:
    pipeline = Recorder()
    pid = await start_pipeline(node, pipeline, options(batch=HUNDRED))
    receipts = await push_test_batch(node, "p", range(5))

    await node.stop(pid)

    assert await receipts.collect(5) == ([0, 1, 2, 3, 4], [])
    assert [info.trigger for _, info in pipeline.batches] == [Trigger.FLUSH]


@pytest.mark.parametrize("batch", [None, HUNDRED], ids=["no batcher", "batcher"])
async def test_everything_taken_is_acknowledged_before_the_end(
    node: Node, batch: BatcherOptions | None
) -> None:
    ledger = Ledger()
    pid = await start_pipeline(
        node,
        Recorder(),
        options(
            producer=ProducerOptions(make=MemorySource, concurrency=2),
            processors=ProcessorOptions(concurrency=3),
            batch=batch,
        ),
    )
    for producer in range(2):
        await push(node, "p", [Message(n, ledger) for n in range(500)], producer=producer)

    await node.stop(pid)

    assert sorted(ledger.successful) == sorted([*range(500), *range(500)])
    assert node.processes() == []


async def test_producer_is_told_before_its_consumers_are_let_go(node: Node) -> None:
    told: list[str] = []

    class Told(MemorySource):
        async def prepare_for_draining(self) -> None:
            told.append("prepare")
            self.emit([Message("last word", ledger)])

        async def terminate(self, reason: Any) -> None:
            told.append("terminate")
            await super().terminate(reason)

    ledger, pipeline = Ledger(), Recorder()
    pid = await start_pipeline(node, pipeline, options(producer=ProducerOptions(make=Told)))

    await node.stop(pid)

    assert told == ["prepare", "terminate"]
    assert ledger.successful == ["last word"]


async def test_draining_producer_takes_nothing_more(node: Node) -> None:
    gated = Gated()
    pid = await start_pipeline(node, gated, options())
    receipts = await push_test_batch(node, "p", [1])
    await until(lambda: gated.handled == [1])

    stopping = asyncio.ensure_future(node.stop(pid))
    refused = False
    while not refused:
        try:
            await push(node, "p", [])
        except Draining:
            refused = True
    gated.gate.set()
    await stopping

    assert await receipts.collect(1) == ([1], [])


async def test_what_the_rate_limit_holds_back_is_delivered_first_at_its_pace() -> None:
    clock = VirtualClock()
    node = Node("virtual", clock=clock, seed=1)
    pipeline, ledger = Recorder(), Ledger()
    producer = ProducerOptions(make=MemorySource, rate_limit=RateLimit(2, 200))
    pid = await start_pipeline(node, pipeline, options(producer=producer))
    await push(node, "p", [Message(number, ledger) for number in range(5)])

    stopping = asyncio.ensure_future(node.stop(pid))
    await clock.advance(399)
    assert (ledger.successful, stopping.done()) == ([0, 1, 2, 3], False)
    await clock.advance(1)
    await stopping

    assert ledger.successful == [0, 1, 2, 3, 4]
    assert clock.monotonic_ns() == 400 * 1_000_000
    await node.shutdown()


async def test_stuck_processor_is_killed_after_the_limit_of_each_layer() -> None:
    clock = VirtualClock()
    node = Node("virtual", clock=clock, seed=1)
    gated, ledger = Gated(), Ledger()
    pid = await start_pipeline(node, gated, options(shutdown_ms=200))
    await push(node, "p", [Message(1, ledger)])
    await until(lambda: gated.handled == [1])

    stopping = asyncio.ensure_future(node.stop(pid))
    await clock.advance(399)
    assert not stopping.done()
    await clock.advance(1)
    await stopping

    assert ledger.count == 0  # the source must redeliver it
    await node.shutdown()


async def test_stuck_batch_is_killed_and_never_acknowledged() -> None:
    clock = VirtualClock()
    node = Node("virtual", clock=clock, seed=1)
    gated, ledger = Gated(), Ledger()
    gated.gate.set()
    pid = await start_pipeline(node, gated, options(batch=HUNDRED, shutdown_ms=200))
    await push(node, "p", [Message(1, ledger)])

    stopping = asyncio.ensure_future(node.stop(pid))
    await clock.advance(400)
    await stopping

    assert (gated.batches_begun, ledger.count) == (1, 0)
    await node.shutdown()


@pytest.mark.parametrize("stage", ["processor.0", "batcher.default", "producer.0"])
async def test_stage_that_is_killed_meanwhile_holds_nothing_up(node: Node, stage: str) -> None:
    gated = Gated()
    gated.gate.set()
    pid = await start_pipeline(
        node, gated, options(batch=HUNDRED, processors=ProcessorOptions(concurrency=2))
    )
    await push_test_batch(node, "p", range(20))
    stopping = asyncio.ensure_future(node.stop(pid))
    await until(lambda: gated.batches_begun)

    node.exit(pid_of(node, stage), Killed())
    gated.batch_gate.set()
    await stopping

    assert node.processes() == []


async def test_processor_that_lost_its_producer_is_drained_at_once(node: Node) -> None:
    pid = await start_pipeline(node, Recorder(), options(batch=HUNDRED, resubscribe_ms=FAR_MS))
    await kill(node, "producer.0")  # and it will not be asked again for a long time

    await node.stop(pid)

    assert node.processes() == []


async def test_draining_processor_does_not_ask_a_restarted_producer() -> None:
    clock = VirtualClock()
    node = Node("virtual", clock=clock, seed=1)
    asked: list[int] = []

    class Asked(MemorySource):
        async def handle_demand(self, count: int) -> None:
            asked.append(count)

    gated = Gated()
    gated.gate.set()
    pid = await start_pipeline(
        node, gated, options(producer=ProducerOptions(make=Asked), batch=HUNDRED)
    )
    receipts = await push_test_batch(node, "p", [1])
    await until(lambda: gated.handled)
    await kill(node, "producer.0")  # to be asked again in a while
    before = len(asked)

    stopping = asyncio.ensure_future(node.stop(pid))  # waits for the batch behind its gate
    await until(lambda: gated.batches_begun)
    await kill(node, "producer.0")  # the next one was not told to drain
    await clock.advance(1_000)
    gated.batch_gate.set()
    await stopping

    assert await receipts.collect(1) == ([1], [])
    assert len(asked) == before
    await node.shutdown()
