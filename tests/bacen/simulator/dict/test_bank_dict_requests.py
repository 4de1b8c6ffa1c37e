"""What a participant may not send to DICT: every refusal is signed and says its type."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
import pytest

from bacen.dict import (
    OPERATIONS,
    CreateEntryRequest,
    Problem,
    decode_problem,
    decode_response,
    encode_request,
)
from bacen.simulator import RunningBank
from bacen.wire import sign_dict
from tests.bacen.simulator.desk import CONNECTED, PAYER, DeskKeys
from tests.bacen.simulator.dict.member import PHONE, new_entry


@dataclass(frozen=True)
class Raw:
    """Sends bytes to DICT as one participant and reads the problem that comes back."""

    session: aiohttp.ClientSession
    url: str
    keys: DeskKeys

    async def send(self, method: str, path: str, body: bytes = b"", **more: object) -> Problem:
        async with self.session.request(
            method, f"{self.url}{path}", data=body or None, **more
        ) as response:
            problem = decode_problem(await response.read(), self.keys.spi)
        assert problem.status == response.status
        assert response.content_type == "application/problem+xml"
        return problem


@pytest.fixture
async def raw(bank: RunningBank, desk_keys: dict[str, DeskKeys]) -> AsyncIterator[Raw]:
    keys = desk_keys[PAYER]
    async with aiohttp.ClientSession(connector=connector(keys.context)) as session:
        yield Raw(session, bank.url, keys)


def connector(context: ssl.SSLContext) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(ssl=context)


def unsigned() -> bytes:
    request = CreateEntryRequest(
        entry=new_entry(PAYER, PHONE), reason="USER_REQUESTED", request_id=uuid4()
    )
    body = encode_request(OPERATIONS["createEntry"], request).body
    assert body is not None
    return body


async def test_write_without_a_signature_or_with_another_s_is_refused(
    raw: Raw, desk_keys: dict[str, DeskKeys]
) -> None:
    for body in (unsigned(), sign_dict(unsigned(), desk_keys[CONNECTED].signer)):
        problem = await raw.send("POST", "/api/v2/entries/", body)
        assert (problem.status, problem.type) == (400, "RequestSignatureInvalid")


async def test_entry_against_the_schema_is_an_invalid_entry(raw: Raw) -> None:
    for old, new, where in (
        (b"Ana de Teste", b"Ana 123", "Name"),
        (b"PHONE", b"EMAIL", "KeyType"),
        (b"<Reason>", b"<Surprise/><Reason>", ""),
        (b"CACC", b"XXXX", "AccountType"),
    ):
        body = sign_dict(unsigned().replace(old, new), raw.keys.signer)
        problem = await raw.send("POST", "/api/v2/entries/", body)
        assert (problem.status, problem.type) == (400, "EntryInvalid")
        assert where in (problem.violations[0].property or "")


async def test_what_is_no_xml_is_refused(raw: Raw) -> None:
    for body in (b"", b"<a", b"<!DOCTYPE a><a/>", b"\x1f\x8b\x08", b"<a/>" * 99):
        assert (await raw.send("POST", "/api/v2/entries/", body)).status == 400


async def test_path_and_method_that_do_not_exist_have_signed_problems(raw: Raw) -> None:
    assert (await raw.send("GET", "/api/v2/nothing")).type == "NotFound"
    assert (await raw.send("DELETE", "/api/v2/entries/")).type == "BadRequest"
    assert (await raw.send("POST", "/api/v2/keys/check", b"<a/>")).type == "NotFound"
    assert (await raw.send("POST", "/api-np/v2/keys/check", b"<a/>")).type == "BadRequest"


async def test_key_in_the_path_and_in_the_body_are_the_same(raw: Raw) -> None:
    body = b"<DeleteEntryRequest><Key>a@example.com</Key><Participant>12345678</Participant>"
    body += b"<Reason>USER_REQUESTED</Reason></DeleteEntryRequest>"

    problem = await raw.send(
        "POST", "/api/v2/entries/b%40example.com/delete", sign_dict(body, raw.keys.signer)
    )

    assert (problem.type, problem.violations[0].property) == ("BadRequest", "Key")


async def test_problem_names_its_rule_and_has_a_correlation_id(raw: Raw) -> None:
    problem = await raw.send("GET", "/api/v2/claims/?Participant=12345678&Limit=201")

    assert problem.correlation_id is not None
    assert problem.violations[0].property == "Limit"


async def test_deprecated_operations_are_gone(raw: Raw) -> None:
    deprecated = [each for each in OPERATIONS.values() if each.is_deprecated]
    number = str(uuid4())
    about = (
        "<Participant>12345678</Participant>"
        f"<FundsRecoveryId>{number}</FundsRecoveryId>"
        "<PrioritizationStrategy>STANDARD_ALGORITHM</PrioritizationStrategy>"
    )
    report = (
        "<Participant>12345678</Participant><InfractionReport>"
        f"<TransactionId>{'1' * 32}</TransactionId><Reason>REFUND_REQUEST</Reason>"
        "<SituationType>SCAM</SituationType></InfractionReport>"
    )
    bodies = {
        "createInfractionReport": report,
        "updateInfractionReport": f"<InfractionReportId>{number}</InfractionReportId>"
        "<Participant>12345678</Participant>",
        "createTrackingGraph": about.partition("<Prior")[0],
        "blockFundsRecovery": about,
    }

    assert {each.name for each in deprecated} == set(bodies)
    for operation in deprecated:
        path = operation.path.replace("{FundsRecoveryId}", number)
        path = path.replace("{InfractionReportId}", number)
        tag = operation.request_tag
        body = f"<{tag}>{bodies[operation.name]}</{tag}>".encode()
        problem = await raw.send(operation.method, path, sign_dict(body, raw.keys.signer))
        assert (problem.status, problem.type) == (410, "DeprecatedResource")


async def test_long_answer_is_compressed_for_who_accepts_it(raw: Raw) -> None:
    url = f"{raw.url}/api/v2/policies/"
    headers = {"PI-RequestingParticipant": PAYER}
    encodings = []
    for accepted in ("gzip", "identity"):
        async with raw.session.get(
            url, headers={**headers, "Accept-Encoding": accepted}
        ) as response:
            body = await response.read()
        encodings.append(response.headers.get("Content-Encoding"))
        told = decode_response(OPERATIONS["listPolicies"], body, raw.keys.spi)
        assert len(told.policies) == 28

    assert encodings == ["gzip", None]
