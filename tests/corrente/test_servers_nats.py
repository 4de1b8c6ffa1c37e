import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import nats
import psutil
from nats.aio.client import Client

from actors import Node
from corrente.servers import NatsEndpoint, nats_child
from supervisors import GetOsPid, Strategy, Supervisor


async def start(node: Node, home: Path) -> NatsEndpoint:
    spec, endpoint = nats_child(home)
    tree = Supervisor([spec], strategy=Strategy.ONE_FOR_ONE, max_restarts=3, max_seconds=60)
    await node.start(tree, name="tree")
    return endpoint


@asynccontextmanager
async def connected(endpoint: NatsEndpoint) -> AsyncIterator[Client]:
    client = await nats.connect(
        endpoint.url, user=endpoint.user, password=endpoint.password, allow_reconnect=False
    )
    try:
        yield client
    finally:
        await client.close()


async def test_stream_is_kept_over_a_restart_at_the_same_address(
    node: Node, tmp_path: Path
) -> None:
    endpoint = await start(node, tmp_path / "with space")
    async with connected(endpoint) as client:
        stream = client.jetstream()
        await stream.add_stream(name="payments", subjects=["payments.>"])
        await stream.publish("payments.confirmed", b"1050")
    await node.stop("tree")

    assert await start(node, tmp_path / "with space") == endpoint
    async with connected(endpoint) as client:
        message = await client.jetstream().get_msg("payments", 1)

    assert message.data == b"1050"
    await node.stop("tree")


async def test_stranger_without_the_password_is_refused(node: Node, tmp_path: Path) -> None:
    endpoint = await start(node, tmp_path)
    address = urlsplit(endpoint.url)

    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    await reader.readline()
    writer.write(b'CONNECT {"user":"corrente","pass":"guess","verbose":true}\r\nPING\r\n')
    answer = await reader.readline()

    assert answer == b"-ERR 'Authorization Violation'\r\n"
    writer.close()
    await writer.wait_closed()
    await node.stop("tree")


async def test_password_shows_in_no_list_of_processes(node: Node, tmp_path: Path) -> None:
    endpoint = await start(node, tmp_path)

    process = psutil.Process(await node.call("nats", GetOsPid()))

    assert endpoint.password not in str(process.cmdline())
    assert endpoint.password not in str(process.environ())
    assert endpoint.password not in repr(endpoint)
    assert (tmp_path / "nats" / "server.conf").stat().st_mode & 0o777 == 0o600
    assert {c.laddr.ip for c in process.net_connections("tcp")} == {"127.0.0.1"}
    await node.stop("tree")
