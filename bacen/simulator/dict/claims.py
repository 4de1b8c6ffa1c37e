"""Claims: a key goes from a donor to a claimer (DICT API 2.12.1, Claim).

When the resolution period is over and the donor was silent, DICT does what the donor had to do: it
cancels a portability and confirms an ownership claim, both with DEFAULT_OPERATION. A donor that
does it itself afterwards gets the same answer, because the operations are idempotent.
"""

from datetime import datetime, timedelta
from uuid import UUID

from bacen.dict import (
    Claim,
    ClaimDecisionRequest,
    ClaimRequest,
    ClaimResponse,
    CompleteClaimRequest,
    CompleteClaimResponse,
    CreateClaimRequest,
    Entry,
    GetClaimRequest,
    ListClaimsRequest,
    ListClaimsResponse,
    NewClaim,
)
from bacen.simulator.dict.cases import ASKED, ASKER, Case, Cases, filters_of
from bacen.simulator.dict.claim_rules import (
    CANCELLED,
    CLAIMER,
    COMPLETED,
    CONFIRMED,
    DEFAULT_OPERATION,
    DONOR,
    KEYS_CLAIMED,
    OPEN,
    OWNERSHIP,
    PORTABILITY,
    UNFINISHED,
    WAITING,
    operation_invalid,
    require_cancellable,
    require_confirmable,
)
from bacen.simulator.dict.entries import Entries
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.office import Asked, Office
from bacen.simulator.dict.restrictions import Restrictions
from bacen.simulator.payments import to_ms

RESOLUTION = timedelta(days=7)
COMPLETION = timedelta(days=7)


