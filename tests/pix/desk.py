"""One shard with a real ledger, and a bank that says what the test wants it to say."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from actors import Killed, Node
from bacen.icom import Delivery, IcomRefused, IcomUnknown, Received
from bacen.wire import (
    SPI_ISPB,
    LocalAuthority,
    Message,
    Pacs002,
    StatusReport,
    encode,
    make_end_to_end_id,
)
from ledger import (
    Account,
    AccountBook,
    AccountCode,
    AccountFlag,
    Commit,
    Committed,
    Entry,
    OpenAccounts,
    ShardSettings,
    ShardWriter,
    Transfer,
    TransferCode,
    hold,
)
from pix import OpenPayments, Party, Payment, PaymentReader, PaymentRows
from pix.events import payment_event
from pix.payments import HOLD_LEG, PaymentStatus, leg
from pix.records import NewPayment

TENANT = "12345678"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CUSTOMER = UUID(int=1 << 16)
PI_ACCOUNT = UUID(int=2 << 16)
OWN = UUID(int=3 << 16)
FUNDS_CENTS = 1_000_000
WRITER = "writer"


class ScriptedIcom:
    """Delivers what it was given, in order, then keeps the reader waiting; remembers POSTs.

    Attributes:
        confirmed: Paths that were asked for, each confirming the delivery before it.
        posted: Bodies of each POST that reached the bank, in order.
        cuts: How many of the next POSTs are cut after the bank stored them.
        is_refusing: Whether the others get a 403.
    """

    def __init__(self) -> None:
        self.deliveries: asyncio.Queue[Delivery] = asyncio.Queue()
        self.confirmed: list[str] = []
        self.posted: list[list[bytes]] = []
        self.cuts = 0
        self.is_refusing = False
        self._count = 0

    def deliver(self, *bodies: bytes, resource_ids: Sequence[str] = ()) -> None:
        """Put one delivery on the stream."""
        self._count += 1
        names = resource_ids or [f"R{self._count}-{n}" for n in range(len(bodies))]
        messages = tuple(map(Received, names, bodies))
        self.deliveries.put_nowait(Delivery(messages, f"/next/{self._count}"))

    async def start_stream(self) -> Delivery:
        """Open the stream."""
        return await self.deliveries.get()

    async def pull(self, path: str) -> Delivery:
        """Confirm and go on."""
        self.confirmed.append(path)
        return await self.deliveries.get()

    async def post(self, messages: Sequence[bytes], *, sender: object = None) -> tuple[str, ...]:
        """Store messages, unless this POST is cut, and then this one refused."""
        del sender
        self.posted.append(list(messages))
        if self.cuts:
            self.cuts -= 1
            raise IcomUnknown("cut")
        if self.is_refusing:
            raise IcomRefused(403, "Acesso negado")
        return tuple(f"P{len(self.posted)}-{n}" for n in range(len(messages)))


@dataclass
class Desk:
    """The shard, its tables, and keys of both sides."""

    node: Node
    dsn: str
    authority: LocalAuthority
    icom: ScriptedIcom = field(default_factory=ScriptedIcom)
    book: AccountBook = field(default_factory=AccountBook)
    opened: OpenPayments = field(default_factory=OpenPayments)
    wakes: list[bool] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    given_up: list[tuple[str, str]] = field(default_factory=list)

    async def start(self) -> None:
        """Start the writer and open the accounts."""
        self.pool = await asyncpg.create_pool(self.dsn, min_size=0, max_size=2)
        self.reader = PaymentReader(lambda: self.pool, TENANT)
        self.node.telemetry.attach(
            ("pix", "receiver", "alarm"), lambda _e, _m, about: self.alarms.append(about["problem"])
        )
        self.node.telemetry.attach(
            ("pix", "sender", "alarm"),
            lambda _e, _m, about: self.given_up.append((about["end_to_end_id"], about["reason"])),
        )
        await self.start_writer()
        await self._open_accounts()

    async def start_writer(self) -> None:
        """Start a writer, as a supervisor does after the last one died."""
        rows = PaymentRows(TENANT, self.opened, self.wakes.append)
        writer = ShardWriter(ShardSettings(1, TENANT, "test"), self.dsn, self.book, rows)
        await self.node.start(writer, name=WRITER, link=False)

    async def kill(self, name: str) -> None:
        """End a process without asking it, if it runs."""
        pid = self.node.whereis(name)
        if pid is not None:
            self.node.exit(pid, Killed())
            await self.node.join(pid)

    async def stop(self) -> None:
        """Close the pool; the node's own fixture stops the processes."""
        await self.pool.close()

    async def accept(
        self, number: int, *, is_submitted: bool = False, key: str | None = None
    ) -> Payment:
        """A payment of one real, accepted and held; to a key where one is given."""
        payment = make_payment(self.node, number)
        if key is not None:
            creditor = msgspec.structs.replace(payment.creditor, key=key)
            payment = msgspec.structs.replace(payment, creditor=creditor)
        entry = Entry(
            transfers=(
                hold(
                    leg(payment.payment_id, HOLD_LEG),
                    debit_account_id=CUSTOMER,
                    credit_account_id=PI_ACCOUNT,
                    amount_cents=payment.amount_cents,
                    code=TransferCode.PIX_OUT,
                ),
            ),
            events=(payment_event(payment, PaymentStatus.PROCESSING, None, NOW),),
            record=NewPayment(payment),
        )
        assert await self.commit(entry) == (Committed(),)
        self.opened.payments[payment.end_to_end_id].is_submitted = is_submitted
        return payment

    async def commit(self, *entries: Entry) -> Any:
        """Commit entries; the answers."""
        return await self.node.call(WRITER, Commit(entries))

    def signed(self, message: Message, ispb: str | None = None) -> bytes:
        """A message as the SPI signs it, or as the participant `ispb` would."""
        pair = (
            self.authority.spi_signing()
            if ispb is None
            else self.authority.participant(ispb).signing
        )
        return encode(message, pair.signer())

    async def until_confirmed(self, count: int) -> None:
        """Wait until the receiver has asked for the next delivery `count` times."""
        while len(self.icom.confirmed) < count:  # the test's timeout bounds it
            await asyncio.sleep(0.01)

    async def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        return [tuple(row) for row in await self.pool.fetch(query, *arguments)]

    async def _open_accounts(self) -> None:
        limit = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
        accounts = (
            Account(CUSTOMER, TENANT, AccountCode.CUSTOMER, "0001", "1", "CACC", "Ana", "1", limit),
            Account(
                PI_ACCOUNT,
                TENANT,
                AccountCode.PI_ACCOUNT,
                flags=AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS,
            ),
            Account(OWN, TENANT, AccountCode.OWN_FUNDS),
        )
        assert await self.node.call(WRITER, OpenAccounts(accounts)) == Committed()
        funding = Transfer(
            self.node.ids.new_id(), PI_ACCOUNT, CUSTOMER, FUNDS_CENTS, TransferCode.FUNDING
        )
        assert await self.commit(Entry(transfers=(funding,))) == (Committed(),)


