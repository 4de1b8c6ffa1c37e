"""What DICT counts about a person or a key (DICT API 2.12.1, Statistics).

Counted when asked: payments received by whole days, all else from the cases themselves.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bacen.dict import (
    FraudMarker,
    FraudMarkerStatistics,
    GetEntryStatisticsRequest,
    GetEntryStatisticsResponse,
    GetPersonStatisticsRequest,
    GetPersonStatisticsResponse,
    InfractionReport,
    InfractionReportStatistics,
    KeyEntryStatistics,
    KeyStatistics,
    PersonEntryStatistics,
    PersonStatistics,
    SpiStatistics,
    WindowedValue,
)
from bacen.simulator.dict.cases import Case
from bacen.simulator.dict.entries import Entries
from bacen.simulator.dict.errors import not_found
from bacen.simulator.dict.markers import REGISTERED, Markers
from bacen.simulator.dict.office import Asked, Office
from bacen.simulator.dict.reports import DISAGREED, UNFINISHED, Reports
from bacen.simulator.dict.transactions import Transactions
from bacen.simulator.payments import to_ms

WINDOWS = {
    "d90": timedelta(days=90),
    "m12": timedelta(days=365),
    "m60": timedelta(days=1_826),
}
Dated = Sequence[tuple[datetime, int]]


class Statistics:
    """The counts.

    Args:
        office: Of the directory.
        entries: Which accounts have keys.
        transactions: The payments that really ran.
        markers: Of persons and keys.
        reports: About payments to them.
    """

    def __init__(
        self,
        office: Office,
        entries: Entries,
        transactions: Transactions,
        markers: Markers,
        reports: Reports,
    ) -> None:
        self._office = office
        self._store = office.store
        self._entries = entries
        self._transactions = transactions
        self._markers = markers
        self._reports = reports

    def answer_person(self, asked: Asked) -> GetPersonStatisticsResponse:
        request: GetPersonStatisticsRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        return GetPersonStatisticsResponse(
            **asked.head,
            tax_id_number=request.tax_id_number,
            person_statistics=self.of_person(request.tax_id_number),
        )

    def answer_entry(self, asked: Asked) -> GetEntryStatisticsResponse:
        request: GetEntryStatisticsRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        entry = self._entries.find(request.key)
        if entry is None:
            raise not_found()
        tax_id = entry.owner.tax_id_number
        return GetEntryStatisticsResponse(
            **asked.head,
            key=entry.key,
            key_statistics=self.of_key(entry.key, tax_id),
            owner_statistics=self.of_person(tax_id),
        )

    def of_person(self, tax_id: str) -> PersonStatistics:
        sql = "SELECT count(DISTINCT account) FROM entries WHERE tax_id = ?"
        row = self._store.row(sql, tax_id)
        markers = self._markers.cases.about(tax_id, (REGISTERED,))
        return PersonStatistics(
            spi=self._spi(tax_id),
            fraud_markers=self._fraud(markers),
            infraction_reports=self._infractions(self._reports.cases.of_kind(tax_id)),
            entries=PersonEntryStatistics(
                watermark=self._office.now(), registered_accounts=row[0] if row else 0
            ),
        )

    def of_key(self, key: str, tax_id: str) -> KeyStatistics:
        now = self._office.now()
        markers = self._markers.cases.about(tax_id, (REGISTERED,))
        reports = self._reports.cases.of_kind(tax_id)
        accounts = {
            name: self._accounts(key, to_ms(now - window)) for name, window in WINDOWS.items()
        }
        return KeyStatistics(
            spi=self._spi(key),
            fraud_markers=self._fraud([each for each in markers if each.memo == key]),
            infraction_reports=self._infractions([r for r in reports if r.memo == key]),
            entries=KeyEntryStatistics(watermark=now, distinct_accounts=WindowedValue(**accounts)),
        )

    def _spi(self, subject: str) -> SpiStatistics:
        now = self._office.now()
        counts = {
            name: self._transactions.settlements(subject, to_ms(now - window))
            for name, window in WINDOWS.items()
        }
        return SpiStatistics(watermark=now, settlements=WindowedValue(**counts))

    def _fraud(self, cases: Iterable[Case[FraudMarker]]) -> FraudMarkerStatistics:
        markers = [(case, case.document) for case in cases]
        by_kind = {
            kind: [(one.creation_time, 1) for _, one in markers if one.fraud_type == kind]
            for kind in (
                *("APPLICATION_FRAUD", "MULE_ACCOUNT", "SCAMMER_ACCOUNT"),
                *("OTHER", "UNKNOWN"),
            )
        }
        amounts = [(one.creation_time, self._cents(one)) for _, one in markers]
        return FraudMarkerStatistics(
            watermark=self._office.now(),
            application_frauds=self._windowed(by_kind["APPLICATION_FRAUD"]),
            mule_accounts=self._windowed(by_kind["MULE_ACCOUNT"]),
            scammer_accounts=self._windowed(by_kind["SCAMMER_ACCOUNT"]),
            other_frauds=self._windowed(by_kind["OTHER"]),
            unknown_frauds=self._windowed(by_kind["UNKNOWN"]),
            total_fraud_transaction_amount=self._windowed(amounts),
            distinct_fraud_reporters=self._windowed(first_by_reporter(markers)),
        )

    def _infractions(self, cases: Iterable[Case[InfractionReport]]) -> InfractionReportStatistics:
        reports = [case.document for case in cases]
        unfinished = [each for each in reports if each.status in UNFINISHED]
        rejected = [(r.last_modified, 1) for r in reports if r.analysis_result == DISAGREED]
        return InfractionReportStatistics(
            watermark=self._office.now(),
            open_reports=len(unfinished),
            open_reports_distinct_reporters=len({r.reporter_participant for r in unfinished}),
            rejected_reports=self._windowed(rejected),
        )

    def _windowed(self, dated: Dated) -> WindowedValue:
        now = self._office.now()
        sums = {
            name: sum(value for at, value in dated if at >= now - window)
            for name, window in WINDOWS.items()
        }
        return WindowedValue(**sums)

    def _cents(self, marker: FraudMarker) -> int:
        """Tell the amount of the payment that a marker is about; 0 where it is about none."""
        if marker.infraction_report is None:
            return 0
        case = self._reports.cases.find(marker.infraction_report.id)
        return 0 if case is None else case.document.infraction_amount or 0

    def _accounts(self, key: str, since_ms: int) -> int:
        row = self._store.row(
            """SELECT count(DISTINCT account) FROM holders
            WHERE key = ? AND (until_ms IS NULL OR until_ms >= ?)""",
            key,
            since_ms,
        )
        return row[0] if row else 0


def first_by_reporter(markers: Iterable[tuple[Case[FraudMarker], FraudMarker]]) -> Dated:
    """Keep one marker, the newest, of each who reported."""
    newest: dict[str, datetime] = {}
    for case, marker in markers:
        report = marker.infraction_report
        reporter = (report and report.reporter_participant) or case.asker
        newest[reporter] = max(marker.creation_time, newest.get(reporter, marker.creation_time))
    return [(at, 1) for at in newest.values()]
