"""Bodies of requests and answers of ``/api/v1``: the structs that decode them and document them.

Money is a decimal string with two decimals (``"10.50"``). A number with at most two decimals is
taken too; it is read from its digits, never through a float.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta, Raw
from stdnum.br import cnpj, cpf

from bacen.wire import cents_to_text
from gateway.errors import InvalidRequest, Violation
from pix import Party, Payment, PaymentView, Position, payment_reference

AMOUNT_CENTS_MAX = 99_999_999_999
TAX_IDS_REMEMBERED_MAX = 16_384  # the same payers come again
NO_OFFSET = timedelta(0)

_AMOUNT = re.compile(rb'(?P<quote>"?)(?P<units>\d{1,15})(?:\.(?P<cents>\d{1,2}))?(?P=quote)')
_TOO_PRECISE = re.compile(rb'"?-?\d+\.\d{3,}"?')

Amount = Annotated[
    Raw,
    Meta(
        description="BRL, greater than zero, at most two decimals.",
        extra_json_schema={"type": "string", "examples": ["10.50"]},
    ),
]
Ispb = Annotated[str, Meta(pattern="^[0-9A-Z]{8}$")]
Branch = Annotated[str, Meta(pattern="^[0-9]{1,4}$")]
AccountNumber = Annotated[str, Meta(pattern="^[0-9A-Z]{1,20}$")]
TaxId = Annotated[str, Meta(pattern="^([0-9]{11}|[0-9A-Z]{12}[0-9]{2})$")]
AccountType = Annotated[str, Meta(pattern="^(CACC|SVGS|TRAN|SLRY)$")]
Key = Annotated[str, Meta(min_length=1, max_length=77)]
IdempotencyKey = Annotated[str, Meta(min_length=1, max_length=255)]
Name = Annotated[str, Meta(min_length=1, max_length=140)]


class DebtorBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The account that pays."""

    account_number: AccountNumber
    branch: Branch
    tax_id: TaxId
    name: Name | None = None


class CreditorAccountBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The account that is paid, where there is no key."""

    ispb: Ispb
    account_number: AccountNumber
    tax_id: TaxId
    branch: Branch | None = None
    account_type: AccountType = "CACC"
    name: Name | None = None


class PaymentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payment order: to a key or to an account, never both."""

    amount: Amount
    debtor: DebtorBody
    pix_key: Key | None = None
    creditor_account: CreditorAccountBody | None = None
    description: Annotated[str, Meta(min_length=1, max_length=140)] | None = None
    idempotency_key: IdempotencyKey | None = None
    priority: Annotated[str, Meta(pattern="^(NORM|HIGH)$")] = "NORM"


class PartyAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One side of a payment; name and tax id are masked."""

    ispb: str
    account_number: str
    account_type: str
    tax_id: str
    branch: str | None = None
    name: str | None = None


class Timestamps(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """When the payment reached its states, RFC 3339 in UTC."""

    created_at: str
    submitted_at: str | None = None
    finished_at: str | None = None


class StepAnswer(msgspec.Struct, frozen=True):
    """One state of the payment and when it was reached."""

    status: str
    at: str


class PaymentAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A payment. `status` is PROCESSING, SUBMITTED, CONFIRMED, REJECTED or FAILED."""

    payment_id: str
    end_to_end_id: str
    status: str
    amount: str
    currency: str
    debtor: PartyAnswer
    creditor: PartyAnswer
    timestamps: Timestamps
    description: str | None = None
    reason: str | None = None
    timeline: tuple[StepAnswer, ...] = ()


class PositionAnswer(msgspec.Struct, frozen=True):
    """Money of the institution at the central bank, BRL."""

    ispb: str
    available: str
    reserved: str
    balance: str
    limit: str
    level: str
    currency: str = "BRL"


_decode_payment = msgspec.json.Decoder(PaymentBody).decode


