"""A participant at its desk: signs, posts, reads one stream, checks all that the bank emits."""

import asyncio
import itertools
import shutil
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from lxml import etree

from bacen.icom import Delivery, IcomClient
from bacen.simulator import RunningBank
from bacen.wire import (
    SPI_ISPB,
    AccountId,
    Admi002,
    CreditTransfer,
    LocalAuthority,
    Message,
    Pacs002,
    Pacs004,
    Pacs008,
    PaymentReturn,
    Signer,
    StatusReport,
    Verifier,
    client_context,
    decode,
    encode,
    make_end_to_end_id,
    message_id,
)

PAYER = "12345678"
CONNECTED = "87654321"
VIRTUAL = "60701190"
READ_SECONDS = 10
SCHEMAS = Path(__file__).parents[4] / "shared" / "reference" / "spi" / "xsd"
SCHEMA_NAMES = {
    Pacs008: "pacs.008.spi.1.16",
    Pacs002: "pacs.002.spi.1.17",
    Pacs004: "pacs.004.spi.1.5.reconstructed",
    Admi002: "admi.002.spi.1.5.reconstructed",
}
# The signature itself is checked by `decode`; here only that the one element is in its place.
SIGNATURE_SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
  targetNamespace="http://www.w3.org/2000/09/xmldsig#">
  <xs:element name="Signature" type="xs:anyType"/></xs:schema>"""

numbers = itertools.count(1)


class Schemas:
    """The official schemas, where they are at hand."""

    def __init__(self, folder: Path) -> None:
        self._schemas: dict[type, etree.XMLSchema] = {}
        (folder / "signature.xsd").write_text(SIGNATURE_SCHEMA)
        for kind, name in SCHEMA_NAMES.items():
            source = SCHEMAS / f"{name}.xsd"
            if not source.exists():
                continue
            target = etree.parse(source).getroot().get("targetNamespace")
            wrapper = folder / f"{name}.wrapper.xsd"
            wrapper.write_text(
                '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
                f'<xs:import namespace="{target}" schemaLocation="{source.as_uri()}"/>'
                '<xs:import namespace="http://www.w3.org/2000/09/xmldsig#" '
                'schemaLocation="signature.xsd"/></xs:schema>'
            )
            self._schemas[kind] = etree.XMLSchema(etree.parse(wrapper))

    def check(self, message: Message, body: bytes) -> None:
        schema = self._schemas.get(type(message))
        if schema is not None:
            schema.assertValid(etree.fromstring(body))


def copy_certificates(pki: Path, home: Path) -> None:
    """Give a new home the certificates of the session; keys take long to make."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copytree(pki / "pki", home / "pki")


class DeskKeys:
    """What a participant holds; loaded once a session."""

    def __init__(self, authority: LocalAuthority, ispb: str) -> None:
        keys = authority.participant(ispb)
        self.ispb = ispb
        self.signer: Signer = keys.signing.signer()
        self.context: ssl.SSLContext = client_context(authority.certificate, keys.client)
        self.spi = Verifier([authority.spi_signing().certificate.read_bytes()])


