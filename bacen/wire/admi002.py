"""Text of an admi.002 document: `admi.002.spi.1.5`.

The bank's own schema was not at hand: order, cardinality and lengths follow a reconstruction
from a public implementation of catalogue 5.13.
"""

import re

from bacen import InvalidMessage
from bacen.wire.fields import escape, instant_to_text, text_to_instant, unescape
from bacen.wire.grammar import TEXT, element, nested, optional
from bacen.wire.header import Header
from bacen.wire.messages import Admi002

DEFINITION = "admi.002.spi.1.5"
NAMESPACE = "https://www.bcb.gov.br/pi/admi.002/1.5"

_DOCUMENT = re.compile(
    nested(
        "Document/admi.002.001.01",
        nested("RltdRef/Ref")
        + element(
            "Rsn",
            element("RjctgPtyRsn", TEXT),
            optional(element("RjctnDtTm", TEXT)),
            optional(element("ErrLctn", TEXT)),
            optional(element("RsnDesc", TEXT)),
            optional(element("AddtlData", TEXT)),
        ),
    )
)


def write(message: Admi002, created: str) -> str:
    """Write the Document element without its namespace; this kind repeats no header field."""
    del created
    rejected = None if message.rejected_at is None else instant_to_text(message.rejected_at)
    return (
        "<Document><admi.002.001.01><RltdRef>"
        f"<Ref>{escape(message.related_reference)}</Ref></RltdRef><Rsn>"
        f"{_part('RjctgPtyRsn', message.rejecting_party_reason)}"
        f"{_part('RjctnDtTm', rejected)}"
        f"{_part('ErrLctn', message.error_location)}"
        f"{_part('RsnDesc', message.description)}"
        f"{_part('AddtlData', message.additional_data)}"
        "</Rsn></admi.002.001.01></Document>"
    )


def read(header: Header, document: str) -> Admi002:
    """Read the canonical Document element, its namespace removed.

    Raises:
        InvalidMessage: It does not follow the schema.
    """
    found = _DOCUMENT.fullmatch(document)
    if found is None:
        raise InvalidMessage("Document/admi.002.001.01", "does not follow the schema")
    reference, reason, rejected, location, description, data = found.groups()
    return Admi002(
        sender=header.sender,
        receiver=header.receiver,
        message_id=header.message_id,
        created_at=header.created_at,
        related_reference=unescape(reference, "related_reference"),
        rejecting_party_reason=unescape(reason, "rejecting_party_reason"),
        rejected_at=None if rejected is None else text_to_instant(rejected, "rejected_at"),
        error_location=_text(location, "error_location"),
        description=_text(description, "description"),
        additional_data=_text(data, "additional_data"),
    )


def _part(name: str, text: str | None) -> str:
    return "" if text is None else f"<{name}>{escape(text)}</{name}>"


def _text(raw: str | None, path: str) -> str | None:
    return None if raw is None else unescape(raw, path)
