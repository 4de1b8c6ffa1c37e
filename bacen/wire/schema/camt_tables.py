"""camt.060 1.9, camt.052 1.3 and camt.053 1.4 as tables (BCB catalogue 5.13).

The schemas are reconstructions from a public implementation.
"""

from typing import Final

from bacen.wire.schema.header_table import (
    AGENT,
    AMOUNT_TYPES,
    MESSAGE_ID,
    PAYMENT_OR_RETURN_ID,
    with_document,
)
from bacen.wire.schema.schema import Table
from bacen.wire.schema.simple import Facets

_GROUP_HEADER = "GrpHdr(MsgId:MsgIdType CreDtTm:ISONormalisedDateTime)"
_ACCOUNT = "Acct(Id(Othr(Id:ISPBType)))"

CAMT_060: Final = Table(
    "https://www.bcb.gov.br/pi/camt.060/1.9",
    {"Envelope": "_Envelope"},
    with_document(
        {
            "_EntryId": Facets(
                pattern=(
                    f"{PAYMENT_OR_RETURN_ID}|[A-Z]{{3}}[0-9]{{4}}[0-1][0-9][0-3][0-9][a-zA-Z0-9]{{9}}"
                ),
                most=32,
            ),
            "_Report": Facets(values="camt.052 camt.053 camt.054"),
            "_Time": Facets("time", r"[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"),
            "_Period": Facets(values="ALLL"),
            "_Balance": Facets(values="CRE CSA REL TRD TRT"),
        },
        document=(
            f"AcctRptgReq({_GROUP_HEADER} "
            f"RptgReq(Id?:_EntryId ReqdMsgNmId:_Report AcctOwnr(Agt{AGENT}) "
            "RptgPrd?(FrToDt(FrDt:date ToDt?:date) FrToTm?(FrTm:_Time ToTm:_Time) Tp:_Period) "
            "ReqdBalTp?(CdOrPrtry(Prtry:_Balance))))"
        ),
    ),
)

CAMT_052: Final = Table(
    "https://www.bcb.gov.br/pi/camt.052/1.3",
    {"Envelope": "_Envelope"},
    with_document(
        {
            "_Count": Facets(pattern="[0-9]{1,15}"),
            "_Text500": Facets(least=1, most=500),
        },
        document=(
            f"BkToCstmrAcctRpt({_GROUP_HEADER} "
            f"Rpt+(Id:MsgIdType {_ACCOUNT} TxsSummry(TtlNtries(NbOfNtries:_Count)) "
            "AddtlRptInf:_Text500))"
        ),
    ),
)

CAMT_053: Final = Table(
    "https://www.bcb.gov.br/pi/camt.053/1.4",
    {"Envelope": "_Envelope"},
    with_document(
        AMOUNT_TYPES,
        {
            "_StatementId": Facets(pattern=f"{MESSAGE_ID}|[0]{{32}}", most=32),
            "_Balance": Facets(values="PSSR REMN SABK SADP VSME VVSR"),
            "_Side": Facets(values="CRDT"),
        },
        document=(
            f"BkToCstmrStmt({_GROUP_HEADER} "
            f"Stmt+(Id:_StatementId {_ACCOUNT} "
            "Bal+(Tp(CdOrPrtry(Prtry:_Balance)) Amt:ActiveCurrencyAndAmount CdtDbtInd:_Side "
            "Dt(DtTm:ISONormalisedDateTime))))"
        ),
    ),
)
