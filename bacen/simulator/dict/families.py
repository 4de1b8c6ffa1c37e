"""All families of operations over one store, and which of them does what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from bacen.dict import Response
from bacen.simulator.dict.cids import Cids
from bacen.simulator.dict.claims import Claims
from bacen.simulator.dict.entries import Entries
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.limits import Limits
from bacen.simulator.dict.markers import Markers
from bacen.simulator.dict.notifications import Notifications
from bacen.simulator.dict.office import Asked, Office
from bacen.simulator.dict.reading import KeyReading
from bacen.simulator.dict.recoveries import Recoveries
from bacen.simulator.dict.restrictions import Restrictions
from bacen.simulator.dict.statistics import Statistics
from bacen.simulator.dict.transactions import RETENTION_DAYS, Transactions
from bacen.simulator.payments import DAY_MS
from bacen.simulator.virtual_returner import ReturnOrder

Answer = Callable[[Asked], Response]

RETRY_MS = 60_000
READ_MORE_MS = 1  # lets whoever waits be answered between two pages
READ_NEW_MS = 1_000
READ_NOTHING_MS = 60_000
FILE = "file"
DUE_NEXT = """
SELECT family, id, due_ms FROM cases WHERE due_ms IS NOT NULL
UNION ALL
SELECT 'file', CAST(number AS TEXT), due_ms FROM cid_files WHERE due_ms IS NOT NULL
ORDER BY due_ms, family, id LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Due:
    """Something that has to be looked at without being asked."""

    family: str
    id: str
    due_ms: int


class Families:
    """The decisions of DICT: no network, no process; whoever calls opens and commits the batch.

    Args:
        office: Of the directory.
        spi: The SPI's database.
    """

    def __init__(self, office: Office, spi: Path) -> None:
        self._office = office
        self.transactions = Transactions(office.store, spi)
        self.limits = Limits(office)
        self.cids = Cids(office)
        restrictions = Restrictions(office)
        self.entries = Entries(office, self.cids, restrictions)
        self.claims = Claims(office, self.entries, restrictions)
        self.markers = Markers(office, self.entries)
        self.notifications = Notifications(office)
        self.recoveries = Recoveries(office, self.transactions, self.markers, self.notifications)
        reports = self.recoveries.reports
        statistics = Statistics(office, self.entries, self.transactions, self.markers, reports)
        self._reading = KeyReading(office, self.entries, restrictions, statistics)
        self._statistics = statistics
        self._answers: Mapping[str, Answer] = self._table()

    def answer(self, operation: str, asked: Asked) -> Response:
        """Do what was asked, inside a step of the store.

        Raises:
            DictRefusal: DICT does not.
        """
        return self._answers[operation](asked)

    def read_on(self) -> int:
        """Take in payments that settled; gives when to look again, in milliseconds."""
        with self._office.store.step():
            new, is_more = self.transactions.read_on()
            self.recoveries.refunds.settled(new)
        self.limits.paid([each.id for each in new])
        if is_more:
            return READ_MORE_MS
        return READ_NEW_MS if new else READ_NOTHING_MS

    def due_next(self) -> Due | None:
        """Tell what has to be looked at next without being asked, and when."""
        row = self._office.store.row(DUE_NEXT)
        return None if row is None else Due(*row)

    def advance(self, due: Due) -> None:
        """Do what is due by the clock, inside a step of the store."""
        recoveries = self.recoveries
        match due.family:
            case "claim":
                self.claims.advance(UUID(due.id))
            case "recovery":
                recoveries.advance(UUID(due.id))
            case "report":
                recoveries.reports.advance(UUID(due.id))
            case "refund":
                recoveries.refunds.advance(UUID(due.id))
            case _:
                self.cids.advance(int(due.id))

    def postpone(self, due: Due) -> None:
        """Look again later at what could not be done now."""
        later_ms = self._office.now_ms() + RETRY_MS
        store = self._office.store
        if due.family == FILE:
            store.run("UPDATE cid_files SET due_ms = ? WHERE number = ?", later_ms, int(due.id))
            return
        sql = "UPDATE cases SET due_ms = ? WHERE family = ? AND id = ?"
        store.run(sql, later_ms, due.family, due.id)

    def returns_wanted(self) -> list[ReturnOrder]:
        """Hand out, once, the returns that virtual participants owe."""
        refunds = self.recoveries.refunds
        wanted, refunds.returns_wanted = refunds.returns_wanted, []
        return wanted

    def forget(self) -> None:
        """Forget what is too old for anything."""
        now_ms = self._office.now_ms()
        self.notifications.forget(now_ms)
        self.transactions.forget_before(now_ms - RETENTION_DAYS * DAY_MS)

    def _table(self) -> dict[str, Answer]:
        entries, claims, cids, markers = self.entries, self.claims, self.cids, self.markers
        recoveries = self.recoveries
        reports, refunds = recoveries.reports, recoveries.refunds
        return {
            "createEntry": entries.create,
            "getEntry": self._reading.get,
            "updateEntry": entries.update,
            "deleteEntry": entries.delete,
            "checkKeys": entries.check,
            "createClaim": claims.create,
            "listClaims": claims.listed,
            "getClaim": claims.get,
            "acknowledgeClaim": claims.acknowledge,
            "confirmClaim": claims.confirm,
            "cancelClaim": claims.cancel,
            "completeClaim": claims.complete,
            "createSyncVerification": cids.create_verification,
            "createCidSetFile": cids.create_file,
            "getCidSetFile": cids.get_file,
            "listCidSetEvents": cids.events,
            "getEntryByCid": entries.by_cid,
            "createInfractionReport": deprecated,
            "listInfractionReports": reports.listed,
            "getInfractionReport": reports.get,
            "updateInfractionReport": deprecated,
            "acknowledgeInfractionReport": reports.acknowledge,
            "cancelInfractionReport": reports.cancel,
            "closeInfractionReport": reports.close,
            "createFundsRecovery": recoveries.create,
            "getFundsRecovery": recoveries.get,
            "updateFundsRecovery": recoveries.update,
            "createTrackingGraph": deprecated,
            "getTrackingGraph": recoveries.graph,
            "blockFundsRecovery": deprecated,
            "listFundsRecoveryInfractionReports": recoveries.reports_of,
            "refundFundsRecovery": recoveries.refund,
            "listFundsRecoveryRefunds": recoveries.refunds_of,
            "cancelFundsRecovery": recoveries.cancel,
            "createFraudMarker": markers.create,
            "listFraudMarkers": markers.listed,
            "getFraudMarker": markers.get,
            "cancelFraudMarker": markers.cancel,
            "createRefund": refunds.create,
            "listRefunds": refunds.listed,
            "getRefund": refunds.get,
            "cancelRefund": refunds.cancel,
            "closeRefund": refunds.close,
            "getPersonStatistics": self._statistics.answer_person,
            "getEntryStatistics": self._statistics.answer_entry,
            "listEventNotifications": self.notifications.listed,
            "listPolicies": self.limits.listed,
            "getPolicy": self.limits.get,
        }


def deprecated(_: Asked) -> Any:
    """Refuse what the API has given up.

    Raises:
        DictRefusal: DeprecatedResource.
    """
    raise DictRefusal("DeprecatedResource", "use funds recovery")
