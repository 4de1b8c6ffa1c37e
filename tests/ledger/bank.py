"""A bank with one shard: its own money, its PI account, its customers."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from actors import CalleeDied, CallTimeout, Node, NoProcess, Overloaded, Pid
from ledger import (
    Account,
    AccountBook,
    AccountCode,
    AccountFlag,
    Answer,
    Balance,
    Commit,
    Committed,
    Entry,
    Idempotency,
    OpenAccounts,
    ShardSettings,
    ShardWriter,
    Transfer,
    TransferCode,
    hold,
)

TENANT = "12345678"
SHARD = ShardSettings(id=1, tenant=TENANT, owner="one")
CUSTOMERS = 5
FUNDS_CENTS = 100_000
SUBJECTS = Node("subjects").ids


def key(text: str, fingerprint: bytes = b"same") -> Idempotency:
    """A client's key for a new subject."""
    return Idempotency(text, fingerprint, SUBJECTS.new_id())


@dataclass
class Bank:
    """One writer under test and the accounts it serves."""

    node: Node
    dsn: str
    book: AccountBook = field(default_factory=AccountBook)
    writer: Pid | None = None
    accounts: list[Account] = field(default_factory=list)

    def make_accounts(self) -> list[Account]:
        """Own funds, PI account, then customers."""
        new_id = self.node.ids.new_id
        limit = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
        own = Account(new_id(), TENANT, AccountCode.OWN_FUNDS)
        pi = Account(new_id(), TENANT, AccountCode.PI_ACCOUNT)
        customers = [
            Account(
                new_id(), TENANT, AccountCode.CUSTOMER, "0001", f"{n}", "CACC", "Ana", "1", limit
            )
            for n in range(CUSTOMERS)
        ]
        return [own, pi, *customers]

    @property
    def pi(self) -> UUID:
        return self.accounts[1].id

    def customer(self, number: int = 0) -> UUID:
        return self.accounts[2 + number].id

    def balance(self, account_id: UUID) -> Balance:
        balance = self.book.balance(account_id)
        assert balance is not None
        return balance

    def hold_of(self, amount_cents: int, customer: int = 0) -> Transfer:
        return hold(
            self.node.ids.new_id(),
            self.customer(customer),
            self.pi,
            amount_cents,
            TransferCode.PIX_OUT,
        )

    async def start(self, **arguments: Any) -> Pid:
        """Start a writer on the bank's book, unless told otherwise."""
        arguments = {"shard": SHARD, "dsn": self.dsn, "book": self.book, **arguments}
        self.writer = await self.node.start(ShardWriter(**arguments))
        return self.writer

    async def restart(self) -> None:
        """Stop the writer in order and start another one, as a supervisor does; wait for it."""
        assert self.writer is not None
        await self.node.stop(self.writer)
        await self.start()
        assert await self.commit() == ()  # answered when the shard is loaded

    async def open(self) -> None:
        """Open the accounts and give every customer some money."""
        self.accounts = self.make_accounts()
        opened = await self.node.call(self.writer, OpenAccounts(tuple(self.accounts)))
        assert opened == Committed()
        funding = Entry(
            transfers=tuple(
                Transfer(
                    self.node.ids.new_id(),
                    self.accounts[0].id,
                    self.customer(number),
                    FUNDS_CENTS,
                    TransferCode.FUNDING,
                )
                for number in range(CUSTOMERS)
            )
        )
        assert await self.commit(funding) == (Committed(),)

    async def commit(self, *entries: Entry, timeout_ms: int = 5_000) -> tuple[Answer, ...]:
        assert self.writer is not None
        return await self.node.call(self.writer, Commit(entries), timeout_ms=timeout_ms)

    async def commit_transfers(self, *transfers: Transfer) -> Answer:
        return (await self.commit(Entry(transfers)))[0]

    async def try_commit(self, name: str, *entries: Entry) -> tuple[Answer, ...] | None:
        """Commit at the writer of that name; None when the outcome is not known."""
        try:
            return await self.node.call(name, Commit(entries), timeout_ms=2_000)
        except (CalleeDied, CallTimeout, NoProcess, Overloaded):
            return None
