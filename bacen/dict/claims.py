"""Claims of keys: structs and operations (DICT API 2.12.1).

A claim goes OPEN, WAITING_RESOLUTION, CONFIRMED, COMPLETED, or ends CANCELLED. When the donor
confirms, its entry disappears; when the claimer completes, its own appears.
"""

from typing import Annotated, Literal

from bacen.dict.entries import (
    Account,
    Person,
    require_names_of_today,
    require_valid_key,
    require_version_4,
)
from bacen.dict.forms import Flag, Instant, Ispb, Key, KeyKind, PageSize, Uuid, kind_of_key
from bacen.dict.part import Header, Items, Part, require_rule
from bacen.dict.response import Response

ClaimType = Literal["OWNERSHIP", "PORTABILITY"]
ClaimStatus = Literal["OPEN", "WAITING_RESOLUTION", "CONFIRMED", "CANCELLED", "COMPLETED"]
ClaimReason = Literal[
    "USER_REQUESTED",
    "ACCOUNT_CLOSURE",
    "FRAUD",
    "DEFAULT_OPERATION",
    "RECONCILIATION",
    "RFB_VALIDATION",
    "PARTICIPANT_EXCLUSION",
]


class NewClaim(Part, frozen=True, kw_only=True):
    """A claim to be made.

    Attributes:
        claimer_account: The account that the key shall lead to.
        claimer: Its owner.
    """

    type: ClaimType
    key: Key
    key_type: KeyKind
    claimer_account: Account
    claimer: Person

    def check_rules(self) -> None:
        """Refuse a key of another type."""
        require_rule(kind_of_key(self.key) == self.key_type, "KeyType", "is not the key's")


class Claim(Part, frozen=True, kw_only=True):
    """A claim as DICT has it.

    Attributes:
        donor_participant: ISPB of the participant that has the key.
        resolution_period_end: Until then the donor may decide.
        completion_period_end: Of an ownership claim: from then on it may be completed.
    """

    type: ClaimType
    key: Key
    key_type: KeyKind
    claimer_account: Account
    claimer: Person
    donor_participant: Ispb
    id: Uuid
    status: ClaimStatus
    resolution_period_end: Instant
    completion_period_end: Instant | None = None
    last_modified: Instant
    confirm_reason: ClaimReason | None = None
    cancel_reason: ClaimReason | None = None
    cancelled_by: Literal["DONOR", "CLAIMER"] | None = None

    def check_rules(self) -> None:
        """Refuse a key of another type."""
        require_rule(kind_of_key(self.key) == self.key_type, "KeyType", "is not the key's")


class CreateClaimRequest(Part, frozen=True, kw_only=True):
    """createClaim by the participant that wants the key."""

    claim: NewClaim

    def check_rules(self) -> None:
        """Refuse a key or a name that DICT takes no more."""
        require_valid_key(self.claim.key, "Claim/Key")
        require_names_of_today(self.claim.claimer, "Claim/Claimer")


class ListClaimsRequest(Part, frozen=True, kw_only=True):
    """listClaims, in the order of LastModified.

    Attributes:
        participant: Whose claims.
        is_donor: Those in which it is the donor; equal to `is_claimer` means either role.
        status: Any of these; all when empty.
        limit: 1 to 200.
    """

    participant: Ispb
    include_indirect_participants: Flag = False
    is_donor: Flag | None = None
    is_claimer: Flag | None = None
    status: Annotated[tuple[ClaimStatus, ...], Items("Status")] = ()
    type: ClaimType | None = None
    modified_after: Instant | None = None
    modified_before: Instant | None = None
    limit: PageSize = 20


class GetClaimRequest(Part, frozen=True, kw_only=True):
    """getClaim, by a participant in it."""

    claim_id: Uuid
    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]


class ClaimRequest(Part, frozen=True, kw_only=True):
    """acknowledgeClaim, by the donor."""

    claim_id: Uuid
    participant: Ispb


class ClaimDecisionRequest(Part, frozen=True, kw_only=True):
    """confirmClaim by the donor, cancelClaim by either."""

    claim_id: Uuid
    participant: Ispb
    reason: ClaimReason


class CompleteClaimRequest(Part, frozen=True, kw_only=True):
    """completeClaim by the claimer.

    Attributes:
        request_id: UUID version 4: the secret of the new entry's CID.
    """

    claim_id: Uuid
    participant: Ispb
    request_id: Uuid

    def check_rules(self) -> None:
        """Refuse another version."""
        require_version_4(self.request_id)


class ClaimResponse(Response, frozen=True, kw_only=True):
    """Answer to createClaim, getClaim, acknowledgeClaim, confirmClaim and cancelClaim."""

    claim: Claim


class CompleteClaimResponse(Response, frozen=True, kw_only=True):
    """Answer to completeClaim: the dates of the entry that was made."""

    claim: Claim
    entry_creation_date: Instant
    key_ownership_date: Instant


class ListClaimsResponse(Response, frozen=True, kw_only=True):
    """Answer to listClaims."""

    has_more_elements: Flag
    claims: Annotated[tuple[Claim, ...], Items("Claim")] = ()
