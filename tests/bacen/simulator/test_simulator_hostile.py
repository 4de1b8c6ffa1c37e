"""What no honest participant sends: a problem document, nothing stored, the next one settles."""

import asyncio
import gzip
import io
import zlib
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote, urlsplit

import aiohttp
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree
from yarl import URL

from bacen.simulator import RunningBank
from bacen.simulator.posted import DEPTH_MAX, is_deep
from bacen.wire import MESSAGE_BYTES_MAX, Admi002, Pacs002
from tests.bacen.simulator.desk import PAYER, Desk, DeskKeys, admin, outcome

IN = f"/api/v1/in/{PAYER}/msgs"
XML = {"Content-Type": "application/xml; charset=utf-8"}
GZIP = {**XML, "Content-Encoding": "gzip"}
MIXED = {"Content-Type": "multipart/mixed; boundary=b"}
PROBLEM = "{urn:ietf:rfc:7807}"
MESSAGE = b"<Envelope/>"
PACKED = gzip.compress(MESSAGE * 100)
PART = b"Content-Type: application/xml\r\n\r\n<a/>"


def depth(levels: int) -> bytes:
    return b"<a>" * levels + b"</a>" * levels


def bomb(size: int) -> bytes:
    return gzip.compress(b" " * size)


HOSTILE: dict[str, tuple[int, Mapping[str, str], bytes]] = {
    "no gzip at all": (400, GZIP, MESSAGE),
    "gzip header only": (400, GZIP, PACKED[:10]),
    "truncated gzip": (400, GZIP, PACKED[:-1]),
    "gzip with a wrong checksum": (400, GZIP, PACKED[:-8] + bytes(4) + PACKED[-4:]),
    "gzip with a broken block": (400, GZIP, PACKED[:12] + b"\xff" * 8 + PACKED[20:]),
    "gzip with something behind": (400, GZIP, PACKED + b"x"),
    "two gzip members": (400, GZIP, PACKED + PACKED),
    "zlib that says it is gzip": (400, GZIP, zlib.compress(MESSAGE)),
    "gzip of nothing": (400, GZIP, gzip.compress(b"")),
    "nothing that says it is gzip": (400, GZIP, b""),
    "bomb of one message": (413, GZIP, bomb(MESSAGE_BYTES_MAX + 1)),
    "bomb of 16 megabytes": (413, GZIP, bomb(1 << 24)),
    "bomb of parts": (413, {**MIXED, "Content-Encoding": "gzip"}, bomb(4 * MESSAGE_BYTES_MAX + 1)),
    "deflate": (415, {**XML, "Content-Encoding": "deflate"}, zlib.compress(MESSAGE)),
    "brotli": (415, {**XML, "Content-Encoding": "br"}, MESSAGE),
    "compressed twice": (415, {**XML, "Content-Encoding": "gzip, gzip"}, PACKED),
    "other type": (415, {"Content-Type": "text/plain"}, MESSAGE),
    "other multipart": (415, {"Content-Type": "multipart/form-data; boundary=b"}, MESSAGE),
    "type that is no type": (415, {"Content-Type": "\xff/;=\xff"}, MESSAGE),
    "type without an end": (400, {"Content-Type": 'application/xml; charset="'}, b"\xff"),
    "unknown charset": (400, {"Content-Type": "application/xml; charset=\xff"}, MESSAGE),
    "other boundary": (400, MIXED, b"--c\r\n" + PART + b"\r\n--c--\r\n"),
    "boundary that never ends": (400, MIXED, b"--b\r\n" + PART + b"\r\n"),
    "end without parts": (400, MIXED, b"--b--\r\n"),
    "empty multipart": (400, MIXED, b""),
    "part without an end of headers": (400, MIXED, b"--b\r\nA: b\r\n--b--\r\n"),
    "part without a body": (400, MIXED, b"--b\r\nA: b\r\n\r\n\r\n--b--\r\n"),
    "part with a broken header": (400, MIXED, b"--b\r\n\x00\r\n\r\n<a/>\r\n--b--\r\n"),
    "text before the parts": (400, MIXED, b"hello\r\n--b\r\n" + PART + b"\r\n--b--\r\n"),
    "boundary of bytes": (400, {"Content-Type": "multipart/mixed; boundary=\xff"}, MESSAGE),
    "one bad part of two": (
        400,
        MIXED,
        b"--b\r\n" + PART + b"\r\n--b\r\n\r\n<a>\xff</a>\r\n--b--\r\n",
    ),
    "latin-1": (400, XML, "<a>ção</a>".encode("latin-1")),
    "UTF-16": (400, XML, "<a/>".encode("utf-16")),
    "half a character": (400, XML, b"<a>\xe2\x82</a>"),
    "surrogate": (400, XML, b"<a>\xed\xa0\x80</a>"),
    "random bytes": (400, XML, bytes(range(256))),
    "deep": (400, XML, depth(300)),
    "very deep": (400, XML, depth(100_000)),
    "deep without an end": (400, XML, b"<a>" * 100_000),
    "entity declaration": (400, XML, b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'),
    "external entity": (400, XML, b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a/>'),
    "bare DOCTYPE": (400, XML, b"<!DOCTYPE a><a/>"),
    "compressed DOCTYPE": (400, GZIP, gzip.compress(b"<!DOCTYPE a><a/>")),
}


class Stranger:
    """Sends anything over the connection of a participant."""

    def __init__(self, bank: RunningBank, keys: DeskKeys) -> None:
        self._url = bank.url
        self._keys = keys
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=keys.context), skip_auto_headers=["Content-Type"]
        )

    async def close(self) -> None:
        await self._session.close()

    async def send(
        self, headers: Mapping[str, str], body: bytes, path: str = IN, method: str = "POST"
    ) -> tuple[int, str, bytes]:
        """Give status, type and body of the answer."""
        url = URL(self._url + path, encoded=True)
        # A file, because aiohttp warns of large bytes, and packs what says it is packed.
        data = io.BytesIO(body) if method == "POST" else None
        sent = {"Host": "127.0.0.1", "Accept": "*/*", "Content-Length": str(len(body)), **headers}
        if data is None:
            del sent["Content-Length"]
        async with self._session.request(method, url, headers=sent, data=data) as response:
            return response.status, response.content_type, await response.read()


