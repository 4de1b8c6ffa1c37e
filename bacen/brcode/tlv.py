"""Fields of EMV's merchant-presented mode: a tag of two digits, a length of two digits, a value.

A length counts characters of the text, not bytes.
"""

import binascii
import re
from collections.abc import Mapping
from typing import TypeAlias

from bacen import BrokenRule

PAYLOAD_CHARACTERS_MAX = 512
VALUE_CHARACTERS_MAX = 99
CHECKSUM_HEAD = "6304"
CHECKSUM_FIELD_CHARACTERS = 8

Fields: TypeAlias = Mapping[str, "str | Mapping[str, str]"]
"""Fields by their tag, in their order; a template is the mapping of its own fields."""

_HEAD_CHARACTERS = 4
_HEAD = re.compile(r"[0-9]{4}")


def checksum(text: str) -> str:
    """CRC-16/CCITT-FALSE of the UTF-8 bytes, four upper-case hexadecimal digits.

    Raises:
        UnicodeEncodeError: The text holds half of a surrogate pair.
    """
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"


def field(tag: str, value: str) -> str:
    """Write one field of 1 to 99 characters."""
    assert 0 < len(value) <= VALUE_CHARACTERS_MAX
    return f"{tag}{len(value):02d}{value}"


def split(text: str, within: str = "") -> dict[str, str] | BrokenRule:
    """Read the fields of a payload or of a template, or say where they stop making sense.

    Args:
        text: Fields one after the other.
        within: Tag of the template.
    """
    fields: dict[str, str] = {}
    at = 0
    while at < len(text):
        head = text[at : at + _HEAD_CHARACTERS]
        if _HEAD.fullmatch(head) is None:
            return _broken(within, "", "tlv_head", f"no tag and length at character {at + 1}")
        tag, length = head[:2], int(head[2:])
        at += _HEAD_CHARACTERS
        left = len(text) - at
        if length == 0:
            return _broken(within, tag, "tlv_empty", "must hold 1 to 99 characters")
        if length > left:
            told = f"announces {length} characters where {left} are left"
            return _broken(within, tag, "tlv_length_overrun", told)
        if tag in fields:
            return _broken(within, tag, "tlv_tag_twice", "must be there once")
        fields[tag] = text[at : at + length]
        at += length
    return fields


def _broken(within: str, tag: str, rule: str, text: str) -> BrokenRule:
    path = "/".join(part for part in (within, tag) if part)
    return BrokenRule(path or "payload", rule, text)
