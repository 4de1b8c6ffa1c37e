"""camt.014 1.6 and reda.014, 016, 017, 022, 031 and 041 as tables (BCB catalogue 5.13).

No official schema at hand: these are reconstructions from a public implementation. In one point
reda.022 is looser: it lets a director have a third telephone.
"""

from typing import Final

from bacen.wire.schema.header_table import MESSAGE_HEADER, PARTY_TYPES, with_document
from bacen.wire.schema.schema import Table
from bacen.wire.schema.simple import Facets

_ISSUER: Final = {"_Issuer": Facets(values="BCB")}
_ID = "Id(PrtryId(Id:ISPBType Issr:_Issuer))"

CAMT_014: Final = Table(
    "https://www.bcb.gov.br/pi/camt.014/1.6",
    {"Envelope": "_Envelope"},
    with_document(
        PARTY_TYPES,
        {
            "_Type": Facets(values="DRCT IDRT"),
            "_Status": Facets(values="DLTD ENBL"),
            "_Role": Facets(values="GOVE ITUS LESP PDCT"),
        },
        document=(
            f"RtrMmb({MESSAGE_HEADER} RptOrErr(Rpt(MmbId(ClrSysMmbId(MmbId:ISPBType)) "
            "MmbOrErr(Mmb(Nm:_Text140 RtrAdr(Othr(Id:_Cnpj)) Tp(Cd:_Type) Sts(Cd:_Status))))) "
            "PtyRoleIdSD1(FullLglNm:_Text350 RolePlyr(PtyRole(Prtry:_Role))))"
        ),
    ),
)

REDA_014: Final = Table(
    "https://www.bcb.gov.br/pi/reda.014/1.3",
    {"Envelope": "_Envelope"},
    with_document(
        PARTY_TYPES,
        _ISSUER,
        {"_Indirect": Facets(values="IDRT"), "_Attribute": Facets(values="CNPJIDRT")},
        document=(
            f"PtyCreReq({MESSAGE_HEADER} Pty(PtyId(Id({_ID})) Tp(Prtry:_Indirect) "
            "MktSpcfcAttr(Nm:_Attribute Val:_Cnpj)))"
        ),
    ),
)

REDA_016: Final = Table(
    "https://www.bcb.gov.br/pi/reda.016/1.5",
    {"Envelope": "_Envelope"},
    with_document(
        _ISSUER,
        {
            "_Status": Facets(values="COMP QUED REJT"),
            "_Reason": Facets(
                values=(
                    "ATC7 CAI4 CP10 CTT9 DI11 DIR1 DIR2 EXP5 IND2 IND3 IND4 IND5 ITC6 PCH8 RP13"
                )
            ),
        },
        document=(
            f"PtyStsAdvc({MESSAGE_HEADER[:-1]} OrgnlBizInstr(MsgId:MsgIdType)) "
            "PtySts(Sts:_Status StsRsn?(Rsn(Prtry:_Reason)) "
            f"SysPtyId?(Id({_ID}) RspnsblPtyId?({_ID}))))"
        ),
    ),
)

REDA_017: Final = Table(
    "https://www.bcb.gov.br/pi/reda.017/1.2",
    {"Envelope": "_Envelope"},
    with_document(
        _ISSUER,
        {"_Attribute": Facets(values="PRAZOCONFI")},
        document=(
            f"PtyRpt({MESSAGE_HEADER} RptOrErr(PtyRpt(PtyId(Id({_ID})) "
            "PtyOrErr(SysPty(MktSpcfcAttr(Nm:_Attribute Val:ISONormalisedDateTime))))))"
        ),
    ),
)

REDA_022: Final = Table(
    "https://www.bcb.gov.br/pi/reda.022/1.4",
    {"Envelope": "_Envelope"},
    with_document(
        PARTY_TYPES,
        _ISSUER,
        {
            "_Scope": Facets(values="INSE"),
            "_Telephone": Facets(pattern=r"\+[^\n\r]+-[^\n\r]+", most=30),
            "_Email": Facets(pattern=r"[^\n\r]+@[^\n\r]+", most=77),
            "_Responsible": Facets(values="CONTATOPSP DIRETORPSP"),
            "_Keyword": Facets(pattern="[a-zA-Z0-9]{8}"),
            "_Attribute": Facets(values="CPFDIRETOR"),
            "_Cpf": Facets(pattern="[0-9]{11}"),
        },
        document=(
            f"PtyModReq({MESSAGE_HEADER} SysPtyId(Id({_ID})) Mod{{4}}(ScpIndctn:_Scope ReqdMod("
            "CtctDtls(Nm?:_Text140 PhneNb:_Telephone MobNb?:_Telephone FaxNb?:_Telephone "
            "EmailAdr:_Email Rspnsblty:_Responsible) | TechAdr(TechAdr:_Keyword) "
            "| MktSpcfcAttr(Nm:_Attribute Val:_Cpf))))"
        ),
    ),
)

REDA_031: Final = Table(
    "https://www.bcb.gov.br/pi/reda.031/1.2",
    {"Envelope": "_Envelope"},
    with_document(_ISSUER, document=f"PtyDeltnReq({MESSAGE_HEADER} SysPtyId(Id({_ID})))"),
)

REDA_041: Final = Table(
    "https://www.bcb.gov.br/pi/reda.041/1.7",
    {"Envelope": "_Envelope"},
    with_document(
        PARTY_TYPES,
        _ISSUER,
        {"_Field": Facets(values="MODP NOME NOMR")},
        document=(
            f"PtyActvtyAdvc({MESSAGE_HEADER} PtyActvty(Chng(PtyId(Id({_ID}))) "
            "Rcrd(Othr{1,3}(FldNm:_Field OdFldVal:_Text350 NewFldVal:_Text350))))"
        ),
    ),
)
