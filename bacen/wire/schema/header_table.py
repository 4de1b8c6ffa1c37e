"""Types that every SPI message has: application header and amounts (BCB catalogue 5.13)."""

from collections.abc import Mapping
from typing import Final

from bacen.wire.schema.schema import Content, Value
from bacen.wire.schema.simple import Facets

ID_TAIL: Final = "[0-9A-Z]{8}[0-9]{4}[0-1][0-9][0-3][0-9][0-2][0-9][0-5][0-9][a-zA-Z0-9]{11}"
PAYMENT_ID: Final = f"[E]{ID_TAIL}"
RETURN_ID: Final = f"[D]{ID_TAIL}"
PAYMENT_OR_RETURN_ID: Final = f"[E|D]{ID_TAIL}"
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

# Types of ours that many tables need, and parts of their lines.
PARTY_TYPES: Final[dict[str, str | Content | Value | Facets]] = {
    "_TaxId": Facets(pattern="[0-9]{11}|[0-9A-Z]{12}[0-9]{2}"),
    "_Cnpj": Facets(pattern="[0-9A-Z]{12}[0-9]{2}"),
    "_Number": Facets(pattern="[0-9A-Z]{1,20}"),
    "_Branch": Facets("integer", "[0-9]{1,4}"),
    "_AccountType": Facets(values="CACC OTHR SLRY SVGS TRAN"),
    "_Instrument": Facets(values="APDN APES AUTO DICT INIC MANU QRDN QRES"),
    "_PaymentId": Facets(pattern=PAYMENT_ID, most=32),
    "_PaymentOrReturnId": Facets(pattern=PAYMENT_OR_RETURN_ID, most=32),
    "_Text77": Facets(least=1, most=77),
    "_Text105": Facets(least=1, most=105),
    "_Text140": Facets(least=1, most=140),
    "_Text350": Facets(least=1, most=350),
}
GROUP_HEADER: Final = "GrpHdr(MsgId:MsgIdType CreDtTm:ISONormalisedDateTime)"
MESSAGE_HEADER: Final = "MsgHdr(MsgId:MsgIdType CreDtTm:ISONormalisedDateTime)"
PERSON: Final = "Id(PrvtId(Othr(Id:_TaxId)))"
ACCOUNT: Final = "Id(Othr(Id:_Number Issr?:_Branch)) Tp(Cd:_AccountType)"
AGENT: Final = "(FinInstnId(ClrSysMmbId(MmbId:ISPBType)))"


def with_document(
    *tables: Mapping[str, str | Content | Value | Facets], document: str
) -> dict[str, str | Content | Value | Facets]:
    """Join tables with an Envelope whose Document is written out: nothing of it has a name."""
    types: dict[str, str | Content | Value | Facets] = {**HEADER_TYPES}
    for table in tables:
        types.update(table)
    types["_Envelope"] = f"AppHdr:SPI.head.001.001.01 Document({document})"
    return types
