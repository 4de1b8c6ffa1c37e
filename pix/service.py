"""Pix as its clients see it: start a payment, look one up, ask for the position.

Runs in the task of the caller (an HTTP request, a command); what needs an owner it asks of the
processes behind. Works out everything that does not need the shard: ids, the account behind a key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from actors import CalleeDied, CallTimeout, Node, NoProcess, Overloaded, Target
from bacen.dict import (
    DictClient,
    DictRateLimited,
    DictRefused,
    DictRestricted,
    DictUnavailable,
    EntryNotFound,
    InvalidKey,
    key_type,
)
from bacen.wire import CreditTransfer, InvalidMessage, make_end_to_end_id
from ledger import (
    AccountBook,
    Committed,
    NothingDone,
    OutcomeUnknown,
    Refused,
    Replayed,
    TransferResult,
)
from pix.errors import PaymentRefused, PaymentUnknown
from pix.intake import SubmitPayment
from pix.payments import Party, Payment, base62, credit_transfer
from pix.position import GetPosition, Position
from pix.store import PaymentReader, PaymentView

SUBMIT_TIMEOUT_MS = 5_000
MS_PER_MINUTE = 60_000
DICT_PERIOD_MS = 60_000  # in which the buckets of readings are filled again
RANDOM_BITS = 48

_REFUSALS = {
    TransferResult.EXCEEDS_CREDITS: ("insufficient_funds", "the account has not enough funds"),
    TransferResult.EXCEEDS_DEBITS: (
        "insufficient_position",
        "the institution has not enough funds at the central bank",
    ),
    TransferResult.DEBIT_ACCOUNT_ALREADY_CLOSED: ("account_closed", "the account is closed"),
    TransferResult.DEBIT_ACCOUNT_INACTIVE: ("account_inactive", "the account is inactive"),
    TransferResult.DEBIT_ACCOUNT_BLOCKED: ("account_blocked", "the account is blocked"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a client asks for, checked in form.

    Attributes:
        tenant: ISPB of the institution the client belongs to.
        amount_cents: More than zero.
        branch: Branch of the debtor's account.
        account_number: Number of the debtor's account.
        tax_id: CPF or CNPJ the client gives for the debtor; must be the account's.
        key: Pix key of the creditor, or None when `creditor` is given.
        creditor: Account of the creditor, or None when `key` is given.
        description: Text for the creditor, at most 140 characters.
        idempotency_key: The client's key for this order.
        fingerprint: SHA-256 of the request.
    """

    tenant: str
    amount_cents: int
    branch: str
    account_number: str
    tax_id: str
    key: str | None
    creditor: Party | None
    description: str | None
    idempotency_key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """The payment is durable and will reach a final state."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same order was accepted before; `payment_id` is that payment."""

    payment_id: UUID


