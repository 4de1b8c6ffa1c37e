"""The body of a POST before its messages are looked at: how it is packed, and what is no message.

The manual stores what arrives and judges it later (admi.002). What can be no message of any
version is refused at the door with the whole POST: broken or foreign compression, another encoding
than UTF-8, a DOCTYPE, elements nested without end. Nothing here parses XML, so it is cheap.
"""

import zlib

from aiohttp import hdrs, web

from bacen.simulator.problem import Problem

DEPTH_MAX = 64  # messages are about ten deep; libxml2 itself gives up at 256
DEPTH_STEP = 384  # marks: sees every chain of more than 192 tags, and reads few steps
NO_MARKS = bytes(each for each in range(256) if each not in b"</")
GZIP_WINDOW = zlib.MAX_WBITS | 16  # the gzip format and no other
GZIP = frozenset({"gzip", "x-gzip"})
PLAIN = frozenset({"", "identity"})


async def read_body(request: web.Request, bytes_max: int) -> bytes:
    """Read a body and unpack it; the application has to leave compressed bytes as they are.

    Raises:
        Problem: 400 for what cannot be unpacked or breaks off, 413 for more than `bytes_max` packed
            or unpacked (nothing beyond it is unpacked), 415 for another encoding than gzip.
    """
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower()
    if encoding not in GZIP | PLAIN:
        raise Problem(415, "Content-Encoding")
    try:
        body = await request.read()
    except web.RequestPayloadError as error:
        raise Problem(400, "corpo interrompido") from error
    if encoding in GZIP:
        body = unpacked(body, bytes_max)
    if len(body) > bytes_max:
        raise Problem(413)
    return body


def unpacked(body: bytes, bytes_max: int) -> bytes:
    """Unpack one gzip member, at most one byte more than `bytes_max`.

    Raises:
        Problem: 400 when it is broken, cut off, or followed by something; 413 when it is too large.
    """
    unpacker = zlib.decompressobj(GZIP_WINDOW)
    try:
        read = unpacker.decompress(body, bytes_max + 1)
    except zlib.error as error:
        raise Problem(400, "gzip") from error
    if len(read) > bytes_max:
        raise Problem(413)
    if not unpacker.eof or unpacker.unused_data:
        raise Problem(400, "gzip")
    return read


def refuse_hostile(body: bytes) -> None:
    """Refuse what can be no message of any version.

    Raises:
        Problem: 400, saying why.
    """
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Problem(400, "charset") from error
    if b"!" in body and (b"<!DOCTYPE" in body or b"<!ENTITY" in body):
        raise Problem(400, "DOCTYPE")
    if is_deep(body):
        raise Problem(400, "elementos aninhados demais")


def is_deep(body: bytes) -> bool:
    """Say whether open tags outnumber `DEPTH_MAX` somewhere, as far as counting can see.

    What hides its depth (a tag that closes itself counts like a closing one) is left to the parser,
    whose refusal is an admi.002. Counting costs a fiftieth of reading the tags.
    """
    marks = body.translate(None, NO_MARKS)
    depth = 0
    for start in range(0, len(marks), DEPTH_STEP):
        end = start + DEPTH_STEP
        depth += marks.count(b"<", start, end) - 2 * marks.count(b"</", start, end + 1)
        if depth > DEPTH_MAX:
            return True
    return False
