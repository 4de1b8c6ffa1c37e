"""A JetStream for the tests of this folder, and what they ask of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig

from actors import Node
from corrente.servers import NatsEndpoint, nats_child
from supervisors import Supervisor

STREAM = "TEST"
SUBJECT = "test.numbers"
DURABLE = "reader"


@asynccontextmanager
async def jetstream(node: Node, folder: Path) -> AsyncIterator[Client]:
    """A server of the test's own with an empty stream and a consumer, and a connection to it."""
    child, endpoint = nats_child(folder)
    tree = await node.start(Supervisor([child]), link=False)
    client = await connect(endpoint)
    stream = client.jetstream()
    await stream.add_stream(name=STREAM, subjects=["test.*"])
    config = ConsumerConfig(durable_name=DURABLE, ack_policy=AckPolicy.EXPLICIT, ack_wait=30)
    await stream.add_consumer(STREAM, config)
    try:
        yield client
    finally:
        await client.close()
        await node.stop(tree)


async def connect(endpoint: NatsEndpoint) -> Client:
    client: Client = await nats.connect(
        endpoint.url, user=endpoint.user, password=endpoint.password, allow_reconnect=False
    )
    return client


async def publish(client: Client, numbers: range) -> None:
    stream = client.jetstream()
    for number in numbers:
        await stream.publish(SUBJECT, str(number).encode())


async def unacknowledged(client: Client) -> tuple[int, int]:
    """Messages delivered and not acknowledged, and messages not delivered yet."""
    info = await client.jetstream().consumer_info(STREAM, DURABLE)
    return info.num_ack_pending or 0, info.num_pending or 0
