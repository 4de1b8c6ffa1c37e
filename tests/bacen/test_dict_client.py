"""getEntry over TLS: a signed entry, a signed "not found", or no answer at all."""

import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import msgspec
import pytest
from aiohttp import web

from bacen.dict import (
    Account,
    DictClient,
    DictRefused,
    DictUnavailable,
    Entry,
    EntryNotFound,
    GetEntryResponse,
    InvalidKey,
    Person,
    Problem,
    Violation,
    decode_problem,
    encode_problem,
    encode_response,
)
from bacen.dict.operations import GET_ENTRY
from bacen.wire import Signer, Verifier
from tests.bacen.conftest import OUR_ISPB, Serve

AT = datetime(2026, 1, 10, 10, 0, tzinfo=UTC)
CORRELATION_ID = "a9f13566e19f5ca51329479a5bae60c5"
ENTRY = Entry(
    key="+5511999887766",
    key_type="PHONE",
    account=Account(
        participant="99999A04",
        branch="0001",
        account_number="0007654321",
        account_type="CACC",
        opening_date=AT,
    ),
    owner=Person(type="NATURAL_PERSON", tax_id_number="52998224725", name="João & Silva"),
    creation_date=AT,
    key_ownership_date=AT,
)
NOT_FOUND = Problem(type="NotFound", title="Not found", status=404, correlation_id=CORRELATION_ID)


def entry_bytes(signer: Signer, entry: Entry = ENTRY) -> bytes:
    answer = GetEntryResponse(response_time=AT, correlation_id=CORRELATION_ID, entry=entry)
    return encode_response(GET_ENTRY, answer, signer)


def test_problem_is_read_as_it_was_written(spi_signer: Signer, verifier: Verifier) -> None:
    problem = msgspec.structs.replace(
        NOT_FOUND, detail="x", violations=(Violation("a < b", "key"), Violation("c"))
    )

    assert decode_problem(encode_problem(problem, spi_signer), verifier) == problem


Ask = Callable[[int, bytes], "object"]


@pytest.fixture
async def ask(
    serve: Serve, our_context: ssl.SSLContext, verifier: Verifier
) -> AsyncIterator[Callable[..., object]]:
    clients: list[DictClient] = []
    seen: list[web.Request] = []

    async def start(status: int, body: bytes, key: str = "+55 11 99988-7766") -> object:
        async def answer(request: web.Request) -> web.Response:
            seen.append(request)
            return web.Response(status=status, body=body)

        client = DictClient(await serve(answer), OUR_ISPB, our_context, verifier)
        clients.append(client)
        entry = await client.get_entry(
            key, payer_tax_id="11144477735", end_to_end_id="E1", correlation="ours"
        )
        return entry, seen[-1]

    yield start
    for client in clients:
        await client.close()


async def test_entry_is_asked_for_with_the_compulsory_headers(
    ask: Callable[..., object], spi_signer: Signer
) -> None:
    entry, request = await ask(200, entry_bytes(spi_signer))

    assert entry == ENTRY
    assert request.raw_path == "/api/v2/entries/%2B5511999887766"
    assert request.headers["PI-RequestingParticipant"] == OUR_ISPB
    assert request.headers["PI-PayerId"] == "11144477735"
    assert request.headers["PI-EndToEndId"] == "E1"
    assert "ours" not in request.headers.values()


async def test_signed_not_found_names_the_kind_of_key(
    ask: Callable[..., object], spi_signer: Signer
) -> None:
    with pytest.raises(EntryNotFound) as missing:
        await ask(404, encode_problem(NOT_FOUND, spi_signer))

    assert missing.value.key_type == "PHONE"


async def test_other_signed_problem_is_a_refusal(
    ask: Callable[..., object], spi_signer: Signer
) -> None:
    limited = msgspec.structs.replace(NOT_FOUND, type="RateLimited", status=429)

    with pytest.raises(DictRefused) as refused:
        await ask(429, encode_problem(limited, spi_signer))

    assert (refused.value.type, refused.value.status) == ("RateLimited", 429)


async def test_text_that_is_no_key_is_never_asked_for(ask: Callable[..., object]) -> None:
    with pytest.raises(InvalidKey):
        await ask(500, b"", key="chave")


async def test_answer_about_another_key_is_no_answer(
    ask: Callable[..., object], spi_signer: Signer
) -> None:
    with pytest.raises(DictUnavailable, match="another key"):
        await ask(200, entry_bytes(spi_signer), key="52998224725")


async def test_problem_of_another_answer_is_no_answer(
    ask: Callable[..., object], spi_signer: Signer
) -> None:
    with pytest.raises(DictUnavailable):
        await ask(429, encode_problem(NOT_FOUND, spi_signer))


async def test_unsigned_or_foreign_answer_is_no_answer(
    ask: Callable[..., object], our_signer: Signer, spi_signer: Signer
) -> None:
    unsigned = b"<GetEntryResponse/>"
    for status, body in (
        (200, unsigned),
        (200, entry_bytes(our_signer)),
        (404, b""),
        (404, encode_problem(NOT_FOUND, our_signer)),
        (200, encode_problem(NOT_FOUND, spi_signer)),
        (503, encode_problem(NOT_FOUND, spi_signer)),
        (302, b""),
    ):
        with pytest.raises(DictUnavailable):
            await ask(status, body)
