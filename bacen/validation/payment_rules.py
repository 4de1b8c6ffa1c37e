"""The rules by which the SPI refuses a payment before any money is touched: of pacs.008.

Each function gives the first rule that is broken, in the order of `PAYMENT_RULES`, or None.
Sources: BCB message catalogue 5.13 (dictionary of pacs.008 1.16), BCB Manual de Tempos 7.0. The
catalogue lets the receiver's PSP refuse what is wrong with Saque and Troco, and does not say who
refuses REFU and IPRT without HIGH; here the SPI does both.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from bacen.validation.rule import Rule
from bacen.wire import CashOut, CreditTransfer, Pacs008, Tax

TRANSFERS_MAX = {"PAGPRI": 10, "PAGFRD": 10, "PAGAGD": 500}
PRIORITY = {"PAGPRI": "HIGH", "PAGFRD": "NORM", "PAGAGD": "NORM"}
END_TO_END_TOLERANCE = timedelta(hours=12)
# A stranger's time may lie at the ends of the calendar.
_EARLIEST = datetime.min.replace(tzinfo=UTC) + END_TO_END_TOLERANCE
_LATEST = datetime.max.replace(tzinfo=UTC) - END_TO_END_TOLERANCE
MANUAL_ONLY_PURPOSES = frozenset({"REFU", "IPRT"})
CASH_PURPOSES = frozenset({"GSCB", "OTHR"})
CASH_PARTS = {"GSCB": frozenset({"VLCP", "VLDN"}), "OTHR": frozenset({"VLDN"})}
TXID_CHARACTERS_MAX = 35  # of the schema
TAX_INSTRUMENTS = frozenset({"QRES", "APES", "MANU", "DICT"})
TAX_TYPES = frozenset({"CBSSPLIT", "IBSSPLIT"})
CNPJ_LENGTH = 14

SERVICE_LEVEL: Final = Rule(
    "service_level_fits_priority", "CH16", "HIGH goes with PAGPRI, NORM with PAGFRD and PAGAGD"
)
COUNT: Final = Rule(
    "number_of_payments",
    "AM18",
    "NbOfTxs must be the number of payments, 10 at most, 500 with PAGAGD",
)
END_TO_END_TIME: Final = Rule(
    "end_to_end_id_within_12_hours",
    "FF08",
    "the time in the EndToEndId must be within 12 hours of the message",
)
AMOUNT: Final = Rule("amount_above_zero", "AM01", "the amount must be above zero")
PARTICIPANTS: Final = Rule("participants_differ", "AG12", "the two PSPs must differ")
INITIATOR: Final = Rule(
    "local_instrument_inic_needs_initiator", "CH16", "INIC needs the initiator's CNPJ"
)
AUTOMATIC_ORIGIN: Final = Rule(
    "local_instrument_auto_needs_txid_or_initiator", "CH16", "AUTO needs a txid or an initiator"
)
AUTOMATIC_PURPOSE: Final = Rule(
    "local_instrument_auto_needs_ipay", "CH16", "AUTO goes with the purpose IPAY"
)
ROOT_PAYMENT: Final = Rule(
    "purpose_iprt_needs_root_payment", "CH16", "IPRT needs the root payment in InstrId"
)
PURPOSE_PRIORITY: Final = Rule(
    "purpose_refu_iprt_needs_high", "CH16", "REFU and IPRT go with the priority HIGH"
)
BOTH_PARTS: Final = Rule(
    "purpose_gscb_needs_both_parts", "FF07", "GSCB has a purchase (VLCP) and cash (VLDN)"
)
CASH_ONLY: Final = Rule("purpose_othr_needs_cash_only", "FF07", "OTHR has cash (VLDN) only")
CASH_SUM: Final = Rule("cash_parts_make_the_amount", "AM12", "the parts must add up to the amount")
TAX_PARTIES: Final = Rule(
    "tax_between_companies", "RR06", "a split payment is between legal persons"
)
TAX_INSTRUMENT: Final = Rule(
    "tax_fits_local_instrument", "RR06", "a split payment is by QRES, APES, MANU or DICT"
)
TAX_RECORDS: Final = Rule(
    "tax_has_one_record_each", "RR06", "a split payment has one CBSSPLIT and one IBSSPLIT"
)
TAX_TOTAL: Final = Rule("tax_within_amount", "AM23", "the taxes must not exceed the amount")


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a local instrument asks for.

    Attributes:
        has_key: A key must be there, else it must not.
        txid_length: Fewest and most characters of the TxId; 0 is none.
        key_rule: Broken where the key is wrong.
        txid_rule: Broken where the TxId is.
    """

    has_key: bool
    txid_length: tuple[int, int]
    key_rule: Rule
    txid_rule: Rule

    @property
    def limits_txid(self) -> bool:
        """Whether the schema lets a TxId through that breaks the rule."""
        return self.txid_length != (0, TXID_CHARACTERS_MAX)


