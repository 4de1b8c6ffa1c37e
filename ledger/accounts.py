"""Accounts and their four counters."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NamedTuple
from uuid import UUID

from ledger.transfers import LEDGER_BRL


class AccountCode(IntEnum):
    """Type of an account: a small internal number, mapped to COSIF elsewhere.

    A COSIF code has ten digits and validity dates; the ledger's code has 16 bits and none.
    """

    CUSTOMER = 1
    PI_ACCOUNT = 2
    OWN_FUNDS = 3
    FEE_INCOME = 4


class AccountFlag(IntFlag):
    """Limits and state of an account; bits as in TigerBeetle 0.17.

    A customer's money is the institution's liability, so customer accounts carry
    `DEBITS_MUST_NOT_EXCEED_CREDITS`. The two limits exclude each other.
    """

    NONE = 0
    DEBITS_MUST_NOT_EXCEED_CREDITS = 2
    CREDITS_MUST_NOT_EXCEED_DEBITS = 4
    HISTORY = 8
    CLOSED = 32


class AccountStatus(IntEnum):
    """What may happen on an account, beside its flags; kept by us, not by the ledger's core."""

    ACTIVE = 0
    INACTIVE = 1
    """Nothing new moves, in or out."""
    BLOCKED = 2
    """Nothing new moves out; credits are taken."""


class StatusReason(IntEnum):
    """Why an account has its status."""

    NONE = 0
    OWNER_REQUEST = 1
    COURT_ORDER = 2
    FRAUD_SUSPICION = 3
    COMPLIANCE = 4
    CORRECTION = 5


class AccountResult(IntEnum):
    """Why an account was not opened; numbers of TigerBeetle 0.17, ours from 1000."""

    ID_MUST_NOT_BE_ZERO = 6
    ID_MUST_NOT_BE_INT_MAX = 7
    FLAGS_ARE_MUTUALLY_EXCLUSIVE = 8
    LEDGER_MUST_NOT_BE_ZERO = 13
    CODE_MUST_NOT_BE_ZERO = 14
    EXISTS_WITH_DIFFERENT_FLAGS = 15
    EXISTS_WITH_DIFFERENT_LEDGER = 19
    EXISTS_WITH_DIFFERENT_CODE = 20
    EXISTS_WITH_DIFFERENT_DETAILS = 1000
    NUMBER_TAKEN = 1001
    TENANT_IS_ANOTHER = 1002
    EXISTS_IN_ANOTHER_SHARD = 1003
    NOT_FOUND = 1004
    PRODUCT_NOT_FOUND = 1005
    DIFFERS_FROM_PRODUCT = 1006


@dataclass(frozen=True, slots=True)
class Account:
    """An account of one tenant; everything about it that never changes.

    Attributes:
        id: Time-ordered id, unique in the database.
        tenant: ISPB of the institution, eight digits.
        code: Type of the account.
        branch: Branch ("agência") as the customer knows it, if any.
        number: Account number as the customer knows it; unique in tenant and branch.
        account_type: ISO 20022 cash account type: "CACC", "SVGS", "TRAN", ...
        name: Holder's name.
        tax_id: Holder's CPF or CNPJ, digits only.
        product: Code of the product that it was opened under, if any (`ledger.products`).
        flags: Limits and state.
        ledger: Currency, as its ISO 4217 number.
    """

    id: UUID
    tenant: str
    code: AccountCode
    branch: str | None = None
    number: str | None = None
    account_type: str | None = None
    name: str | None = None
    tax_id: str | None = None
    flags: AccountFlag = AccountFlag.NONE
    ledger: int = LEDGER_BRL
    product: str | None = None


class Balance(NamedTuple):
    """The four counters of an account in centavos, never negative, never decreasing when posted."""

    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int

    @property
    def available_cents(self) -> int:
        """What a credit-natured account (a customer) can still spend, in centavos.

        Holds on the account count against it; credits not yet posted do not count.
        """
        return self.credits_posted - self.debits_posted - self.debits_pending

    @property
    def posted_cents(self) -> int:
        """Balance of a credit-natured account without its holds, in centavos."""
        return self.credits_posted - self.debits_posted
