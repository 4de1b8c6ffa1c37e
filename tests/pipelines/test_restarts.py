"""Who restarts together: a crash takes along what is behind it, and never what is before it."""

import contextlib
from typing import Any

import pytest

from actors import ActorError, Killed, Node, Shutdown
from pipelines import (
    BatcherOptions,
    MemorySource,
    Message,
    ProcessorOptions,
    ProducerOptions,
    Source,
    pipeline_child,
    push,
    push_test_batch,
    start_pipeline,
)
from supervisors import Supervisor
from tests.pipelines.flows import FAR_MS, Gated, Ledger, Recorder, kill, options, pid_of, until

STAGES = (
    *("producer.0", "producer.1", "processor.0", "processor.1", "batcher.a", "batcher.b"),
    *("batch_processor.a.0", "batch_processor.a.1", "batch_processor.b.0", "terminator"),
)
SHAPE: dict[str, Any] = {
    "producer": ProducerOptions(make=MemorySource, concurrency=2),
    "processors": ProcessorOptions(concurrency=2),
    "batchers": {
        "a": BatcherOptions(batch_size=1, concurrency=2),
        "b": BatcherOptions(batch_size=1),
    },
    "resubscribe_ms": 10,
}
PROCESSORS = {"processor.0", "processor.1"}
BEHIND_A = {"batch_processor.a.0", "batch_processor.a.1"}
BATCHERS = {"batcher.a", "batcher.b", *BEHIND_A, "batch_processor.b.0"}


class ToA(Recorder):
    async def handle_message(self, message: Message) -> Message:
        message.batcher = "a"
        return message


async def flows(node: Node) -> None:
    """Messages of both producers come through."""
    for producer in range(2):
        ledger = Ledger()
        messages = [Message(number, ledger) for number in range(20)]
        await push(node, "p", messages, producer=producer)
        await until(lambda ledger=ledger: ledger.count == 20)  # type: ignore[misc] # a default


@pytest.mark.parametrize(
    ("killed", "restarted"),
    [
        ("producer.0", {"producer.0"}),
        ("processor.1", PROCESSORS | BATCHERS | {"terminator"}),
        ("batcher.a", {"batcher.a", *BEHIND_A}),
        ("batch_processor.a.0", BEHIND_A),
        ("batch_processor.b.0", {"batch_processor.b.0"}),
        ("terminator", {"terminator"}),
    ],
)
async def test_killed_stage_takes_along_what_is_behind_it_only(
    node: Node, killed: str, restarted: set[str]
) -> None:
    await start_pipeline(node, ToA(), options(**SHAPE))
    before = {stage: pid_of(node, stage) for stage in STAGES}

    await kill(node, killed)
    await until(lambda: all(node.whereis(f"p.{stage}") for stage in STAGES))
    await flows(node)

    assert {stage for stage in STAGES if pid_of(node, stage) != before[stage]} == restarted


async def test_messages_of_a_killed_stage_are_never_acknowledged(node: Node) -> None:
    gated = Gated()
    await start_pipeline(node, gated, options(resubscribe_ms=10))
    lost = await push_test_batch(node, "p", [1, 2])
    await until(lambda: gated.handled == [1])

    await kill(node, "processor.0")
    gated.gate.set()
    found = await push_test_batch(node, "p", [3])
    successful, _ = await found.collect(1)

    assert successful == [3]
    assert gated.handled == [1, 3]
    with pytest.raises(Exception, match="timeout_ms"):
        await lost.next(timeout_ms=0)


async def test_processors_ask_a_restarted_producer_again(node: Node) -> None:
    ledger = Ledger()
    await start_pipeline(node, Recorder(), options(resubscribe_ms=10))
    for number in range(2):  # more would be more than its supervisor bears
        await kill(node, "producer.0")
        await push(node, "p", [Message(number, ledger)])
        await until(lambda number=number: ledger.successful == [*range(number + 1)])  # type: ignore[misc] # a default


async def test_what_waits_for_a_killed_batcher_reaches_the_next_one(node: Node) -> None:
    gated = Gated()
    gated.gate.set()
    ledger = Ledger()
    batcher = BatcherOptions(batch_size=1, max_demand=1)
    await start_pipeline(node, gated, options(batch=batcher, shutdown_ms=50))
    processor = pid_of(node, "processor.0")
    await push(node, "p", [Message(number, ledger) for number in range(10)])
    await until(lambda: gated.batches_begun == 1)

    await kill(node, "batcher.default")
    gated.batch_gate.set()
    await push(node, "p", [Message(10, ledger)])
    await until(lambda: 10 in ledger.successful)

    assert pid_of(node, "processor.0") == processor
    # Only what the batcher and its batch processor held is lost; the rest comes, in order.
    assert ledger.successful == sorted(ledger.successful)
    assert len(ledger.successful) >= 6


async def test_producer_that_crashes_takes_nobody_along(node: Node) -> None:
    class Fragile(Source):
        async def handle_cast(self, message: Any) -> None:
            if message is None:
                raise ValueError("fragile")
            self.emit([Message(message, ledger)])

    ledger = Ledger()
    producer = ProducerOptions(make=Fragile)
    await start_pipeline(node, Recorder(), options(producer=producer, resubscribe_ms=10))
    before, processor = pid_of(node, "producer.0"), pid_of(node, "processor.0")

    node.cast(before, None)
    await until(lambda: node.whereis("p.producer.0") not in {None, before})
    node.cast(pid_of(node, "producer.0"), 1)
    await until(lambda: ledger.successful == [1])

    assert pid_of(node, "processor.0") == processor


@pytest.mark.parametrize("seed", range(5))
async def test_no_message_is_acknowledged_twice_whatever_is_killed(seed: int) -> None:
    node = Node("test", seed=seed)
    ledger = Ledger()
    changes = SHAPE | {"shutdown_ms": 50, "resubscribe_ms": 1}
    tree = Supervisor([pipeline_child(ToA, options(**changes))], max_restarts=1_000)
    await node.start(tree)

    pushed = 0
    for _ in range(40):
        await until(lambda: all(node.whereis(f"p.{stage}") for stage in STAGES))
        with contextlib.suppress(ActorError):  # its producer is the one that is gone
            await push(node, "p", [Message(n, ledger) for n in range(pushed, pushed + 20)])
        pushed += 20
        victim = node.whereis(f"p.{node.rng.choice(STAGES)}")
        if victim is not None:
            node.exit(victim, Killed())
    await until(lambda: all(node.whereis(f"p.{stage}") for stage in STAGES))
    await node.shutdown()

    assert ledger.failed == []
    assert len(set(ledger.successful)) == len(ledger.successful) > 0
    assert set(ledger.successful) <= set(range(pushed))


async def test_pipeline_that_restarts_too_often_ends(node: Node) -> None:
    pid = await start_pipeline(node, Recorder(), options())

    for _ in range(3):
        await kill(node, "processor.0")
    node.exit(pid_of(node, "processor.0"), Killed())

    assert await node.join(pid) == Shutdown()
    assert node.processes() == []


async def test_pipeline_below_a_supervisor_is_started_again(node: Node) -> None:
    child = pipeline_child(Recorder, options(batch=BatcherOptions(batch_timeout_ms=FAR_MS)))
    await node.start(Supervisor([child]))
    before = node.whereis("p")
    for _ in range(4):  # one more than it bears
        await kill(node, "processor.0")

    await until(lambda: node.whereis("p.terminator"))
    receipts = await push_test_batch(node, "p", [1], flush=True)

    assert await receipts.collect(1) == ([1], [])
    assert node.whereis("p") not in {None, before}
