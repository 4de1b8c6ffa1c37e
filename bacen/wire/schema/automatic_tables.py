"""pain.009, 011, 012, 013, 014, camt.055 and camt.029 as tables (BCB catalogue 5.13).

No official schema at hand: these are reconstructions from a public implementation.
"""

from typing import Final

from bacen.wire.schema.header_table import (
    AGENT,
    AMOUNT_TYPES,
    GROUP_HEADER,
    PARTY_TYPES,
    PERSON,
    with_document,
)
from bacen.wire.schema.schema import Table
from bacen.wire.schema.simple import Facets

# Ids of Pix Automático: two letters that say what it is, an ISPB, a day, and 11 characters.
ID_TAIL: Final = "[0-9A-Z]{8}[0-9]{4}[0-1][0-9][0-3][0-9][a-zA-Z0-9]{11}"
_TYPES: Final = {
    "_MandateId": Facets(pattern=f"[R|C][R|N]{ID_TAIL}"),
    "_CancellationId": Facets(pattern=f"[C][A]{ID_TAIL}"),
    "_ChargeId": Facets(pattern="[a-zA-Z0-9]{1,35}"),
    "_Recurring": Facets(values="RCUR"),
    "_Frequency": Facets(values="MIAN MNTH QURT WEEK YEAR"),
    "_DigitsOfAccount": Facets("integer", "[0-9]{1,20}"),
    "_Document": Facets(pattern="[a-zA-Z0-9]{1,50}"),
    "_NoInitiator": Facets(values="0" * 14),
}
_SENT = f"{GROUP_HEADER[:-1]} InstgAgt{AGENT})"
_NAMED = f"(Nm:_Text140 {PERSON})"
_OCCURRENCES = (
    "Ocrncs(SeqTp:_Recurring Frqcy(Tp:_Frequency) FrstColltnDt:date FnlColltnDt?:date) "
    "TrckgInd:boolean ColltnAmt?:ActiveCurrencyAndAmount"
)
_CREDITOR = f"Cdtr{_NAMED} CdtrAgt{AGENT}"
_DEBTOR_ACCOUNT = (
    f"DbtrAcct(Id(Othr(Id:_DigitsOfAccount Issr?:_Branch))) DbtrAgt{AGENT} UltmtDbtr?{_NAMED}"
)
_CONTRACT = "RfrdDoc(Nb:Max35Text CdtrRef?:Max35Text)"
_STEP = "(MndtPrcgTp:_Step PrcgDtTm:ISONormalisedDateTime)"
_NO_INITIATOR = "InitgPty(Id(OrgId(Othr(Id:_NoInitiator))))"
_ASSIGNMENT = (
    f"Assgnmt(Id:MsgIdType Assgnr(Agt{AGENT}) Assgne(Agt{AGENT}) CreDtTm:ISONormalisedDateTime)"
)
_PROCESSED = "CxlPrcgDtls(CxlPrcgTp:_Processed PrcgDtTm:ISONormalisedDateTime)"

PAIN_009: Final = Table(
    "https://www.bcb.gov.br/pi/pain.009/1.1",
    {"Envelope": "_Envelope"},
    with_document(
        AMOUNT_TYPES,
        PARTY_TYPES,
        _TYPES,
        {
            "_RequestId": Facets(pattern=f"[S][C]{ID_TAIL}"),
            "_Step": Facets(values="CRAT CRTN EXPR"),
        },
        document=(
            f"MndtInitnReq({GROUP_HEADER} "
            f"Mndt+(MndtId:_MandateId MndtReqId:_RequestId {_OCCURRENCES} "
            "Adjstmnt?(DtAdjstmntRuleInd:boolean Amt:ActiveCurrencyAndAmount) "
            f"{_CREDITOR} Dbtr({PERSON}) {_DEBTOR_ACCOUNT} {_CONTRACT} "
            f"SplmtryData(Envlp(MndtPrcgDtls{{3}}{_STEP}))))"
        ),
    ),
)

