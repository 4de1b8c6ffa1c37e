"""Cases 37 to 39: pipelines, as `broadway_test.exs` has them."""

from collections.abc import Hashable, Sequence
from typing import Any

import pytest

from actors import Node, VirtualClock
from pipelines import (
    BatcherOptions,
    BatchInfo,
    MemorySource,
    Message,
    Pipeline,
    PipelineOptions,
    ProcessorOptions,
    ProducerOptions,
    RateLimit,
    Receipts,
    Trigger,
    get_rate_limit,
    push,
    push_test_batch,
    set_rate_limit,
    start_pipeline,
)


def options(**changes: Any) -> PipelineOptions:
    given: dict[str, Any] = {
        "name": "p",
        "producer": ProducerOptions(make=MemorySource),
        "processors": ProcessorOptions(concurrency=1),
    }
    return PipelineOptions(**(given | changes))


class Faulty(Pipeline):
    def __init__(self) -> None:
        self.seen_failed: list[int] = []
        self.batched: list[int] = []
        self.acknowledged_when_seen: list[int] = []

    async def handle_message(self, message: Message) -> Message:
        if message.data == 2:
            return message.fail("marked")
        if message.data == 3:
            raise ValueError(message.data)
        if message.data == 4:
            message.batcher = "nobody"
        return message

    async def handle_batch(
        self, _batcher: str, messages: tuple[Message, ...], _info: BatchInfo
    ) -> Sequence[Message]:
        self.batched += [message.data for message in messages]
        return messages

    async def handle_failed(self, messages: list[Message]) -> None:
        self.seen_failed += [message.data for message in messages]


class Strict(Receipts):
    """Fails a message that is acknowledged before `handle_failed` saw it."""

    def __init__(self, node: Node, pipeline: Faulty) -> None:
        super().__init__(node)
        self._pipeline = pipeline

    async def acknowledge(
        self, ref: Hashable, successful: Sequence[Message], failed: Sequence[Message]
    ) -> None:
        assert {message.data for message in failed} <= set(self._pipeline.seen_failed)
        await super().acknowledge(ref, successful, failed)


async def test_37_every_message_is_acknowledged_once_in_the_right_list(node: Node) -> None:
    faulty = Faulty()
    pid = await start_pipeline(
        node, faulty, options(batchers={"default": BatcherOptions(batch_size=2)})
    )
    processor = node.whereis("p.processor.0")
    receipts = Strict(node, faulty)

    await push(node, "p", [Message(number, receipts) for number in range(1, 6)])
    successful, failed = await receipts.collect(5)
    await node.stop(pid)

    assert (sorted(successful), sorted(failed)) == ([1, 5], [2, 3, 4])
    assert sorted(faulty.seen_failed) == [2, 3, 4]
    assert faulty.batched == [1, 5]
    assert processor is not None
    assert node.whereis("p.processor.0") is None  # stopped, after it lived through all of this
    with pytest.raises(Exception, match="timeout_ms=0"):
        await receipts.next(timeout_ms=0)


async def test_37_the_stage_lives_through_failures(node: Node) -> None:
    await start_pipeline(node, Faulty(), options())
    before = node.whereis("p.processor.0")

    receipts = await push_test_batch(node, "p", [1, 2, 3, 4, 5])
    successful, failed = await receipts.collect(5)

    assert (successful, failed) == ([1, 4, 5], [2, 3])  # without batchers none is unknown
    assert node.whereis("p.processor.0") == before


class ByKey(Pipeline):
    def __init__(self, *, fails: bool = False) -> None:
        self.batches: list[tuple[list[int], Hashable, Trigger, int]] = []
        self._fails = fails

    async def handle_message(self, message: Message) -> Message:
        if message.data > 10:
            message.batch_key = "big"
        return message

    async def handle_batch(
        self, batcher: str, messages: tuple[Message, ...], info: BatchInfo
    ) -> Sequence[Message]:
        assert (info.batcher, info.size) == (batcher, len(messages))
        data = [message.data for message in messages]
        now_ms = self.node.clock.monotonic_ns() // 1_000_000
        self.batches.append((data, info.batch_key, info.trigger, now_ms))
        if self._fails and len(self.batches) == 1:
            raise ValueError(data)
        return messages


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def virtual(clock: VirtualClock) -> Any:
    node = Node("virtual", clock=clock, seed=1)
    yield node
    await node.shutdown()


