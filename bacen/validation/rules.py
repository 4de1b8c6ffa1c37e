"""The rules by which the SPI refuses a payment before any money is touched.

Each function gives the reason of pacs.002 1.17 or None. Sources: BCB message catalogue 5.13
(dictionary of pacs.008 1.16), BCB Manual de Tempos 7.0.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bacen.wire import CreditTransfer, Pacs008, Tax

TRANSFERS_MAX = {"PAGPRI": 10, "PAGFRD": 10, "PAGAGD": 500}
PRIORITY = {"PAGPRI": "HIGH", "PAGFRD": "NORM", "PAGAGD": "NORM"}
END_TO_END_TOLERANCE = timedelta(hours=12)
MANUAL_ONLY_PURPOSES = frozenset({"REFU", "IPRT"})
CASH_PURPOSES = frozenset({"GSCB", "OTHR"})
ROOT_PAYMENT_PURPOSES = frozenset({"IPAY", "IPRT"})
TAX_INSTRUMENTS = frozenset({"QRES", "APES", "MANU", "DICT"})
CNPJ_LENGTH = 14
STATIC_TXID_MAX = 25
DYNAMIC_TXID_MIN = 26
DYNAMIC_TXID_MAX = 35


class Window:
    """The minutes that the time inside an EndToEndId may name at one moment.

    `yyyyMMddHHmm` sorts as text, so a payment costs two comparisons and no date is parsed.
    """

    __slots__ = ("first", "last")

    def __init__(self, now: datetime) -> None:
        self.first = (now - END_TO_END_TOLERANCE).strftime("%Y%m%d%H%M")
        self.last = (now + END_TO_END_TOLERANCE).strftime("%Y%m%d%H%M")

    def admits(self, end_to_end_id: str) -> bool:
        return self.first <= end_to_end_id[9:21] <= self.last


def message_reason(message: Pacs008) -> str | None:
    """Judge what concerns every payment of the message: AM18 and CH16."""
    transfers_max = TRANSFERS_MAX.get(message.service_level)
    if transfers_max is None or PRIORITY[message.service_level] != message.priority:
        return "CH16"
    if message.declared_count is not None or len(message.transfers) > transfers_max:
        return "AM18"
    return None


def transfer_reason(transfer: CreditTransfer, window: Window) -> str | None:
    """Judge one payment by itself: FF08, AM01, AG12, CH16, RR06 and AM23."""
    if not window.admits(transfer.end_to_end_id):
        return "FF08"
    if transfer.amount_cents == 0:
        return "AM01"
    if transfer.debtor_ispb == transfer.creditor_ispb:
        return "AG12"
    rule = LOCAL_INSTRUMENTS.get(transfer.local_instrument)
    if rule is None or not rule(transfer):
        return "CH16"
    if not purpose_fits(transfer):
        return "CH16"
    return None if transfer.tax is None else tax_reason(transfer, transfer.tax)


def purpose_fits(transfer: CreditTransfer) -> bool:
    purpose = transfer.purpose
    if (transfer.cash is not None) != (purpose in CASH_PURPOSES):
        return False
    if purpose in MANUAL_ONLY_PURPOSES and transfer.local_instrument != "MANU":
        return False
    if transfer.instruction_id is None:
        return purpose != "IPRT"
    return purpose in ROOT_PAYMENT_PURPOSES


def tax_reason(transfer: CreditTransfer, tax: Tax) -> str | None:
    """Judge a split payment: only between legal persons, one record each, within the amount."""
    between_companies = len(transfer.debtor_tax_id) == len(transfer.creditor_tax_id) == CNPJ_LENGTH
    if not between_companies or transfer.local_instrument not in TAX_INSTRUMENTS:
        return "RR06"
    if {each.type for each in tax.records} != {"CBSSPLIT", "IBSSPLIT"}:
        return "RR06"
    total_cents = sum(each.amount_cents for each in tax.records)
    return "AM23" if total_cents > transfer.amount_cents else None


def typed(transfer: CreditTransfer) -> bool:
    return transfer.transaction_id is None and transfer.creditor_key is None


def by_key(transfer: CreditTransfer) -> bool:
    return transfer.transaction_id is None and transfer.creditor_key is not None


def static_code(transfer: CreditTransfer) -> bool:
    length = len(transfer.transaction_id or "")
    return transfer.creditor_key is not None and length <= STATIC_TXID_MAX


def dynamic_code(transfer: CreditTransfer) -> bool:
    length = len(transfer.transaction_id or "")
    return transfer.creditor_key is not None and DYNAMIC_TXID_MIN <= length <= DYNAMIC_TXID_MAX


def initiated(transfer: CreditTransfer) -> bool:
    length = len(transfer.transaction_id or "")
    has_initiator = transfer.initiator_cnpj is not None
    return has_initiator and transfer.creditor_key is not None and 1 <= length <= STATIC_TXID_MAX


def automatic(transfer: CreditTransfer) -> bool:
    has_origin = transfer.transaction_id is not None or transfer.initiator_cnpj is not None
    return transfer.creditor_key is None and transfer.purpose == "IPAY" and has_origin


LOCAL_INSTRUMENTS: Mapping[str, Callable[[CreditTransfer], bool]] = {
    "MANU": typed,
    "DICT": by_key,
    "QRES": static_code,
    "APES": static_code,
    "QRDN": dynamic_code,
    "APDN": dynamic_code,
    "INIC": initiated,
    "AUTO": automatic,
}
