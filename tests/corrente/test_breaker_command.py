"""`corrente ledger breaker`, in front of a gateway with a real breaker, or with none."""

import asyncio
import io
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest
from rich.console import Console
from typer.testing import CliRunner

from actors import Node
from corrente.breaker_command import Wish, breaker_and_show
from corrente.cli import app
from corrente.client import Client, PayFailed
from ledger.breaker import BreakerDesk
from tests.gateway.breaker_interface import BreakerInterface
from tests.ledger.breaker.served import ANA, BEA, TENANT, ServedBank


@pytest.fixture
async def interface(node: Node) -> AsyncIterator[BreakerInterface]:
    interface = BreakerInterface(node)
    yield interface
    await interface.session.close()


async def command(
    interface: BreakerInterface, wish: Wish, reason: str = "", *, as_json: bool = False
) -> tuple[bool, str]:
    """What the command returns and prints."""
    output = io.StringIO()
    console = Console(file=output, width=200)

    def run() -> bool:
        client = Client(interface.url, interface.admin)
        try:
            return breaker_and_show(client, wish, reason, console, as_json=as_json)
        finally:
            client.close()

    return await asyncio.to_thread(run), output.getvalue()


async def test_platform_without_a_breaker_says_so(interface: BreakerInterface) -> None:
    await interface.start(None)

    with pytest.raises(PayFailed, match="PostgreSQL keeps the money alone"):
        await command(interface, Wish.STATUS)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("close",), "needs a --reason"),
        (("explode",), "none of status, history, open, close"),
        (("status", "--url", "http://127.0.0.1:1"), "a token of role admin is needed"),
    ],
)
def test_wrong_usage_is_told(
    arguments: tuple[str, ...], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CORRENTE_ADMIN_TOKEN", raising=False)

    result = CliRunner().invoke(app, ["ledger", "breaker", *arguments])

    assert result.exit_code == 2
    assert problem in result.stderr


async def test_operator_opens_and_closes_it_and_is_on_record(
    interface: BreakerInterface, node: Node, migrated_dsn: str
) -> None:
    bank = ServedBank(node, migrated_dsn)
    await bank.start()
    async with asyncpg.create_pool(migrated_dsn, min_size=0, max_size=2) as pool:
        await interface.start(BreakerDesk(node, TENANT, "breaker", lambda: pool))

        is_there, text = await command(interface, Wish.OPEN, "a [drill]")
        assert is_there
        assert text.startswith("open, until somebody closes it  epoch 3\n")
        await bank.submit(bank.plain(ANA, BEA, 5))
        is_there, text = await command(interface, Wish.STATUS)
        assert is_there
        assert "not yet in TigerBeetle 1" in text
        assert "a [drill]" in text
        is_there, text = await command(interface, Wish.CLOSE, "it is over", as_json=True)
        assert is_there
        assert json.loads(text)["position"] == "closed"
        _, text = await command(interface, Wish.HISTORY)
        assert "a [drill]" in text
        assert "it is over" in text
        _, text = await command(interface, Wish.HISTORY, as_json=True)
        assert [each["made_by"] for each in json.loads(text)["orders"]] == ["ana", "ana"]
        await bank.check()


async def test_order_that_cannot_be_obeyed_is_told(
    interface: BreakerInterface, node: Node, migrated_dsn: str
) -> None:
    bank = ServedBank(node, migrated_dsn, deadline_ms=300)
    await bank.start()
    async with asyncpg.create_pool(migrated_dsn, min_size=0, max_size=2) as pool:
        await interface.start(BreakerDesk(node, TENANT, "breaker", lambda: pool))
        assert (await command(interface, Wish.OPEN, "drill"))[0]
        bank.cluster.freeze()

        is_there, text = await command(interface, Wish.CLOSE, "drill is over")

        assert not is_there
        assert text.startswith("open, until somebody closes it  epoch ")
        bank.cluster.heal()
