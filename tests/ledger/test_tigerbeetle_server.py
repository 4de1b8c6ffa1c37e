"""The back end and a real TigerBeetle, wherever its executable is on PATH."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from actors import Node
from ledger import AccountFlag, Transfer, TransferResult, hold, post, void
from ledger.breaker import Verdict, poison_of, verdict_of
from ledger.tigerbeetle import (
    BackendSettings,
    CreateAccounts,
    CreateTransfers,
    LookUpAccounts,
    NewAccount,
    TigerBeetle,
    TigerBeetleUnknown,
    connect,
)
from tests.ledger.native_threads import native_threads

__all__ = ["native_threads"]  # a fixture, found by its name

BACKEND = "tigerbeetle"
PI, ANA = UUID(int=1), UUID(int=2)
LIMITED = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
START_SECONDS = 60


@dataclass
class Server:
    """A replica of one, with the sizes of development."""

    process: subprocess.Popen[bytes]
    port: int


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Format a data file and serve it."""
    executable = shutil.which("tigerbeetle")
    if executable is None:
        pytest.skip("there is no tigerbeetle on PATH")
    data = tmp_path / "0_0.tigerbeetle"
    ids = ["--cluster=0", "--replica=0", "--replica-count=1", "--development"]
    subprocess.run([executable, "format", *ids, str(data)], check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [executable, "start", f"--addresses={port}", "--development", str(data)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield Server(process, port)
    os.kill(process.pid, signal.SIGCONT)
    process.kill()
    process.wait(START_SECONDS)


@pytest.fixture
async def backend(native_threads: None, node: Node, server: Server) -> AsyncIterator[Node]:
    """A back end with two accounts; the customer has 100."""
    settings = BackendSettings(deadline_ms=3_000)
    await node.start(TigerBeetle(connect(0, str(server.port)), {986: 7}, settings), name=BACKEND)
    await until_known(node, CreateAccounts((NewAccount(PI, 2), NewAccount(ANA, 1, LIMITED))))
    await until_known(node, CreateTransfers((Transfer(node.ids.new_id(), PI, ANA, 100, 1),)))
    yield node
    await node.stop(BACKEND)


async def until_known(node: Node, request: object) -> object:
    """Ask the same until it is answered: nothing here can happen twice."""
    for _ in range(START_SECONDS):
        try:
            return await node.call(BACKEND, request)
        except TigerBeetleUnknown:
            continue
    raise AssertionError("the server never answered")


async def create(node: Node, *transfers: Transfer) -> object:
    return await node.call(BACKEND, CreateTransfers(transfers))


async def test_real_server_answers_as_the_core_does(backend: Node) -> None:
    new_id = backend.ids.new_id
    held, more = hold(new_id(), ANA, PI, 60, 1), hold(new_id(), ANA, PI, 60, 1)

    assert await create(backend, held, more, held, post(new_id(), held.id, 20)) == (
        TransferResult.CREATED,
        TransferResult.EXCEEDS_CREDITS,
        TransferResult.EXISTS,
        TransferResult.CREATED,
    )
    assert await create(backend, more, void(new_id(), held.id)) == (
        TransferResult.ID_ALREADY_FAILED,
        TransferResult.PENDING_TRANSFER_ALREADY_POSTED,
    )
    found = await backend.call(BACKEND, LookUpAccounts((ANA,)))
    assert found[ANA].balance == (0, 20, 0, 100)


async def test_real_server_splits_what_is_larger_than_its_limit(backend: Node) -> None:
    transfers = [Transfer(backend.ids.new_id(), PI, ANA, 1, 1) for _ in range(1_000)]

    assert await create(backend, *transfers) == (TransferResult.CREATED,) * 1_000


async def test_poison_tells_what_ran_from_what_never_did(backend: Node) -> None:
    new_id = backend.ids.new_id
    ran, never = (Transfer(new_id(), PI, ANA, 1, 1) for _ in range(2))
    await create(backend, ran)

    answers = await backend.call(BACKEND, CreateTransfers((poison_of(ran.id), poison_of(never.id))))

    assert [verdict_of(answer) for answer in answers] == [Verdict.RAN, Verdict.NEVER]
    assert await create(backend, never) == (TransferResult.ID_ALREADY_FAILED,)


async def test_frozen_server_makes_the_outcome_unknown_and_a_poison_makes_it_known(
    backend: Node, server: Server
) -> None:
    sent = Transfer(backend.ids.new_id(), PI, ANA, 1, 1)
    os.kill(server.process.pid, signal.SIGSTOP)
    with pytest.raises(TigerBeetleUnknown):
        await create(backend, sent)
    os.kill(server.process.pid, signal.SIGCONT)

    (answer,) = await until_known(backend, CreateTransfers((poison_of(sent.id),)))  # type: ignore[misc] # a tuple of results

    verdict = verdict_of(answer)
    assert verdict in (Verdict.RAN, Verdict.NEVER)
    found = await backend.call(BACKEND, LookUpAccounts((ANA,)))
    assert found[ANA].balance.credits_posted == 100 + (verdict is Verdict.RAN)
