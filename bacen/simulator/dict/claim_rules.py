"""Who may end a claim, when, and for which reasons (DICT API 2.12.1, Claim): tables, no state."""

from typing import Final

from bacen.dict import Claim
from bacen.simulator.dict.errors import DictRefusal

PORTABILITY: Final = "PORTABILITY"
OWNERSHIP: Final = "OWNERSHIP"
OPEN: Final = "OPEN"
WAITING: Final = "WAITING_RESOLUTION"
CONFIRMED: Final = "CONFIRMED"
CANCELLED: Final = "CANCELLED"
COMPLETED: Final = "COMPLETED"
DONOR: Final = "DONOR"
CLAIMER: Final = "CLAIMER"
DEFAULT_OPERATION: Final = "DEFAULT_OPERATION"

UNDECIDED = (OPEN, WAITING)
UNFINISHED = (OPEN, WAITING, CONFIRMED)
KEYS_CLAIMED = {
    PORTABILITY: frozenset({"CPF", "CNPJ", "PHONE", "EMAIL"}),
    OWNERSHIP: frozenset({"PHONE"}),
}

CONFIRM_REASONS = {
    PORTABILITY: frozenset({"USER_REQUESTED", "ACCOUNT_CLOSURE"}),
    OWNERSHIP: frozenset({"USER_REQUESTED", DEFAULT_OPERATION}),
}
BY_CLAIMER = frozenset({"USER_REQUESTED", "ACCOUNT_CLOSURE", "FRAUD", "RFB_VALIDATION"})
BY_CLAIMER_OPEN = BY_CLAIMER | {"RECONCILIATION"}
BY_CLAIMER_CONFIRMED = frozenset({"FRAUD", "RECONCILIATION", "RFB_VALIDATION"})
BY_DONOR = frozenset({"USER_REQUESTED", DEFAULT_OPERATION, "FRAUD"})
ONLY_FRAUD = frozenset({"FRAUD"})
CANCEL_REASONS = {
    (PORTABILITY, DONOR, OPEN): BY_DONOR,
    (PORTABILITY, DONOR, WAITING): BY_DONOR,
    (PORTABILITY, CLAIMER, OPEN): BY_CLAIMER_OPEN,
    (PORTABILITY, CLAIMER, WAITING): BY_CLAIMER,
    (PORTABILITY, CLAIMER, CONFIRMED): BY_CLAIMER_CONFIRMED,
    (OWNERSHIP, DONOR, OPEN): ONLY_FRAUD,
    (OWNERSHIP, DONOR, WAITING): ONLY_FRAUD,
    (OWNERSHIP, DONOR, CONFIRMED): ONLY_FRAUD,
    (OWNERSHIP, CLAIMER, OPEN): BY_CLAIMER_OPEN,
    (OWNERSHIP, CLAIMER, WAITING): BY_CLAIMER,
    (OWNERSHIP, CLAIMER, CONFIRMED): BY_CLAIMER_OPEN,
}


def require_confirmable(claim: Claim, reason: str, *, is_period_over: bool) -> None:
    """Refuse a confirmation by the donor that the rules do not know.

    Raises:
        DictRefusal: ClaimOperationInvalid, InvalidReason, ClaimResolutionPeriodNotEnded.
    """
    if claim.status not in UNDECIDED:
        raise operation_invalid(claim)
    if reason not in CONFIRM_REASONS[claim.type]:
        raise DictRefusal("InvalidReason", "not for confirmClaim of this type", "Reason")
    require_default_in_time(reason, is_period_over=is_period_over)


def require_cancellable(claim: Claim, role: str, reason: str, *, is_period_over: bool) -> None:
    """Refuse a cancellation that the rules do not know.

    Raises:
        DictRefusal: ClaimOperationInvalid, InvalidReason, ClaimResolutionPeriodNotEnded.
    """
    reasons = CANCEL_REASONS.get((claim.type, role, claim.status))
    if reasons is None:
        raise operation_invalid(claim)
    if reason not in reasons:
        raise DictRefusal("InvalidReason", "not for cancelClaim by this side now", "Reason")
    require_default_in_time(reason, is_period_over=is_period_over)


def require_default_in_time(reason: str, *, is_period_over: bool) -> None:
    if reason == DEFAULT_OPERATION and not is_period_over:
        raise DictRefusal("ClaimResolutionPeriodNotEnded", "the donor may still decide", "Reason")


def operation_invalid(claim: Claim) -> DictRefusal:
    return DictRefusal("ClaimOperationInvalid", f"the claim is {claim.status}")
