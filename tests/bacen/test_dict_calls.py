"""All operations over TLS: what is sent, what is refused, what is sent again."""

import asyncio
import pickle
import re

import pytest
from aiohttp import web

from actors import Clock, Node, VirtualClock
from bacen import (
    DictConflict,
    DictGone,
    DictNotFound,
    DictOutcomeUnknown,
    DictRateLimited,
    DictRefused,
    DictTooEarly,
    DictUnavailable,
    MalformedXml,
    SigningUnavailable,
)
from bacen.dict import (
    OPERATIONS,
    CreateEntryRequest,
    CreateRefundRequest,
    DictClient,
    DictOptions,
    GetClaimRequest,
    ListPoliciesResponse,
    Policy,
    Problem,
    RateLimits,
    Repeat,
    TypedCalls,
    Violation,
    encode_response,
    sign_in_pool,
)
from bacen.dict.error_types import ERROR_TYPES
from bacen.signing import KeyFiles, signer_pool
from bacen.wire import sign_dict
from tests.bacen.conftest import OUR_ISPB
from tests.bacen.dict_documents import smallest
from tests.bacen.dict_server import HEAD, Answered, Desk, DictServer, problem, running


@pytest.fixture
def server(dict_server: DictServer) -> DictServer:
    return dict_server


def method_name(operation: str) -> str:
    name = re.sub(r"(?<!^)([A-Z])", r"_\1", operation).lower()
    return "read_entry" if name == "get_entry" else name


async def test_every_operation_is_a_method_that_asks_and_answers(server: DictServer) -> None:
    client = server.client()

    for name, operation in OPERATIONS.items():
        request = smallest(operation.request)
        assert await getattr(client, method_name(name))(request) == smallest(operation.response)

    assert server.names() == list(OPERATIONS)
    assert [asked for _, asked in server.asked] == [
        smallest(operation.request) for operation in OPERATIONS.values()
    ]
    assert {method_name(name) for name in OPERATIONS} | {"call"} == {
        name for name in vars(TypedCalls) if not name.startswith("_")
    }


async def test_client_that_cannot_sign_reads_and_does_not_write(server: DictServer) -> None:
    client = DictClient(server.url, OUR_ISPB, server.context, server.verifier)
    server.clients.append(client)

    await client.get_claim(smallest(GetClaimRequest))
    with pytest.raises(ValueError, match="signs"):
        await client.create_entry(smallest(CreateEntryRequest))

    assert server.names() == ["getClaim"]


async def test_pool_of_the_platform_signs_the_writes(
    server: DictServer, dict_desk: Desk, node: Node
) -> None:
    pair = dict_desk.authority.participant(OUR_ISPB).signing
    await node.start(signer_pool(KeyFiles((pair.certificate, pair.key))), name="signers")
    options = DictOptions(sign=sign_in_pool(node, "signers"), clock=node.clock)
    client = DictClient(server.url, OUR_ISPB, server.context, server.verifier, options)
    server.clients.append(client)

    await client.create_entry(smallest(CreateEntryRequest))

    assert server.asked == [("createEntry", smallest(CreateEntryRequest))]


async def test_pool_that_cannot_sign_sends_nothing(server: DictServer, node: Node) -> None:
    options = DictOptions(sign=sign_in_pool(node, "nobody"), clock=node.clock)
    client = DictClient(server.url, OUR_ISPB, server.context, server.verifier, options)
    server.clients.append(client)

    with pytest.raises(SigningUnavailable):
        await client.create_entry(smallest(CreateEntryRequest))

    assert server.asked == []


async def test_signer_says_what_cannot_be_signed(dict_desk: Desk, node: Node) -> None:
    pair = dict_desk.authority.participant(OUR_ISPB).signing
    await node.start(signer_pool(KeyFiles((pair.certificate, pair.key))), name="signers")

    with pytest.raises(MalformedXml):
        await sign_in_pool(node, "signers")(b"<a")


async def test_signed_answer_against_the_schema_is_no_answer(server: DictServer) -> None:
    octets = sign_dict(b"<GetClaimResponse><Claim/></GetClaimResponse>", server.signer)
    server.answer = lambda _, __: web.Response(body=octets)

    with pytest.raises(DictUnavailable, match="Claim/Type must be there"):
        await server.client().get_claim(smallest(GetClaimRequest))


async def test_keys_are_checked_at_the_host_aside(server: DictServer, dict_desk: Desk) -> None:
    async with running(dict_desk) as aside:
        options = DictOptions(non_priority_url=aside.url)
        client = DictClient(server.url, OUR_ISPB, server.context, server.verifier, options)
        server.clients.append(client)

        await client.check_keys(smallest(OPERATIONS["checkKeys"].request))

        assert aside.names() == ["checkKeys"]
        assert b"Signature" not in aside.bodies[0]
    assert server.names() == []


