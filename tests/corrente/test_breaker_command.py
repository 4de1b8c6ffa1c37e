"""`corrente ledger breaker`, before and while a breaker runs."""

import io
from typing import NoReturn

import pytest
from rich.console import Console

from actors import Node
from config import Settings, load_settings
from corrente.breaker_command import ask_breaker, show_breaker
from ledger.breaker import Position
from tests.ledger.breaker.served import ServedBank

FILES = (
    "ca",
    "client_certificate",
    "client_key",
    "signing_certificate",
    "signing_key",
    "bank_certificates",
)


class Failed(Exception):
    """The command ended with one line."""


def fail(problem: str) -> NoReturn:
    raise Failed(problem)


@pytest.fixture
def settings(migrated_dsn: str) -> Settings:
    return load_settings(
        overrides={
            "profile": "services",
            "postgres": {"dsn": migrated_dsn},
            "nats": {"url": "nats://127.0.0.1:1", "user": "nobody", "password": "nothing"},
            "bacen": {
                "icom_url": "https://127.0.0.1:1",
                "dict_url": "https://127.0.0.1:1",
                **{f"{name}_file": "absent.pem" for name in FILES},
            },
        }
    )


async def shown(settings: Settings) -> str:
    console = Console(file=io.StringIO(), width=200)
    await show_breaker(settings, console, fail)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def asked(settings: Settings, position: Position, reason: str) -> bool:
    return await ask_breaker(settings, position, reason, Console(file=io.StringIO()), fail)


async def test_ledger_without_a_breaker_says_so(settings: Settings) -> None:
    assert "no breaker has run" in await shown(settings)
    with pytest.raises(Failed, match="no breaker has run"):
        await asked(settings, Position.OPEN, "drill")


async def test_operator_opens_and_closes_it_and_is_on_record(
    settings: Settings, node: Node, migrated_dsn: str
) -> None:
    bank = ServedBank(node, migrated_dsn)
    await bank.start()
    assert (await shown(settings)).startswith("closed  epoch 1\n")

    assert await asked(settings, Position.OPEN, "a [drill]")

    text = await shown(settings)
    assert text.startswith("open, until somebody closes it  epoch 3\n")
    assert "a [drill]" in text
    assert await bank.submit(bank.plain(bank.accounts[0].id, bank.accounts[1].id, 5))
    assert "not yet in TigerBeetle 1" in await shown(settings)
    assert await asked(settings, Position.CLOSED, "drill is over")
    assert "not yet in TigerBeetle 0" in await shown(settings)
    await bank.check()


async def test_wish_that_cannot_be_obeyed_is_told(
    settings: Settings, node: Node, migrated_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corrente.breaker_command.WAITS", 10)
    bank = ServedBank(node, migrated_dsn)
    await bank.start()
    assert await asked(settings, Position.OPEN, "drill")
    bank.cluster.freeze()

    assert not await asked(settings, Position.CLOSED, "drill is over")

    assert (await shown(settings)).startswith("open, until somebody closes it")
    bank.cluster.heal()
