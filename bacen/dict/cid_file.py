"""The file of all CIDs of a participant and key type: one a line, LF, in no order (API 2.12.1).

What DICT signed is its size and digest; so the file is believed only as a whole.
"""

import hashlib
import ssl
from collections.abc import AsyncIterable

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from bacen import DictUnavailable, InvalidMessage
from bacen.dict.cid import Cid, parse_cid
from bacen.dict.synchronism import CidSetFile

CHUNK_BYTES = 64 * 1024
LINE_BYTES = 64


async def read_cid_file(file: CidSetFile, chunks: AsyncIterable[bytes]) -> set[Cid]:
    """Read the CIDs of a file, piece by piece.

    Args:
        file: As DICT told it, AVAILABLE.
        chunks: Its bytes.

    Raises:
        InvalidMessage: Not the size or digest that DICT signed, a line that is no CID, or one
            that stands twice.
    """
    digest = hashlib.sha256()
    size, count, rest, cids = 0, 0, b"", set[Cid]()
    async for chunk in chunks:
        size += len(chunk)
        if file.bytes is not None and size > file.bytes:
            raise InvalidMessage("Bytes", "the file is longer than DICT said")
        digest.update(chunk)
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LINE_BYTES:
            raise InvalidMessage("CidSetFile", "a line is too long")
        cids.update(_cid(line) for line in lines)
        count += len(lines)
    if rest:
        cids.add(_cid(rest))
        count += 1
    if file.bytes is not None and size != file.bytes:
        raise InvalidMessage("Bytes", "the file is shorter than DICT said")
    if digest.hexdigest() != file.sha256:
        raise InvalidMessage("Sha256", "the file is not the one that DICT made")
    if len(cids) != count:
        raise InvalidMessage("CidSetFile", "a CID stands twice")
    return cids


async def fetch_cid_file(
    file: CidSetFile, ssl_context: ssl.SSLContext, *, timeout_ms: int = 600_000
) -> set[Cid]:
    """Fetch a file that is AVAILABLE, over HTTPS, and read it.

    Args:
        file: As DICT told it.
        ssl_context: As the client's.
        timeout_ms: Deadline of the whole.

    Raises:
        DictUnavailable: No such address, no connection, cut or late: ask again.
        InvalidMessage: As `read_cid_file`.
    """
    url = URL(file.url or "")
    if url.scheme != "https" or not url.host:
        raise DictUnavailable("the file has no https address")
    connector = TCPConnector(ssl=ssl_context)
    timeout = ClientTimeout(total=timeout_ms / 1000)
    try:
        async with (
            ClientSession(connector=connector, timeout=timeout) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise DictUnavailable(f"HTTP {answer.status}")
            return await read_cid_file(file, answer.content.iter_chunked(CHUNK_BYTES))
    except (ClientError, OSError) as error:
        raise DictUnavailable(type(error).__name__) from error


def _cid(line: bytes) -> Cid:
    try:
        text = line.decode("ascii")
    except UnicodeDecodeError:
        raise InvalidMessage("CidSetFile", "a line is no CID") from None
    return parse_cid(text, "CidSetFile")