@pytest.fixture
async def stranger(bank: RunningBank, desk_keys: dict[str, DeskKeys]) -> AsyncIterator[Stranger]:
    made = Stranger(bank, desk_keys[PAYER])
    yield made
    await made.close()


async def test_hostile_body_is_a_problem_and_stores_nothing(
    bank: RunningBank, stranger: Stranger, payer: Desk
) -> None:
    before = received(await admin(bank, None))
    for name, (expected, headers, body) in HOSTILE.items():
        status, kind, problem = await stranger.send(headers, body)

        assert (status, kind) == (expected, "application/problem+xml"), name
        root = etree.fromstring(problem)
        assert root.findtext(f"{PROBLEM}status") == str(expected), name
    after = received(await admin(bank, None))

    assert before == after == []
    await payer.pay(payer.transfer())
    assert outcome((await payer.read_reports())[0]) == ("ACSC",)


def received(metrics: str) -> list[str]:
    name = "corrente_bacen_messages_received_total{"
    return [line for line in metrics.splitlines() if line.startswith(name)]


def test_ordinary_nesting_is_not_deep_and_a_long_chain_is() -> None:
    flat = b"<?xml version='1.0'?><a>" + b"<b><c/><d>1/2</d><!-- - --></b>" * 5_000 + b"</a>"

    assert not is_deep(b"")
    assert not is_deep(flat)
    assert not is_deep(depth(DEPTH_MAX))
    assert all(is_deep(depth(levels)) for levels in range(193, 600))


