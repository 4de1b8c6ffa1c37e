"""The writer of one shard as an operating-system process of its own, to be killed and frozen.

Run as a program it takes requests, a JSON line each, on standard input, and answers each in a line
when it knows what became of it. In the test it is a `WriterProcess`.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

import msgspec
import structlog

from actors import CalleeDied, CallTimeout, Node, NoProcess
from ledger import (
    AccountBook,
    Answer,
    Commit,
    Entry,
    NothingDone,
    Refused,
    ShardSettings,
    ShardWriter,
    Transfer,
)
from supervisors import Strategy, Supervisor, worker
from tests.ledger.bank import SHARD, TENANT

ROOT = Path(__file__).resolve().parents[2]
NAME = "ledger writer"
LINE_BYTES_MAX = 1 << 20
UNKNOWN = "unknown"
"""The writer died meanwhile: ask again with the same ids."""


class Request(msgspec.Struct):
    """Transfers, each an entry of its own."""

    number: int
    transfers: tuple[Transfer, ...]


class Reply(msgspec.Struct):
    """A word a transfer: name of its answer, of its refusal or of an error; or `UNKNOWN`."""

    number: int
    outcomes: tuple[str, ...]


class WriterProcess:
    """One running program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._waiting: dict[int, asyncio.Future[tuple[str, ...]]] = {}
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def start(cls, dsn: str, log: Path, owner: str = SHARD.owner) -> "WriterProcess":
        """Start; requests wait in the program until it has loaded the shard."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.ledger.writer_process", dsn, owner),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                limit=LINE_BYTES_MAX,
            )
        return cls(process)

    @property
    def waiting(self) -> int:
        """Requests without an answer."""
        return len(self._waiting)

    async def ask(self, number: int, transfers: tuple[Transfer, ...]) -> tuple[str, ...]:
        """What became of each transfer; all `UNKNOWN` when the program has died."""
        if self._reading.done():
            return (UNKNOWN,) * len(transfers)
        answered = asyncio.get_running_loop().create_future()
        self._waiting[number] = answered
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(Request(number, transfers)) + b"\n")
        return await answered or (UNKNOWN,) * len(transfers)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)

    async def kill(self) -> None:
        """Kill -9; returns when it is gone and all that it has said is read."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                if line.endswith(b"\n"):  # what was cut off by a kill was not said
                    reply = msgspec.json.decode(line, type=Reply)
                    self._waiting.pop(reply.number).set_result(reply.outcomes)
        finally:
            for answered in self._waiting.values():
                answered.set_result(())
            self._waiting.clear()


async def main(dsn: str, owner: str) -> None:
    """Serve until killed; standard output is for answers."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    node = Node("writer")
    book, shard = AccountBook(), ShardSettings(SHARD.id, TENANT, owner)
    child = worker(NAME, lambda: ShardWriter(shard, dsn, book), name=NAME)
    await node.start(
        Supervisor([child], strategy=Strategy.ONE_FOR_ONE, max_restarts=1_000, max_seconds=60)
    )
    lines = asyncio.StreamReader(LINE_BYTES_MAX)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    serving: set[asyncio.Task[None]] = set()
    async for line in lines:
        task = asyncio.ensure_future(serve(node, msgspec.json.decode(line, type=Request)))
        serving.add(task)
        task.add_done_callback(serving.discard)


async def serve(node: Node, request: Request) -> None:
    """Commit and tell; a line is one write, so a reader gets all of it or knows that it is cut."""
    commit = Commit(tuple(Entry((transfer,)) for transfer in request.transfers))
    words: tuple[str, ...]
    try:
        words = tuple(map(word, await node.call(NAME, commit, timeout_ms=60_000)))
    except NothingDone as error:
        words = (type(error).__name__,) * len(request.transfers)
    except (CalleeDied, CallTimeout, NoProcess):
        await node.clock.sleep_ms(20)  # its supervisor is at work
        words = (UNKNOWN,) * len(request.transfers)
    os.write(sys.stdout.fileno(), msgspec.json.encode(Reply(request.number, words)) + b"\n")


def word(answer: Answer) -> str:
    return answer.result.name if isinstance(answer, Refused) else type(answer).__name__


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
