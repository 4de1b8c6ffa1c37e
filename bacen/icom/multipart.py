"""multipart/mixed as ICOM uses it: up to ten XML messages in one body (RFC 2046, strict).

Both ends use it: the client for what it posts and pulls, the simulator for the other side.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bacen import MultipartInvalid

PARTS_MAX = 10  # BCB Manual das Interfaces 1.12
PART_HEADER_BYTES_MAX = 4096
XML_TYPE = "application/xml; charset=utf-8"

_BOUNDARY = re.compile(r"[0-9a-zA-Z'()+_,./:=? -]{0,69}[0-9a-zA-Z'()+_,./:=?-]")
_PARAMETER = re.compile(
    r';\s*boundary=(?:"([^"\\]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)', re.IGNORECASE
)
_HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its body, and its headers by lower-case name."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def is_multipart(content_type: str) -> bool:
    """Say whether a Content-Type is multipart/mixed."""
    return content_type.partition(";")[0].strip().lower() == "multipart/mixed"


def build_multipart(parts: Sequence[Part]) -> tuple[str, bytes]:
    """Write parts as one body; the same parts give the same bytes.

    Parts without a Content-Type get `application/xml; charset=utf-8`.

    Returns:
        The Content-Type with its boundary, and the body.

    Raises:
        MultipartInvalid: No part, more than ten, or a header that cannot be written.
    """
    if not 0 < len(parts) <= PARTS_MAX:
        raise MultipartInvalid(f"must have 1 to {PARTS_MAX} parts")
    boundary = _free_boundary(parts)
    pieces = []
    for part in parts:
        pieces += [b"--", boundary, b"\r\n", _header_block(part), b"\r\n", part.body, b"\r\n"]
    pieces += [b"--", boundary, b"--\r\n"]
    return f'multipart/mixed; boundary="{boundary.decode()}"', b"".join(pieces)


def parse_multipart(
    content_type: str, body: bytes, *, parts_max: int = PARTS_MAX
) -> tuple[Part, ...]:
    """Read the parts of a body; the caller has bounded its size.

    Raises:
        MultipartInvalid: No boundary, a broken grammar, no part or too many, or large headers.
    """
    delimiter = b"\r\n--" + _boundary(content_type)
    # The first delimiter may open the body; at most one piece too many is ever cut off.
    pieces = (b"\r\n" + body).split(delimiter, parts_max + 2)
    *found, end = pieces[1:] or [b""]
    if not end.startswith(b"--") or end[2:].strip(b" \t\r\n"):
        raise MultipartInvalid("does not end with its boundary, or has too many parts")
    if not 0 < len(found) <= parts_max or pieces[0].strip(b"\r\n"):
        raise MultipartInvalid(f"must have 1 to {parts_max} parts and nothing before them")
    return tuple(map(_part, found))


def _boundary(content_type: str) -> bytes:
    found = _PARAMETER.search(content_type) if is_multipart(content_type) else None
    text = (found[1] or found[2]) if found is not None else ""
    if _BOUNDARY.fullmatch(text) is None:
        raise MultipartInvalid("the Content-Type names no boundary")
    return text.encode("ascii")


def _free_boundary(parts: Sequence[Part]) -> bytes:
    """Find a boundary that no body holds: the first of a fixed series, mostly its first."""
    number = 0
    while any(b"\r\n--corrente-%d" % number in b"\r\n" + part.body for part in parts):
        number += 1  # a body holds finitely many of them
    return b"corrente-%d" % number


def _header_block(part: Part) -> bytes:
    headers = {"content-type": XML_TYPE, **part.headers}
    lines = [f"{name}: {value}".encode() for name, value in headers.items()]
    if any(_HEADER_LINE.fullmatch(line) is None for line in lines):
        raise MultipartInvalid("a header holds a character that none may hold")
    return b"".join(line + b"\r\n" for line in lines)


def _part(piece: bytes) -> Part:
    if not piece.startswith(b"\r\n"):
        raise MultipartInvalid("a boundary is followed by something else")
    if piece.startswith(b"\r\n\r\n"):
        return Part(piece[4:])
    end = piece.find(b"\r\n\r\n", 0, PART_HEADER_BYTES_MAX)
    if end < 0:
        raise MultipartInvalid("a part has no end of its headers, or too many of them")
    headers: dict[str, str] = {}
    for line in piece[2:end].split(b"\r\n"):
        found = _HEADER_LINE.fullmatch(line)
        if found is None:
            raise MultipartInvalid("a header line of a part is malformed")
        headers[found[1].decode("ascii").lower()] = found[2].decode("latin-1").strip()
    return Part(piece[end + 4 :], headers)