PAIN_011: Final = Table(
    "https://www.bcb.gov.br/pi/pain.011/1.3",
    {"Envelope": "_Envelope"},
    with_document(
        AMOUNT_TYPES,
        PARTY_TYPES,
        _TYPES,
        {
            "_RequestId": Facets(pattern=f"[I][C]{ID_TAIL}"),
            "_Reason": Facets(values="ACCL CPCL DCSD ERSL FRUD NRES OTHS PCFD SJUD SLCR SLDB"),
            "_Step": Facets(values="CLTN CRTN"),
        },
        document=(
            f"MndtCxlReq({_SENT} UndrlygCxlDtls(CxlRsn(Orgtr({PERSON}) Rsn(Prtry:_Reason)) "
            f"OrgnlMndt(OrgnlMndt(MndtId:_MandateId MndtReqId:_RequestId {_OCCURRENCES} "
            f"{_CREDITOR} Dbtr({PERSON}) {_DEBTOR_ACCOUNT} {_CONTRACT})) "
            f"SplmtryData?(Envlp(MndtPrcgDtls{{2}}{_STEP}))))"
        ),
    ),
)

PAIN_012: Final = Table(
    "https://www.bcb.gov.br/pi/pain.012/1.4",
    {"Envelope": "_Envelope"},
    with_document(
        AMOUNT_TYPES,
        PARTY_TYPES,
        _TYPES,
        {
            "_RequestId": Facets(pattern=f"[I][S]{ID_TAIL}"),
            "_AnyRequestId": Facets(pattern=f"SC{ID_TAIL}|IC{ID_TAIL}|IS{ID_TAIL}"),
            "_Municipality": Facets(pattern="[0-9]{7}"),
            "_Reason": Facets(
                values=(
                    "AC01 AC04 AC06 AM05 AP01 AP02 AP03 AP04 AP05 AP06 AP07 AP08 AP09 AP10 AP11 "
                    "AP12 AP13 AP14 AP15 CH16 MD01 MD20 SA01"
                )
            ),
            "_Step": Facets(values="AUT1 AUT2 AUT3 AUT4 CRTN UPDT"),
            "_Status": Facets(values="CCLD CFDB PDNG"),
        },
        document=(
            f"MndtAccptncRpt({_SENT} "
            "UndrlygAccptncDtls+(AccptncRslt(Accptd:boolean RjctRsn?(Prtry:_Reason)) "
            f"OrgnlMndt(OrgnlMndt(MndtId:_MandateId MndtReqId:_RequestId {_OCCURRENCES} "
            f"{_CREDITOR} Dbtr(PstlAdr?(TwnNm:_Municipality) {PERSON}) {_DEBTOR_ACCOUNT} "
            f"MndtRef?:_AnyRequestId {_CONTRACT})) "
            f"SplmtryData?(Envlp(MndtPrcgDtls{{0,3}}{_STEP} MndtSts?:_Status))))"
        ),
    ),
)

PAIN_013: Final = Table(
    "https://www.bcb.gov.br/pi/pain.013/2.2",
    {"Envelope": "_Envelope"},
    with_document(
        AMOUNT_TYPES,
        PARTY_TYPES,
        _TYPES,
        {
            "_Count": Facets("integer", "[0-9]{1,15}"),
            "_Method": Facets(values="TRF"),
            "_Priority": Facets(values="NORM"),
            "_ServiceLevel": Facets(values="PAGAGD"),
            "_Automatic": Facets(values="AUTO"),
            "_Bearer": Facets(values="SLEV"),
            "_CreditorAccountType": Facets(values="CACC SVGS TRAN"),
            "_Attempt": Facets(values="AGND NTAG RIFL"),
            "_TaxType": Facets(values="CBSSPLIT IBSSPLIT"),
            "_TaxCategory": Facets(values="COR INF"),
        },
        document=(
            f"CdtrPmtActvtnReq({GROUP_HEADER[:-1]} NbOfTxs:_Count {_NO_INITIATOR}) "
            "PmtInf+(PmtInfId:_ChargeId PmtMtd:_Method "
            "ReqdExctnDt?(DtTm:ISONormalisedDateTime) XpryDt(Dt:date) "
            f"Dbtr({PERSON}) DbtrAgt{AGENT} UltmtDbtr?{_NAMED} "
            "CdtTrfTx(PmtId(EndToEndId:_PaymentId) PmtTpInf(InstrPrty:_Priority "
            "SvcLvl(Prtry:_ServiceLevel) LclInstrm(Prtry:_Automatic)) "
            "Amt(InstdAmt:ActiveCurrencyAndAmount) ChrgBr:_Bearer MndtRltdInf(MndtId:_MandateId) "
            f"CdtrAgt{AGENT} Cdtr({PERSON}) "
            "CdtrAcct(Id(Othr(Id:_DigitsOfAccount Issr?:_Branch)) Tp(Cd:_CreditorAccountType)) "
            "Purp(Prtry:_Attempt) Tax?(RefNb?:_Document Rcrd{2,4}(Tp:_TaxType Ctgy:_TaxCategory "
            "TaxAmt(TtlAmt:ActiveCurrencyAndAmount))) RmtInf?(Ustrd:_Text140))))"
        ),
    ),
)