class Claims:
    """The claims of all participants.

    Args:
        office: Of the directory.
        entries: Where keys come and go.
        restrictions: Who may have no keys.
    """

    def __init__(self, office: Office, entries: Entries, restrictions: Restrictions) -> None:
        self._office = office
        self._entries = entries
        self._restrictions = restrictions
        self.cases = Cases(office, "claim", Claim)

    def create(self, asked: Asked) -> ClaimResponse:
        request: CreateClaimRequest = asked.request
        wanted = request.claim
        claimer = wanted.claimer_account.participant
        self._office.require_own(asked.by, claimer)
        if wanted.key_type not in KEYS_CLAIMED[wanted.type]:
            raise DictRefusal("ClaimTypeInconsistent", "not for this type of key", "Claim/Type")
        unfinished = self.cases.about(wanted.key, UNFINISHED)
        if unfinished:
            if not is_same(unfinished[0].document, wanted):
                raise DictRefusal("ClaimAlreadyExistsForKey", "one is open", "Claim/Key")
            return ClaimResponse(**asked.head, claim=unfinished[0].document)
        entry = self._entries.find(wanted.key)
        if entry is None:
            raise DictRefusal("ClaimKeyNotFound", "nobody has it", "Claim/Key")
        require_consistent(wanted, entry)
        self._restrictions.require_free(wanted.claimer.tax_id_number)
        self._entries.require_room(wanted.claimer_account, wanted.claimer)
        return ClaimResponse(**asked.head, claim=self._open(wanted, entry))

    def listed(self, asked: Asked) -> ListClaimsResponse:
        request: ListClaimsRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        role = None
        if bool(request.is_donor) is not bool(request.is_claimer):
            role = ASKED if request.is_donor else ASKER
        participants = self._office.speaking(
            request.participant, include_indirect=request.include_indirect_participants
        )
        filters = filters_of(request, kind=request.type)
        found, has_more = self.cases.listed(participants, role, filters, request.limit)
        claims = tuple(case.document for case in found)
        return ListClaimsResponse(**asked.head, has_more_elements=has_more, claims=claims)

    def get(self, asked: Asked) -> ClaimResponse:
        request: GetClaimRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.claim_id, request.participant)
        return ClaimResponse(**asked.head, claim=case.document)

    def acknowledge(self, asked: Asked) -> ClaimResponse:
        request: ClaimRequest = asked.request
        case = self._of_donor(asked, request)
        if case.status != WAITING:
            if case.status != OPEN:
                raise operation_invalid(case.document)
            case = self.cases.save(case, status=WAITING)
        return ClaimResponse(**asked.head, claim=case.document)

    def confirm(self, asked: Asked) -> ClaimResponse:
        request: ClaimDecisionRequest = asked.request
        case = self._of_donor(asked, request)
        claim = case.document
        if (claim.status, claim.confirm_reason) != (CONFIRMED, request.reason):
            require_confirmable(claim, request.reason, is_period_over=self._is_over(claim))
            case = self._confirm(case, request.reason)
        return ClaimResponse(**asked.head, claim=case.document)

    def cancel(self, asked: Asked) -> ClaimResponse:
        request: ClaimDecisionRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.claim_id, request.participant)
        claim = case.document
        role = CLAIMER if case.asker == request.participant else DONOR
        if (claim.cancelled_by, claim.cancel_reason) != (role, request.reason):
            over = self._is_over(claim)
            require_cancellable(claim, role, request.reason, is_period_over=over)
            case = self._cancel(case, role, request.reason)
        return ClaimResponse(**asked.head, claim=case.document)

    def complete(self, asked: Asked) -> CompleteClaimResponse:
        request: CompleteClaimRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.claim_id, request.participant)
        if case.asker != request.participant:
            raise DictRefusal("Forbidden", "the claimer completes")
        claim = case.document
        made = self._entries.made_by(case.asker, request.request_id)
        entry = self._entries.find(claim.key)
        is_again = claim.status == COMPLETED and made == claim.key and entry is not None
        if entry is None or not is_again:
            if made is not None:
                raise DictRefusal("RequestIdAlreadyUsed", "for something else", "RequestId")
            case, entry = self._complete(case, request)
        return CompleteClaimResponse(
            **asked.head,
            claim=case.document,
            entry_creation_date=entry.creation_date,
            key_ownership_date=entry.key_ownership_date,
        )

    def advance(self, number: UUID) -> None:
        """Do for a silent donor what the rules say; a virtual one decides by itself."""
        case = self.cases.existing(number)
        if not self._is_over(case.document):  # only a virtual donor is due before
            self._decide(case)
        elif case.document.type == PORTABILITY:
            self._cancel(case, DONOR, DEFAULT_OPERATION)
        else:
            self._confirm(case, DEFAULT_OPERATION)

    def _open(self, wanted: NewClaim, entry: Entry) -> Claim:
        now = self._office.now()
        end = now + RESOLUTION
        donor = entry.account.participant
        claim = Claim(
            type=wanted.type,
            key=wanted.key,
            key_type=wanted.key_type,
            claimer_account=wanted.claimer_account,
            claimer=wanted.claimer,
            donor_participant=donor,
            id=self._office.new_id(),
            status=OPEN,
            resolution_period_end=end,
            completion_period_end=end + COMPLETION if wanted.type == OWNERSHIP else None,
            last_modified=now,
        )
        self._entries.claimed(wanted.key, now)
        case = Case(
            id=claim.id,
            status=OPEN,
            asker=wanted.claimer_account.participant,
            asked=donor,
            kind=wanted.type,
            subject=wanted.key,
            document=claim,
            memo=entry.key_ownership_date.isoformat(),
            due_ms=to_ms(now if self._answers(entry) else end),
        )
        return self.cases.save(case).document

    def _answers(self, entry: Entry) -> bool:
        """Say whether the bank answers for the donor; an account `SILENT...` never does."""
        is_silent = entry.account.account_number.startswith("SILENT")
        return self._office.is_virtual(entry.account.participant) and not is_silent

    def _decide(self, case: Case[Claim]) -> None:
        """Act as a virtual donor: give a portability, let the time of an ownership claim pass."""
        case = self.cases.save(case, status=WAITING)
        if case.document.type == PORTABILITY:
            self._confirm(case, "USER_REQUESTED")
            return
        case.due_ms = to_ms(case.document.resolution_period_end)
        self.cases.save(case)

    def _confirm(self, case: Case[Claim], reason: str) -> Case[Claim]:
        entry = self._entries.find(case.subject)
        assert entry is not None  # no entry can be deleted while a claim of it is open
        self._entries.remove(entry)
        completion = case.document.completion_period_end
        if completion is not None and reason == "USER_REQUESTED":
            completion = self._office.now()
        case.due_ms = None
        return self.cases.save(
            case, status=CONFIRMED, confirm_reason=reason, completion_period_end=completion
        )

    def _cancel(self, case: Case[Claim], role: str, reason: str) -> Case[Claim]:
        self._entries.claimed(case.subject, None)
        case.due_ms = None
        return self.cases.save(case, status=CANCELLED, cancelled_by=role, cancel_reason=reason)

    def _complete(
        self, case: Case[Claim], request: CompleteClaimRequest
    ) -> tuple[Case[Claim], Entry]:
        claim = case.document
        if claim.status != CONFIRMED:
            raise operation_invalid(claim)
        now = self._office.now()
        if claim.completion_period_end is not None and now < claim.completion_period_end:
            raise DictRefusal("ClaimCompletionPeriodNotEnded", "not yet")
        is_same_owner = claim.type == PORTABILITY and case.memo is not None
        entry = Entry(
            key=claim.key,
            key_type=claim.key_type,
            account=claim.claimer_account,
            owner=claim.claimer,
            creation_date=now,
            key_ownership_date=datetime.fromisoformat(case.memo or "") if is_same_owner else now,
        )
        self._entries.add(entry, request.request_id)
        return self.cases.save(case, status=COMPLETED), entry

    def _of_donor(self, asked: Asked, request: ClaimRequest | ClaimDecisionRequest) -> Case[Claim]:
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.claim_id, request.participant)
        if case.asked != request.participant:
            raise DictRefusal("Forbidden", "the donor decides")
        return case

    def _is_over(self, claim: Claim) -> bool:
        return self._office.now() >= claim.resolution_period_end


def require_consistent(wanted: NewClaim, entry: Entry) -> None:
    """Refuse a claim that does not fit who has the key.

    Raises:
        DictRefusal: ClaimTypeInconsistent, ClaimResultingEntryAlreadyExists.
    """
    is_same_person = entry.owner.tax_id_number == wanted.claimer.tax_id_number
    if is_same_person is not (wanted.type == PORTABILITY):
        raise DictRefusal("ClaimTypeInconsistent", "not for this owner of the key", "Claim/Type")
    if is_same_person and entry.account.participant == wanted.claimer_account.participant:
        raise DictRefusal("ClaimResultingEntryAlreadyExists", "update the entry", "Claim/Key")


def is_same(claim: Claim, wanted: NewClaim) -> bool:
    """Say whether an open claim is the one that is asked for again."""
    names = ("type", "key", "claimer_account", "claimer")
    return all(getattr(claim, name) == getattr(wanted, name) for name in names)
