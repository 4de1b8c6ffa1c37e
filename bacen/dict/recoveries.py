"""Funds recoveries, MED 2.0: structs and operations (DICT API 2.12.1).

DICT follows the money from the root payment, makes infraction reports at every participant on the
way, and after their analysis the creator asks for the refunds: CREATED, TRACKED,
AWAITING_ANALYSIS, ANALYSED, REFUNDING, COMPLETED, or CANCELLED.
"""

from typing import Annotated, Literal

from bacen.dict.forms import (
    Cents,
    Count,
    Duration,
    Instant,
    Ispb,
    Text,
    TransactionId,
    Uuid,
)
from bacen.dict.infractions import (
    ContactInformation,
    InfractionReport,
    SituationType,
    require_details,
)
from bacen.dict.part import Header, Items, Part, require_rule
from bacen.dict.refunds import Refund
from bacen.dict.response import Response

FundsRecoveryStatus = Literal[
    "CREATED", "TRACKED", "AWAITING_ANALYSIS", "ANALYSED", "REFUNDING", "COMPLETED", "CANCELLED"
]
PrioritizationStrategy = Literal["STANDARD_ALGORITHM", "TRANSACTION_LIST"]


class NewFundsRecovery(Part, frozen=True, kw_only=True):
    """A recovery to be begun.

    Attributes:
        root_transaction_id: EndToEndId of the payment that was contested.
        report_details: Compulsory for the situation OTHER.
    """

    flow_type: Literal["AUTOMATED"] | None = None
    root_transaction_id: TransactionId
    situation_type: SituationType
    report_details: Text | None = None
    contact_information: ContactInformation


class FundsRecovery(Part, frozen=True, kw_only=True):
    """A recovery as DICT has it."""

    flow_type: Literal["AUTOMATED"] | None = None
    root_transaction_id: TransactionId
    situation_type: SituationType
    report_details: Text | None = None
    contact_information: ContactInformation
    id: Uuid
    status: FundsRecoveryStatus
    reporter_participant: Ispb
    creation_time: Instant
    last_modified: Instant


class TrackingGraphParameters(Part, frozen=True, kw_only=True):
    """How far DICT follows the money; what is left out has the default of the API.

    Attributes:
        min_transaction_amount: In centavos; 20000 by default.
        max_transactions: At most 5, the default.
        hop_window: At most two hours, the default.
        max_hops: At most 2, the default.
    """

    min_transaction_amount: Cents | None = None
    max_transactions: Count | None = None
    hop_window: Duration | None = None
    max_hops: Count | None = None


class TrackingGraphPerson(Part, frozen=True, kw_only=True):
    """A person in the graph, under a number that holds in this graph only.

    Attributes:
        entity_creation_date: Of a legal person.
    """

    id: Count
    type: Literal["NATURAL_PERSON", "LEGAL_PERSON"]
    entity_creation_date: Instant | None = None


class TrackingGraphAccount(Part, frozen=True, kw_only=True):
    """An account in the graph.

    Attributes:
        owner_id: A person of the graph.
    """

    id: Count
    owner_id: Count
    participant: Ispb
    opening_date: Instant | None = None


class TrackingGraphTransaction(Part, frozen=True, kw_only=True):
    """A payment in the graph.

    Attributes:
        debtor_account_id: An account of the graph.
        creditor_account_id: An account of the graph.
        amount: In centavos.
        refundable_amount: In centavos.
    """

    id: TransactionId
    debtor_account_id: Count
    creditor_account_id: Count
    amount: Cents
    refundable_amount: Cents
    settlement_time: Instant


class TrackingGraph(Part, frozen=True, kw_only=True):
    """Where the money went: persons, their accounts, the payments between them."""

    funds_recovery_id: Uuid
    root_transaction_id: TransactionId
    creation_time: Instant
    parameters: TrackingGraphParameters
    persons: Annotated[tuple[TrackingGraphPerson, ...], Items("Person")] = ()
    accounts: Annotated[tuple[TrackingGraphAccount, ...], Items("Account")] = ()
    transactions: Annotated[tuple[TrackingGraphTransaction, ...], Items("Transaction")] = ()


class CreateFundsRecoveryRequest(Part, frozen=True, kw_only=True):
    """createFundsRecovery by the participant of the payer."""

    participant: Ispb
    funds_recovery: NewFundsRecovery
    tracking_graph_parameters: TrackingGraphParameters | None = None

    def check_rules(self) -> None:
        """Refuse a situation OTHER without words."""
        require_details(self.funds_recovery.situation_type, self.funds_recovery.report_details)


class GetFundsRecoveryRequest(Part, frozen=True, kw_only=True):
    """getFundsRecovery; also getTrackingGraph and the lists of its reports and refunds."""

    funds_recovery_id: Uuid
    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]


class UpdateFundsRecoveryRequest(Part, frozen=True, kw_only=True):
    """updateFundsRecovery, while CREATED, TRACKED or AWAITING_ANALYSIS."""

    funds_recovery_id: Uuid
    participant: Ispb
    situation_type: SituationType | None = None
    contact_information: ContactInformation | None = None
    report_details: Text | None = None

    def check_rules(self) -> None:
        """Refuse a situation OTHER without words."""
        require_details(self.situation_type, self.report_details)


class CreateTrackingGraphRequest(Part, frozen=True, kw_only=True):
    """createTrackingGraph; deprecated."""

    participant: Ispb
    funds_recovery_id: Uuid
    tracking_graph_parameters: TrackingGraphParameters | None = None


class BlockFundsRecoveryRequest(Part, frozen=True, kw_only=True):
    """blockFundsRecovery; deprecated.

    Attributes:
        transactions: Of a TRANSACTION_LIST.
    """

    participant: Ispb
    funds_recovery_id: Uuid
    prioritization_strategy: PrioritizationStrategy
    transactions: Annotated[tuple[TransactionId, ...], Items("TransactionId")] = ()

    def check_rules(self) -> None:
        """Refuse a list without payments."""
        has_list = self.prioritization_strategy == "TRANSACTION_LIST"
        require_rule(bool(self.transactions) is has_list, "Transactions", "belong to a list")


class FundsRecoveryRequest(Part, frozen=True, kw_only=True):
    """refundFundsRecovery and cancelFundsRecovery, by the creator."""

    participant: Ispb
    funds_recovery_id: Uuid


class CreateFundsRecoveryResponse(Response, frozen=True, kw_only=True):
    """Answer to createFundsRecovery."""

    funds_recovery: FundsRecovery
    tracking_graph: TrackingGraph | None = None


class FundsRecoveryResponse(Response, frozen=True, kw_only=True):
    """Answer to the other operations on one recovery."""

    funds_recovery: FundsRecovery


class TrackingGraphResponse(Response, frozen=True, kw_only=True):
    """Answer to createTrackingGraph and getTrackingGraph."""

    tracking_graph: TrackingGraph


class ListFundsRecoveryInfractionReportsResponse(Response, frozen=True, kw_only=True):
    """Answer to listFundsRecoveryInfractionReports: all of them."""

    infraction_reports: Annotated[tuple[InfractionReport, ...], Items("InfractionReport")] = ()


class ListFundsRecoveryRefundsResponse(Response, frozen=True, kw_only=True):
    """Answer to listFundsRecoveryRefunds: all of them."""

    refunds: Annotated[tuple[Refund, ...], Items("Refund")] = ()
