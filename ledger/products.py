"""Products: under which terms accounts are opened. Limits, fees, and the code they are kept under.

A product says which type of account it makes (`AccountCode`, and with it the COSIF rubric), what
such an account may do, and what is charged for it. Its terms may change; an account keeps its
product for ever.
"""

from typing import Any, Final
from uuid import UUID

import msgspec

from ledger.accounts import Account, AccountCode, AccountFlag
from ledger.errors import InvalidProduct
from ledger.transfers import LEDGER_BRL, Transfer, TransferCode, TransferFlag

PER_UNIT: Final = 10_000
"""A rate is in hundredths of a percent."""

RESOLVING: Final = int(TransferFlag.POST_PENDING_TRANSFER | TransferFlag.VOID_PENDING_TRANSFER)
UNCHARGEABLE: Final = RESOLVING | int(TransferFlag.BALANCING_DEBIT | TransferFlag.BALANCING_CREDIT)


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """What a transfer of one kind costs its debit account.

    Attributes:
        charged_for: Why the money moves.
        fixed_cents: Centavos, whatever the amount.
        rate: Part of the amount in hundredths of a percent, half a centavo rounded up.
        min_cents: The least that is charged.
        max_cents: The most.

    Raises:
        InvalidProduct: A number is negative, or the least is more than the most.
    """

    charged_for: TransferCode
    fixed_cents: int = 0
    rate: int = 0
    min_cents: int = 0
    max_cents: int | None = None

    def __post_init__(self) -> None:
        """Check what a type cannot say."""
        if min(self.fixed_cents, self.rate, self.min_cents) < 0:
            raise InvalidProduct("fee", "is negative")
        if self.max_cents is not None and self.max_cents < self.min_cents:
            raise InvalidProduct("fee", "has its least above its most")

    def cents(self, amount_cents: int) -> int:
        """The fee on an amount, both in centavos."""
        part = (amount_cents * self.rate + PER_UNIT // 2) // PER_UNIT
        fee = max(self.fixed_cents + part, self.min_cents)
        return fee if self.max_cents is None else min(fee, self.max_cents)


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of accounts.

    Attributes:
        code: Short name, unique in a shard.
        name: As customers know it.
        account_code: Type of its accounts.
        account_type: ISO 20022 cash account type of its accounts.
        flags: Of its accounts.
        ledger: Currency, as its ISO 4217 number.
        transfer_max_cents: Most that one transfer may take from an account; None: no limit.
        day_max_cents: Most that leaves an account in a day of Brasília, open holds included.
        balance_max_cents: Most that an account may have, with what is on its way to it.
        fees: At most one for each kind of transfer.

    Raises:
        InvalidProduct: A limit is negative, or there are two fees for the same thing.
    """

    code: str
    name: str
    account_code: AccountCode = AccountCode.CUSTOMER
    account_type: str | None = "TRAN"
    flags: AccountFlag = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
    ledger: int = LEDGER_BRL
    transfer_max_cents: int | None = None
    day_max_cents: int | None = None
    balance_max_cents: int | None = None
    fees: tuple[Fee, ...] = ()

    def __post_init__(self) -> None:
        """Check what a type cannot say."""
        for name in ("transfer_max_cents", "day_max_cents", "balance_max_cents"):
            limit = getattr(self, name)
            if limit is not None and limit < 0:
                raise InvalidProduct(name, "is negative")
        if len({fee.charged_for for fee in self.fees}) < len(self.fees):
            raise InvalidProduct("fees", "are two for the same kind of transfer")

    def account(self, id: UUID, tenant: str, **details: Any) -> Account:  # noqa: A002
        """Make an account under this product.

        Args:
            id: Of the account.
            tenant: ISPB.
            details: `branch`, `number`, `name` and `tax_id` of an `Account`.
        """
        return Account(
            id,
            tenant,
            self.account_code,
            account_type=self.account_type,
            flags=self.flags,
            ledger=self.ledger,
            product=self.code,
            **details,
        )

    def is_of(self, account: Account) -> bool:
        """Tell whether an account has what this product gives its accounts."""
        return (account.code, account.account_type, account.flags, account.ledger) == (
            self.account_code,
            self.account_type,
            self.flags,
            self.ledger,
        )

    def fee_cents(self, charged_for: int, amount_cents: int) -> int:
        """What a transfer costs, in centavos; 0 when nothing is charged for it."""
        fees = (fee.cents(amount_cents) for fee in self.fees if fee.charged_for == charged_for)
        return next(fees, 0)

    def charge(self, transfer: Transfer, fee_id: UUID, income_id: UUID) -> tuple[Transfer, ...]:
        """A transfer with its fee behind it, to be given to one `Entry`: both happen, or neither.

        The fee of a hold is a hold: post or void the two together.

        Args:
            transfer: Of a fixed amount, from an account of this product.
            fee_id: Id of the fee's transfer, chosen and stored like every other.
            income_id: Account that earns the fee.

        Raises:
            InvalidProduct: The transfer resolves a hold or has no amount of its own.
        """
        if transfer.flags & UNCHARGEABLE:
            raise InvalidProduct("fees", "cannot be charged for a transfer without its own amount")
        cents = self.fee_cents(transfer.code, transfer.amount_cents)
        if not cents:
            return (transfer,)
        fee = Transfer(
            fee_id,
            transfer.debit_account_id,
            income_id,
            cents,
            TransferCode.FEE,
            transfer.flags & TransferFlag.PENDING,
            None,
            transfer.timeout_seconds,
            transfer.ledger,
            user_data_128=transfer.id.int,
        )
        return (transfer, fee)
