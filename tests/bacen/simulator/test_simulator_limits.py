"""How much a participant may send to the bank, in virtual time."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from actors import Node, VirtualClock
from bacen.icom import IcomClient, IcomRefused
from tests.bacen.simulator.conftest import OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, DeskKeys, admin

TOMORROW = datetime.now(UTC) + timedelta(days=1)  # the certificates hold
NOON = TOMORROW.replace(hour=15, minute=0, second=0, microsecond=0)  # in Brasília
MIDNIGHT = NOON.replace(hour=3) + timedelta(days=1)
ANYTHING = b"<anything/>"  # costs a token, whatever it is


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
async def node(clock: VirtualClock) -> AsyncIterator[Node]:
    node = Node("test", clock=clock)
    yield node
    await node.shutdown()


async def posted(client: IcomClient, *, tens: int) -> int | None:
    """Post ten messages so many times; the seconds of the Retry-After that ended it."""
    for _ in range(tens):
        try:
            await client.post([ANYTHING] * 10)
        except IcomRefused as refused:
            return refused.retry_after_s  # of a 429 only
    return None


async def test_participant_that_sends_too_much_gets_429_until_its_bucket_fills(
    start: StartBank, desks: OpenDesk, clock: VirtualClock
) -> None:
    bank = await start(primary_per_second=2)  # ten tokens, two a second
    payer, other = desks(bank), desks(bank, CONNECTED)

    assert await posted(payer.client, tens=1) is None
    assert await posted(payer.client, tens=1) == 1
    assert await posted(other.client, tens=1) is None  # everybody has a bucket of their own
    await clock.advance(1)
    assert await posted(payer.client, tens=1) is None  # what is left pays for anything
    assert await posted(payer.client, tens=1) == 5
    await clock.advance(5_000)
    assert await posted(payer.client, tens=1) is None


async def test_payments_and_reports_cost_what_the_manual_says(
    start: StartBank, desks: OpenDesk, clock: VirtualClock
) -> None:
    payer = desks(await start(primary_per_second=2))
    transfers = [payer.transfer() for _ in range(10)]

    await payer.pay(*transfers[:8])  # 8 tokens
    for transfer in transfers[:9]:
        await payer.answer(transfer, "ACSP")  # 0.2 each
    await payer.answer(transfers[9], "ACSP")

    with pytest.raises(IcomRefused) as refused:
        await payer.answer(transfers[0], "ACSP")
    assert refused.value.status == 429
    await clock.advance(1)
    await payer.answer(transfers[0], "ACSP")


async def test_secondary_channel_is_wider_by_night(
    start: StartBank, desk_keys: dict[str, DeskKeys], clock: VirtualClock
) -> None:
    clock.set_wall(MIDNIGHT - timedelta(seconds=1))
    bank = await start()
    keys = desk_keys[PAYER]
    client = IcomClient(bank.secondary_url, PAYER, keys.context, compress=True)
    try:
        assert await posted(client, tens=35) is None
        assert await posted(client, tens=1) == 1

        await clock.advance(2_000)  # one second at 35, and one at 350

        assert await posted(client, tens=39) is None  # the last one with half of what it costs
        assert await posted(client, tens=1) == 1
    finally:
        await client.close()


async def test_refused_post_stores_nothing(start: StartBank, desks: OpenDesk) -> None:
    bank = await start(primary_per_second=1)
    payer = desks(bank)
    await posted(payer.client, tens=1)

    body = payer.encode(payer.pacs008(payer.transfer()))
    with pytest.raises(IcomRefused):
        await payer.client.post([body])

    assert 'kind="pacs.008"' not in await admin(bank, None)
