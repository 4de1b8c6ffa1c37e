"""pacs.008 1.16, pacs.002 1.17 and pacs.004 1.5 as tables (BCB catalogue 5.13).

The schema of pacs.004 is a reconstruction from a public implementation.
"""

from typing import Final

from bacen.wire.schema.header_table import (
    AGENT,
    AMOUNT_TYPES,
    HEADER_TYPES,
    PAYMENT_ID,
    PAYMENT_OR_RETURN_ID,
    RETURN_ID,
    with_document,
)
from bacen.wire.schema.schema import Content, Table, Value
from bacen.wire.schema.simple import Facets

STATUS_REASONS: Final = (
    "AB03 AB09 AB11 AC03 AC06 AC07 AC14 AG03 AG12 AG13 AGNT AM01 AM02 AM04 AM09 AM12 AM18 AM23 "
    "BE01 BE05 BE15 BE17 CH11 CH16 CN01 DS02 DS04 DS0G DS27 DT02 DT05 DU03 DUPL ED05 FF07 FF08 "
    "FRAD INDT MD01 RC09 RC10 RR04 RR06 SL02 UPAY"
)

PACS_008: Final = Table(
    "https://www.bcb.gov.br/pi/pacs.008/1.16",
    {"Envelope": "SPIEnvelopeMessage", "RfrdDocAmt": "_RfrdDocAmt"},
    {
        **HEADER_TYPES,
        **AMOUNT_TYPES,
        "SPIEnvelopeMessage": "AppHdr:SPI.head.001.001.01 Document:SPI.pacs.008.001.09",
        "SPI.pacs.008.001.09": "FIToFICstmrCdtTrf:FIToFICustomerCreditTransferV09",
        "FIToFICustomerCreditTransferV09": (
            "GrpHdr:GroupHeader93 CdtTrfTxInf+:CreditTransferTransaction43"
        ),
        "GroupHeader93": (
            "MsgId:MsgIdType CreDtTm:ISONormalisedDateTime NbOfTxs:Max15Numeric "
            "SttlmInf:SettlementInstruction7 PmtTpInf:PaymentTypeInformation28"
        ),
        "SettlementInstruction7": "SttlmMtd:SettlementMethod1Code",
        "PaymentTypeInformation28": "InstrPrty:Priority2Code SvcLvl:ServiceLevel8Choice",
        "ServiceLevel8Choice": "Prtry:PrtrySvcLvlCode",
        "CreditTransferTransaction43": (
            "PmtId:PaymentIdentification13 IntrBkSttlmAmt:ActiveCurrencyAndAmount "
            "AccptncDtTm:ISONormalisedDateTime ChrgBr:ChargeBearerType1Code "
            "MndtRltdInf:CreditTransferMandateData1 InitgPty?:IdOrganizationIdentification "
            "Dbtr:NmIdPrivateIdentification DbtrAcct:CashAccount38DbtrAcct "
            "DbtrAgt:BranchAndFinancialInstitutionIdentification6 "
            "CdtrAgt:BranchAndFinancialInstitutionIdentification6 "
            "Cdtr:IdPrivateIdentification CdtrAcct:CashAccount38CdtrAcct Purp:Purpose2Choice "
            "Tax?:TaxInformation8 RmtInf?:RemittanceInformation16"
        ),
        "PaymentIdentification13": "InstrId?:InstrId2Type EndToEndId:EndToEndIdType TxId?:TxIdType",
        "CreditTransferMandateData1": "Tp:MandateTypeInformation2",
        "MandateTypeInformation2": "LclInstrm:LocalInstrument2Choice",
        "LocalInstrument2Choice": "Prtry:PrtryLclInstrmCode",
        "IdOrganizationIdentification": "Id:OrganizationIdentification",
        "OrganizationIdentification": "OrgId:OrganisationIdentification29",
        "OrganisationIdentification29": "Othr:GenericOrganisationIdentification1",
        "GenericOrganisationIdentification1": "Id:PICnpj",
        "NmIdPrivateIdentification": "Nm:Max140Text Id:PrivateIdentification",
        "IdPrivateIdentification": "Id:PrivateIdentification",
        "PrivateIdentification": "PrvtId:PersonIdentification13",
        "PersonIdentification13": "Othr:GenericPersonIdentification1",
        "GenericPersonIdentification1": "Id:PICpfCnpj",
        "CashAccount38DbtrAcct": "Id:AccountIdentification4Choice Tp:CashAccountType2Choice",
        "CashAccount38CdtrAcct": (
            "Id:AccountIdentification4Choice Tp:CashAccountType2Choice "
            "Prxy?:ProxyAccountIdentification1"
        ),
        "AccountIdentification4Choice": "Othr:GenericAccountIdentification1",
        "GenericAccountIdentification1": "Id:ContaUsuarioType Issr?:Max4Numeric",
        "CashAccountType2Choice": "Cd:ExternalCashAccountType1Code",
        "ProxyAccountIdentification1": "Id:Max77Text",
        "BranchAndFinancialInstitutionIdentification6": (
            "FinInstnId:FinancialInstitutionIdentification18"
        ),
        "FinancialInstitutionIdentification18": "ClrSysMmbId:ClearingSystemMemberIdentification2",
        "ClearingSystemMemberIdentification2": "MmbId:ISPBType",
        "Purpose2Choice": "Cd:ExternalPurpose1Code",
        "TaxInformation8": "RefNb:DocFiscalType Rcrd{2}:TaxRecord2",
        "TaxRecord2": (
            "Tp:ProprietaryTaxTypeCode Ctgy:ProprietaryTaxCategory1Code TaxAmt:TaxAmount2"
        ),
        "TaxAmount2": "TtlAmt:ActiveOrHistoricCurrencyAndAmount",
        "RemittanceInformation16": "Ustrd?:Max140Text Strd?:StructuredRemittanceInformation16",
        "StructuredRemittanceInformation16": "RfrdDocInf:ReferredDocumentInformation7 RfrdDocAmt",
        "ReferredDocumentInformation7": "Tp:ReferredDocumentType4",
        "ReferredDocumentType4": "CdOrPrtry:ReferredDocumentType3Choice Issr:ISPBType",
        "ReferredDocumentType3Choice": "Prtry:ModalidadeAgenteCode",
        "_RfrdDocAmt": Content(
            "AdjstmntAmtAndRsn{1,2}:DocumentAdjustment1", unique=("AdjstmntAmtAndRsn", "Rsn")
        ),
        "DocumentAdjustment1": "Amt:ActiveCurrencyAndAmount Rsn:RsnAmtCode",
        "ActiveOrHistoricCurrencyAndAmount": Value(
            "ActiveOrHistoricCurrencyAndAmount_SimpleType", "Ccy!:ActiveOrHistoricCurrencyCode"
        ),
        "ActiveOrHistoricCurrencyAndAmount_SimpleType": Facets("decimal", digits=(18, 2)),
        "ActiveOrHistoricCurrencyCode": Facets(values="BRL"),
        "Max15Numeric": Facets("integer", "[0-9]{1,15}"),
        "Max4Numeric": Facets("integer", "[0-9]{1,4}"),
        "Max140Text": Facets(least=1, most=140),
        "Max77Text": Facets(least=1, most=77),
        "EndToEndIdType": Facets(pattern=PAYMENT_ID, most=32),
        "InstrId2Type": Facets(pattern=PAYMENT_OR_RETURN_ID, most=32),
        "TxIdType": Facets(pattern="[a-zA-Z0-9]{1,35}"),
        "ContaUsuarioType": Facets(pattern="[0-9A-Z]{1,20}"),
        "DocFiscalType": Facets(pattern="[a-zA-Z0-9]{1,50}"),
        "PICnpj": Facets(pattern="[0-9A-Z]{12}[0-9]{2}"),
        "PICpfCnpj": Facets(pattern="[0-9]{11}|[0-9A-Z]{12}[0-9]{2}"),
        "ChargeBearerType1Code": Facets(values="SLEV"),
        "SettlementMethod1Code": Facets(values="CLRG"),
        "Priority2Code": Facets(values="HIGH NORM"),
        "PrtrySvcLvlCode": Facets(values="PAGAGD PAGFRD PAGPRI"),
        "PrtryLclInstrmCode": Facets(values="APDN APES AUTO DICT INIC MANU QRDN QRES"),
        "ExternalCashAccountType1Code": Facets(values="CACC OTHR SLRY SVGS TRAN"),
        "ExternalPurpose1Code": Facets(values="GSCB IPAY IPRT OTHR REFU"),
        "ModalidadeAgenteCode": Facets(values="AGFSS AGTEC AGTOT"),
        "RsnAmtCode": Facets(values="VLCP VLDN"),
        "ProprietaryTaxTypeCode": Facets(values="CBSSPLIT IBSSPLIT"),
        "ProprietaryTaxCategory1Code": Facets(values="INF"),
    },
)

