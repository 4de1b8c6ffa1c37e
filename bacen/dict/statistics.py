"""Statistics of persons and keys: structs and operations (DICT API 2.12.1)."""

from typing import Annotated

from bacen.dict.forms import Count, Instant, Ispb, Key, TaxId
from bacen.dict.part import Attribute, Header, Part
from bacen.dict.response import Response


class WindowedValue(Part, frozen=True, kw_only=True):
    """A number over the last 90 days, 12 months and 60 months.

    Attributes:
        d90: Last 90 days.
        m12: Last 12 months.
        m60: Last 60 months.
    """

    d90: Annotated[Count, Attribute("d90")] | None = None
    m12: Annotated[Count, Attribute("m12")] | None = None
    m60: Annotated[Count, Attribute("m60")] | None = None


class SpiStatistics(Part, frozen=True, kw_only=True):
    """Payments that were settled; `watermark` is up to when they were counted."""

    watermark: Instant | None = None
    settlements: WindowedValue | None = None


class FraudMarkerStatistics(Part, frozen=True, kw_only=True):
    """Fraud markers by kind, the amount of their payments, and who reported."""

    watermark: Instant | None = None
    application_frauds: WindowedValue | None = None
    mule_accounts: WindowedValue | None = None
    scammer_accounts: WindowedValue | None = None
    other_frauds: WindowedValue | None = None
    unknown_frauds: WindowedValue | None = None
    total_fraud_transaction_amount: WindowedValue | None = None
    distinct_fraud_reporters: WindowedValue | None = None


class InfractionReportStatistics(Part, frozen=True, kw_only=True):
    """Infraction reports that are open, and those that were rejected."""

    watermark: Instant | None = None
    open_reports: Count | None = None
    open_reports_distinct_reporters: Count | None = None
    rejected_reports: WindowedValue | None = None


class PersonEntryStatistics(Part, frozen=True, kw_only=True):
    """Accounts of a person that have keys."""

    watermark: Instant | None = None
    registered_accounts: Count | None = None


class KeyEntryStatistics(Part, frozen=True, kw_only=True):
    """Accounts that a key led to."""

    watermark: Instant | None = None
    distinct_accounts: WindowedValue | None = None


class PersonStatistics(Part, frozen=True, kw_only=True):
    """What DICT counts about a CPF or CNPJ."""

    spi: SpiStatistics | None = None
    fraud_markers: FraudMarkerStatistics | None = None
    infraction_reports: InfractionReportStatistics | None = None
    entries: PersonEntryStatistics | None = None


class KeyStatistics(Part, frozen=True, kw_only=True):
    """What DICT counts about a key."""

    spi: SpiStatistics | None = None
    fraud_markers: FraudMarkerStatistics | None = None
    infraction_reports: InfractionReportStatistics | None = None
    entries: KeyEntryStatistics | None = None


class GetPersonStatisticsRequest(Part, frozen=True, kw_only=True):
    """getPersonStatistics of a CPF or CNPJ."""

    tax_id_number: TaxId
    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]


class GetEntryStatisticsRequest(Part, frozen=True, kw_only=True):
    """getEntryStatistics of a key."""

    key: Key
    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]


class GetPersonStatisticsResponse(Response, frozen=True, kw_only=True):
    """Answer to getPersonStatistics."""

    tax_id_number: TaxId | None = None
    person_statistics: PersonStatistics


class GetEntryStatisticsResponse(Response, frozen=True, kw_only=True):
    """Answer to getEntryStatistics."""

    key: Key
    key_statistics: KeyStatistics
    owner_statistics: PersonStatistics
