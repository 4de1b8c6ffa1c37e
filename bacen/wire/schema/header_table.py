"""Types that every SPI message has: application header and amounts (BCB catalogue 5.13)."""

from typing import Final

from bacen.wire.schema.schema import Content, Value
from bacen.wire.schema.simple import Facets

_TIMED = "[0-9]{4}[0-1][0-9][0-3][0-9][0-2][0-9][0-5][0-9][a-zA-Z0-9]{11}"
PAYMENT_ID: Final = f"[E][0-9A-Z]{{8}}{_TIMED}"
RETURN_ID: Final = f"[D][0-9A-Z]{{8}}{_TIMED}"
PAYMENT_OR_RETURN_ID: Final = f"[E|D][0-9A-Z]{{8}}{_TIMED}"
MESSAGE_ID: Final = "[M][0-9A-Z]{8}[a-zA-Z0-9]{23}"

HEADER_TYPES: Final[dict[str, str | Content | Value | Facets]] = {
    "SPI.head.001.001.01": (
        "Fr:Party9Choice To:Party9Choice BizMsgIdr:MsgIdType MsgDefIdr:Max35Text "
        "CreDt:ISONormalisedDateTime Sgntr:SignatureEnvelope"
    ),
    "Party9Choice": "FIId:BranchAndFinancialInstitutionIdentification5",
    "BranchAndFinancialInstitutionIdentification5": (
        "FinInstnId:FinancialInstitutionIdentification8"
    ),
    "FinancialInstitutionIdentification8": "Othr:GenericFinancialIdentification1",
    "GenericFinancialIdentification1": "Id:ISPBType",
    "SignatureEnvelope": "#signature",
    "ISONormalisedDateTime": Facets(
        "dateTime", r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
    ),
    "ISPBType": Facets(pattern="[0-9A-Z]{8}", most=8),
    "Max35Text": Facets(least=1, most=35),
    "MsgIdType": Facets(pattern=MESSAGE_ID, most=32),
}

AMOUNT_TYPES: Final[dict[str, str | Content | Value | Facets]] = {
    "ActiveCurrencyAndAmount": Value(
        "ActiveCurrencyAndAmount_SimpleType", "Ccy!:ActiveCurrencyCode"
    ),
    "ActiveCurrencyAndAmount_SimpleType": Facets("decimal", digits=(18, 2)),
    "ActiveCurrencyCode": Facets(values="BRL"),
}

AGENT: Final = "(FinInstnId(ClrSysMmbId(MmbId:ISPBType)))"


def with_document(
    *tables: dict[str, str | Content | Value | Facets], document: str
) -> dict[str, str | Content | Value | Facets]:
    """Join tables with an Envelope whose Document is written out: nothing of it has a name."""
    types: dict[str, str | Content | Value | Facets] = {**HEADER_TYPES}
    for table in tables:
        types.update(table)
    types["_Envelope"] = f"AppHdr:SPI.head.001.001.01 Document({document})"
    return types
