"""CPU of publishing an event to JetStream: one answer a message against one answer a batch.

Starts a NATS server of its own in a temporary folder, publishes the same number of events both ways
in turn, and prints the median CPU an event of this process.

    python bench/relay.py [--events 5000] [--rounds 5]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import nats
import uvloop
from nats.aio.client import Client

from actors import Node
from corrente.servers import nats_child
from loadtest import machine_line
from pix import ensure_stream
from supervisors import Strategy, Supervisor

PAYLOAD = b"x" * 250
SUBJECT = "pix.payments.confirmed"
BATCH = 500


async def answer_each(connection: Client, events: int, run: str) -> None:
    """Publish with an answer for each message, answers awaited together."""
    stream = connection.jetstream()
    for first in range(0, events, BATCH):
        answers = [
            await stream.publish_async(
                SUBJECT, PAYLOAD, headers={"Nats-Msg-Id": f"{run}{first + n}"}
            )
            for n in range(BATCH)
        ]
        await asyncio.gather(*answers)


async def answer_batch(connection: Client, events: int, run: str) -> None:
    """Publish with an answer for each batch."""
    for first in range(0, events, BATCH):
        for number in range(1, BATCH + 1):
            headers = {
                "Nats-Msg-Id": f"{run}{first + number}",
                "Nats-Batch-Id": f"{run}{first}",
                "Nats-Batch-Sequence": str(number),
            }
            if number < BATCH:
                await connection.publish(SUBJECT, PAYLOAD, headers=headers)
            else:
                headers["Nats-Batch-Commit"] = "1"
                await connection.request(SUBJECT, PAYLOAD, headers=headers, timeout=10)


async def measure(events: int, rounds: int) -> dict[str, list[float]]:
    """Microseconds of CPU an event, by way, one value a round."""
    found: dict[str, list[float]] = {"answer each": [], "answer a batch": []}
    with tempfile.TemporaryDirectory(prefix="corrente-bench-") as folder:
        node = Node("bench")
        child, endpoint = nats_child(Path(folder))
        await node.start(Supervisor([child], strategy=Strategy.ONE_FOR_ONE))
        connection = await nats.connect(
            endpoint.url, user=endpoint.user, password=endpoint.password
        )
        await ensure_stream(connection)
        for number in range(rounds):
            for way, publish in (("answer each", answer_each), ("answer a batch", answer_batch)):
                started = time.process_time()
                await publish(connection, events, f"{way[-5:]}{number}-")
                found[way].append((time.process_time() - started) / events * 1e6)
        await connection.close()
        await node.shutdown()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--events", type=int, default=5_000, help="events a round, a multiple of 500"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the median is printed")
    arguments = parser.parse_args()
    found = uvloop.run(measure(arguments.events, arguments.rounds))
    print(f"machine: {machine_line()}")
    for way, values in found.items():
        print(
            f"{way:>15}: {statistics.median(values):5.1f} µs of CPU an event "
            f"({min(values):.1f} to {max(values):.1f})"
        )


if __name__ == "__main__":
    main()