async def test_depth_that_hides_from_counting_is_an_admi002(
    stranger: Stranger, payer: Desk
) -> None:
    status, _, _ = await stranger.send(XML, b"<a><b/>" * 5_000 + b"</a>" * 5_000)
    (rejection,) = await payer.read()

    assert status == 201
    assert isinstance(rejection, Admi002)
    assert rejection.rejecting_party_reason == "XML invalido"


async def raw_status(bank: RunningBank, keys: DeskKeys, *pieces: bytes) -> str:
    """Send bytes as they are over TLS and give the status of the answer."""
    address = urlsplit(bank.url)
    reader, writer = await asyncio.open_connection(
        address.hostname, address.port, ssl=keys.context, server_hostname="localhost"
    )
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer.split()[1].decode()


RAW = {
    "broken chunks": (b"Transfer-Encoding: chunked\r\n\r\n5\r\n<a/>", b"\r\nnot a length\r\n"),
    "length that is no number": (b"Content-Length: x\r\n\r\n",),
    "two lengths": (b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n<a/>",),
    "bytes in an encoding": (b"Content-Encoding: \xff\r\nContent-Length: 4\r\n\r\n<a/>",),
    "bytes in an accept": (b"Accept: \xff\xfe\r\nContent-Length: 2\r\n\r\n\xff\xff",),
    "bytes in another header": (b"X-\xff: 1\r\nContent-Length: 4\r\n\r\n<a/>",),
    "foreign header": (b"X-Trace: \xff\r\nContent-Length: 4\r\n\r\n<a/>",),
    "second type": (b"Content-Type: \xff\r\nContent-Length: 2\r\n\r\n\xff\xff",),
}


@pytest.mark.parametrize("name", RAW)
async def test_request_that_is_no_http_is_a_client_error(
    bank: RunningBank, desk_keys: dict[str, DeskKeys], name: str
) -> None:
    head = f"POST {IN} HTTP/1.1\r\nHost: a\r\nContent-Type: application/xml\r\n".encode()
    first, *rest = RAW[name]

    assert (await raw_status(bank, desk_keys[PAYER], head + first, *rest)).startswith("4")


async def test_type_of_raw_bytes_is_a_client_error(
    bank: RunningBank, desk_keys: dict[str, DeskKeys]
) -> None:
    head = f"POST {IN} HTTP/1.1\r\nHost: a\r\n".encode()
    for kind in (b"\xff", b"application/xml; charset=\xff", b"multipart/mixed; boundary=\xff"):
        typed = head + b"Content-Type: " + kind + b"\r\nContent-Length: 4\r\n\r\n<a/>"

        assert (await raw_status(bank, desk_keys[PAYER], typed)).startswith("4"), kind


KEYS = [
    "%ff", "%00", "%ed%a0%80", "%F0%9F%98%80", "%2e%2e%2f", "+", "+55", "+5511", "@", "a@", "@b",
    "%0d%0aX:%20y", "'%3b--", "%25", "%EF%BC%91" * 11, "%D9%A1" * 11, "0" * 11, "0" * 14,
    "%C4%B1%C3%9F000000000000", "x" * 78, "x" * 4_000, "%20", "%E2%80%AE",
    "+55%E2%80%8B11999887766", quote("maria.silva@example.com\x00"),
    quote("+55 (11) 99988-7766"), quote("À@example.com"),
    "00000000-0000-0000-0000-00000000000g", "+5511999887766%20or%201=1",
]  # fmt: skip
DICT_HEADERS = {
    "PI-RequestingParticipant": PAYER,
    "PI-PayerId": "52998224725",
    "PI-EndToEndId": f"E{PAYER}202609281435abcdefghijk",
}


async def test_weird_keys_are_an_answer_of_dict_and_never_its_failure(stranger: Stranger) -> None:
    for key in KEYS:
        status, _, body = await stranger.send(DICT_HEADERS, b"", f"/api/v2/entries/{key}", "GET")

        assert status in {200, 400, 404}, key
        assert body.startswith(b"<"), key


async def test_weird_headers_and_paths_are_refused(stranger: Stranger, payer: Desk) -> None:
    for name in DICT_HEADERS:
        for value in ("", "\xff", "ß" * 11, "1" * 5_000, "\t", "١٢٣"):
            headers = {**DICT_HEADERS, name: value}
            status, _, _ = await stranger.send(
                headers, b"", "/api/v2/entries/rejeita@example.com", "GET"
            )
            assert 400 <= status < 500, (name, value)
    for path in ("/api/v1/in/%ff/msgs", "/api/v1/in//msgs", "/%00", "/api/v1/out/%ff/stream/start"):
        status, _, _ = await stranger.send(XML, MESSAGE, path)
        assert 400 <= status < 500, path
    for accept in ("\xff", "a/b;q=\xff", "ção"):
        status, _, body = await stranger.send(
            {"Accept": accept}, b"", f"/api/v1/out/{PAYER}/stream/start", "GET"
        )
        assert status == 406
        etree.fromstring(body)


async def test_admin_port_survives_weird_questions(bank: RunningBank) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("payments/%ff", "payments/%00", "accounts/%ff", "accounts/%ed%a0%80"):
            url = URL(f"{bank.admin_url}/admin/{path}", encoded=True)
            async with session.get(url) as response:
                assert response.status == 404, path
        for body in (b"", b"\xff", b"{}", b"[", b'{"amount_cents": 1e999}', b"[" * 100_000):
            headers = {"Content-Type": "application/json"}
            async with session.post(
                f"{bank.admin_url}/admin/payments", data=body, headers=headers
            ) as response:
                assert response.status == 400, body[:20]


Bent = list[tuple[int, int, bytes]]


def drawn(strategy: st.SearchStrategy[Bent], count: int) -> list[Bent]:
    """Draw the same examples in each run, for a test that has to await them."""
    found: list[Bent] = []

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def collect(each: Bent) -> None:
        found.append(each)

    collect()
    return found


def apply(original: bytes, edits: Bent) -> bytes:
    body = bytearray(original)
    for place, size, piece in edits:
        start = place % (len(body) + 1)
        body[start : start + size] = piece
    return bytes(body)


EDITS: st.SearchStrategy[Bent] = st.lists(
    st.tuples(
        st.integers(0, 20_000),
        st.integers(0, 300),
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from([b"<", b">", b"&", b"</Document>", b"--b\r\n", b"\r\n\r\n", b"\x00"]),
        ),
    ),
    max_size=4,
)


