"""camt.060 1.9, camt.052 1.3, camt.053 1.4 and camt.054 1.16 as tables (BCB catalogue 5.13).

No official schema at hand: these are reconstructions from a public implementation.
"""

from typing import Final

from bacen.wire.schema.header_table import (
    ACCOUNT,
    AGENT,
    AMOUNT_TYPES,
    GROUP_HEADER,
    ID_TAIL,
    MESSAGE_ID,
    PARTY_TYPES,
    PAYMENT_OR_RETURN_ID,
    PERSON,
    with_document,
)
from bacen.wire.schema.schema import Table
from bacen.wire.schema.simple import Facets

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
            f"AcctRptgReq({GROUP_HEADER} "
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
            f"BkToCstmrAcctRpt({GROUP_HEADER} "
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
            f"BkToCstmrStmt({GROUP_HEADER} "
            f"Stmt+(Id:_StatementId {_ACCOUNT} "
            "Bal+(Tp(CdOrPrtry(Prtry:_Balance)) Amt:ActiveCurrencyAndAmount CdtDbtInd:_Side "
            "Dt(DtTm:ISONormalisedDateTime))))"
        ),
    ),
)

_STR_NUMBER = "[A-Z]{3}[0-9]{4}[0-1][0-9][0-3][0-9][a-zA-Z0-9]{9}"

CAMT_054: Final = Table(
    "https://www.bcb.gov.br/pi/camt.054/1.16",
    {"Envelope": "_Envelope"},
    with_document(
        AMOUNT_TYPES,
        PARTY_TYPES,
        {
            "_Side": Facets(values="CRDT DBIT"),
            "_Status": Facets(values="BOOK INFO"),
            "_Domain": Facets(values="CAMT PMNT"),
            "_Family": Facets(values="IRCT MCOP MDOP RRCT"),
            "_SubFamily": Facets(values="DMCT NTAV RRTN"),
            "_EntryId": Facets(pattern=f"[E|L]{ID_TAIL}", most=32),
            "_StrNumber": Facets(pattern=_STR_NUMBER, most=20),
            "_ServiceLevelTag": Facets(values="ServiceLevel"),
            "_ServiceLevel": Facets(values="PAGAGD PAGFRD PAGPRI"),
            "_Counterparty": Facets(values="ContraparteSTR ContraparteSelic"),
            "_Purpose": Facets(values="GSCB IPAY IPRT OTHR REFU"),
            "_Facilitator": Facets(values="AGFSS AGTEC AGTOT"),
            "_CashPart": Facets(values="VLCP VLDN"),
            "_Document": Facets(pattern="[a-zA-Z0-9]{1,50}"),
            "_TaxType": Facets(values="CBSSPLIT IBSSPLIT"),
            "_TaxCategory": Facets(values="INF"),
            "_ReturnReason": Facets(values="BE08 FR01 MD06 SL02"),
            "_Priority": Facets(values="HIGH NORM"),
            "_Text4": Facets(least=1, most=4),
        },
        document=(
            f"BkToCstmrDbtCdtNtfctn({GROUP_HEADER} "
            f"Ntfctn+(Id:MsgIdType {_ACCOUNT} "
            "Ntry(Amt:ActiveCurrencyAndAmount CdtDbtInd:_Side Sts(Cd:_Status) "
            "BookgDt?(Dt:date) ValDt?(DtTm:ISONormalisedDateTime) "
            "BkTxCd(Domn(Cd:_Domain Fmly(Cd:_Family SubFmlyCd:_SubFamily))) "
            "AddtlInfInd(MsgNmId:Max35Text) NtryDtls(TxDtls("
            "Refs(InstrId?:_PaymentOrReturnId EndToEndId:_EntryId TxId?:Max35Text "
            "ClrSysRef?:_StrNumber Prtry?(Tp:_ServiceLevelTag Ref:_ServiceLevel)) "
            "RltdPties?(InitgPty?(Pty(Id(OrgId(Othr(Id:_Cnpj))))) "
            f"Dbtr(Pty(Nm:_Text140 {PERSON})) "
            f"DbtrAcct({ACCOUNT}) Cdtr(Pty({PERSON})) "
            f"CdtrAcct({ACCOUNT} Prxy?(Id:_Text77))) "
            f"RltdAgts(DbtrAgt?{AGENT} CdtrAgt?{AGENT} Prtry?(Tp:_Counterparty Agt{AGENT})) "
            "LclInstrm?(Prtry:_Instrument) Purp?(Cd:_Purpose) "
            "RmtInf?(Ustrd?:_Text140 Strd?(RfrdDocInf(Tp(CdOrPrtry(Prtry:_Facilitator) "
            "Issr:ISPBType)) "
            "RfrdDocAmt(AdjstmntAmtAndRsn{1,2}(Amt:ActiveCurrencyAndAmount Rsn:_CashPart)))) "
            "RltdDts?(AccptncDtTm:ISONormalisedDateTime) "
            "Tax?(RefNb?:_Document "
            "Rcrd{2}(Tp:_TaxType Ctgy:_TaxCategory TaxAmt(TtlAmt:ActiveCurrencyAndAmount))) "
            "RtrInf?(Rsn(Cd:_ReturnReason) AddtlInf?:_Text105) AddtlTxInf?:_Priority)) "
            "AddtlNtryInf?:_Text4) AddtlNtfctnInf?:_Text105))"
        ),
    ),
)
