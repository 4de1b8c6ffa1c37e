"""The error types of DICT API 2.12.1: their HTTP status, and what the asker does about them."""

from collections.abc import Mapping
from dataclasses import dataclass

from bacen import (
    DictConflict,
    DictForbidden,
    DictGone,
    DictNotFound,
    DictRateLimited,
    DictRefused,
    DictRequestInvalid,
    DictRestricted,
    DictTooEarly,
)
from bacen.dict.problem import Problem

BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class ErrorType:
    """One type.

    Attributes:
        status: HTTP status that it comes with.
        error: The class that it is raised as.
    """

    status: int
    error: type[DictRefused]


_BY_STATUS: Mapping[tuple[int, type[DictRefused]], str] = {
    (403, DictForbidden): "Forbidden",
    (400, DictForbidden): "ParticipantInvalid RequestSignatureInvalid",
    (404, DictNotFound): "NotFound ClaimKeyNotFound",
    (400, DictNotFound): (
        "InfractionReportTransactionNotFound RefundTransactionNotFound "
        "RefundInfractionReportNotFound"
    ),
    (409, DictConflict): "ResourceConflict",
    (400, DictConflict): (
        "EntryAlreadyExists EntryKeyInCustodyOfDifferentParticipant "
        "EntryKeyOwnedByDifferentPerson EntryLimitExceeded EntryLockedByClaim "
        "EntryTaxIdNumberByDifferentOwner RequestIdAlreadyUsed "
        "ClaimAlreadyExistsForKey ClaimOperationInvalid ClaimResultingEntryAlreadyExists "
        "InfractionReportAlreadyBeingProcessedForTransaction "
        "InfractionReportAlreadyProcessedForTransaction InfractionReportOperationInvalid "
        "FundsRecoveryForTransactionAlreadyExists FundsRecoveryOperationInvalid "
        "RefundAlreadyBeingProcessedForTransaction RefundAlreadyProcessedForTransaction "
        "RefundOperationInvalid TransactionRefundable"
    ),
    (400, DictRequestInvalid): (
        "BadRequest InvalidReason EntryInvalid ClaimInvalid ClaimTypeInconsistent "
        "InfractionReportInvalid InfractionReportPeriodExpired "
        "InfractionReportTransactionNotSettled FraudMarkerInvalid RefundInvalid "
        "RefundPeriodExpired RefundTransactionInvalid RefundTransactionNotSettled "
        "TransactionNotRefundable TransactionTypeInvalid FundsRecoveryInvalid "
        "FundsRecoveryPrioritizationInvalid FundsRecoveryTrackingGraphParameterInvalid "
        "FundsRecoveryTransactionNotEligible FundsRecoveryTransactionNotSettled"
    ),
    (400, DictRestricted): (
        "EntryBlocked EntryCannotBeQueriedForBookTransfer EntryWithFraudRelatedRestriction "
        "TaxIdNumberBlocked UserOrAccountWithFraudRelatedRestriction"
    ),
    (410, DictGone): "Gone DeprecatedResource",
    (400, DictTooEarly): (
        "ClaimCompletionPeriodNotEnded ClaimResolutionPeriodNotEnded "
        "FundsRecoveryTrackingTimeout FundsRecoveryTransactionNotIndexed"
    ),
    (429, DictRateLimited): "RateLimited",
    (500, DictTooEarly): "InternalServerError",
    (503, DictTooEarly): "ServiceUnavailable",
}

ERROR_TYPES: Mapping[str, ErrorType] = {
    name: ErrorType(status, error)
    for (status, error), names in _BY_STATUS.items()
    for name in names.split()
}
"""Every type of the API, by its name."""


def refusal(problem: Problem) -> DictRefused:
    """Turn a problem document into the error to raise; an unknown type keeps its name.

    A type with another status than the API's is still that type: the word says more.
    """
    known = ERROR_TYPES.get(problem.type)
    kind = DictRefused if known is None else known.error
    named = tuple(each.property for each in problem.violations if each.property is not None)
    return kind(problem.type, problem.status, problem.correlation_id, named)
