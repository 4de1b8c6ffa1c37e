"""How a counterparty behaves: whom it pays and how often, how and when it answers."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from bacen.dict import InvalidKey, parse_key
from bacen.simulator.durations import duration_ms
from bacen.simulator.errors import NOT_JSON, InvalidControl
from bacen.simulator.receivers import RECEIVER_REASONS
from bacen.simulator.virtual_payer import PAYER_ACCOUNT, PAYER_NAME, PAYER_TAX_ID
from bacen.wire import AccountId, CreditTransfer, InvalidMessage, make_end_to_end_id

COUNTERPARTIES_MAX = 100
TARGETS_MAX = 1_000
RATE_MAX = Decimal(1_000)
RATE_MIN = Decimal("0.001")
AMOUNT_CENTS_MAX = 100_000_000_00
A_DAY = datetime(2025, 1, 1, tzinfo=UTC)  # any: payments are tried with it
_ISPB = re.compile(r"[0-9A-Z]{8}")


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to pay: an account, or a key, which DICT is asked about before each payment."""

    ispb: str | None = None
    account_number: str | None = None
    tax_id: str | None = None
    account_type: str = "TRAN"
    branch: str | None = None
    key: str | None = None

    @property
    def is_key(self) -> bool:
        """Only DICT knows where it leads to."""
        return self.account_number is None


class Fixed(msgspec.Struct, frozen=True, tag="fixed", forbid_unknown_fields=True):
    """Always after the same time."""

    after: str


class Uniform(msgspec.Struct, frozen=True, tag="uniform", forbid_unknown_fields=True):
    """Anywhere between two times, all alike."""

    low: str
    high: str


class LogNormal(msgspec.Struct, frozen=True, tag="lognormal", forbid_unknown_fields=True):
    """Mostly soon, sometimes much later: half within `p50`, 95 of 100 within `p95`."""

    p50: str
    p95: str


AnswerTime = Fixed | Uniform | LogNormal


