"""How long it takes until a transfer is written again after PostgreSQL, or the writer, is killed.

One shard on an embedded PostgreSQL, with eight clients that ask without pause. Of each kill -9 of
the server it shows when the server answered again, and when the writer had committed; of a killed
writer only the latter. A kill comes when a few thousand transfers were written since the last one.

    python bench/writing_again.py [--rounds 10] [--accounts 10000]
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import statistics
import tempfile
import time
from pathlib import Path

import asyncpg
import structlog

from actors import ActorError, Killed, Node
from corrente.servers import claim_home, postgres_child
from ledger import (
    Account,
    AccountBook,
    AccountCode,
    Commit,
    Entry,
    LedgerError,
    OpenAccounts,
    ShardSettings,
    ShardWriter,
    Transfer,
    TransferCode,
    migrate,
)
from loadtest import machine_line
from supervisors import GetOsPid, Strategy, Supervisor, supervisor, worker

TENANT = "12345678"
CLIENTS = 8
BETWEEN_KILLS = 3_000
WRITER = "writer"


class Shard:
    """One writer, its clients, and how much they have written."""

    def __init__(self, node: Node, dsn: str, accounts: int) -> None:
        self.node = node
        self.dsn = dsn
        self.accounts = [
            Account(node.ids.new_id(), TENANT, AccountCode.OWN_FUNDS) for _ in range(accounts)
        ]
        self.written = 0
        self.is_ending = False

    async def client(self) -> None:
        """Ask without pause; what fails is asked again soon."""
        while not self.is_ending:
            await self.write()

    async def write(self) -> None:
        """Write some transfers, however often it takes."""
        debit, credit = self.node.rng.sample(self.accounts, 2)
        moves = tuple(
            Entry((Transfer(self.node.ids.new_id(), debit.id, credit.id, 1, TransferCode.FUNDING),))
            for _ in range(10)
        )
        while True:
            try:
                await self.node.call(WRITER, Commit(moves), timeout_ms=5_000)
            except (ActorError, LedgerError):
                await asyncio.sleep(0.005)
            else:
                self.written += len(moves)
                return

    async def more(self, count: int) -> None:
        """Wait until so many more are written."""
        goal = self.written + count
        while self.written < goal:
            await asyncio.sleep(0.005)

    async def answers(self) -> None:
        """Wait until the server takes a connection."""
        while True:
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                connection = await asyncpg.connect(self.dsn, timeout=5)
                await connection.close()
                return
            await asyncio.sleep(0.005)


async def measure(home: Path, rounds: int, accounts: int) -> None:
    """Kill the server and the writer in turn, and print what it took."""
    node = Node("bench")
    with claim_home(home):
        child, database = postgres_child(home, node.clock)
        servers = supervisor(
            "servers", [child], strategy=Strategy.ONE_FOR_ONE, max_restarts=1_000, max_seconds=1
        )
        await node.start(Supervisor([servers], strategy=Strategy.ONE_FOR_ONE), name="servers")
        await migrate(database.dsn)
        settings, book = ShardSettings(1, TENANT, owner="bench"), AccountBook()
        writer = worker(WRITER, lambda: ShardWriter(settings, database.dsn, book), name=WRITER)
        await node.start(
            Supervisor([writer], strategy=Strategy.ONE_FOR_ONE, max_restarts=1_000, max_seconds=1)
        )
        shard = Shard(node, database.dsn, accounts)
        for first in range(0, accounts, 10_000):
            request = OpenAccounts(tuple(shard.accounts[first : first + 10_000]))
            await node.call(WRITER, request, timeout_ms=60_000)
        clients = [asyncio.ensure_future(shard.client()) for _ in range(CLIENTS)]
        served, after, again = [], [], []
        for _ in range(rounds):
            await shard.more(BETWEEN_KILLS)
            killed = time.monotonic()
            os.kill(await node.call("postgres", GetOsPid()), signal.SIGKILL)
            await asyncio.sleep(0.02)  # its last answers
            await shard.answers()
            served.append(time.monotonic() - killed)
            await shard.write()
            after.append(time.monotonic() - killed - served[-1])
            await shard.more(BETWEEN_KILLS)
            killed = time.monotonic()
            pid = node.whereis(WRITER)
            if pid is not None:
                node.exit(pid, Killed())
            await shard.write()
            again.append(time.monotonic() - killed)
        shard.is_ending = True
        await asyncio.gather(*clients)
        await node.shutdown()
    print(machine_line())
    for what, seconds in (
        ("PostgreSQL killed: it answers after", served),
        ("  and a transfer is written so much later", after),
        ("writer killed: a transfer is written after", again),
    ):
        print(f"{what:44} median {statistics.median(seconds):5.2f} s  most {max(seconds):5.2f} s")


def main() -> None:
    """Measure in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--accounts", type=int, default=10_000)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        asyncio.run(measure(Path(folder), options.rounds, options.accounts))


if __name__ == "__main__":
    main()
