"""Who takes part in the SPI: camt.014, and reda.014, 016, 017, 022, 031, 041.

No official schema at hand: they follow reconstructions from a public implementation of catalogue
5.13.
"""

from datetime import datetime
from typing import Annotated

from bacen.wire.layout import Layout
from bacen.wire.part import At, Message, Part
from bacen.wire.schema import table_of

_ID = "Id/Id/PrtryId/Id"
_MEMBER = "RptOrErr/Rpt/MmbOrErr/Mmb"


class Camt014(Message, frozen=True, kw_only=True):
    """A participant came, changed or left, SPI to participant (`camt.014.spi.1.6`).

    Attributes:
        participant_ispb: Who.
        short_name: As customers see it, 1 to 140 characters.
        cnpj: Its CNPJ.
        type: `DRCT` with a PI account, `IDRT` without.
        status: `ENBL` takes part, `DLTD` does not.
        full_name: 1 to 350 characters.
        role: `PDCT` has customers' accounts, `ITUS`, `LESP`, `GOVE`.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    participant_ispb: Annotated[str, At("RptOrErr/Rpt/MmbId/ClrSysMmbId/MmbId")]
    short_name: Annotated[str, At(f"{_MEMBER}/Nm")]
    cnpj: Annotated[str, At(f"{_MEMBER}/RtrAdr/Othr/Id")]
    type: Annotated[str, At(f"{_MEMBER}/Tp/Cd")]
    status: Annotated[str, At(f"{_MEMBER}/Sts/Cd")]
    full_name: Annotated[str, At("PtyRoleIdSD1/FullLglNm")]
    role: Annotated[str, At("PtyRoleIdSD1/RolePlyr/PtyRole/Prtry")]


class Reda014(Message, frozen=True, kw_only=True):
    """Register an indirect participant, participant to SPI (`reda.014.spi.1.3`).

    Attributes:
        direct_ispb: Who will settle for it; the sender.
        indirect_cnpj: CNPJ of the indirect participant.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    direct_ispb: Annotated[str, At(f"Pty/PtyId/{_ID}")]
    indirect_cnpj: Annotated[str, At("Pty/MktSpcfcAttr/Val")]


class Reda016(Message, frozen=True, kw_only=True):
    """What became of a reda.014, 022 or 031, SPI to participant (`reda.016.spi.1.5`).

    Attributes:
        original_message_id: `message_id` of the request.
        status: `COMP` done, `QUED` waits for a confirmation, `REJT` refused.
        reason: Why it is not done.
        participant_ispb: Whom it was about, when it is done.
        direct_ispb: Who settles for it now.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    original_message_id: Annotated[str, At("MsgHdr/OrgnlBizInstr/MsgId")]
    status: Annotated[str, At("PtySts/Sts")]
    reason: Annotated[str | None, At("PtySts/StsRsn/Rsn/Prtry")] = None
    participant_ispb: Annotated[str | None, At(f"PtySts/SysPtyId/{_ID}")] = None
    direct_ispb: Annotated[str | None, At("PtySts/SysPtyId/RspnsblPtyId/Id/PrtryId/Id")] = None


class Reda017(Message, frozen=True, kw_only=True):
    """Another asks to settle for an indirect of yours, SPI to participant (`reda.017.spi.1.2`).

    Attributes:
        indirect_ispb: The indirect participant.
        confirm_until: Until when the end of the relation may be confirmed: 24 hours.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    indirect_ispb: Annotated[str, At(f"RptOrErr/PtyRpt/PtyId/{_ID}")]
    confirm_until: Annotated[datetime, At("RptOrErr/PtyRpt/PtyOrErr/SysPty/MktSpcfcAttr/Val")]


class Contact(Part, frozen=True, kw_only=True):
    """How to reach those who answer for a PI account (`CtctDtls`).

    Attributes:
        telephone: `+` country, `-`, number; at most 30 characters.
        email: At most 77 characters.
        responsibility: `CONTATOPSP` who runs the account, `DIRETORPSP` the director.
        name: Of the director; the others have none.
        telephone_2: As `telephone`.
        telephone_3: The same, not of a director.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    telephone: Annotated[str, At("PhneNb")]
    email: Annotated[str, At("EmailAdr")]
    responsibility: Annotated[str, At("Rspnsblty")]
    name: Annotated[str | None, At("Nm")] = None
    telephone_2: Annotated[str | None, At("MobNb")] = None
    telephone_3: Annotated[str | None, At("FaxNb")] = None


class Modification(Part, frozen=True, kw_only=True):
    """One change of a participant's data (`Mod`): exactly one of the three.

    Attributes:
        contact: Of those who run the account, or of the director.
        keyword: The participant's password word, 8 letters or digits.
        director_cpf: CPF of the director.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    contact: Annotated[Contact | None, At("ReqdMod/CtctDtls")] = None
    keyword: Annotated[str | None, At("ReqdMod/TechAdr/TechAdr")] = None
    director_cpf: Annotated[str | None, At("ReqdMod/MktSpcfcAttr/Val")] = None


class Reda022(Message, frozen=True, kw_only=True):
    """Change the sender's own data, participant to SPI (`reda.022.spi.1.4`).

    Attributes:
        direct_ispb: Whose data; the sender's.
        modifications: Four: contact, director, keyword, and the director's CPF.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    direct_ispb: Annotated[str, At(f"SysPtyId/{_ID}")]
    modifications: Annotated[tuple[Modification, ...], At("Mod")]


class Reda031(Message, frozen=True, kw_only=True):
    """End to settle for an indirect participant, participant to SPI (`reda.031.spi.1.2`).

    Attributes:
        indirect_ispb: The indirect participant, not the sender.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    indirect_ispb: Annotated[str, At(f"SysPtyId/{_ID}")]


class ParticipantChange(Part, frozen=True, kw_only=True):
    """One changed field of a participant (`Othr`).

    Attributes:
        field: `MODP` role, `NOME` name, `NOMR` short name.
        old: 1 to 350 characters.
        new: 1 to 350 characters.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    field: Annotated[str, At("FldNm")]
    old: Annotated[str, At("OdFldVal")]
    new: Annotated[str, At("NewFldVal")]


class Reda041(Message, frozen=True, kw_only=True):
    """Data of a participant changed, SPI to participant (`reda.041.spi.1.7`).

    Attributes:
        participant_ispb: Whose data.
        changes: One to three.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    participant_ispb: Annotated[str, At(f"PtyActvty/Chng/PtyId/{_ID}")]
    changes: Annotated[tuple[ParticipantChange, ...], At("PtyActvty/Rcrd/Othr")]


LAYOUTS = tuple(
    Layout(kind, name, table_of(name))
    for kind, name in (
        (Camt014, "camt.014.spi.1.6"),
        (Reda014, "reda.014.spi.1.3"),
        (Reda016, "reda.016.spi.1.5"),
        (Reda017, "reda.017.spi.1.2"),
        (Reda022, "reda.022.spi.1.4"),
        (Reda031, "reda.031.spi.1.2"),
        (Reda041, "reda.041.spi.1.7"),
    )
)
