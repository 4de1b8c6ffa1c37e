"""Events from the outbox into a real JetStream, each once, whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from corrente.servers import NatsEndpoint, nats_child
from pix import OutboxRelay, Payment, payment_reference
from supervisors import Strategy, Supervisor
from tests.pix.desk import Desk

STREAM = "PIX"


@pytest.fixture
async def endpoint(desk: Desk, tmp_path: Path) -> AsyncIterator[NatsEndpoint]:
    """A NATS server of the test's own."""
    child, address = nats_child(tmp_path)
    tree = Supervisor([child], strategy=Strategy.ONE_FOR_ONE)
    await desk.node.start(tree, name="nats-tree", link=False)
    yield address
    await desk.node.stop("nats-tree")


def connect(endpoint: NatsEndpoint) -> Any:
    return nats.connect(
        endpoint.url, user=endpoint.user, password=endpoint.password, allow_reconnect=False
    )


async def relay(desk: Desk, endpoint: NatsEndpoint) -> None:
    """Start a relay and wait until it has published everything."""
    server = OutboxRelay(1, lambda: desk.pool, lambda: connect(endpoint))
    await desk.node.start(server, name="relay", link=False)
    last = (await desk.rows("SELECT max(sequence) FROM outbox"))[0]
    while (await desk.rows("SELECT max(sequence) FROM outbox_positions")) != [last]:
        await asyncio.sleep(0.02)


async def stored(client: Client) -> list[tuple[str, str | None, bytes]]:
    """Subject, message id and payload of everything in the stream, in order."""
    stream = client.jetstream()
    count = (await stream.stream_info(STREAM)).state.messages
    messages = [await stream.get_msg(STREAM, number) for number in range(1, count + 1)]
    return [
        (str(one.subject), (one.headers or {}).get("Nats-Msg-Id"), one.data or b"")
        for one in messages
    ]


async def outbox(desk: Desk) -> list[tuple[str, str, bytes]]:
    rows = await desk.rows("SELECT name, id, payload FROM outbox ORDER BY sequence")
    return [(f"pix.payments.{name}", str(identifier), body) for name, identifier, body in rows]


async def test_every_event_is_published_in_order_under_its_own_id(
    desk: Desk, endpoint: NatsEndpoint
) -> None:
    payments: list[Payment] = [await desk.accept(number) for number in range(5)]

    await relay(desk, endpoint)

    client = await connect(endpoint)
    published = await stored(client)
    await client.close()
    assert published == await outbox(desk)
    assert payment_reference(payments[0].payment_id).encode() in published[0][2]
    await desk.node.stop("relay")


async def test_event_published_before_a_crash_is_not_in_the_stream_twice(
    desk: Desk, endpoint: NatsEndpoint
) -> None:
    await desk.accept(1)
    await relay(desk, endpoint)
    await desk.kill("relay")
    await desk.accept(2)
    await desk.pool.execute("UPDATE outbox_positions SET sequence = 0")  # the move was lost

    await relay(desk, endpoint)

    client = await connect(endpoint)
    published = await stored(client)
    await client.close()
    assert published == await outbox(desk)
    await desk.node.stop("relay")


async def test_relay_without_a_server_waits_and_harms_nobody(
    desk: Desk, endpoint: NatsEndpoint
) -> None:
    away = True

    async def connect_later() -> Client:
        if away:
            raise OSError("nobody there")
        client: Client = await connect(endpoint)
        return client

    failures: list[str] = []
    desk.node.telemetry.attach(
        ("pix", "relay", "failed"), lambda _e, _m, about: failures.append(about["problem"])
    )
    await desk.node.start(
        OutboxRelay(1, lambda: desk.pool, connect_later), name="relay", link=False
    )
    await desk.accept(1)
    while not failures:
        await asyncio.sleep(0.01)

    away = False
    while not await desk.rows("SELECT FROM outbox_positions WHERE sequence = 1"):
        await asyncio.sleep(0.02)

    client = await connect(endpoint)
    assert len(await stored(client)) == 1
    await client.close()
    await desk.node.stop("relay")
