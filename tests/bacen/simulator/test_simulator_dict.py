"""Looking up keys in the bank's directory with the real client."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from lxml import etree

from bacen.dict import DictClient, DictRefused, EntryNotFound, parse_key
from bacen.simulator import RunningBank
from bacen.simulator.dict import load_entries
from bacen.simulator.participants import load_participants
from bacen.simulator.receivers import ACCEPT, SILENT, answer
from bacen.wire import make_end_to_end_id, verify_dict
from tests.bacen.simulator.desk import CONNECTED, PAYER, DeskKeys

ASKED = {
    "payer_tax_id": "52998224725",
    "end_to_end_id": make_end_to_end_id(PAYER, datetime(2026, 9, 28, tzinfo=UTC), "1" * 11),
}


@pytest.fixture
async def client(bank: RunningBank, desk_keys: dict[str, DeskKeys]) -> AsyncIterator[DictClient]:
    keys = desk_keys[PAYER]
    made = DictClient(bank.url, PAYER, keys.context, keys.spi)
    yield made
    await made.close()


async def test_known_key_of_each_type_leads_to_its_account(client: DictClient) -> None:
    kinds = set()
    for key, expected in load_entries().items():
        if expected.account.participant == PAYER:
            continue
        assert await client.get_entry(key, **ASKED) == expected
        kinds.add(expected.key_type)

    assert kinds == {"CPF", "CNPJ", "PHONE", "EMAIL", "EVP"}


async def test_unknown_key_is_a_signed_not_found(client: DictClient) -> None:
    with pytest.raises(EntryNotFound):
        await client.get_entry("nobody@example.com", **ASKED)


async def test_asking_in_the_name_of_another_participant_is_forbidden(
    bank: RunningBank, desk_keys: dict[str, DeskKeys]
) -> None:
    keys = desk_keys[PAYER]
    other = DictClient(bank.url, CONNECTED, keys.context, keys.spi)
    try:
        with pytest.raises(DictRefused) as refused:
            await other.get_entry("+5511999887766", **ASKED)
    finally:
        await other.close()

    assert (refused.value.type, refused.value.status) == ("Forbidden", 403)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("PI-RequestingParticipant", None),
        ("PI-PayerId", None),
        ("PI-PayerId", "123"),
        ("PI-EndToEndId", None),
        ("PI-EndToEndId", "E123"),
    ],
)
async def test_compulsory_header_that_is_missing_or_wrong_is_a_signed_bad_request(
    bank: RunningBank, desk_keys: dict[str, DeskKeys], header: str, value: str | None
) -> None:
    keys = desk_keys[PAYER]
    headers = {
        "PI-RequestingParticipant": PAYER,
        "PI-PayerId": ASKED["payer_tax_id"],
        "PI-EndToEndId": ASKED["end_to_end_id"],
    }
    headers.pop(header)
    headers |= {header: value} if value is not None else {}
    connector = aiohttp.TCPConnector(ssl=keys.context)
    url = f"{bank.url}/api/v2/entries/%2B5511999887766"

    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(url, headers=headers) as response,
    ):
        root = verify_dict(await response.read(), keys.spi)

    assert response.status == 400
    assert (root.findtext("{urn:ietf:rfc:7807}type") or "").endswith("/BadRequest")
    assert header in etree.tostring(root).decode()


def test_demonstration_keys_are_what_the_documents_promise() -> None:
    entries = load_entries()
    participants = load_participants()
    answers = [answer(each.account.account_number) for each in entries.values()]

    assert entries["+5511999887766"].account.participant in participants
    assert len(entries["+5511999887766"].owner.tax_id_number) == 11
    assert all(each.account.participant in participants for each in entries.values())
    assert all(parse_key(each.owner.tax_id_number) for each in entries.values())
    assert {ACCEPT, SILENT, "AC03"} <= set(answers)