PACS_002: Final = Table(
    "https://www.bcb.gov.br/pi/pacs.002/1.17",
    {"Envelope": "SPIEnvelopeMessage"},
    {
        **HEADER_TYPES,
        "SPIEnvelopeMessage": "AppHdr:SPI.head.001.001.01 Document:SPI.pacs.002.001.10",
        "SPI.pacs.002.001.10": "FIToFIPmtStsRpt:FIToFIPaymentStatusReportV10",
        "FIToFIPaymentStatusReportV10": "GrpHdr:GroupHeader91 TxInfAndSts+:PaymentTransaction110",
        "GroupHeader91": "MsgId:MsgIdType CreDtTm:ISONormalisedDateTime",
        "PaymentTransaction110": (
            "OrgnlInstrId:OrgnlInstrIdType OrgnlEndToEndId:EndToEndIdType "
            "TxSts:ExternalPaymentTransactionStatus1Code "
            "StsRsnInf*:StatusReasonInformation12 FctvIntrBkSttlmDt?:DateAndDateTime2Choice "
            "OrgnlTxRef?:OriginalTransactionReference28"
        ),
        "StatusReasonInformation12": "Rsn?:StatusReason6Choice AddtlInf*:Max105Text",
        "StatusReason6Choice": "Cd:ExternalStatusReason1Code",
        "DateAndDateTime2Choice": "DtTm:ISONormalisedDateTime",
        "OriginalTransactionReference28": "IntrBkSttlmDt:ISODate",
        "ISODate": Facets("date"),
        "EndToEndIdType": Facets(pattern=PAYMENT_ID, most=32),
        "OrgnlInstrIdType": Facets(pattern=PAYMENT_OR_RETURN_ID, most=32),
        "Max105Text": Facets(least=1, most=105),
        "ExternalPaymentTransactionStatus1Code": Facets(values="ACCC ACSC ACSP RJCT"),
        "ExternalStatusReason1Code": Facets(values=STATUS_REASONS),
    },
)

