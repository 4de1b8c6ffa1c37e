"""trck.002 1.1 and camt.025 1.0 as tables (BCB catalogue 5.13).

No official schema at hand: these are reconstructions from a public implementation.
"""

from typing import Final

from bacen.wire.schema.header_table import (
    ACCOUNT,
    AGENT,
    AMOUNT_TYPES,
    GROUP_HEADER,
    MESSAGE_HEADER,
    PARTY_TYPES,
    PERSON,
    RETURN_ID,
    with_document,
)
from bacen.wire.schema.schema import Table
from bacen.wire.schema.simple import Facets

TRCK_002: Final = Table(
    "https://www.bcb.gov.br/pi/trck.002/1.1",
    {"Envelope": "_Envelope"},
    with_document(
        AMOUNT_TYPES,
        PARTY_TYPES,
        {
            "_Settled": Facets(values="ACCC"),
            "_ReturnId": Facets(pattern=RETURN_ID, most=32),
            "_Scenario": Facets(values="BOK1 BOK2"),
        },
        document=(
            f"PmtStsTrckrRpt({GROUP_HEADER} TrckrStsAndTx(TxSts(Sts:_Settled) "
            "Tx+(PmtId(InstrId?:_ReturnId EndToEndId:_PaymentId) "
            "PmtTpInf(LclInstrm(Prtry:_Instrument)) PmtScnro(Prtry:_Scenario) "
            "IntrBkSttlmAmt:ActiveCurrencyAndAmount ReqdExctnDt(DtTm:ISONormalisedDateTime) "
            f"Dbtr(Pty({PERSON})) DbtrAcct({ACCOUNT}) DbtrAgt{AGENT} CdtrAgt{AGENT} "
            f"Cdtr(Pty({PERSON})) CdtrAcct({ACCOUNT} Prxy?(Id:_Text77)))))"
        ),
    ),
)

CAMT_025: Final = Table(
    "https://www.bcb.gov.br/pi/camt.025/1.0",
    {"Envelope": "_Envelope"},
    with_document(
        PARTY_TYPES,
        {
            "_Status": Facets(values="ACPT RJCT"),
            "_Reason": Facets(values="AG01 AM01 AM18 DT02 ED05 FF08 RC09 RC10"),
        },
        document=(
            f"Rct({MESSAGE_HEADER} "
            "RctDtls+(OrgnlMsgId(MsgId:MsgIdType) OrgnlPmtId(PrtryId:_PaymentOrReturnId) "
            "ReqHdlg(Sts(Cd:_Status) StsRsn?(Rsn(Prtry:_Reason) AddtlInf?:_Text105))))"
        ),
    ),
)
