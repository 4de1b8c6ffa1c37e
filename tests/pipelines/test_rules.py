"""What becomes of a message when something about it goes wrong: one test for each rule."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors import Crash, Node, VirtualClock
from pipelines import (
    BadAnswer,
    BatchBy,
    BatcherOptions,
    BatchInfo,
    InvalidPipeline,
    MemorySource,
    Message,
    Pipeline,
    PipelineOptions,
    ProcessorOptions,
    ProducerOptions,
    QueueFull,
    RateLimit,
    Trigger,
    UnknownBatcher,
    push,
    push_test_batch,
    push_test_message,
    start_pipeline,
)
from tests.pipelines.flows import FAR_MS, Ledger, Recorder, options, pid_of, until

PAIR = BatcherOptions(batch_size=2, batch_timeout_ms=FAR_MS)


async def run(
    node: Node, pipeline: Pipeline, data: Sequence[Any], given: PipelineOptions
) -> list[Message]:
    """Send data through; gives the messages when all of them have been acknowledged."""
    ledger = Ledger()
    messages = [Message(datum, ledger) for datum in data]
    await start_pipeline(node, pipeline, given)
    await push(node, "p", messages)
    await until(lambda: ledger.count == len(messages))
    assert sorted(ledger.successful + ledger.failed) == sorted(data)
    assert sorted(ledger.failed) == sorted(m.data for m in messages if m.failure is not None)
    return messages


async def test_marked_message_fails_and_keeps_its_reason(node: Node) -> None:
    class Marks(Recorder):
        async def handle_message(self, message: Message) -> Message:
            return message.fail("no") if message.data == 2 else message

    one, two, three = await run(node, Marks(), [1, 2, 3], options())

    assert (one.failure, two.failure, three.failure) == (None, "no", None)


async def test_message_whose_handler_raises_fails_alone(node: Node) -> None:
    class Raises(Recorder):
        async def handle_message(self, message: Message) -> Message:
            if message.data == 2:
                raise ValueError("two")
            return message

    with capture_logs() as logs:
        one, two, _ = await run(node, Raises(), [1, 2, 3], options())

    assert one.failure is None
    assert isinstance(two.failure, Crash)
    assert [entry["callback"] for entry in logs if entry["event"] == "callback raised"] == [
        "handle_message"
    ]


async def test_message_whose_handler_answers_something_else_fails(node: Node) -> None:
    class Other(Recorder):
        async def handle_message(self, message: Message) -> Message:
            return Message(message.data) if message.data == 2 else message

    one, two, _ = await run(node, Other(), [1, 2, 3], options())

    assert one.failure is None
    assert isinstance(two.failure, BadAnswer)


async def test_message_for_an_unknown_batcher_fails_and_reaches_none(node: Node) -> None:
    class Astray(Recorder):
        async def handle_message(self, message: Message) -> Message:
            message.batcher = "nobody" if message.data == 2 else "default"
            return message

    astray = Astray()
    _, two, _ = await run(node, astray, [1, 2, 3], options(batch=PAIR))

    assert isinstance(two.failure, UnknownBatcher)
    assert astray.batched == [1, 3]
    assert astray.failed == [2]


@pytest.mark.parametrize(
    "prepare",
    [
        lambda messages: messages[1:],
        lambda messages: [*messages, messages[0]],
        lambda messages: [Message(message.data) for message in messages],
        lambda messages: messages / 0,
        lambda messages: None if messages else messages,
    ],
    ids=["loses one", "doubles one", "others", "raises", "nothing"],
)
async def test_slice_fails_as_a_whole_when_it_is_not_prepared(
    node: Node, prepare: Callable[[list[Message]], Any]
) -> None:
    class Prepares(Recorder):
        async def prepare_messages(self, messages: list[Message]) -> list[Message]:
            if messages[0].data == 1:
                answer: list[Message] = prepare(messages)
                return answer
            return messages

    pipeline = Prepares()
    processors = ProcessorOptions(concurrency=1, max_demand=2, min_demand=0)
    messages = await run(node, pipeline, [1, 2, 3, 4], options(processors=processors))

    assert [message.data for message in messages if message.failure is not None] == [1, 2]
    assert pipeline.handled == [3, 4]


async def test_prepared_slice_may_come_back_in_another_order(node: Node) -> None:
    class Reverses(Recorder):
        async def prepare_messages(self, messages: list[Message]) -> list[Message]:
            return messages[::-1]

    pipeline = Reverses()
    processors = ProcessorOptions(concurrency=1, max_demand=3, min_demand=0)
    await run(node, pipeline, [1, 2, 3], options(processors=processors))

    assert pipeline.handled == [3, 2, 1]


@pytest.mark.parametrize(
    "answer",
    [
        lambda messages: messages / 0,
        lambda messages: None if messages else messages,
        lambda messages: [Message(1), messages[1]],
        lambda messages: [messages[0], messages[0]],
        lambda messages: [*messages, messages[0]],
    ],
    ids=["raises", "nothing", "a stranger", "one twice", "one too many"],
)
async def test_batch_fails_as_a_whole_when_it_is_not_handled(
    node: Node, answer: Callable[[Any], Any]
) -> None:
    class Batches(Recorder):
        async def handle_batch(
            self, batcher: str, messages: tuple[Message, ...], info: BatchInfo
        ) -> Sequence[Message]:
            if messages[0].data == 1:
                nonsense: Sequence[Message] = answer(messages)
                return nonsense
            return await super().handle_batch(batcher, messages, info)

    pipeline = Batches()
    messages = await run(node, pipeline, [1, 2, 3, 4], options(batch=PAIR))

    assert [message.data for message in messages if message.failure is not None] == [1, 2]
    assert pipeline.failed == [1, 2]
    assert pipeline.batched == [3, 4]


async def test_batch_handler_may_fail_some_of_its_messages(node: Node) -> None:
    class Picky(Recorder):
        async def handle_batch(
            self, _batcher: str, messages: tuple[Message, ...], _info: BatchInfo
        ) -> Sequence[Message]:
            return [one.fail("even") if one.data % 2 == 0 else one for one in messages]

    messages = await run(node, Picky(), [1, 2, 3, 4], options(batch=PAIR))

    assert [message.failure for message in messages] == [None, "even", None, "even"]


async def test_message_that_a_batch_handler_loses_is_never_acknowledged(node: Node) -> None:
    class Loses(Recorder):
        async def handle_batch(
            self, _batcher: str, messages: tuple[Message, ...], _info: BatchInfo
        ) -> Sequence[Message]:
            return messages[:1] if messages[0].data == 1 else messages

    with capture_logs() as logs:
        pid = await start_pipeline(node, Loses(), options(batch=PAIR))
        receipts = await push_test_batch(node, "p", [1, 2, 3, 4])
        successful, failed = await receipts.collect(3)
        await node.stop(pid)

    assert (successful, failed) == ([1, 3, 4], [])
    lost = [entry for entry in logs if entry["event"] == "messages lost"]
    assert [entry["missing"] for entry in lost] == [1]


async def test_failed_messages_stay_failed_when_handle_failed_raises(node: Node) -> None:
    class Worse(Recorder):
        async def handle_message(self, message: Message) -> Message:
            return message.fail("no")

        async def handle_failed(self, messages: list[Message]) -> None:
            messages[0].failure = None
            raise ValueError("worse")

    before: list[Any] = []
    with capture_logs() as logs:
        messages = await run(node, Worse(), [1, 2], options())
        before.append(pid_of(node, "processor.0"))

    assert all(message.failure is not None for message in messages)
    assert [entry["callback"] for entry in logs if entry["event"] == "callback raised"] == [
        "handle_failed"
    ]
    assert node.is_alive(before[0])


async def test_acknowledger_that_raises_is_logged_and_the_stage_lives(node: Node) -> None:
    class Broken:
        async def acknowledge(self, _ref: Hashable, _good: Any, _bad: Any) -> None:
            raise OSError("away")

    await start_pipeline(node, Recorder(), options())
    before = pid_of(node, "processor.0")
    with capture_logs() as logs:
        broken, ledger = Broken(), Ledger()
        await push(node, "p", [Message(1, broken), Message(2, ledger)])
        await until(lambda: ledger.successful == [2])

    assert [e["successful"] for e in logs if e["event"] == "acknowledger failed"] == [1]
    assert pid_of(node, "processor.0") == before


async def test_messages_are_acknowledged_in_groups_and_in_order(node: Node) -> None:
    one, two = Ledger(), Ledger()
    await start_pipeline(
        node, Recorder(), options(batch=BatcherOptions(batch_size=6, batch_timeout_ms=FAR_MS))
    )

    await push(
        node,
        "p",
        [
            *(Message(number, one, number % 2) for number in range(4)),
            Message(4, two, "x"),
            Message(5, None),
        ],
    )
    await until(lambda: two.count == 1)

    assert one.entries == [(0, [0, 2], []), (1, [1, 3], [])]
    assert two.entries == [("x", [4], [])]


async def test_message_without_a_partition_fails_and_the_producer_lives(node: Node) -> None:
    class Odd(Recorder):
        def partition_by(self, message: Message) -> int:
            return -1 if message.data == 1 else 6 // message.data

    pipeline = Odd()
    processors = ProcessorOptions(concurrency=2)
    messages = await run(node, pipeline, [0, 1, 2, 3], options(processors=processors))

    assert isinstance(messages[0].failure, Crash)
    assert isinstance(messages[1].failure, BadAnswer)
    assert sorted(pipeline.handled) == [2, 3]


async def test_flush_lets_a_batch_leave_at_once(node: Node) -> None:
    pipeline = Recorder()
    await start_pipeline(
        node, pipeline, options(batch=BatcherOptions(batch_size=100, batch_timeout_ms=FAR_MS))
    )

    receipts = await push_test_message(node, "p", 1)
    await receipts.collect(1)

    assert [(data, info.trigger) for data, info in pipeline.batches] == [([1], Trigger.FLUSH)]


async def test_batch_size_may_count_something_else(node: Node) -> None:
    def weigh(message: Message, total: int) -> tuple[bool, int]:
        return total + message.data >= 10, total + message.data

    pipeline = Recorder()
    by_weight = BatcherOptions(batch_size=BatchBy(0, weigh), batch_timeout_ms=FAR_MS)

    await run(node, pipeline, [4, 4, 4, 12, 9, 1], options(batch=by_weight))

    assert [data for data, _ in pipeline.batches] == [[4, 4, 4], [12], [9, 1]]


async def test_each_batch_waits_for_its_own_first_message() -> None:
    class ByData(Recorder):
        async def handle_message(self, message: Message) -> Message:
            message.batch_key = message.data
            return message

    clock = VirtualClock()
    node = Node("virtual", clock=clock, seed=1)
    pipeline = ByData()
    batch = BatcherOptions(batch_size=10, batch_timeout_ms=60)
    pid = await start_pipeline(node, pipeline, options(batch=batch))
    seen = []
    for datum in ("a", "b", "a"):
        await push_test_batch(node, "p", [datum])
        await clock.advance(25)
        seen.append(pipeline.batched)
    for step_ms in (9, 1):
        await clock.advance(step_ms)
        seen.append(pipeline.batched)
    await node.stop(pid)
    await node.shutdown()

    # The first of a came at 0, of b at 25; the second of a, at 50, found its batch open.
    assert seen == [[], [], ["a", "a"], ["a", "a"], ["a", "a", "b"]]
    assert [info.trigger for _, info in pipeline.batches] == [Trigger.TIMEOUT] * 2


async def test_each_batcher_gathers_its_own(node: Node) -> None:
    class Sorts(Recorder):
        async def handle_message(self, message: Message) -> Message:
            message.batcher = "even" if message.data % 2 == 0 else "odd"
            return message

    pipeline = Sorts()
    batchers = {"even": PAIR, "odd": PAIR}
    await run(node, pipeline, [1, 2, 3, 4], options(batchers=batchers))

    found = sorted((info.batcher, data) for data, info in pipeline.batches)
    assert found == [("even", [2, 4]), ("odd", [1, 3])]


async def test_several_producers_and_processors_share_the_work(node: Node) -> None:
    pipeline, ledger = Recorder(), Ledger()
    await start_pipeline(
        node,
        pipeline,
        options(
            producer=ProducerOptions(make=MemorySource, concurrency=2),
            processors=ProcessorOptions(concurrency=3),
            batch=BatcherOptions(batch_size=10, concurrency=2),
        ),
    )

    for producer in range(2):
        await push(
            node, "p", [Message(n, ledger) for n in range(producer, 100, 2)], producer=producer
        )
    await until(lambda: ledger.count == 100)

    assert sorted(ledger.successful) == list(range(100))


async def test_full_queue_takes_none_of_a_push(node: Node) -> None:
    await start_pipeline(
        node,
        Recorder(),
        options(
            producer=ProducerOptions(
                make=lambda: MemorySource(queue_max=3), rate_limit=RateLimit(1, FAR_MS)
            ),
            shutdown_ms=50,  # what waits for the limit would wait for ever
        ),
    )
    await push(node, "p", [Message(1), Message(2), Message(3)])  # one passes, two wait

    with pytest.raises(QueueFull):
        await push(node, "p", [Message(4), Message(5)])
    await push(node, "p", [Message(6)])


@pytest.mark.parametrize(
    "make",
    [
        lambda: RateLimit(0, 100),
        lambda: RateLimit(1, 0),
        lambda: ProducerOptions(make=MemorySource, concurrency=0),
        lambda: ProcessorOptions(concurrency=0),
        lambda: ProcessorOptions(max_demand=0),
        lambda: ProcessorOptions(max_demand=5, min_demand=5),
        lambda: BatcherOptions(concurrency=0),
        lambda: BatcherOptions(batch_size=0),
        lambda: BatcherOptions(batch_timeout_ms=0),
        lambda: BatcherOptions(max_demand=0),
        lambda: options(name=""),
        lambda: options(shutdown_ms=-1),
        lambda: options(resubscribe_ms=0),
    ],
)
def test_option_that_cannot_be_kept_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(InvalidPipeline):
        make()
