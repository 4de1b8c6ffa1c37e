"""The platform asks no more of DICT than DICT says, and learns at its start what that is."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors import Node
from bacen.dict import PARTICIPANT_READING, DictClient, DictRateLimited
from bacen.simulator import BankSettings, DictSettings, start_bank
from bacen.simulator.faults import FaultOrder
from bacen.wire import make_end_to_end_id
from corrente import bank_link
from corrente.bank_link import BankClients, BankLink, embedded_link

OURS = "12345678"
KEY = "+5511999887766"
PAYER = "52998224725"
H_TOKENS = 50


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with capture_logs() as logs:
        yield logs


async def link_to_bank(node: Node, home: Path, *faults: FaultOrder) -> BankLink:
    """Start a bank whose participants may read 50 keys, then 2 a minute."""
    settings = BankSettings(
        home=home, connected=(OURS,), directory=DictSettings(category="H"), faults=faults
    )
    bank = await start_bank(node, settings)
    ready = {"url": bank.url, "secondary_url": bank.secondary_url}
    (home / "ready.json").write_text(json.dumps(ready))
    return embedded_link(home, OURS)


async def ask(client: DictClient, number: int) -> None:
    end_to_end_id = make_end_to_end_id(OURS, datetime.now(UTC), f"{number:011d}")
    await client.get_entry(KEY, payer_tax_id=PAYER, end_to_end_id=end_to_end_id)


async def ask_until_refused(client: DictClient) -> tuple[int, DictRateLimited]:
    for number in range(H_TOKENS + 1):
        try:
            await ask(client, number)
        except DictRateLimited as error:
            return number, error
    raise AssertionError("nobody refused")


async def until_logged(logs: list[Any], event: str) -> dict[str, Any]:
    while not (found := [each for each in logs if each["event"] == event]):
        await asyncio.sleep(0.01)
    return dict(found[0])


async def test_platform_stops_before_dict_says_so_and_a_payment_lets_it_ask_again(
    node: Node, tmp_path: Path, logs: list[Any]
) -> None:
    clients = BankClients(await link_to_bank(node, tmp_path), OURS)
    await node.start(clients, link=False)
    await until_logged(logs, "dict_policies_read")

    asked, refused = await ask_until_refused(clients.dict_client)
    clients.dict_client.payment_sent(PAYER, KEY)

    assert asked == H_TOKENS
    assert (refused.is_local, refused.policy) == (True, PARTICIPANT_READING)
    assert refused.retry_after_ms is not None
    with pytest.raises(DictRateLimited) as at_dict:  # nothing was sent, so DICT gave nothing back
        await ask(clients.dict_client, H_TOKENS)
    assert at_dict.value.is_local is False


async def test_dict_that_is_away_at_the_start_is_asked_again(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: list[Any]
) -> None:
    monkeypatch.setattr(bank_link, "POLICIES_RETRY_MS", 10)
    down = FaultOrder(fault="dict_down", next=2)
    clients = BankClients(await link_to_bank(node, tmp_path, down), OURS)
    await node.start(clients, link=False)
    await until_logged(logs, "dict_policies_read")

    _, refused = await ask_until_refused(clients.dict_client)

    assert len([each for each in logs if each["event"] == "dict_policies_not_read"]) == 2
    assert refused.is_local


async def test_other_category_than_the_settings_is_told_and_that_of_dict_holds(
    node: Node, tmp_path: Path, logs: list[Any]
) -> None:
    link = replace(await link_to_bank(node, tmp_path), dict_category="C")
    clients = BankClients(link, OURS)
    await node.start(clients, link=False)

    told = await until_logged(logs, "dict_category_differs")

    assert (told["settings"], told["dict"]) == ("C", "H")
    assert (await ask_until_refused(clients.dict_client))[1].is_local