async def test_38_batches_leave_by_size_by_time_and_by_key(
    virtual: Node, clock: VirtualClock
) -> None:
    pipeline = ByKey()
    batchers = {"default": BatcherOptions(batch_size=3, batch_timeout_ms=60)}
    await start_pipeline(virtual, pipeline, options(batchers=batchers))

    receipts = await push_test_batch(virtual, "p", [1, 11, 2, 12, 3, 13, 4])
    await clock.advance(59)
    assert [batch[0] for batch in pipeline.batches] == [[1, 2, 3], [11, 12, 13]]
    await clock.advance(1)
    await receipts.collect(7)

    assert pipeline.batches == [
        ([1, 2, 3], "default", Trigger.SIZE, 0),
        ([11, 12, 13], "big", Trigger.SIZE, 0),
        ([4], "default", Trigger.TIMEOUT, 60),
    ]


async def test_38_a_batch_that_raises_fails_as_a_whole_and_alone(node: Node) -> None:
    pipeline = ByKey(fails=True)
    batchers = {"default": BatcherOptions(batch_size=3)}
    await start_pipeline(node, pipeline, options(batchers=batchers))

    receipts = await push_test_batch(node, "p", [1, 2, 3, 4, 5, 6])
    successful, failed = await receipts.collect(6)

    assert (successful, failed) == ([4, 5, 6], [1, 2, 3])


class Partitioned(Pipeline):
    def __init__(self) -> None:
        self.handled: dict[Any, list[int]] = {}
        self.by_batch_processor: dict[Any, list[int]] = {}

    def partition_by(self, message: Message) -> int:
        return int(message.data)

    async def handle_message(self, message: Message) -> Message:
        await self.node.clock.sleep_ms(self.node.rng.randrange(3))
        self.handled.setdefault(self.node.current_pid(), []).append(message.data)
        return message

    async def handle_batch(
        self, _batcher: str, messages: tuple[Message, ...], _info: BatchInfo
    ) -> Sequence[Message]:
        await self.node.clock.sleep_ms(self.node.rng.randrange(3))
        data = [message.data for message in messages]
        self.by_batch_processor.setdefault(self.node.current_pid(), []).extend(data)
        return messages


async def test_39_a_partition_keeps_its_order_on_one_processor(node: Node) -> None:
    pipeline = Partitioned()
    await start_pipeline(
        node,
        pipeline,
        options(
            processors=ProcessorOptions(concurrency=2, max_demand=2),
            batchers={"default": BatcherOptions(batch_size=1, concurrency=2)},
        ),
    )

    receipts = await push_test_batch(node, "p", range(1, 9))
    await receipts.collect(8)

    assert sorted(pipeline.handled.values()) == [[1, 3, 5, 7], [2, 4, 6, 8]]
    assert sorted(pipeline.by_batch_processor.values()) == [[1, 3, 5, 7], [2, 4, 6, 8]]


class Timed(Pipeline):
    def __init__(self) -> None:
        self.times_ms: list[int] = []

    async def handle_message(self, message: Message) -> Message:
        self.times_ms.append(self.node.clock.monotonic_ns() // 1_000_000)
        return message


async def test_39_the_rate_limit_holds_and_loses_nothing(
    virtual: Node, clock: VirtualClock
) -> None:
    pipeline = Timed()
    producer = ProducerOptions(make=MemorySource, rate_limit=RateLimit(2, 200))
    await start_pipeline(virtual, pipeline, options(producer=producer))

    receipts = await push_test_batch(virtual, "p", range(5))
    await clock.advance(400)
    successful, _ = await receipts.collect(5)

    assert pipeline.times_ms == [0, 0, 200, 200, 400]
    assert successful == [0, 1, 2, 3, 4]


async def test_39_the_rate_limit_is_read_and_changed_at_run_time(
    virtual: Node, clock: VirtualClock
) -> None:
    pipeline = Timed()
    producer = ProducerOptions(make=MemorySource, rate_limit=RateLimit(1, 200))
    await start_pipeline(virtual, pipeline, options(producer=producer))
    assert await get_rate_limit(virtual, "p") == RateLimit(1, 200)

    receipts = await push_test_batch(virtual, "p", range(6))
    await clock.advance(100)
    await set_rate_limit(virtual, "p", RateLimit(2, 100))  # from the next window on, at 200
    await clock.advance(150)
    await set_rate_limit(virtual, "p", RateLimit(3, 1_000), reset=True)  # at once, at 250
    await clock.advance(1)
    await receipts.collect(6)

    assert pipeline.times_ms == [0, 200, 200, 250, 250, 250]
    assert await get_rate_limit(virtual, "p") == RateLimit(3, 1_000)
