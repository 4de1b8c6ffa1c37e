"""The controls of the bank act for virtual and indirect participants; numbers are told."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import msgspec

from bacen.dict import OPERATIONS, DictClient, DictRefused, NewClaim
from bacen.simulator import RunningBank, load_participants
from bacen.simulator.dict.families import Families
from tests.bacen.simulator.desk import VIRTUAL, admin
from tests.bacen.simulator.dict.member import (
    PHONE,
    account,
    acknowledge,
    claim,
    confirm,
    get_claim,
    new_entry,
    person,
    read,
    refused,
    register,
)


async def act(
    bank: RunningBank, operation: str, ispb: str, **request: Any
) -> tuple[int, dict[str, Any]]:
    url = f"{bank.admin_url}/admin/dict/{operation}?as={ispb}"
    body = msgspec.json.encode(request)
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, data=body) as response,
    ):
        return response.status, await response.json(content_type=None)


async def test_virtual_participant_claims_a_key_of_a_connected_one(
    bank: RunningBank, first: DictClient
) -> None:
    await register(first, PHONE)
    wanted = NewClaim(
        type="OWNERSHIP",
        key=PHONE,
        key_type="PHONE",
        claimer_account=account(VIRTUAL),
        claimer=person("39053344705"),
    )
    status, answer = await act(bank, "createClaim", VIRTUAL, claim=wanted)
    opened = await get_claim(first, UUID(answer["claim"]["id"]))
    await acknowledge(first, opened.id)
    await confirm(first, opened.id)
    number = {"claim_id": str(opened.id), "participant": VIRTUAL, "request_id": str(uuid4())}
    completed, _ = await act(bank, "completeClaim", VIRTUAL, **number)

    assert (status, completed) == (201, 200)
    assert (await read(first, PHONE)).account.participant == VIRTUAL


async def test_control_is_refused_by_the_same_rules(bank: RunningBank) -> None:
    entry = {"entry": new_entry(VIRTUAL, PHONE), "reason": "USER_REQUESTED"}

    nobody, _ = await act(bank, "createEntry", "", request_id=str(uuid4()), **entry)
    other, problem = await act(bank, "createEntry", "12345678", request_id=str(uuid4()), **entry)
    missing, _ = await act(bank, "createEntry", VIRTUAL, **entry)
    unknown, _ = await act(bank, "makeEntry", VIRTUAL)

    assert (nobody, other, missing, unknown) == (403, 403, 400, 404)
    assert problem["type"] == "Forbidden"


async def test_participant_speaks_for_those_it_settles_for(bank: RunningBank) -> None:
    settled_for = "10573521"
    entry = {"entry": new_entry(settled_for, PHONE), "reason": "USER_REQUESTED"}
    direct = load_participants()[settled_for].settled_by
    made, _ = await act(bank, "createEntry", direct, request_id=str(uuid4()), **entry)
    listed, answer = await act(
        bank, "listClaims", direct, participant=direct, include_indirect_participants=True
    )

    assert (made, listed, answer["claims"]) == (201, 200, [])


async def test_many_at_once_make_five_keys_of_an_account_and_one_claim(
    first: DictClient, second: DictClient
) -> None:
    emails = [f"ana{number}@example.com" for number in range(12)]
    outcomes = await asyncio.gather(*(outcome(first, email) for email in emails))
    made = [email for email, each in zip(emails, outcomes, strict=True) if each == "made"]
    claims = await asyncio.gather(
        *(claim(second, made[0], "PORTABILITY", number="2002") for _ in range(8))
    )

    assert sorted(outcomes) == ["EntryLimitExceeded"] * 7 + ["made"] * 5
    assert len({each.id for each in claims}) == 1


async def outcome(client: DictClient, key: str) -> str:
    try:
        await register(client, key)
    except DictRefused as error:
        return error.type
    return "made"


def test_every_operation_of_the_api_has_somebody_who_does_it() -> None:
    class Bare(Families):
        def __init__(self) -> None:
            """Nothing but the names."""

        def __getattr__(self, name: str) -> Any:
            return Bare()

    assert Bare()._table().keys() == OPERATIONS.keys()


async def test_numbers_of_dict_are_in_the_metrics(bank: RunningBank, first: DictClient) -> None:
    await register(first, PHONE)
    with refused("EntryAlreadyExists"):
        await register(first, PHONE)

    text = await admin(bank, None)

    assert 'dict_answers_total{operation="createEntry",type="OK"} 1.0' in text
    assert 'dict_answers_total{operation="createEntry",type="EntryAlreadyExists"} 1.0' in text
    assert "corrente_bacen_dict_entries 21.0" in text