def instrument(code: str, txid_length: tuple[int, int], *, has_key: bool) -> Instrument:
    """Name the rules of a local instrument."""
    start, (least, most) = f"local_instrument_{code.lower()}", txid_length
    verb = "needs" if least else "limits" if most else "forbids"
    wanted = f"{least} to {most} characters" if most else "no characters"
    return Instrument(
        has_key,
        txid_length,
        Rule(
            f"{start}_{'needs' if has_key else 'forbids'}_proxy",
            "CH16",
            f"{code} {'needs a' if has_key else 'goes without'} key",
        ),
        Rule(f"{start}_{verb}_txid", "CH16", f"with {code} the txid has {wanted}"),
    )


INSTRUMENTS: Final = {
    "MANU": instrument("MANU", (0, 0), has_key=False),
    "DICT": instrument("DICT", (0, 0), has_key=True),
    "QRES": instrument("QRES", (0, 25), has_key=True),
    "APES": instrument("APES", (0, 25), has_key=True),
    "QRDN": instrument("QRDN", (26, 35), has_key=True),
    "APDN": instrument("APDN", (26, 35), has_key=True),
    "INIC": instrument("INIC", (1, 25), has_key=True),
    "AUTO": instrument("AUTO", (0, TXID_CHARACTERS_MAX), has_key=False),
}
CASH: Final = {
    purpose: Rule(f"purpose_{purpose.lower()}_needs_cash", "CH16", f"{purpose} needs Strd")
    for purpose in sorted(CASH_PURPOSES)
} | {
    purpose: Rule(f"purpose_{purpose.lower()}_forbids_cash", "CH16", f"{purpose} goes without Strd")
    for purpose in ("IPAY", "IPRT", "REFU")
}
MANUAL: Final = {
    purpose: Rule(f"purpose_{purpose.lower()}_needs_manu", "CH16", f"{purpose} goes with MANU")
    for purpose in sorted(MANUAL_ONLY_PURPOSES)
}
NO_ROOT_PAYMENT: Final = {
    purpose: Rule(
        f"purpose_{purpose.lower()}_forbids_root_payment",
        "CH16",
        f"{purpose} goes without InstrId",
    )
    for purpose in ("GSCB", "OTHR", "REFU")
}
PAYMENT_RULES: Final = (
    SERVICE_LEVEL,
    COUNT,
    END_TO_END_TIME,
    AMOUNT,
    PARTICIPANTS,
    *(each.key_rule for each in INSTRUMENTS.values()),
    *(each.txid_rule for each in INSTRUMENTS.values() if each.limits_txid),
    INITIATOR,
    AUTOMATIC_PURPOSE,
    AUTOMATIC_ORIGIN,
    *CASH.values(),
    *MANUAL.values(),
    PURPOSE_PRIORITY,
    ROOT_PAYMENT,
    *NO_ROOT_PAYMENT.values(),
    BOTH_PARTS,
    CASH_ONLY,
    CASH_SUM,
    TAX_PARTIES,
    TAX_INSTRUMENT,
    TAX_RECORDS,
    TAX_TOTAL,
)


