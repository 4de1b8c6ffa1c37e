"""The admin interface of the circuit breaker, in front of a real one."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from actors import Node
from ledger.breaker import BreakerDesk
from tests.gateway.breaker_interface import BreakerInterface
from tests.ledger.breaker.served import ANA, BEA, TENANT, ServedBank


@pytest.fixture
async def interface(node: Node) -> AsyncIterator[BreakerInterface]:
    interface = BreakerInterface(node)
    yield interface
    await interface.session.close()


@pytest.fixture
async def bank(
    node: Node, migrated_dsn: str, interface: BreakerInterface
) -> AsyncIterator[ServedBank]:
    """A breaker behind the interface."""
    bank = ServedBank(node, migrated_dsn)
    await bank.start()
    async with asyncpg.create_pool(migrated_dsn, min_size=0, max_size=2) as pool:
        await interface.start(BreakerDesk(node, TENANT, "breaker", lambda: pool))
        yield bank
        bank.cluster.heal()


async def test_platform_without_tigerbeetle_says_that_there_is_no_breaker(
    interface: BreakerInterface,
) -> None:
    await interface.start(None)

    for method, path, body in (
        ("GET", "", None),
        ("GET", "/history", None),
        ("POST", "/open", {"reason": "drill"}),
    ):
        status, answer = await interface.ask(method, path, body)
        assert (status, answer["detail"]) == (404, "PostgreSQL keeps the money alone")


@pytest.mark.parametrize("role", ["viewer", "operator", "compliance", "api_client"])
async def test_roles_other_than_admin_may_not_even_look(
    interface: BreakerInterface, bank: ServedBank, role: str
) -> None:
    token = interface.token(role)

    assert (await interface.ask("GET", token=token))[0] == 403
    assert (await interface.ask("POST", "/open", {"reason": "x"}, token))[0] == 403
    assert await bank.rows("SELECT 1 FROM breaker_orders") == []


async def test_administrator_of_another_institution_is_refused(
    interface: BreakerInterface, bank: ServedBank
) -> None:
    foreign = interface.token("admin", "87654321")

    assert (await interface.ask("POST", "/open", {"reason": "x"}, foreign))[0] == 403
    assert (await interface.ask("GET", "/history", token=foreign))[0] == 403
    assert (await interface.ask("GET", token=""))[0] == 401
    assert await bank.rows("SELECT 1 FROM breaker_orders") == []


async def test_orders_are_obeyed_and_kept_with_who_and_why_and_when(
    interface: BreakerInterface, bank: ServedBank
) -> None:
    status, opened = await interface.ask("POST", "/open", {"reason": "a [drill]"})
    assert (status, opened["position"], opened["is_held"]) == (200, "open", True)
    await bank.submit(bank.plain(ANA, BEA, 5))
    assert (await interface.ask("GET"))[1]["waiting_transfers"] == 1

    status, closed = await interface.ask("POST", "/close", {"reason": "it is over"})

    assert (status, closed["position"], closed["waiting_transfers"]) == (200, "closed", 0)
    assert closed["epoch"] > opened["epoch"]
    status, history = await interface.ask("GET", "/history?limit=10")
    assert status == 200
    assert [(each["position"], each["made_by"]) for each in history["events"]] == [
        ("closed", "ana"),
        ("open", "ana"),
    ]
    assert [(each["position"], each["reason"]) for each in history["orders"]] == [
        ("closed", "it is over"),
        ("open", "a [drill]"),
    ]
    assert all(each["at"] for each in history["orders"])
    await bank.check()


async def test_order_that_cannot_be_obeyed_is_kept_as_well(
    interface: BreakerInterface, node: Node, migrated_dsn: str
) -> None:
    bank = ServedBank(node, migrated_dsn, deadline_ms=300)
    await bank.start()
    async with asyncpg.create_pool(migrated_dsn, min_size=0, max_size=2) as pool:
        await interface.start(BreakerDesk(node, TENANT, "breaker", lambda: pool))
        assert (await interface.ask("POST", "/open", {"reason": "drill"}))[0] == 200
        bank.cluster.freeze()

        status, answer = await interface.ask("POST", "/close", {"reason": "drill is over"})

        assert (status, answer["position"], answer["is_held"]) == (200, "open", True)
        orders = await bank.rows("SELECT position, made_by FROM breaker_orders ORDER BY number")
        assert orders == [("open", "ana"), ("closed", "ana")]
        bank.cluster.heal()


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "validation_failed"), ({"reason": ""}, "validation_failed"), ([], "validation_failed")],
)
async def test_order_without_a_reason_is_refused(
    interface: BreakerInterface, bank: ServedBank, body: object, code: str
) -> None:
    status, answer = await interface.ask("POST", "/open", body)

    assert (status, answer["code"]) == (400, code)
    assert (await interface.ask("GET", "/history?limit=0"))[0] == 400
    assert await bank.rows("SELECT 1 FROM breaker_orders") == []


async def test_breaker_that_is_not_there_is_unavailable(
    interface: BreakerInterface, node: Node, migrated_dsn: str
) -> None:
    async with asyncpg.create_pool(migrated_dsn, min_size=0, max_size=2) as pool:
        await interface.start(BreakerDesk(node, TENANT, "nobody", lambda: pool))

        assert (await interface.ask("GET"))[0] == 503
        assert (await interface.ask("POST", "/close", {"reason": "x"}))[0] == 503
