"""Pipelines for the tests of this folder, and how to see what they did."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from actors import Killed, Node, Pid
from pipelines import (
    BatcherOptions,
    BatchInfo,
    MemorySource,
    Message,
    Pipeline,
    PipelineOptions,
    ProcessorOptions,
    ProducerOptions,
)

FAR_MS = 600_000  # a batch that waits for its timeout waits longer than any test


class Recorder(Pipeline):
    """Remembers everything; does to a message what its data says, if that is a callable."""

    def __init__(self) -> None:
        self.handled: list[Any] = []
        self.batches: list[tuple[list[Any], BatchInfo]] = []
        self.failed: list[Any] = []

    async def handle_message(self, message: Message) -> Message:
        self.handled.append(message.data)
        return message

    async def handle_batch(
        self, _batcher: str, messages: tuple[Message, ...], info: BatchInfo
    ) -> Sequence[Message]:
        self.batches.append(([message.data for message in messages], info))
        return messages

    async def handle_failed(self, messages: list[Message]) -> None:
        self.failed += [message.data for message in messages]

    @property
    def batched(self) -> list[Any]:
        return [datum for data, _ in self.batches for datum in data]


class Gated(Recorder):
    """Handles messages, and batches, behind gates."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.batch_gate = asyncio.Event()
        self.batches_begun = 0

    async def handle_message(self, message: Message) -> Message:
        self.handled.append(message.data)
        await self.gate.wait()
        return message

    async def handle_batch(
        self, batcher: str, messages: tuple[Message, ...], info: BatchInfo
    ) -> Sequence[Message]:
        self.batches_begun += 1
        await self.batch_gate.wait()
        return await super().handle_batch(batcher, messages, info)


class Ledger:
    """An acknowledger that writes down every acknowledgement."""

    def __init__(self) -> None:
        self.entries: list[tuple[Hashable, list[Any], list[Any]]] = []

    async def acknowledge(
        self, ref: Hashable, successful: Sequence[Message], failed: Sequence[Message]
    ) -> None:
        entry = ([one.data for one in successful], [one.data for one in failed])
        self.entries.append((ref, *entry))

    @property
    def successful(self) -> list[Any]:
        return [datum for _, good, _ in self.entries for datum in good]

    @property
    def failed(self) -> list[Any]:
        return [datum for _, _, bad in self.entries for datum in bad]

    @property
    def count(self) -> int:
        return len(self.successful) + len(self.failed)


def options(*, batch: BatcherOptions | None = None, **changes: Any) -> PipelineOptions:
    """One producer in memory, one processor, and a batcher if asked for."""
    given: dict[str, Any] = {
        "name": "p",
        "producer": ProducerOptions(make=MemorySource),
        "processors": ProcessorOptions(concurrency=1),
        "batchers": {} if batch is None else {"default": batch},
    }
    return PipelineOptions(**(given | changes))


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def pid_of(node: Node, stage: str) -> Pid:
    found = node.whereis(f"p.{stage}")
    assert found is not None
    return found


async def kill(node: Node, stage: str) -> Pid:
    """Kill a stage and wait until another one has its name; gives that one."""
    before = pid_of(node, stage)
    node.exit(before, Killed())
    await until(lambda: node.whereis(f"p.{stage}") not in {None, before})
    return pid_of(node, stage)