async def test_every_error_type_is_raised_as_its_class(server: DictServer) -> None:
    client = server.client()
    request = smallest(GetClaimRequest)

    for name, kind in ERROR_TYPES.items():
        if kind.status >= 500:
            continue
        server.answer = lambda _, __, name=name: problem(name)
        with pytest.raises(kind.error) as refused:
            await client.get_claim(request)
        assert (refused.value.type, refused.value.status) == (name, kind.status)
        assert type(refused.value) is kind.error
        assert pickle.loads(pickle.dumps(refused.value)).type == name  # noqa: S301 (our own)


async def test_error_type_of_a_later_version_keeps_its_name(server: DictServer) -> None:
    told = Problem(
        type="MoonInWrongPhase",
        title="later",
        status=400,
        correlation_id="ab" * 16,
        violations=(Violation("full", "Moon"), Violation("no property")),
    )
    server.answer = lambda _, __: told

    with pytest.raises(DictRefused) as refused:
        await server.client().get_claim(smallest(GetClaimRequest))

    assert type(refused.value) is DictRefused
    assert refused.value.type == "MoonInWrongPhase"
    assert refused.value.correlation_id == "ab" * 16
    assert refused.value.properties == ("Moon",)


def failing_first(server: DictServer, failures: int, status: int = 503) -> None:
    """Answer so many times with nothing usable, then as usual."""
    usual = server.answer

    def answer(name: str, request: object) -> Answered:
        if len(server.asked) <= failures:
            return web.Response(status=status)
        return usual(name, request)

    server.answer = answer


async def test_write_of_unknown_outcome_is_sent_again_with_the_same_bytes(
    server: DictServer,
) -> None:
    failing_first(server, 2)

    answer = await server.client(pause_ms=1).create_entry(smallest(CreateEntryRequest))

    assert answer == smallest(OPERATIONS["createEntry"].response)
    assert len(server.bodies) == 3
    assert len(set(server.bodies)) == 1


async def test_request_is_repeated_only_where_that_is_safe(server: DictServer) -> None:
    server.answer = lambda _, __: web.Response(status=500)
    client = server.client(pause_ms=1)

    for name, operation in OPERATIONS.items():
        server.asked.clear()
        with pytest.raises(DictUnavailable) as unknown:
            await client.call(operation, smallest(operation.request))

        repeats = operation.has_body and operation.repeat is Repeat.SAME
        assert len(server.asked) == (3 if repeats else 1), name
        assert isinstance(unknown.value, DictOutcomeUnknown) is operation.has_body
        if isinstance(unknown.value, DictOutcomeUnknown):
            assert (unknown.value.operation, unknown.value.may_repeat) == (name, repeats)


async def test_cut_connection_is_an_unknown_outcome(server: DictServer) -> None:
    server.url = "https://localhost:1"  # nobody listens there
    client = server.client(pause_ms=1)

    with pytest.raises(DictOutcomeUnknown) as unknown:
        await client.create_refund(smallest(CreateRefundRequest))

    assert unknown.value.operation == "createRefund"


async def test_repeats_end_at_the_deadline(server: DictServer) -> None:
    server.answer = lambda _, __: web.Response(status=503)
    client = server.client(pause_ms=20, attempts_max=1_000_000, deadline_ms=200)

    with pytest.raises(DictOutcomeUnknown):
        await client.create_entry(smallest(CreateEntryRequest))

    assert 1 <= len(server.asked) <= 4  # pauses of 20, 40 and 80 ms; the next would pass it


@pytest.mark.parametrize("kind", ["RateLimited", "Forbidden"])
async def test_repeat_that_is_not_let_in_says_nothing_about_the_first_attempt(
    server: DictServer, kind: str
) -> None:
    server.answer = lambda _, __: (
        web.Response(status=503) if len(server.asked) == 1 else problem(kind)
    )

    with pytest.raises(DictOutcomeUnknown) as unknown:
        await server.client(pause_ms=1).create_entry(smallest(CreateEntryRequest))

    assert (unknown.value.cause, unknown.value.may_repeat) == (kind, True)


async def test_repeat_without_tokens_is_of_unknown_outcome_too(server: DictServer) -> None:
    clock = Clock()
    limits = with_tokens(clock, 1, "ENTRIES_WRITE")
    server.answer = lambda _, __: web.Response(status=503)

    with pytest.raises(DictOutcomeUnknown) as unknown:
        await server.client(clock=clock, limits=limits, pause_ms=1).create_entry(
            smallest(CreateEntryRequest)
        )

    assert unknown.value.cause == "RateLimited"
    assert len(server.asked) == 1


async def test_repeat_may_be_answered_by_another_status_of_success(server: DictServer) -> None:
    answer = smallest(OPERATIONS["createEntry"].response)
    octets = encode_response(OPERATIONS["createEntry"], answer, server.signer)
    server.answer = lambda _, __: web.Response(status=200, body=octets)

    assert await server.client().create_entry(smallest(CreateEntryRequest)) == answer