class Desk:
    """One participant of a running bank; close it."""

    def __init__(self, url: str, keys: "DeskKeys", schemas: Schemas) -> None:
        self.ispb = keys.ispb
        self._schemas = schemas
        self.signer = keys.signer
        self.context = keys.context
        self.spi = keys.spi
        self.client = IcomClient(url, keys.ispb, keys.context)
        self._next: str | None = None
        self.resource_ids: list[str] = []

    async def close(self) -> None:
        await self.client.close()

    def transfer(self, **changed: object) -> CreditTransfer:
        now = datetime.now(UTC)
        made = CreditTransfer(
            end_to_end_id=make_end_to_end_id(self.ispb, now, f"{next(numbers):011d}"),
            amount_cents=1_050,
            accepted_at=now,
            local_instrument="MANU",
            debtor_name="Fulano & Cia",
            debtor_tax_id="52998224725",
            debtor_account=AccountId("1000"),
            debtor_ispb=self.ispb,
            creditor_ispb=VIRTUAL,
            creditor_tax_id="39053344705",
            creditor_account=AccountId("2000"),
        )
        return msgspec.structs.replace(made, **changed)

    def pacs008(self, *transfers: CreditTransfer, **changed: object) -> Pacs008:
        made = Pacs008(
            sender=self.ispb,
            receiver=SPI_ISPB,
            message_id=self.new_message_id(),
            created_at=datetime.now(UTC),
            transfers=transfers,
        )
        return msgspec.structs.replace(made, **changed)

    def pacs002(self, *reports: StatusReport) -> Pacs002:
        return Pacs002(
            sender=self.ispb,
            receiver=SPI_ISPB,
            message_id=self.new_message_id(),
            created_at=datetime.now(UTC),
            reports=reports,
        )

    def pacs004(self, *returns: PaymentReturn) -> Pacs004:
        return Pacs004(
            sender=self.ispb,
            receiver=SPI_ISPB,
            message_id=self.new_message_id(),
            created_at=datetime.now(UTC),
            returns=returns,
        )

    def return_of(self, original: CreditTransfer, **changed: object) -> PaymentReturn:
        """Give back a payment, wholly where nothing else is said."""
        made = PaymentReturn(
            return_id=f"D{self.ispb}{datetime.now(UTC):%Y%m%d%H%M}{next(numbers):011d}",
            end_to_end_id=original.end_to_end_id,
            amount_cents=original.amount_cents,
            reason="MD06",
            debtor_ispb=original.debtor_ispb,
            creditor_ispb=original.creditor_ispb,
        )
        return msgspec.structs.replace(made, **changed)

    def new_message_id(self) -> str:
        return message_id(self.ispb, f"{next(numbers):023d}")

    def encode(self, message: Message) -> bytes:
        return encode(message, self.signer)

    async def pay(self, *transfers: CreditTransfer) -> tuple[str, ...]:
        return await self.client.post([self.encode(self.pacs008(*transfers))])

    async def answer(self, transfer: CreditTransfer, status: str, *reasons: str) -> None:
        await self.client.post([self.encode(self.pacs002(report(transfer, status, *reasons)))])

    async def answer_return(self, one: PaymentReturn, status: str, *reasons: str) -> None:
        made = StatusReport(
            original_instruction_id=one.return_id,
            end_to_end_id=one.end_to_end_id,
            status=status,
            reasons=reasons,
        )
        await self.client.post([self.encode(self.pacs002(made))])

    async def pull(self) -> Delivery:
        if self._next is None:
            delivery = await self.client.start_stream()
        else:
            delivery = await self.client.pull(self._next)
        self._next = delivery.next
        self.resource_ids += [each.resource_id for each in delivery.messages]
        return delivery

    async def read(self, count: int = 1) -> list[Message]:
        """Read that many messages, checked against signature and schema."""
        messages: list[Message] = []
        async with asyncio.timeout(READ_SECONDS):
            while len(messages) < count:
                messages += self.opened(await self.pull())
        return messages

    async def read_reports(self, count: int = 1) -> list[StatusReport]:
        """Read that many reports out of pacs.002."""
        reports: list[StatusReport] = []
        while len(reports) < count:
            for message in await self.read():
                assert isinstance(message, Pacs002)
                reports += message.reports
        return reports

    async def is_quiet(self) -> bool:
        """Say whether one long poll brings nothing."""
        return not (await self.pull()).messages

    def opened(self, delivery: Delivery) -> Sequence[Message]:
        messages = [decode(each.body, self.spi) for each in delivery.messages]
        for message, received in zip(messages, delivery.messages, strict=True):
            self._schemas.check(message, received.body)
            assert message.sender == SPI_ISPB
            assert message.receiver == self.ispb
        return messages


def report(transfer: CreditTransfer, status: str, *reasons: str) -> StatusReport:
    return StatusReport(
        original_instruction_id=transfer.end_to_end_id,
        end_to_end_id=transfer.end_to_end_id,
        status=status,
        reasons=reasons,
    )


def outcome(report: StatusReport) -> tuple[str, ...]:
    return (report.status, *report.reasons)


async def settle(payer: Desk, receiver: Desk, **changed: object) -> CreditTransfer:
    """Settle one payment between two connected participants, and read all that is told."""
    original = payer.transfer(**{"creditor_ispb": receiver.ispb, **changed})
    await payer.pay(original)
    await receiver.read()
    await receiver.answer(original, "ACSP")
    assert outcome((await payer.read_reports())[0]) == ("ACSC",)
    assert outcome((await receiver.read_reports())[0]) == ("ACCC",)
    return original


async def admin(bank: RunningBank, path: str | None) -> Any:
    """Look at the bank from its admin port; None reads the metrics as text."""
    url = f"{bank.admin_url}/metrics" if path is None else f"{bank.admin_url}/admin/{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        response.raise_for_status()
        return await (response.text() if path is None else response.json())