class Window:
    """The minutes that the time inside an EndToEndId may name at one moment.

    `yyyyMMddHHmm` sorts as text, so a payment costs two comparisons and no date is parsed.
    """

    __slots__ = ("first", "last")

    def __init__(self, now: datetime) -> None:
        self.first = (max(now, _EARLIEST) - END_TO_END_TOLERANCE).strftime("%Y%m%d%H%M")
        self.last = (min(now, _LATEST) + END_TO_END_TOLERANCE).strftime("%Y%m%d%H%M")

    def admits(self, end_to_end_id: str) -> bool:
        return self.first <= end_to_end_id[9:21] <= self.last


def message_rule(message: Pacs008) -> Rule | None:
    """Find the rule that every payment of the message breaks."""
    transfers_max = TRANSFERS_MAX.get(message.service_level)
    if transfers_max is None or PRIORITY[message.service_level] != message.priority:
        return SERVICE_LEVEL
    count = len(message.transfers)
    is_right = message.declared_count in {None, count} and count <= transfers_max
    return None if is_right else COUNT


def transfer_rule(transfer: CreditTransfer, window: Window, priority: str) -> Rule | None:
    """Find the first rule that a payment breaks by itself.

    Args:
        transfer: The payment.
        window: Of the moment at which it is judged.
        priority: That of its message, `HIGH` or `NORM`.
    """
    if not window.admits(transfer.end_to_end_id):
        return END_TO_END_TIME
    if transfer.amount_cents == 0:
        return AMOUNT
    if transfer.debtor_ispb == transfer.creditor_ispb:
        return PARTICIPANTS
    rule = instrument_rule(transfer) or purpose_rule(transfer, priority)
    if rule is not None or transfer.tax is None:
        return rule
    return tax_rule(transfer, transfer.tax)


def instrument_rule(transfer: CreditTransfer) -> Rule | None:
    """Find what does not go with the local instrument."""
    code = transfer.local_instrument
    wanted = INSTRUMENTS[code]
    if (transfer.creditor_key is not None) != wanted.has_key:
        return wanted.key_rule
    least, most = wanted.txid_length
    if not least <= len(transfer.transaction_id or "") <= most:
        return wanted.txid_rule
    if code == "INIC" and transfer.initiator_cnpj is None:
        return INITIATOR
    if code == "AUTO":
        if transfer.purpose != "IPAY":
            return AUTOMATIC_PURPOSE
        if transfer.transaction_id is None and transfer.initiator_cnpj is None:
            return AUTOMATIC_ORIGIN
    return None


def purpose_rule(transfer: CreditTransfer, priority: str) -> Rule | None:
    """Find what does not go with the purpose."""
    purpose, cash = transfer.purpose, transfer.cash
    if (cash is not None) != (purpose in CASH_PURPOSES):
        return CASH[purpose]
    if purpose == "IPAY":
        return None
    if purpose in MANUAL_ONLY_PURPOSES:
        if transfer.local_instrument != "MANU":
            return MANUAL[purpose]
        if priority != "HIGH":
            return PURPOSE_PRIORITY
    if (transfer.instruction_id is None) == (purpose == "IPRT"):
        return ROOT_PAYMENT if purpose == "IPRT" else NO_ROOT_PAYMENT[purpose]
    return None if cash is None else cash_rule(transfer, cash)


def cash_rule(transfer: CreditTransfer, cash: CashOut) -> Rule | None:
    """Judge the parts of a Saque or Troco."""
    if {each.reason for each in cash.parts} != CASH_PARTS[transfer.purpose]:
        return BOTH_PARTS if transfer.purpose == "GSCB" else CASH_ONLY
    total_cents = sum(each.amount_cents for each in cash.parts)
    return CASH_SUM if total_cents != transfer.amount_cents else None


def tax_rule(transfer: CreditTransfer, tax: Tax) -> Rule | None:
    """Judge a split payment: only between legal persons, one record each, within the amount."""
    if not len(transfer.debtor_tax_id) == len(transfer.creditor_tax_id) == CNPJ_LENGTH:
        return TAX_PARTIES
    if transfer.local_instrument not in TAX_INSTRUMENTS:
        return TAX_INSTRUMENT
    if {each.type for each in tax.records} != TAX_TYPES:
        return TAX_RECORDS
    total_cents = sum(each.amount_cents for each in tax.records)
    return TAX_TOTAL if total_cents > transfer.amount_cents else None
