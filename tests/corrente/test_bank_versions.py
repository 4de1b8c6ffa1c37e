"""The platform does not start with a bank that speaks other versions of its messages."""

import json
from pathlib import Path

import pytest

from actors import Node, StartFailed
from bacen.simulator import BankSettings, start_bank
from corrente import bank_link
from corrente.bank_link import BankClients, BankLink, embedded_link
from corrente.why import why

OURS = "12345678"


@pytest.fixture
async def link(node: Node, tmp_path: Path) -> BankLink:
    bank = await start_bank(node, BankSettings(home=tmp_path, connected=(OURS,)))
    ready = {"url": bank.url, "secondary_url": bank.secondary_url}
    (tmp_path / "ready.json").write_text(json.dumps(ready))
    return embedded_link(tmp_path, OURS)


async def test_same_versions_let_it_start(node: Node, link: BankLink) -> None:
    pid = await node.start(BankClients(link, OURS), link=False)

    assert node.is_alive(pid)
    await node.stop(pid)


@pytest.mark.parametrize(
    ("ours", "definition"), [("_SENDS", "pacs.008.spi.1.15"), ("_READS", "pacs.002.spi.1.16")]
)
async def test_other_version_fails_the_start_and_names_the_message_and_both_versions(
    node: Node, link: BankLink, monkeypatch: pytest.MonkeyPatch, ours: str, definition: str
) -> None:
    kind, version = definition.split(".spi.")
    monkeypatch.setattr(bank_link, ours, (definition,))

    with pytest.raises(StartFailed) as failed:
        await node.start(BankClients(link, OURS), link=False)

    told = why(failed.value)
    major, minor = version.split(".")
    assert f"versions of {kind}: here {version}, at the bank {major}.{int(minor) + 1}" in told
