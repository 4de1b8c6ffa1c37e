"""A whole platform in front of a modelled TigerBeetle, which is frozen, killed and brought back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from actors import Node
from config import load_settings
from corrente import demo
from corrente.platform import Platform
from corrente.servers import claim_home
from tests.ledger.breaker.model import ModelledCluster

TENANT = "12345678"
AMOUNT_CENTS = 100
DEADLINE_MS = 500
CREDITOR = {
    "ispb": "00000000",
    "branch": "0001",
    "account_number": "998877",
    "tax_id": "52998224725",
}


class TwoLedgers:
    """The platform and its client.

    Attributes:
        accepted: Payments that were answered 201.
    """

    def __init__(self, platform: Platform, cluster: ModelledCluster) -> None:
        self.platform = platform
        self.cluster = cluster
        self.node = platform.node
        self.debtors = demo.customers(TENANT)
        self.accepted: list[str] = []
        assert platform.endpoint is not None
        self.url = f"http://127.0.0.1:{platform.endpoint.port}"
        self.payer = self.token("operator")
        self.admin = self.token("admin")
        self.session = aiohttp.ClientSession()

    def token(self, role: str, tenant: str = TENANT) -> str:
        return self.platform.tokens.issue("ana", tenant, (role,), 3_600)

    async def ask(
        self, method: str, path: str, body: object = None, *, token: str | None = None
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token or self.admin}"}
        async with self.session.request(
            method, self.url + path, json=body, headers=headers
        ) as response:
            return response.status, await response.json(content_type=None)

    async def pay(self, number: int) -> str:
        """Pay once, however often it takes to be told so; gives the payment's id."""
        order = {
            "amount": f"{AMOUNT_CENTS // 100}.00",
            "creditor_account": CREDITOR,
            "debtor": demo.debtor_body(self.debtors[number % 16]),
            "idempotency_key": f"order-{number}",
        }
        while True:
            status, answer = await self.ask("POST", "/api/v1/payments", order, token=self.payer)
            if status == 201:
                self.accepted.append(answer["payment_id"])
                return str(answer["payment_id"])
            assert status == 503, answer
            await asyncio.sleep(0.05)

    async def pay_many(self, first: int, count: int) -> None:
        await asyncio.gather(*(self.pay(first + number) for number in range(count)))

    async def is_final(self, payment_id: str) -> None:
        while True:
            _, answer = await self.ask("GET", f"/api/v1/payments/{payment_id}", token=self.payer)
            if answer["status"] == "CONFIRMED":
                return
            assert answer["status"] in {"PROCESSING", "SUBMITTED"}, answer
            await asyncio.sleep(0.05)

    async def position(self) -> str:
        _, answer = await self.ask("GET", "/api/v1/admin/breaker")
        return str(answer.get("position"))

    async def until(self, position: str) -> None:
        while await self.position() != position:
            await asyncio.sleep(0.05)

    async def metric(self, name: str) -> float:
        async with self.session.get(self.url + "/metrics") as page:
            lines = (await page.text()).splitlines()
        (value,) = [line.rsplit(" ", 1)[1] for line in lines if line.startswith(f"{name} ")]
        return float(value)

    async def settled(self) -> None:
        """Every accepted payment is confirmed, once, and both ledgers have the same balances."""
        assert len(set(self.accepted)) == len(self.accepted)
        for payment_id in self.accepted:
            await self.is_final(payment_id)
        book, accounts = self.platform.book, self.cluster.state.accounts
        while any(each.balance() != book.balance(each.id) for each in accounts.values()):
            await asyncio.sleep(0.05)
        connection = await asyncpg.connect(self.platform.dsn)
        paid = await connection.fetchval("SELECT count(*) FROM payments")
        await connection.close()
        assert paid == len(self.accepted)
        pi = accounts[demo.PI_ACCOUNT_ID.int].balance()
        assert pi.credits_posted == AMOUNT_CENTS * len(self.accepted)
        assert pi.credits_pending == 0


@contextlib.asynccontextmanager
async def running(node: Node, home: Path, cluster: ModelledCluster) -> AsyncIterator[TwoLedgers]:
    """A platform on `home`, in front of the cluster."""
    tigerbeetle = {"addresses": "3000", "deadline_ms": DEADLINE_MS, "rest_ms": 1_000}
    settings = load_settings(
        overrides={
            "home": home,
            "gateway": {"port": 0},
            "ledger": {"tigerbeetle": tigerbeetle},
        }
    )
    with claim_home(home):
        platform = Platform(settings, node)
        await platform.start()
        two = TwoLedgers(platform, cluster)
        yield two
        cluster.heal()
        await two.session.close()
        await node.stop("corrente", timeout_ms=60_000)


@pytest.fixture
def cluster(node: Node, monkeypatch: pytest.MonkeyPatch) -> ModelledCluster:
    """What the platform takes for TigerBeetle."""
    cluster = ModelledCluster(node)
    monkeypatch.setattr("corrente.both_ledgers.connect", lambda *_: cluster.connect)
    return cluster


async def test_payments_go_on_while_tigerbeetle_freezes_dies_and_comes_back(
    node: Node, tmp_path: Path, cluster: ModelledCluster
) -> None:
    async with running(node, tmp_path / "home", cluster) as two:
        await pay_through_outages(two)


@pytest.mark.slow
async def test_platform_whose_tigerbeetle_is_dead_from_the_start_pays_and_it_follows(
    node: Node, tmp_path: Path, cluster: ModelledCluster
) -> None:
    cluster.kill()
    async with running(node, tmp_path / "home", cluster) as two:
        await two.until("open")
        await two.pay_many(0, 20)
        cluster.heal()
        await two.until("closed")

        await two.pay_many(20, 5)
        await two.settled()
        assert len(cluster.state.accounts) == len(two.platform.book)


async def pay_through_outages(two: TwoLedgers) -> None:
    """One frozen and one dead TigerBeetle, between payments."""
    await two.pay_many(0, 20)
    await two.until("closed")
    assert await two.metric("corrente_ledger_breaker_open") == 0

    two.cluster.freeze()
    await two.pay_many(20, 20)
    await two.until("open")
    assert await two.metric("corrente_ledger_breaker_open") == 1
    assert await two.metric("corrente_ledger_breaker_waiting_transfers") > 0
    two.cluster.heal()
    await two.until("closed")

    two.cluster.kill()
    await two.pay_many(40, 20)
    two.cluster.heal()
    await two.until("closed")
    await two.pay_many(60, 10)

    await two.settled()
    assert await two.metric("corrente_ledger_breaker_alarms_total") == 0
    assert await two.metric("corrente_ledger_follower_refused_total") == 0
