"""What a client sees of a payment that was refused."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

import pix as pix_room
from actors import Node
from gateway import GatewayContext, GatewayMetrics, HttpEndpoint, Tokens, application
from gateway import problem as problem_module
from gateway.openapi import openapi_document
from pix import Order, PaymentRefused, PixService
from tests.gateway.test_bodies import order

TENANT = "12345678"
ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


class Refusing:
    """Takes every order and refuses it."""

    error = PaymentRefused("unavailable", "not yet")

    async def pay(self, asked: Order) -> Any:
        del asked
        raise self.error


@pytest.fixture
async def pix() -> Refusing:
    return Refusing()


@pytest.fixture
async def gateway(node: Node, pix: Refusing) -> AsyncIterator[aiohttp.ClientSession]:
    tokens = Tokens(b"k" * 32, node.clock)
    context = GatewayContext(
        node=node,
        pix=cast(PixService, pix),
        tokens=tokens,
        metrics=GatewayMetrics(CollectorRegistry()),
        missing=lambda: (),
    )
    endpoint = HttpEndpoint(application(context, 10_000), "127.0.0.1", 0)
    await node.start(endpoint)
    token = tokens.issue("ana", TENANT, ("admin",), 600)
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{endpoint.port}", headers=headers) as made:
        yield made


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (PaymentRefused("dict_rate_limited", "later", retry_after_s=37), 429, "37"),
        (PaymentRefused("dict_rate_limited", "later"), 429, "1"),
        (PaymentRefused("dict_restricted", "no", "pix_key"), 422, None),
        (PaymentRefused("dict_unavailable", "no answer", "pix_key"), 503, "1"),
    ],
)
async def test_refusal_of_dict_has_its_status_and_says_when_to_come_again(
    gateway: aiohttp.ClientSession,
    pix: Refusing,
    error: PaymentRefused,
    status: int,
    retry_after: str | None,
) -> None:
    pix.error = error

    async with gateway.post("/api/v1/payments", data=order()) as response:
        problem = json.loads(await response.read())

    assert (response.status, response.headers.get("Retry-After")) == (status, retry_after)
    assert (problem["code"], problem["status"]) == (error.code, status)
    assert [each["property"] for each in problem.get("violations", ())] == (
        [error.member] if error.member else []
    )


def test_openapi_names_too_many_questions_and_when_to_repeat_them() -> None:
    paths = json.loads(openapi_document())["paths"]

    answers = paths["/api/v1/payments"]["post"]["responses"]
    assert set(answers) == {"201", "400", "401", "403", "413", "422", "429", "503"}
    for status in ("429", "503"):
        assert answers[status]["headers"]["Retry-After"]["schema"]["type"] == "integer"
    others = [
        each
        for path, operations in paths.items()
        for method, each in operations.items()
        if (path, method) != ("/api/v1/payments", "post")
    ]
    assert not any("429" in each["responses"] for each in others)


def test_every_code_of_a_refused_payment_stands_in_the_docs_with_its_status() -> None:
    table = re.findall(
        r"^\| (`[a-z_`, ]+`) \| ([0-9]{3}) \|", ARCHITECTURE.read_text(), re.MULTILINE
    )
    told = {code: int(status) for codes, status in table for code in re.findall("[a-z_]+", codes)}
    sources = "".join(each.read_text() for each in Path(pix_room.__file__).parent.glob("*.py"))
    raised = set(re.findall(r'PaymentRefused\(\s*"([a-z_]+)"', sources))
    raised |= set(re.findall(r'TransferResult\.[A-Z_]+: \(\s*"([a-z_]+)"', sources))
    raised |= {"outcome_unknown"}

    assert set(told) == raised
    assert told == {code: problem_module._KNOWN.get(code, (422, ""))[0] for code in raised}