async def test_refusal_ends_the_repeats(server: DictServer) -> None:
    failing_first(server, 1)
    server_answer = server.answer
    server.answer = lambda name, request: (
        problem("NotFound") if len(server.asked) == 2 else server_answer(name, request)
    )

    with pytest.raises(DictNotFound):
        await server.client(pause_ms=1).delete_entry(smallest(OPERATIONS["deleteEntry"].request))

    assert len(server.asked) == 2


def with_tokens(clock: Clock, tokens: int, policy: str = "CLAIMS_READ") -> RateLimits:
    """Limits of which one bucket holds so many tokens."""
    now_ms = clock.monotonic_ns() // 1_000_000
    limits = RateLimits("A", now_ms)
    limits.observe(
        Policy(
            available_tokens=tokens,
            capacity=100,
            refill_tokens=1,
            refill_period_sec=60,
            name=policy,
        ),
        now_ms,
    )
    return limits


async def test_call_without_tokens_is_refused_before_it_is_sent(server: DictServer) -> None:
    clock = VirtualClock()
    client = server.client(clock=clock, limits=with_tokens(clock, 2))
    request = smallest(GetClaimRequest)
    await client.get_claim(request)
    await client.get_claim(request)

    with pytest.raises(DictRateLimited) as limited:
        await client.get_claim(request)

    assert limited.value.is_local
    assert (limited.value.policy, limited.value.retry_after_ms) == ("CLAIMS_READ", 60_000)
    assert len(server.asked) == 2


async def test_call_waits_for_tokens_as_long_as_it_may(server: DictServer) -> None:
    clock = VirtualClock()
    client = server.client(
        clock=clock, limits=with_tokens(clock, 0), token_wait_ms=60_000, deadline_ms=120_000
    )

    waiting = asyncio.create_task(client.get_claim(smallest(GetClaimRequest)))
    await clock.advance(59_999)
    assert server.asked == []
    await clock.advance(1)

    assert await waiting == smallest(OPERATIONS["getClaim"].response)


async def test_word_of_dict_about_an_empty_bucket_counts(server: DictServer) -> None:
    clock = VirtualClock()
    client = server.client(clock=clock, limits=with_tokens(clock, 50))
    server.answer = lambda _, __: problem("RateLimited")

    for is_local in (False, True):
        with pytest.raises(DictRateLimited) as limited:
            await client.get_claim(smallest(GetClaimRequest))
        assert limited.value.is_local is is_local
        assert limited.value.policy == "CLAIMS_READ"
        assert limited.value.retry_after_ms == 60_000

    assert len(server.asked) == 1


async def test_error_of_dict_itself_costs_no_token(server: DictServer) -> None:
    clock = VirtualClock()
    limits = with_tokens(clock, 1)
    client = server.client(clock=clock, limits=limits)
    server.answer = lambda _, __: web.Response(status=500)
    with pytest.raises(DictUnavailable):
        await client.get_claim(smallest(GetClaimRequest))

    assert limits.balances(0)["CLAIMS_READ"] == 1


async def test_payment_that_was_sent_gives_tokens_back(server: DictServer) -> None:
    clock = VirtualClock()
    limits = RateLimits("H", 0)
    client = server.client(clock=clock, limits=limits)
    reading = {"payer_tax_id": "52998224725", "end_to_end_id": "E1"}

    await client.get_entry("+5511999887766", **reading)
    assert limits.balances(0)["ENTRIES_READ_PARTICIPANT_ANTISCAN"] == 49
    client.payment_sent("52998224725", "+5511999887766")

    assert limits.balances(0)["ENTRIES_READ_PARTICIPANT_ANTISCAN"] == 50


async def test_buckets_are_taken_over_as_dict_has_them(server: DictServer) -> None:
    limits = RateLimits("A", 0)
    client = server.client(clock=VirtualClock(), limits=limits)
    reading = "ENTRIES_READ_PARTICIPANT_ANTISCAN"
    policies = tuple(
        Policy(
            available_tokens=7,
            capacity=50,
            refill_tokens=2,
            refill_period_sec=60,
            name=name,
        )
        for name in (reading, "CLAIMS_READ", "LATER_POLICY")
    )
    told = ListPoliciesResponse(**HEAD, category="H", policies=policies)
    server.answer = lambda _, __: told

    assert await client.observe_policies() == "H"

    balances = limits.balances(0)
    assert (balances[reading], balances["CLAIMS_READ"], balances["CLAIMS_WRITE"]) == (7, 7, 36_000)


def test_classes_of_refusals_tell_what_to_do() -> None:
    assert ERROR_TYPES["EntryKeyInCustodyOfDifferentParticipant"].error is DictConflict
    assert ERROR_TYPES["DeprecatedResource"].error is DictGone
    assert ERROR_TYPES["FundsRecoveryTransactionNotIndexed"].error is DictTooEarly
    assert issubclass(DictRateLimited, DictTooEarly)
