"""How many messages a second pass through a pipeline with empty handlers.

The shape of the bar: 100 processors and 10 batchers with batches of 50 or 100 ms. Beside it the
same with one processor, and without batchers. Each message goes through handler, batcher and batch
handler and is acknowledged; the producer answers demand and nothing else. Rates are per second of
CPU time of this program, which fills one core: on a shared machine the wall clock measures the
neighbours.

    python bench/pipeline.py [--messages 100000] [--rounds 5]
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Hashable, Sequence

import uvloop

from actors import Node
from loadtest import machine_line
from pipelines import (
    BatcherOptions,
    Message,
    Pipeline,
    PipelineOptions,
    ProcessorOptions,
    ProducerOptions,
    Source,
    start_pipeline,
)

BATCH_SIZE = 50
BATCH_TIMEOUT_MS = 100


class Counting:
    """An acknowledger that tells when all messages have come back."""

    def __init__(self, expected: int) -> None:
        self.left = expected
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def acknowledge(
        self, _ref: Hashable, successful: Sequence[Message], _failed: Sequence[Message]
    ) -> None:
        self.left -= len(successful)
        if self.left <= 0 and not self.over.done():
            self.over.set_result(None)


class Numbers(Source):
    """Makes as many messages as it is asked for, up to an end, for each batcher in turn."""

    def __init__(self, messages: int, batchers: int, counting: Counting) -> None:
        self._left = messages
        self._names = [f"b{number}" for number in range(batchers)] or ["default"]
        self._counting = counting
        self._number = 0

    async def handle_demand(self, count: int) -> None:
        count = min(count, self._left)
        self._left -= count
        messages = []
        for _ in range(count):
            name = self._names[self._number % len(self._names)]
            messages.append(Message(self._number, self._counting, batcher=name))
            self._number += 1
        self.emit(messages)


async def run(messages: int, processors: int, batchers: int) -> float:
    """Messages a second of CPU time."""
    node = Node("bench")
    counting = Counting(messages)
    options = PipelineOptions(
        name="bench",
        producer=ProducerOptions(make=lambda: Numbers(messages, batchers, counting)),
        processors=ProcessorOptions(concurrency=processors),
        batchers={
            f"b{number}": BatcherOptions(batch_size=BATCH_SIZE, batch_timeout_ms=BATCH_TIMEOUT_MS)
            for number in range(batchers)
        },
    )
    before = time.process_time()
    pid = await start_pipeline(node, Pipeline(), options)
    await counting.over
    took = time.process_time() - before
    await node.stop(pid)
    await node.shutdown()
    return messages / took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=100_000, help="messages a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the median is printed")
    arguments = parser.parse_args()
    print(f"machine: {machine_line()}")
    for processors, batchers in ((100, 10), (1, 10), (1, 1), (100, 0)):
        rates = [
            uvloop.run(run(arguments.messages, processors, batchers))
            for _ in range(arguments.rounds)
        ]
        shape = f"{processors} processors, {batchers} batchers"
        print(
            f"{shape:>28}: {statistics.median(rates):9,.0f} messages/s "
            f"({min(rates):,.0f} to {max(rates):,.0f})"
        )


if __name__ == "__main__":
    main()