def make_payment(node: Node, number: int, **changes: Any) -> Payment:
    """A payment of one real to a made-up account."""
    values = {
        "payment_id": node.ids.new_id(),
        "tenant": TENANT,
        "end_to_end_id": make_end_to_end_id(TENANT, node.clock.now(), f"{number:011d}"),
        "amount_cents": 100,
        "debtor_account_id": CUSTOMER,
        "debtor": Party(
            ispb=TENANT,
            account_number="1",
            account_type="CACC",
            branch="0001",
            name="Ana",
            tax_id="52998224725",
        ),
        "creditor": Party(
            ispb="00000000", account_number="7", account_type="CACC", tax_id="52998224725"
        ),
        "created_at": NOW,
        **changes,
    }
    return Payment(**values)


def status(
    *payments: Payment, status: str = "ACSC", reason: str | None = None, suffix: str = "1"
) -> Pacs002:
    """A pacs.002 of the SPI about some payments."""
    return Pacs002(
        sender=SPI_ISPB,
        receiver=TENANT,
        message_id=f"M{SPI_ISPB}{suffix.rjust(23, '0')}",
        created_at=NOW,
        reports=tuple(
            StatusReport(
                original_instruction_id=payment.end_to_end_id,
                end_to_end_id=payment.end_to_end_id,
                status=status,
                reasons=(reason,) if reason else (),
                settled_at=NOW if status == "ACSC" else None,
                settlement_date=NOW.date() if status == "ACSC" else None,
            )
            for payment in payments
        ),
    )


def make_authority(folder: Path) -> LocalAuthority:
    """Keys for one test session; making them takes a second."""
    return LocalAuthority.create(folder, now=datetime.now(UTC))
