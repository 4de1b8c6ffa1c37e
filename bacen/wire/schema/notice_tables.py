"""admi.002 1.5, admi.004 1.2, pibr.001 and pibr.002 1.3 as tables (BCB catalogue 5.13).

No official schema at hand: these are reconstructions from a public implementation.
"""

from typing import Final

from bacen.wire.schema.header_table import GROUP_HEADER, with_document
from bacen.wire.schema.schema import Table
from bacen.wire.schema.simple import Facets

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

ADMI_004: Final = Table(
    "https://www.bcb.gov.br/pi/admi.004/1.2",
    {"Envelope": "_Envelope"},
    with_document(
        {"_Event": Facets(values="SPI"), "_Text1000": Facets(least=1, most=1000)},
        document="SysEvtNtfctn(EvtInf(EvtCd:_Event EvtDesc:_Text1000))",
    ),
)

PIBR_001: Final = Table(
    "https://www.bcb.gov.br/pi/pibr.001/1.3",
    {"Envelope": "_Envelope"},
    with_document(document=f"EchoReq({GROUP_HEADER} EchoTxInf(Data:Max35Text))"),
)

PIBR_002: Final = Table(
    "https://www.bcb.gov.br/pi/pibr.002/1.3",
    {"Envelope": "_Envelope"},
    with_document(document=f"EchoRpt({GROUP_HEADER} EchoTxInf(OrgnlData:Max35Text))"),
)