class Counterparty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One simulated participant.

    Attributes:
        ispb: A direct participant that is not connected.
        rate_per_second: Payments it makes, 0.001 to 1,000; None: it only receives.
        payments_max: Payments after which it stops; None: it goes on.
        amount_cents: Smallest and largest amount; all between are alike.
        targets: Whom it pays, each as often.
        answers: When it answers what it is asked.
        reject: Share of each reason with which it rejects.
        silent: Share that it never answers: AB03 when the time is over.
        late: Share that it accepts when the time is over already.
    """

    ispb: str
    rate_per_second: Decimal | None = None
    payments_max: int | None = None
    amount_cents: tuple[int, int] = (1, 100_000)
    targets: tuple[Target, ...] = ()
    answers: AnswerTime = Fixed("200ms")
    reject: dict[str, Decimal] = {}
    silent: Decimal = Decimal(0)
    late: Decimal = Decimal(0)

    def check(self) -> None:
        """Refuse what cannot work.

        Raises:
            InvalidControl: Names the field.
        """
        if _ISPB.fullmatch(self.ispb) is None:
            raise InvalidControl("ispb", "eight digits or capital letters")
        rate, (low, high) = self.rate_per_second, self.amount_cents
        if rate is not None and not (rate.is_finite() and RATE_MIN <= rate <= RATE_MAX):
            raise InvalidControl("rate_per_second", f"from {RATE_MIN} to {RATE_MAX}")
        if rate is not None and not self.targets:
            raise InvalidControl("targets", "somebody to pay is needed")
        if len(self.targets) > TARGETS_MAX:
            raise InvalidControl("targets", f"at most {TARGETS_MAX}")
        if self.payments_max is not None and self.payments_max < 0:
            raise InvalidControl("payments_max", "must not be negative")
        if not 0 < low <= high <= AMOUNT_CENTS_MAX:
            raise InvalidControl("amount_cents", f"two amounts from 1 to {AMOUNT_CENTS_MAX}")
        self._check_shares()
        self._check_times()
        self._check_targets()

    def _check_shares(self) -> None:
        unknown = [each for each in self.reject if each not in RECEIVER_REASONS]
        if unknown:
            raise InvalidControl("reject", f"{unknown[0]!r} is no reason of a receiver")
        shares = [*self.reject.values(), self.silent, self.late]
        if not all(each.is_finite() and each >= 0 for each in shares) or sum(shares) > 1:
            raise InvalidControl("reject, silent, late", "shares of 1, together at most 1")

    def _check_times(self) -> None:
        for field in self.answers.__struct_fields__:
            try:
                duration_ms(getattr(self.answers, field))
            except InvalidControl as error:
                raise InvalidControl(f"answers.{field}", error.problem) from None
        match self.answers:
            case Uniform(low, high) if duration_ms(low) > duration_ms(high):
                raise InvalidControl("answers", "low is above high")
            case LogNormal(p50, p95) if not 0 < duration_ms(p50) <= duration_ms(p95):
                raise InvalidControl("answers", "p50 is above p95, or zero")
            case _:
                pass

    def _check_targets(self) -> None:
        end_to_end_id = make_end_to_end_id(self.ispb, A_DAY, "0" * 11)
        for number, target in enumerate(self.targets):
            try:
                if target.is_key:
                    require_key_alone(target)
                else:
                    transfer_to(target, end_to_end_id, 1, A_DAY)
            except InvalidKey as error:
                raise InvalidControl(f"targets[{number}]", f"key: {error.problem}") from None
            except InvalidMessage as error:
                problem = f"{error.path}: {error.problem}"
                raise InvalidControl(f"targets[{number}]", problem) from None


def require_key_alone(target: Target) -> None:
    """Refuse a target that is neither an account nor just a key.

    Raises:
        InvalidKey: The key is none.
        InvalidMessage: It has parts of an account.
    """
    if target.ispb is not None or target.tax_id is not None or target.key is None:
        raise InvalidMessage("target", "ispb, account_number and tax_id, or key alone")
    parse_key(target.key)


def transfer_to(
    target: Target, end_to_end_id: str, amount_cents: int, now: datetime
) -> CreditTransfer:
    """Make one payment of a counterparty; its payer is that of the virtual payer.

    Raises:
        InvalidMessage: A field of the target has the wrong form, or is missing.
    """
    if target.ispb is None or target.account_number is None or target.tax_id is None:
        raise InvalidMessage("target", "ispb, account_number and tax_id, or key alone")
    return CreditTransfer(
        end_to_end_id=end_to_end_id,
        amount_cents=amount_cents,
        accepted_at=now,
        local_instrument="MANU" if target.key is None else "DICT",
        debtor_name=PAYER_NAME,
        debtor_tax_id=PAYER_TAX_ID,
        debtor_account=PAYER_ACCOUNT,
        debtor_ispb=end_to_end_id[1:9],
        creditor_ispb=target.ispb,
        creditor_tax_id=target.tax_id,
        creditor_account=AccountId(target.account_number, target.account_type, target.branch),
        creditor_key=target.key,
    )


def counterparty_of_json(body: bytes) -> Counterparty:
    """Read one counterparty.

    Raises:
        InvalidControl: It is none, or cannot work.
    """
    try:
        config = msgspec.json.decode(body, type=Counterparty)
    except NOT_JSON as error:
        raise InvalidControl("body", str(error)) from None
    config.check()
    return config


def read_counterparties(path: Path) -> tuple[Counterparty, ...]:
    """Read a JSON file with a list of counterparties.

    Raises:
        InvalidControl: It is none, or one of them cannot work; `place` names the file and which.
        OSError: The file cannot be read.
    """
    try:
        configs = msgspec.json.decode(path.read_bytes(), type=tuple[Counterparty, ...])
    except NOT_JSON as error:
        raise InvalidControl("counterparties", str(error), str(path)) from None
    if len(configs) > COUNTERPARTIES_MAX:
        raise InvalidControl("counterparties", f"at most {COUNTERPARTIES_MAX}", str(path))
    seen: set[str] = set()
    for number, config in enumerate(configs):
        place = f"{path}[{number}]"
        try:
            config.check()
        except InvalidControl as error:
            raise InvalidControl(error.field, error.problem, place) from None
        if config.ispb in seen:
            raise InvalidControl("ispb", f"{config.ispb} is there twice", place)
        seen.add(config.ispb)
    return configs
