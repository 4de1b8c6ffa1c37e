"""Reading from the central bank: nothing is lost, nothing is confirmed that was not asked past."""

import asyncio
import contextlib

import pytest

from bacen.icom import IcomRefused
from bacen.simulator import RunningBank
from tests.bacen.simulator.conftest import OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, READ_SECONDS, Desk


async def test_long_poll_without_messages_ends_with_an_empty_delivery(payer: Desk) -> None:
    first = await payer.client.start_stream()
    second = await payer.client.pull(first.next)

    assert first.messages == second.messages == ()
    assert first.next != second.next


async def test_message_that_comes_during_a_long_poll_is_delivered_at_once(
    start: StartBank, desks: OpenDesk
) -> None:
    payer = desks(await start(long_poll_ms=60_000))

    async with asyncio.timeout(READ_SECONDS):
        pulling = asyncio.ensure_future(payer.client.start_stream())
        await payer.pay(payer.transfer())
        delivery = await pulling

    assert len(delivery.messages) == 1


async def test_next_request_confirms_the_delivery_before_it(
    bank: RunningBank, desks: OpenDesk
) -> None:
    payer, next_one = desks(bank), desks(bank)
    await payer.pay(payer.transfer())
    first = await payer.client.start_stream()
    await payer.client.pull(first.next)

    await payer.close()

    assert len(first.messages) == 1
    assert await next_one.is_quiet()


async def test_lost_answer_is_given_again(payer: Desk) -> None:
    empty = await payer.client.start_stream()
    await payer.pay(payer.transfer())
    lost = await payer.client.pull(empty.next)

    again = await payer.client.pull(empty.next)

    assert len(lost.messages) == 1
    assert again == lost


async def test_messages_of_a_reader_that_died_go_to_the_next_with_the_same_ids(
    bank: RunningBank, desks: OpenDesk
) -> None:
    died, next_one = desks(bank), desks(bank)
    await died.pay(died.transfer())
    unconfirmed = await died.client.start_stream()

    await died.close()
    delivery = await next_one.pull()
    while not delivery.messages:
        delivery = await next_one.pull()

    assert delivery.messages == unconfirmed.messages
    with pytest.raises(IcomRefused) as gone:
        await next_one.client.pull(unconfirmed.next)
    assert gone.value.status == 410


async def test_open_stream_takes_over_from_a_reader_that_died(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start(stream_grace_ms=200)
    died, other = desks(bank), desks(bank)
    await died.pay(died.transfer())
    unconfirmed = await died.client.start_stream()
    assert await other.is_quiet()

    await died.close()

    async with asyncio.timeout(READ_SECONDS):
        delivery = await other.pull()
        while not delivery.messages:
            delivery = await other.pull()
    assert delivery.messages == unconfirmed.messages


async def test_reader_that_stays_connected_and_silent_is_given_up(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start(stream_idle_ms=300)
    silent, other = desks(bank), desks(bank)
    await silent.pay(silent.transfer())
    unconfirmed = await silent.client.start_stream()

    async with asyncio.timeout(READ_SECONDS):
        delivery = await other.pull()
        while not delivery.messages:
            delivery = await other.pull()
    assert delivery.messages == unconfirmed.messages


async def test_closing_a_stream_confirms_its_last_delivery(
    bank: RunningBank, desks: OpenDesk
) -> None:
    payer, other = desks(bank), desks(bank)
    await payer.pay(payer.transfer())
    delivery = await payer.client.start_stream()

    await payer.client.close_stream(delivery.next)

    assert await other.is_quiet()
    await payer.client.close_stream(delivery.next)  # closed is closed


async def test_streams_share_the_messages_and_none_gets_what_another_has(payer: Desk) -> None:
    first = await payer.client.start_stream()
    second = await payer.client.start_stream()
    bodies = [payer.encode(payer.pacs008(payer.transfer())) for _ in range(10)]
    await payer.client.post(bodies)
    await payer.client.post([payer.encode(payer.pacs008(payer.transfer()))])

    one, two = await asyncio.gather(payer.client.pull(first.next), payer.client.pull(second.next))

    ids = [each.resource_id for each in (*one.messages, *two.messages)]
    assert len(ids) == len(set(ids))
    assert ids


async def test_seventh_stream_is_refused_until_one_is_closed(payer: Desk) -> None:
    deliveries = await asyncio.gather(*(payer.client.start_stream() for _ in range(6)))

    with pytest.raises(IcomRefused) as refused:
        await payer.client.start_stream()
    await payer.client.close_stream(deliveries[0].next)
    await payer.client.start_stream()

    assert refused.value.status == 429
    assert refused.value.retry_after_s == 1


async def test_streams_of_one_participant_do_not_count_for_another(
    bank: RunningBank, desks: OpenDesk
) -> None:
    payer, receiver = desks(bank, PAYER), desks(bank, CONNECTED)
    await asyncio.gather(*(payer.client.start_stream() for _ in range(6)))

    assert await receiver.is_quiet()


async def test_streams_of_a_reader_that_died_do_not_count(
    bank: RunningBank, desks: OpenDesk
) -> None:
    died, next_one = desks(bank), desks(bank)
    await asyncio.gather(*(died.client.start_stream() for _ in range(6)))

    await died.close()

    async with asyncio.timeout(READ_SECONDS):
        delivery = None
        while delivery is None:  # until the bank has heard of the connections' end
            with contextlib.suppress(IcomRefused):
                delivery = await next_one.client.start_stream()
    assert delivery.messages == ()
