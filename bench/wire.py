"""What a signed message costs on one core: `python bench/wire.py`.

Messages of ten payments; median and spread over rounds, in time of the processor,
so that a busy machine does not count. The RSA line is the limit that no code
of ours can pass: encoding cannot be faster than signing.
"""

import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bacen.wire import (
    SPI_ISPB,
    AccountId,
    CreditTransfer,
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

ROUNDS = 9
ROUND_SECONDS = 0.4
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


def measure(name: str, work: Callable[[], object]) -> None:
    """Print calls per second: median, and the slowest and fastest round."""
    work()
    rates = []
    for _ in range(ROUNDS):
        count, start = 0, time.process_time()
        while (spent := time.process_time() - start) < ROUND_SECONDS:
            work()
            count += 1
        rates.append(count / spent)
    middle = statistics.median(rates)
    print(
        f"{name:44} {middle:8,.0f}/s  ({min(rates):,.0f} to {max(rates):,.0f})"
        f"  {1e6 / middle:7.1f} us"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        authority = LocalAuthority.create(Path(folder), now=datetime.now(UTC))
        payer, bank = authority.participant(PAYER).signing, authority.spi_signing()
        verifier = Verifier(pair.certificate.read_bytes() for pair in (payer, bank))
        run(payer.signer(), bank.signer(), verifier)


def run(payer: Signer, bank: Signer, verifier: Verifier) -> None:
    pacs008, pacs002 = payments(), outcomes()
    sent, received = encode(pacs008, payer), encode(pacs002, bank)
    print(f"Python {platform.python_version()}, {platform.machine()}, one core, {ROUNDS} rounds")
    print(f"pacs.008 of {PAYMENTS}: {len(sent):,} bytes; pacs.002 of {PAYMENTS}: {len(received):,}")
    measure("limit: RSA-2048 sign alone", lambda: payer.sign("x" * 1500))
    measure("pacs.008 typed, signed (encode)", lambda: encode(pacs008, payer))
    measure("pacs.008 built from fields, signed", lambda: encode(payments(), payer))
    measure("pacs.002 typed, signed (encode)", lambda: encode(pacs002, bank))
    measure("pacs.002 verified, typed (decode)", lambda: decode(received, verifier))
    measure("pacs.008 verified, typed (decode)", lambda: decode(sent, verifier))
    measure("pacs.002 judged by its schema (judge)", lambda: judge(received))
    measure("pacs.008 judged by its schema (judge)", lambda: judge(sent))


if __name__ == "__main__":
    main()