async def test_bent_posts_are_never_a_fault_of_the_bank_and_the_next_payment_settles(
    bank: RunningBank, stranger: Stranger, payer: Desk
) -> None:
    good = [payer.encode(payer.pacs008(payer.transfer(), payer.transfer())) for _ in range(2)]
    mixed = b"".join(b"--b\r\n\r\n" + each + b"\r\n" for each in good) + b"--b--\r\n"
    packed = gzip.compress(good[0])
    kinds = [(XML, good[0]), (MIXED, mixed), (GZIP, packed), (XML, b""), (GZIP, b""), (MIXED, b"")]

    for number, edits in enumerate(drawn(EDITS, 240)):
        headers, original = kinds[number % len(kinds)]
        status, _, _ = await stranger.send(headers, apply(original, edits))
        assert status in {201, 400, 413, 415}, (number, edits)
    transfer = payer.transfer()
    await payer.pay(transfer)
    while True:
        messages = await payer.read()
        reports = [each for one in messages if isinstance(one, Pacs002) for each in one.reports]
        if transfer.end_to_end_id in {each.end_to_end_id for each in reports}:
            break

    metrics = await admin(bank, None)
    assert 'alarms_total{kind="fault"} 0.0' in metrics
    assert 'alarms_total{kind="money_missing_cents"} 0.0' in metrics
