"""What a signed message costs on one core, and what several signers give together.

Messages of ten payments. Median, and slowest and fastest round, in time of the processor, so that a
busy machine does not count; the RSA line is the limit that no code of ours can pass: a message
cannot be written faster than it is signed. The last lines are of the wall clock: signers beside
each other as threads of the pool and as processes, and how late the event loop's timers are.

    python bench/wire.py [--json]
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import uvloop

from actors import Node
from bacen.signing import KeyFiles, sign, signer_pool
from bacen.wire import (
    SPI_ISPB,
    AccountId,
    CreditTransfer,
    KeyPair,
    LocalAuthority,
    Pacs002,
    Pacs008,
    Signer,
    StatusReport,
    Verifier,
    decode,
    encode,
    make_end_to_end_id,
    message_id,
)
from bacen.wire.schema import judge
from loadtest import machine_line

ROUNDS = 5
ROUND_SECONDS = 0.3
BATCHES = 60  # of ten messages, for the signers beside each other
SIGNERS = 2
WATCH_SECONDS = 0.002
PAYMENTS = 10
PAYER = "12345678"
AT = datetime(2026, 9, 28, 14, 35, 12, 345000, tzinfo=UTC)


IDS = [make_end_to_end_id(PAYER, AT, f"{number:011d}") for number in range(PAYMENTS)]


def payments() -> Pacs008:
    transfers = tuple(
        CreditTransfer(
            end_to_end_id=end_to_end_id,
            amount_cents=1050,
            accepted_at=AT,
            local_instrument="DICT",
            debtor_name="Maria da Conceição Silva",
            debtor_tax_id="52998224725",
            debtor_account=AccountId("500000", "CACC", "3000"),
            debtor_ispb=PAYER,
            creditor_ispb="99999A04",
            creditor_tax_id="11444777000161",
            creditor_account=AccountId("600000", "CACC", "1"),
            creditor_key="recebedor@exemplo.com.br",
            remittance="aluguel de setembro",
        )
        for end_to_end_id in IDS
    )
    return Pacs008(
        sender=PAYER,
        receiver=SPI_ISPB,
        message_id=message_id(PAYER, "1" * 23),
        created_at=AT,
        transfers=transfers,
    )


def outcomes() -> Pacs002:
    reports = tuple(
        StatusReport(
            original_instruction_id=end_to_end_id,
            end_to_end_id=end_to_end_id,
            status="ACSC",
            settled_at=AT,
            settlement_date=AT.date(),
        )
        for end_to_end_id in IDS
    )
    return Pacs002(
        sender=SPI_ISPB,
        receiver=PAYER,
        message_id=message_id(SPI_ISPB, "2" * 23),
        created_at=AT,
        reports=reports,
    )


Rates = dict[str, list[float]]


def measure(work: Callable[[], object]) -> list[float]:
    """Calls a second of CPU time, one figure a round."""
    work()
    rates = []
    for _ in range(ROUNDS):
        count, start = 0, time.process_time()
        while (spent := time.process_time() - start) < ROUND_SECONDS:
            work()
            count += 1
        rates.append(count / spent)
    return rates


def on_one_core(payer: Signer, bank: Signer, verifier: Verifier) -> Rates:
    pacs008, pacs002 = payments(), outcomes()
    sent, received = encode(pacs008, payer), encode(pacs002, bank)
    signed = b"x" * 1500
    return {
        "RSA-2048 signature alone": measure(lambda: payer.sign_bytes(signed)),
        "pacs.008 of 10 built and signed": measure(lambda: encode(payments(), payer)),
        "pacs.008 of 10 signed": measure(lambda: encode(pacs008, payer)),
        "pacs.002 of 10 signed": measure(lambda: encode(pacs002, bank)),
        "pacs.002 of 10 verified and read": measure(lambda: decode(received, verifier)),
        "pacs.008 of 10 verified and read": measure(lambda: decode(sent, verifier)),
        "pacs.002 of 10 judged by its schema": measure(lambda: judge(received)),
        "pacs.008 of 10 judged by its schema": measure(lambda: judge(sent)),
    }


async def in_threads(pair: KeyPair, threads: int) -> tuple[float, float]:
    """Messages a second through a pool, and how late its loop's timers are, in ms (p99)."""
    node = Node("bench")
    await node.start(signer_pool(KeyFiles((pair.certificate, pair.key)), size=threads), name="pool")
    batch = [payments()] * 10
    await sign(node, "pool", batch)
    left, late_s = BATCHES, []

    async def client() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await sign(node, "pool", batch)

    async def watch() -> None:
        while True:
            last = time.perf_counter()
            await asyncio.sleep(WATCH_SECONDS)
            late_s.append(time.perf_counter() - last - WATCH_SECONDS)

    watcher = asyncio.ensure_future(watch())
    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(threads + 1)))
    spent = time.perf_counter() - start
    watcher.cancel()
    await node.shutdown()
    return BATCHES * len(batch) / spent, statistics.quantiles(late_s, n=100)[-1] * 1_000


@cache
def loaded(key: bytes, certificate: bytes) -> Signer:
    return Signer.from_pem(key, certificate)


def batch_in_process(key: bytes, certificate: bytes, batch: list[Pacs008]) -> list[bytes]:
    return [encode(message, loaded(key, certificate)) for message in batch]


def in_processes(pair: KeyPair, processes: int) -> float:
    keys = pair.key.read_bytes(), pair.certificate.read_bytes()
    batch = [payments()] * 10
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(batch_in_process, *zip(*[(*keys, batch)] * processes * 4, strict=True)))
        start = time.perf_counter()
        list(pool.map(batch_in_process, *zip(*[(*keys, batch)] * BATCHES, strict=True)))
        return BATCHES * len(batch) / (time.perf_counter() - start)


def side_by_side(pair: KeyPair) -> dict[str, float]:
    one, _ = uvloop.run(in_threads(pair, 1))
    several, held_up_ms = uvloop.run(in_threads(pair, SIGNERS))
    return {
        "pool of 1 thread, messages/s": one,
        f"pool of {SIGNERS} threads, messages/s": several,
        f"{SIGNERS} processes, messages/s": in_processes(pair, SIGNERS),
        f"timers of the event loop late beside {SIGNERS} threads, p99, ms": held_up_ms,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args().json
    with tempfile.TemporaryDirectory() as folder:
        authority = LocalAuthority.create(Path(folder), now=datetime.now(UTC))
        payer, bank = authority.participant(PAYER).signing, authority.spi_signing()
        verifier = Verifier(pair.certificate.read_bytes() for pair in (payer, bank))
        rates = on_one_core(payer.signer(), bank.signer(), verifier)
        together = side_by_side(payer)
    if as_json:
        shown = {
            name: {"per_second": statistics.median(each), "min": min(each), "max": max(each)}
            for name, each in rates.items()
        }
        print(json.dumps({"machine": machine_line(), "one_core": shown, "together": together}))
        return
    print(f"machine: {machine_line()}")
    for name, each in rates.items():
        middle = statistics.median(each)
        spread = f"({min(each):,.0f} to {max(each):,.0f})"
        print(f"{name:56} {middle:8,.0f}/s  {spread:18} {1e6 / middle:7.1f} us")
    for name, figure in together.items():
        print(f"{name:56} {figure:8,.1f}")


if __name__ == "__main__":
    main()
