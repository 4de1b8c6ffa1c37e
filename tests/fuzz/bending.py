"""Seeded ways to change bytes and documents: the same generator makes the same input."""

import random
from collections.abc import Sequence

from lxml import etree

from tests.bacen.schema_mutations import BYTE_MUTATIONS, MUTATIONS, bent, write

LONG = (40_000, 40_000, 40_000, 400_000)  # what is quadratic takes seconds with the last
TOKENS: tuple[bytes, ...] = (
    *(b"", b" ", b"\0", b"\r\n", b"\r\n\r\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80"),
    *(b"<", b"/>", b"</", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?x y?>", b"&amp;", b"&#0;"),
    *(b"&x;", b"&#xD800;", b"xmlns=''", b"xmlns:a='b'", b" a='b'", b"xml:id='a'", b"<a/>"),
    *(b"{", b"}", b"[", b"]", b'"', b"\\", b"\\u0000", b"\\ud800", b"null", b"true", b":", b","),
    *(b"-1", b"0", b"1e999", b"1E-999", b"NaN", b"Infinity", b"0x1", b"00", b"9" * 40, b"-0.0"),
    *(b"18446744073709551616", b"9223372036854775807", b"0.000000000000000001", b"1e4", b"1_0"),
    *("٣".encode(), "１２".encode(), "é".encode(), "\u2028".encode(), "😀".encode()),
    *(b"%", b"%00", b"%ff", b"%2e%2e%2f", b"%0d%0a", b"../", b"//", b"?", b"#", b"=", b"&", b";"),
    *(b"9999-12-31", b"0000-00-00", b"2026-02-30", b"T24:00:00.000Z", b"+99:99", b"P7D", b"1h"),
    *(b"12345678", b"87654321", b"00038166", b"99999A03", b"PAGPRI", b"LPI0001", b"EGEN0043"),
)


def bend(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Change a few places of some bytes, now and then make them very long."""
    body = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        start = rng.randint(0, len(body))
        end = min(len(body), start + rng.choice((0, 1, 1, 2, 8, 64, 400)))
        body[start:end] = _piece(body, start, end, others, rng)
    return bytes(body)


def _piece(
    body: bytearray, start: int, end: int, others: Sequence[bytes], rng: random.Random
) -> bytes:
    way = rng.random()
    if way < 0.35:
        return rng.choice(TOKENS)
    if way < 0.55:
        return bytes(each ^ (1 << rng.randint(0, 7)) for each in body[start:end])
    if way < 0.7:
        return rng.randbytes(rng.randint(0, 12))
    if way < 0.85:
        other = rng.choice(others) if others else bytes(body)
        at = rng.randint(0, len(other))
        return other[at : at + rng.randint(1, 300)]
    if way < 0.99:
        return bytes(body[start:end]) * rng.choice((0, 2, 3))
    piece = rng.choice(
        (bytes(body[start:end]), rng.choice(TOKENS), b"<a>", b"[", b"a=''\n", b" \n")
    )
    return piece * (rng.choice(LONG) // max(1, len(piece)))


def bend_document(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Change a document of XML: most often its tree, else its bytes."""
    if rng.random() < 0.3:
        return bend(data, others, rng)
    root = etree.fromstring(data)
    for mutation in rng.choices(MUTATIONS, k=rng.choice((1, 1, 2, 4))):
        try:
            mutation(root, rng)
        except (ValueError, IndexError):
            continue  # lxml does not hold such a text or name, or nothing is left to change
    written = write(root, rng)
    return rng.choice(BYTE_MUTATIONS)(written, rng) if rng.random() < 0.15 else written


def bend_text(text: str, rng: random.Random) -> str:
    """Change a few signs of a text, or put a token into it."""
    if rng.random() < 0.5:
        return bent(text, rng)
    return bend(text.encode(), (), rng).decode(errors="replace")