PAIN_014: Final = Table(
    "https://www.bcb.gov.br/pi/pain.014/2.4",
    {"Envelope": "_Envelope"},
    with_document(
        PARTY_TYPES,
        _TYPES,
        {
            "_NoMessage": Facets(values="0" * 32),
            "_NoKind": Facets(values="0" * 8),
            "_Status": Facets(values="ACSP RJCT"),
            "_Reason": Facets(
                values=(
                    "AB10 AC05 AC06 AM02 AM09 CRNC DENC DTED DTNT FCD1 FCD2 GRER IRNT MIDI MSUC "
                    "NIEC NIPA NITX QUNT UDEI"
                )
            ),
        },
        document=(
            f"CdtrPmtActvtnReqStsRpt({GROUP_HEADER[:-1]} {_NO_INITIATOR}) "
            "OrgnlGrpInfAndSts(OrgnlMsgId:_NoMessage OrgnlMsgNmId:_NoKind) "
            "OrgnlPmtInfAndSts+(OrgnlPmtInfId:_ChargeId TxInfAndSts(OrgnlEndToEndId:_PaymentId "
            "TxSts:_Status StsRsnInf?(Rsn(Prtry:_Reason)) DbtrDcsnDtTm:ISONormalisedDateTime "
            f"OrgnlTxRef(CdtrAgt{AGENT} Cdtr({PERSON})))))"
        ),
    ),
)

CAMT_055: Final = Table(
    "https://www.bcb.gov.br/pi/camt.055/1.1",
    {"Envelope": "_Envelope"},
    with_document(
        PARTY_TYPES,
        _TYPES,
        {
            "_Reason": Facets(values="ACCT BLCK CCLD FAIL OTHR SLBD SLCR"),
            "_Processed": Facets(values="DHIP DHSR"),
        },
        document=(
            f"CstmrPmtCxlReq({_ASSIGNMENT} Undrlyg(OrgnlPmtInfAndCxl(PmtCxlId:_CancellationId "
            f"OrgnlPmtInfId:_ChargeId CxlRsnInf(Orgtr({PERSON}) Rsn(Prtry:_Reason)) "
            f"TxInf(OrgnlEndToEndId:_PaymentId SplmtryData(Envlp({_PROCESSED}))))))"
        ),
    ),
)

CAMT_029: Final = Table(
    "https://www.bcb.gov.br/pi/camt.029/1.2",
    {"Envelope": "_Envelope"},
    with_document(
        PARTY_TYPES,
        _TYPES,
        {
            "_Confirmation": Facets(values="INFO"),
            "_Status": Facets(values="ACCR RJCR"),
            "_Reason": Facets(values="AB09 AB10 CH16 CRNC DENC FBRD FF08 PRJL"),
            "_Processed": Facets(values="DHAC DHRC"),
        },
        document=(
            f"RsltnOfInvstgtn({_ASSIGNMENT} Sts(Conf:_Confirmation) "
            "CxlDtls(OrgnlPmtInfAndSts(OrgnlPmtInfCxlId:_CancellationId OrgnlPmtInfId:_ChargeId "
            "PmtInfCxlSts:_Status CxlStsRsnInf?(Rsn(Prtry:_Reason)) "
            "TxInfAndSts(OrgnlEndToEndId:_PaymentId))) "
            f"SplmtryData(Envlp({_PROCESSED})))"
        ),
    ),
)