class PixService:
    """The face of the room for one institution."""

    def __init__(
        self,
        node: Node,
        tenant: str,
        book: AccountBook,
        dict_client: Callable[[], DictClient],
        reader: PaymentReader,
    ) -> None:
        self._node = node
        self._tenant = tenant
        self._book = book
        self._dict = dict_client
        self._reader = reader
        self._intake: Target = "pix.intake"
        self._position: Target = "pix.position"

    async def pay(self, order: Order) -> Accepted | Repeated:
        """Accept a payment: when this returns, it can no longer be lost.

        Raises:
            PaymentRefused: Nothing was done.
            PaymentUnknown: It may have been accepted; repeat the order with the same key.
        """
        if not self._book.is_loaded:
            raise PaymentRefused("unavailable", "the ledger is not loaded yet")
        account = self._book.find(order.branch, order.account_number)
        if account is None or account.tenant != order.tenant:
            raise PaymentRefused("debtor_account_not_found", "no such account", "debtor")
        if account.tax_id != order.tax_id:
            raise PaymentRefused(
                "debtor_mismatch", "the account belongs to another tax id", "debtor.tax_id"
            )
        payment_id = self._node.ids.new_id()
        created_at = self._node.clock.now()
        end_to_end_id = self._end_to_end_id(created_at)
        creditor = order.creditor
        if creditor is None:
            assert order.key is not None  # the order was checked in form
            # A repetition must not cost the payer another look-up in DICT.
            earlier = await self._reader.by_idempotency_key(order.idempotency_key)
            if earlier is not None:
                payment_of_key, fingerprint = earlier
                return _repeated(payment_of_key, is_same=fingerprint == order.fingerprint)
            creditor = await self._resolve(order.key, order.tax_id, end_to_end_id)
        payment = Payment(
            payment_id=payment_id,
            tenant=self._tenant,
            end_to_end_id=end_to_end_id,
            amount_cents=order.amount_cents,
            debtor_account_id=account.id,
            debtor=Party(
                ispb=self._tenant,
                account_number=order.account_number,
                account_type=account.account_type or "CACC",
                branch=account.branch,
                name=account.name,
                tax_id=order.tax_id,
            ),
            creditor=creditor,
            created_at=created_at,
            description=order.description,
        )
        return await self._submit(payment, _for_spi(payment), order)

    async def payment(self, tenant: str, payment_id: UUID) -> PaymentView | None:
        """A payment of `tenant` with its timeline; None where it has none with this id."""
        return await self._reader.payment(payment_id) if tenant == self._tenant else None

    async def position(self) -> Position:
        """The institution's position at the central bank."""
        try:
            position: Position = await self._node.call(self._position, GetPosition())
        except (CallTimeout, CalleeDied, NoProcess, Overloaded) as error:
            raise PaymentRefused("unavailable", "the position is not known just now") from error
        return position

    async def _submit(
        self, payment: Payment, transfer: CreditTransfer, order: Order
    ) -> Accepted | Repeated:
        request = SubmitPayment(payment, transfer, order.idempotency_key, order.fingerprint)
        try:
            answer = await self._node.call(self._intake, request, timeout_ms=SUBMIT_TIMEOUT_MS)
        except (NoProcess, Overloaded, NothingDone) as error:
            raise PaymentRefused("overloaded", "try again later") from error
        except (CallTimeout, CalleeDied, OutcomeUnknown) as error:
            raise PaymentUnknown("no answer in time; repeat with the same key") from error
        match answer:
            case (Committed(),):
                return Accepted(payment)
            case (Replayed(subject_id, is_same),):
                return _repeated(subject_id, is_same=is_same)
            case (Refused(result),):
                raise PaymentRefused(*_REFUSALS.get(result, ("refused", result.name.lower())))
            case PaymentRefused():
                raise answer
            case _:
                raise TypeError(type(answer).__name__)

    async def _resolve(self, key: str, payer_tax_id: str, end_to_end_id: str) -> Party:
        try:
            key_type(key)
            entry = await self._dict().get_entry(
                key, payer_tax_id=payer_tax_id, end_to_end_id=end_to_end_id
            )
        except InvalidKey as error:
            raise PaymentRefused("invalid_key", "not a Pix key", "pix_key") from error
        except EntryNotFound as error:
            raise PaymentRefused(
                "key_not_found", "DICT does not know the key", "pix_key"
            ) from error
        except DictRateLimited as error:
            detail = "DICT is asked about no more keys just now"
            retry_after_s = -(-(error.retry_after_ms or DICT_PERIOD_MS) // 1000)
            raise PaymentRefused(
                "dict_rate_limited", detail, retry_after_s=retry_after_s
            ) from error
        except DictRestricted as error:
            detail = "DICT does not let this key be paid by this payer"
            raise PaymentRefused("dict_restricted", detail, "pix_key") from error
        except (DictRefused, DictUnavailable) as error:
            raise PaymentRefused("dict_unavailable", "DICT gave no answer", "pix_key") from error
        return Party(
            ispb=entry.account.participant,
            account_number=entry.account.account_number,
            account_type=entry.account.account_type,
            branch=entry.account.branch,
            name=entry.owner.name,
            tax_id=entry.owner.tax_id_number,
            key=entry.key,
        )

    def _end_to_end_id(self, at: datetime) -> str:
        """Sorted by time within the minute it names, so that its index grows on one side."""
        into_minute_ms = at.second * 1000 + at.microsecond // 1000
        assert into_minute_ms < MS_PER_MINUTE
        number = into_minute_ms << RANDOM_BITS | self._node.rng.getrandbits(RANDOM_BITS)
        return make_end_to_end_id(self._tenant, at, base62(number, 11))


def _for_spi(payment: Payment) -> CreditTransfer:
    """Refuse what no pacs.008 can carry now, while nothing was promised."""
    try:
        return credit_transfer(payment)
    except InvalidMessage as error:
        detail = f"the SPI takes no such {error.path}: {error.problem}"
        raise PaymentRefused("invalid_payment", detail) from error


def _repeated(payment_id: UUID, *, is_same: bool) -> Repeated:
    if not is_same:
        raise PaymentRefused(
            "idempotency_key_reused", "the key was used for another request", "idempotency_key"
        )
    return Repeated(payment_id)
