"""admi.002 1.5, pibr.001 1.3 and pibr.002 1.3 as tables (BCB catalogue 5.13).

The schemas are reconstructions from a public implementation.
"""

from typing import Final

from bacen.wire.schema.header_table import with_document
from bacen.wire.schema.schema import Table
from bacen.wire.schema.simple import Facets

_GROUP_HEADER = "GrpHdr(MsgId:MsgIdType CreDtTm:ISONormalisedDateTime)"

ADMI_002: Final = Table(
    "https://www.bcb.gov.br/pi/admi.002/1.5",
    {"Envelope": "_Envelope"},
    with_document(
        {
            "_Text33": Facets(least=1, most=33),
            "_Text35": Facets(least=1, most=35),
            "_Text350": Facets(least=1, most=350),
            "_Text1000": Facets(least=1, most=1000),
        },
        document=(
            "admi.002.001.01(RltdRef(Ref:_Text33) "
            "Rsn(RjctgPtyRsn:_Text35 RjctnDtTm?:ISONormalisedDateTime ErrLctn?:_Text350 "
            "RsnDesc?:_Text350 AddtlData?:_Text1000))"
        ),
    ),
)

PIBR_001: Final = Table(
    "https://www.bcb.gov.br/pi/pibr.001/1.3",
    {"Envelope": "_Envelope"},
    with_document(document=f"EchoReq({_GROUP_HEADER} EchoTxInf(Data:Max35Text))"),
)

PIBR_002: Final = Table(
    "https://www.bcb.gov.br/pi/pibr.002/1.3",
    {"Envelope": "_Envelope"},
    with_document(document=f"EchoRpt({_GROUP_HEADER} EchoTxInf(OrgnlData:Max35Text))"),
)
