"""Notices and echoes: admi.002 1.5, admi.004 1.2, pibr.001 and pibr.002 1.3.

No official schema at hand: they follow reconstructions from a public implementation of catalogue
5.13.
"""

from datetime import datetime
from typing import Annotated

from bacen.wire.layout import Layout
from bacen.wire.part import At, Message
from bacen.wire.schema import table_of


class Admi002(Message, frozen=True, kw_only=True):
    """Rejection of a message, SPI to participant (`admi.002.spi.1.5`).

    Attributes:
        related_reference: MsgId or PI-ResourceId of the rejected message, at most 33 characters.
        rejecting_party_reason: At most 35 characters.
        rejected_at: When it was rejected.
        error_location: At most 350 characters.
        description: At most 350 characters.
        additional_data: At most 1000 characters.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    related_reference: Annotated[str, At("RltdRef/Ref")]
    rejecting_party_reason: Annotated[str, At("Rsn/RjctgPtyRsn")]
    rejected_at: Annotated[datetime | None, At("Rsn/RjctnDtTm")] = None
    error_location: Annotated[str | None, At("Rsn/ErrLctn")] = None
    description: Annotated[str | None, At("Rsn/RsnDesc")] = None
    additional_data: Annotated[str | None, At("Rsn/AddtlData")] = None


class Admi004(Message, frozen=True, kw_only=True):
    """An event of the SPI, to every participant (`admi.004.spi.1.2`).

    Attributes:
        description: 1 to 1000 characters.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    description: Annotated[str, At("EvtInf/EvtDesc")]


class Pibr001(Message, frozen=True, kw_only=True):
    """Echo, participant to SPI (`pibr.001.spi.1.3`): is the line there?

    Attributes:
        data: 1 to 35 characters, which the answer repeats.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    data: Annotated[str, At("EchoTxInf/Data")]


class Pibr002(Message, frozen=True, kw_only=True):
    """Answer to an echo, SPI to participant (`pibr.002.spi.1.3`).

    Attributes:
        original_data: `data` of the pibr.001, 1 to 35 characters.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    original_data: Annotated[str, At("EchoTxInf/OrgnlData")]


LAYOUTS = tuple(
    Layout(kind, name, table_of(name))
    for kind, name in (
        (Admi002, "admi.002.spi.1.5"),
        (Admi004, "admi.004.spi.1.2"),
        (Pibr001, "pibr.001.spi.1.3"),
        (Pibr002, "pibr.002.spi.1.3"),
    )
)
