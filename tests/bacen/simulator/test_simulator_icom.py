"""What ICOM refuses, and how it says so."""

import io

import aiohttp
import pytest
from lxml import etree

from bacen.icom import IcomRefused, IcomUnknown
from bacen.simulator import RunningBank
from tests.bacen.simulator.conftest import OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, Desk, DeskKeys

XML = {"Content-Type": "application/xml; charset=utf-8"}
PROBLEM = "{urn:ietf:rfc:7807}"
IN = f"/api/v1/in/{PAYER}/msgs"
OUT = f"/api/v1/out/{PAYER}/stream"

REFUSED = {
    "path of another participant": (403, "POST", f"/api/v1/in/{CONNECTED}/msgs", XML, b"<a/>"),
    "stream of another participant": (
        403,
        "GET",
        f"/api/v1/out/{CONNECTED}/stream/start",
        {},
        None,
    ),
    "header that is not on the list": (
        403,
        "POST",
        IN,
        {**XML, "traceparent": "00-1-1-1"},
        b"<a/>",
    ),
    "unknown path": (404, "GET", "/api/v1/other", {}, None),
    "unknown root": (404, "GET", "/", {}, None),
    "wrong method": (405, "PUT", IN, XML, b"<a/>"),
    "type the reader cannot get": (
        406,
        "GET",
        f"{OUT}/start",
        {"Accept": "application/json"},
        None,
    ),
    "unknown stream": (410, "GET", f"{OUT}/0000000000000000000000", {}, None),
    "unknown stream to close": (410, "DELETE", f"{OUT}/0000000000000000000000", {}, None),
    "body too large": (413, "POST", IN, XML, b"<" * (2 * 1024 * 1024 + 1)),
    "other type": (415, "POST", IN, {"Content-Type": "application/json"}, b"{}"),
    "other charset": (
        400,
        "POST",
        IN,
        {"Content-Type": "application/xml; charset=latin1"},
        b"<a/>",
    ),
    "empty body": (400, "POST", IN, XML, b""),
    "multipart without boundary": (400, "POST", IN, {"Content-Type": "multipart/mixed"}, b"--x--"),
}


async def exchange(
    url: str,
    keys: DeskKeys,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes | None = None,
) -> tuple[int, aiohttp.typedefs.LooseHeaders, bytes]:
    connector = aiohttp.TCPConnector(ssl=keys.context)
    # A file, because aiohttp warns of large bytes.
    data = None if body is None else io.BytesIO(body)
    sent = {"Host": "127.0.0.1", "Accept": "*/*", **headers}
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.request(method, url + path, headers=sent, data=data) as response,
    ):
        return response.status, dict(response.headers), await response.read()


@pytest.mark.parametrize("case", sorted(REFUSED))
async def test_refusal_is_a_problem_document_and_stores_nothing(
    bank: RunningBank, desk_keys: dict[str, DeskKeys], case: str
) -> None:
    expected, method, path, headers, body = REFUSED[case]

    status, answered, problem = await exchange(
        bank.url, desk_keys[PAYER], method, path, headers, body
    )

    root = etree.fromstring(problem)
    assert status == expected
    assert answered["Content-Type"].startswith("application/problem+xml")
    assert root.tag == f"{PROBLEM}problem"
    assert root.findtext(f"{PROBLEM}status") == str(expected)
    assert (root.findtext(f"{PROBLEM}type") or "").startswith(
        "https://icom.pi.rsfn.net.br/api/v1/error/"
    )
    assert "PI-ResourceId" not in answered


async def test_eleven_messages_in_one_post_are_refused(
    bank: RunningBank, desk_keys: dict[str, DeskKeys]
) -> None:
    part = b"--b\r\nContent-Type: application/xml\r\n\r\n<a/>\r\n"
    headers = {"Content-Type": "multipart/mixed; boundary=b"}

    status, _, _ = await exchange(
        bank.url, desk_keys[PAYER], "POST", IN, headers, part * 11 + b"--b--\r\n"
    )

    assert status == 400


async def test_connection_without_client_certificate_is_refused(bank: RunningBank) -> None:
    connector = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{bank.url}/api/v1/in/catalog")


async def test_participant_that_is_not_connected_is_refused(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start(connected=(PAYER,))

    with pytest.raises(IcomRefused) as refused:
        await desks(bank, CONNECTED).client.start_stream()

    assert refused.value.status == 403


async def test_catalogs_name_the_versions(
    bank: RunningBank, desk_keys: dict[str, DeskKeys]
) -> None:
    _, _, received = await exchange(bank.url, desk_keys[PAYER], "GET", "/api/v1/in/catalog", {})
    _, _, sent = await exchange(bank.url, desk_keys[PAYER], "GET", "/api/v1/out/catalog", {})

    taken = {each.text for each in etree.fromstring(received)}
    assert {"pacs.008.spi.1.16", "pacs.002.spi.1.17"} <= taken
    assert "admi.002.spi.1.5" not in taken
    assert "admi.002.spi.1.5" in [each.text for each in etree.fromstring(sent)]


async def test_reader_that_takes_xml_only_gets_one_message_at_a_time(
    bank: RunningBank, payer: Desk, desk_keys: dict[str, DeskKeys]
) -> None:
    await payer.client.post([payer.encode(payer.pacs008(payer.transfer())), b"<garbage"])

    accept = {"Accept": "application/xml"}
    status, headers, _ = await exchange(bank.url, desk_keys[PAYER], "GET", f"{OUT}/start", accept)

    assert status == 200
    assert headers["Content-Type"] == "application/xml; charset=utf-8"
    assert len(headers["PI-ResourceId"].split(",")) == 1


async def test_compressed_post_and_compressed_answer_are_understood(
    start: StartBank, desk_keys: dict[str, DeskKeys], desks: OpenDesk
) -> None:
    from bacen.icom import IcomClient

    bank = await start(compress_answers=True)
    payer = desks(bank)
    compressing = IcomClient(bank.url, PAYER, desk_keys[PAYER].context, compress=True)
    try:
        await compressing.post([payer.encode(payer.pacs008(payer.transfer()))])
    finally:
        await compressing.close()

    (settled,) = await payer.read_reports()
    assert settled.status == "ACSC"


async def test_post_while_the_settlement_is_down_is_unknown_and_the_same_bytes_work_later(
    bank: RunningBank, payer: Desk
) -> None:
    from actors import Killed

    body = payer.encode(payer.pacs008(payer.transfer()))
    settlement = bank.node.whereis("bacen.settlement")
    assert settlement is not None

    bank.node.exit(settlement, Killed())
    while True:
        try:
            await payer.client.post([body])
            break
        except IcomUnknown:
            continue

    (settled,) = await payer.read_reports()
    assert settled.status == "ACSC"