PACS_004: Final = Table(
    "https://www.bcb.gov.br/pi/pacs.004/1.5",
    {"Envelope": "_Envelope"},
    with_document(
        AMOUNT_TYPES,
        {
            "_Count": Facets(pattern="[0-9]{1,15}"),
            "_Clearing": Facets(values="CLRG"),
            "_ReturnId": Facets(pattern=RETURN_ID, most=32),
            "_PaymentId": Facets(pattern=PAYMENT_ID, most=32),
            "_Priority": Facets(values="HIGH NORM"),
            "_Charge": Facets(values="SLEV"),
            "_Reason": Facets(values="BE08 FR01 MD06 SL02"),
            "_Text105": Facets(least=1, most=105),
            "_Text140": Facets(least=1, most=140),
        },
        document=(
            "PmtRtr(GrpHdr(MsgId:MsgIdType CreDtTm:ISONormalisedDateTime NbOfTxs:_Count "
            "SttlmInf(SttlmMtd:_Clearing)) "
            "TxInf+(RtrId:_ReturnId OrgnlEndToEndId:_PaymentId "
            "RtrdIntrBkSttlmAmt:ActiveCurrencyAndAmount SttlmPrty:_Priority ChrgBr:_Charge "
            "RtrRsnInf(Rsn(Cd:_Reason) AddtlInf?:_Text105) "
            f"OrgnlTxRef(RmtInf?(Ustrd:_Text140) DbtrAgt{AGENT} CdtrAgt{AGENT})))"
        ),
    ),
)
