"""Who asks too much is told so, signed; who pays what was asked for gets tokens back."""

from typing import Any

import pytest

from bacen.dict import (
    PARTICIPANT_READING,
    DictClient,
    GetPolicyRequest,
    ListPoliciesRequest,
    ListPoliciesResponse,
)
from bacen.simulator import DictSettings
from bacen.simulator.clock import BankClock
from bacen.wire import AccountId
from tests.bacen.simulator.conftest import OpenDesk, StartBank
from tests.bacen.simulator.desk import PAYER, VIRTUAL
from tests.bacen.simulator.dict.conftest import OpenClient
from tests.bacen.simulator.dict.member import (
    BRUNO,
    PADARIA,
    PHONE,
    new_end_to_end_id,
    read,
    refused,
    register,
)

KEY = "maria.silva@example.com"
MINUTE_MS = 60_000


async def policy(client: DictClient, name: str) -> int:
    request = GetPolicyRequest(policy=name, participant=client.ispb)
    return (await client.get_policy(request)).policy.available_tokens


async def policies(client: DictClient) -> ListPoliciesResponse:
    return await client.list_policies(ListPoliciesRequest(participant=client.ispb))


async def miss(client: DictClient, **changed: Any) -> None:
    with refused("NotFound"):
        await read(client, "nobody@example.com", **changed)


async def test_policies_show_every_bucket_with_its_category(first: DictClient) -> None:
    told = await policies(first)
    await register(first, PHONE)

    by_name = {each.name: each for each in told.policies}
    assert (told.category, len(by_name)) == ("A", 28)
    reading = by_name[PARTICIPANT_READING]
    assert (reading.capacity, reading.refill_tokens, reading.refill_period_sec) == (
        50_000,
        25_000,
        60,
    )
    assert by_name["CIDS_FILES_WRITE"].refill_period_sec == 86_400
    assert await policy(first, "ENTRIES_WRITE") == 35_999
    with refused("NotFound"):
        await policy(first, "NOTHING")


async def test_empty_bucket_is_rate_limited_until_it_is_refilled(
    first: DictClient, clock: BankClock
) -> None:
    for _ in range(20):
        await policies(first)

    with refused("RateLimited"):
        await policies(first)
    await clock.advance(MINUTE_MS)
    assert len((await policies(first)).policies) == 28


async def test_payer_who_guesses_keys_is_stopped_at_once_and_others_are_not(
    first: DictClient, clock: BankClock
) -> None:
    for _ in range(5):
        await miss(first)

    with refused("RateLimited"):
        await read(first, KEY)
    await read(first, "16180339805")  # documents and EVPs are counted apart
    await read(first, KEY, payer_id=PADARIA)
    assert await policy(first, PARTICIPANT_READING) == 50_000 - 5 * 3 - 2
    await clock.advance(MINUTE_MS)
    await read(first, KEY)
    await read(first, KEY)
    with refused("RateLimited"):
        await read(first, KEY)


async def test_payment_that_settled_gives_the_tokens_of_its_reading_back(
    start: StartBank, clients: OpenClient, desks: OpenDesk
) -> None:
    bank = await start(directory=DictSettings(category="H"))
    client, desk = clients(bank, PAYER), desks(bank, PAYER)
    for _ in range(4):
        await miss(client)
    for _ in range(19):
        await read(client, KEY)
    end_to_end_id = new_end_to_end_id()
    await read(client, KEY, end_to_end_id=end_to_end_id)
    with refused("RateLimited"):
        await read(client, KEY)
    before = await policy(client, PARTICIPANT_READING)
    await desk.pay(
        desk.transfer(
            end_to_end_id=end_to_end_id,
            debtor_tax_id=BRUNO,
            creditor_ispb=VIRTUAL,
            creditor_account=AccountId("1234"),
            local_instrument="DICT",
            creditor_key=KEY,
        )
    )
    await desk.read()
    await read(client, KEY)

    assert await policy(client, PARTICIPANT_READING) == before
    with refused("RateLimited"):
        await read(client, KEY)


@pytest.mark.parametrize(("factor", "capacity"), [(1, 250), (100, 25_000)])
async def test_load_tests_may_have_larger_buckets(
    start: StartBank, clients: OpenClient, factor: int, capacity: int
) -> None:
    settings = DictSettings(category="G", rate_factor=factor)
    client = clients(await start(directory=settings), PAYER)

    told = await policies(client)

    assert (told.category, await policy(client, PARTICIPANT_READING)) == ("G", capacity)