def decode_payment(body: bytes) -> tuple[PaymentBody, int]:
    """The order and its amount in centavos.

    Raises:
        InvalidRequest: The body is not JSON, or not a payment order.
    """
    try:
        order = _decode_payment(body)
    except msgspec.ValidationError as error:
        raise InvalidRequest("validation_failed", (_violation(str(error)),)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest("malformed_json", ()) from error
    violations = []
    amount_cents, problem = _amount(bytes(order.amount))
    if problem:
        violations.append(Violation(problem, "amount"))
    if not is_tax_id(order.debtor.tax_id):
        violations.append(Violation("is no CPF or CNPJ", "debtor.tax_id"))
    creditor = order.creditor_account
    if (order.pix_key is None) == (creditor is None):
        violations.append(Violation("give either pix_key or creditor_account", "pix_key"))
    if creditor is not None and not is_tax_id(creditor.tax_id):
        violations.append(Violation("is no CPF or CNPJ", "creditor_account.tax_id"))
    if violations:
        raise InvalidRequest("validation_failed", tuple(violations))
    return order, amount_cents


@lru_cache(TAX_IDS_REMEMBERED_MAX)
def is_tax_id(text: str) -> bool:
    """True for a CPF or CNPJ with right check digits, alphanumeric CNPJ included.

    Eleven or fourteen times the same character has right check digits and is issued to nobody.
    """
    return len(set(text)) > 1 and bool(
        cpf.is_valid(text) if len(text) == 11 else cnpj.is_valid(text)
    )


def _amount(raw: bytes) -> tuple[int, str]:
    """Centavos, and what is wrong with the amount (empty where nothing is)."""
    match = _AMOUNT.fullmatch(raw)
    if match is None:
        if _TOO_PRECISE.fullmatch(raw):
            return 0, "has more than two decimals"
        return 0, 'must be a positive decimal such as "10.50"'
    cents = match["cents"] or b"00"
    amount_cents = int(match["units"]) * 100 + int(cents.ljust(2, b"0"))
    if amount_cents == 0:
        return 0, "must be greater than zero"
    if amount_cents > AMOUNT_CENTS_MAX:
        return 0, "must not be above 999999999.99"
    return amount_cents, ""


def _violation(text: str) -> Violation:
    """Msgspec says ``Expected `str`, got `int` - at `$.debtor.branch```."""
    reason, _, path = text.partition(" - at `")
    return Violation(reason, path.rstrip("`").removeprefix("$").removeprefix("."))


def mask_tax_id(tax_id: str) -> str:
    """``***456***01`` for a CPF: enough to recognise, not enough to use."""
    return f"***{tax_id[3:6]}***{tax_id[-2:]}"


def mask_name(name: str | None) -> str | None:
    """``Jo** Si***``: the first two letters of each part."""
    if name is None:
        return None
    return " ".join(part[:2] + "*" * (len(part) - 2) for part in name.split())


def _party(party: Party, name: str | None) -> PartyAnswer:
    return PartyAnswer(
        ispb=party.ispb,
        account_number=party.account_number,
        account_type=party.account_type,
        branch=party.branch,
        tax_id=mask_tax_id(party.tax_id),
        name=name,
    )


def accepted_answer(payment: Payment) -> PaymentAnswer:
    """The answer to an order that was just accepted."""
    at = rfc3339(payment.created_at)
    return _answer(payment, "PROCESSING", None, Timestamps(created_at=at), ())


def payment_answer(view: PaymentView) -> PaymentAnswer:
    """The answer to a look-up: the payment with its timeline."""
    steps = tuple(StepAnswer(step.status.value, rfc3339(step.at)) for step in view.timeline)
    submitted_at = next((step.at for step in steps if step.status == "SUBMITTED"), None)
    timestamps = Timestamps(
        created_at=rfc3339(view.payment.created_at),
        submitted_at=submitted_at,
        finished_at=steps[-1].at if steps and view.status.is_final else None,
    )
    return _answer(view.payment, view.status.value, view.reason, timestamps, steps)


def _answer(
    payment: Payment,
    status: str,
    reason: str | None,
    timestamps: Timestamps,
    timeline: tuple[StepAnswer, ...],
) -> PaymentAnswer:
    return PaymentAnswer(
        payment_id=payment_reference(payment.payment_id),
        end_to_end_id=payment.end_to_end_id,
        status=status,
        amount=cents_to_text(payment.amount_cents),
        currency="BRL",
        description=payment.description,
        debtor=_party(payment.debtor, payment.debtor.name),
        creditor=_party(payment.creditor, mask_name(payment.creditor.name)),
        timestamps=timestamps,
        reason=reason,
        timeline=timeline,
    )


def position_answer(position: Position) -> PositionAnswer:
    """The answer to a question for the position."""
    return PositionAnswer(
        ispb=position.ispb,
        available=cents_to_text(position.available_cents),
        reserved=cents_to_text(position.reserved_cents),
        balance=cents_to_text(position.balance_cents),
        limit=cents_to_text(position.limit_cents),
        level=position.level,
    )


def rfc3339(at: datetime) -> str:
    """A time as clients see it: UTC, milliseconds, ``Z``."""
    assert at.tzinfo is UTC or at.utcoffset() == NO_OFFSET
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"
