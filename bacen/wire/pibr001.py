"""Text of a pibr.001 document, an echo: `pibr.001.spi.1.3`.

The bank's own schema was not at hand: order and lengths follow a reconstruction from a public
implementation of catalogue 5.13.
"""

import re

from bacen import InvalidMessage
from bacen.wire.fields import escape, unescape
from bacen.wire.grammar import TEXT, element, nested
from bacen.wire.header import Header
from bacen.wire.requests import Pibr001

DEFINITION = "pibr.001.spi.1.3"
NAMESPACE = "https://www.bcb.gov.br/pi/pibr.001/1.3"

_DOCUMENT = re.compile(
    nested(
        "Document/EchoReq",
        element("GrpHdr", element("MsgId", TEXT), element("CreDtTm", TEXT))
        + nested("EchoTxInf/Data"),
    )
)


def write(message: Pibr001, created: str) -> str:
    """Write the Document element without its namespace; `created` is `CreDt` as text."""
    return (
        "<Document><EchoReq><GrpHdr>"
        f"<MsgId>{message.message_id}</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr>"
        f"<EchoTxInf><Data>{escape(message.data)}</Data></EchoTxInf></EchoReq></Document>"
    )


def read(header: Header, document: str) -> Pibr001:
    """Read the canonical Document element, its namespace removed.

    Raises:
        InvalidMessage: It does not follow the schema.
    """
    found = _DOCUMENT.fullmatch(document)
    if found is None:
        raise InvalidMessage("Document/EchoReq", "does not follow the schema")
    message_id, created, data = found.groups()
    header.require_same(message_id, created)
    return Pibr001(
        sender=header.sender,
        receiver=header.receiver,
        message_id=message_id,
        created_at=header.created_at,
        data=unescape(data, "data"),
    )
