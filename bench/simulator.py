"""What one payment costs the central bank in a box: `python bench/simulator.py [--payments N]`.

Twice, each with pacs.008 of ten payments to a virtual participant, signed beforehand, ten messages
at a time from four senders, and the outcomes read on two streams:

- The core alone: in this process, without HTTP and TLS, straight to the processes that the endpoint
  asks. What is measured: reading and verifying the messages, the rules, the outcomes written and
  signed (one RSA signature for ten payments), one commit to SQLite a batch, handing out.
- All of it: the bank in a process of its own, over HTTPS on four connections as a participant does.

Printed: payments settled per second by the clock, processor time per payment (of this process, of
the bank's), and the cost of one RSA signature at that moment as a yardstick: on a busy machine all
grow together. The limit of a participant's messages a second is lifted; all else is as by default.
"""

import argparse
import asyncio
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import uvloop

from actors import Node
from bacen.icom import IcomClient
from bacen.simulator import BankSettings, ParticipantBeside, start_bank
from bacen.wire import (
    SPI_ISPB,
    AccountId,
    CreditTransfer,
    LocalAuthority,
    Pacs008,
    Signer,
    client_context,
    encode,
    make_end_to_end_id,
    message_id,
)

ISPB = "12345678"
GROUP = 10
TOKENS_PER_SECOND = 1_000_000  # one participant sends what it can; the Banco Central grants it 750
POSTERS = 4
READERS = 2
ROUNDS = 3
SIGNATURES = 300
SETTLED = b"<TxSts>ACSC<"


def transfer(number: int, now: datetime) -> CreditTransfer:
    return CreditTransfer(
        end_to_end_id=make_end_to_end_id(ISPB, now, f"{number:011d}"),
        amount_cents=1_234,
        accepted_at=now,
        local_instrument="DICT",
        debtor_name="Fulano de Tal",
        debtor_tax_id="52998224725",
        debtor_account=AccountId("1000", branch="1"),
        debtor_ispb=ISPB,
        creditor_ispb="60701190",
        creditor_tax_id="39053344705",
        creditor_account=AccountId("1234567", branch="1"),
        creditor_key="+5511999887766",
    )


def make_messages(signer: Signer, start: int, payments: int) -> list[bytes]:
    now = datetime.now(UTC)
    return [
        encode(
            Pacs008(
                sender=ISPB,
                receiver=SPI_ISPB,
                message_id=message_id(ISPB, f"{first:023d}"),
                created_at=now,
                transfers=tuple(transfer(first + each, now) for each in range(GROUP)),
            ),
            signer,
        )
        for first in range(start, start + payments, GROUP)
    ]


def settings_of(home: Path) -> BankSettings:
    return BankSettings(home=home, primary_per_second=TOKENS_PER_SECOND)


async def serve(home: Path) -> None:
    bank = await start_bank(Node("bank"), settings_of(home))
    print(bank.url, flush=True)
    await asyncio.Event().wait()


class Round:
    """One load on a bank that runs."""

    def __init__(self, client: IcomClient, messages: list[bytes], payments: int) -> None:
        self._client = client
        self._payments = payments
        self._posts = iter(
            [messages[first : first + GROUP] for first in range(0, len(messages), GROUP)]
        )
        self._settled = 0
        self._finished = 0.0

    async def run(self) -> float:
        """Give the seconds until the last outcome was read."""
        start = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(READERS):
                tasks.create_task(self._read())
            for _ in range(POSTERS):
                tasks.create_task(self._post(self._posts))
        return self._finished - start

    async def _post(self, posts: Iterator[list[bytes]]) -> None:
        for bodies in posts:
            await self._client.post(bodies)

    async def _read(self) -> None:
        delivery = await self._client.start_stream()
        while True:
            bodies = [each.body for each in delivery.messages]
            self._settled += sum(body.count(SETTLED) for body in bodies)
            if self._settled >= self._payments:
                self._finished = self._finished or time.perf_counter()
                break
            delivery = await self._client.pull(delivery.next)
        await self._client.close_stream(delivery.next)


class CoreRound:
    """One load on the processes of a bank that runs here."""

    def __init__(self, node: Node, messages: list[bytes], payments: int) -> None:
        self._node = node
        self._payments = payments
        self._posts = iter(
            [tuple(messages[first : first + GROUP]) for first in range(0, len(messages), GROUP)]
        )
        self._settled = 0
        self._finished = 0.0

    async def run(self) -> tuple[float, float]:
        """Give the seconds by the clock, and those of the processor."""
        start, cpu = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(READERS):
                tasks.create_task(self._read())
            for _ in range(POSTERS):
                tasks.create_task(self._post())
        return self._finished - start, time.process_time() - cpu

    async def _post(self) -> None:
        participant = ParticipantBeside(self._node, ISPB)
        for bodies in self._posts:
            await participant.post(bodies)

    async def _read(self) -> None:
        participant = ParticipantBeside(self._node, ISPB)
        while self._settled < self._payments:
            bodies = await participant.read()
            self._settled += sum(body.count(SETTLED) for body in bodies)
        self._finished = self._finished or time.perf_counter()
        await participant.close()


async def measure_core(home: Path, payments: int) -> None:
    bank = await start_bank(Node("bank"), settings_of(home))
    signer = LocalAuthority.create(home, now=datetime.now(UTC)).participant(ISPB).signing.signer()
    print("the core alone, without HTTP and TLS:")
    for number in range(ROUNDS):
        messages = make_messages(signer, number * payments, payments)
        seconds, cpu = await CoreRound(bank.node, messages, payments).run()
        each = cpu / payments * 1e6
        print(f"{payments / seconds:6.0f} settled/s, {each:5.1f} us CPU a payment")
    await bank.stop()


async def measure(home: Path, payments: int) -> None:
    program = [sys.executable, __file__, "--serve", str(home)]
    bank = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    assert bank.stdout is not None
    url = (await bank.stdout.readline()).decode().strip()
    process = psutil.Process(bank.pid)
    authority = LocalAuthority.create(home, now=datetime.now(UTC))
    keys = authority.participant(ISPB)
    context = client_context(authority.certificate, keys.client)
    client = IcomClient(url, ISPB, context, timeout_ms=60_000)
    print("all of it, over HTTPS:")
    print(f"an RSA signature, one for ten payments: {signature_us(keys.signing.signer())} us CPU")
    try:
        for number in range(ROUNDS):
            messages = make_messages(keys.signing.signer(), number * payments, payments)
            cpu = used(process)
            seconds = await Round(client, messages, payments).run()
            spent = used(process) - cpu
            print(
                f"{payments / seconds:6.0f} settled/s, bank {spent / payments * 1e6:5.1f} us CPU "
                f"a payment, {process.memory_info().rss / 2**20:.0f} MiB"
            )
    finally:
        await client.close()
        bank.terminate()
        await bank.wait()


def signature_us(signer: Signer) -> int:
    """Measure the yardstick: it says how fast this machine is at this moment."""
    start = time.process_time()
    for _ in range(SIGNATURES):
        signer.sign("yardstick")
    return round((time.process_time() - start) / SIGNATURES * 1e6)


def used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--payments", type=int, default=20_000, help="a round; of tens")
    options.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.serve is not None:
        uvloop.run(serve(arguments.serve))
        return
    print(f"{platform.machine()}, Python {platform.python_version()}, {psutil.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as home:
        uvloop.run(measure_core(Path(home), arguments.payments))
    with tempfile.TemporaryDirectory() as home:
        uvloop.run(measure(Path(home), arguments.payments))


if __name__ == "__main__":
    main()
