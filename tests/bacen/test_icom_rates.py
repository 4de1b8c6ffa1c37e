"""What a participant may send, by channel and hour: tables of the manual, to the token."""

from datetime import UTC, datetime, timedelta

import pytest

from actors import VirtualClock
from bacen.icom import ChannelBucket, ChannelName, channel_of, cost_milli, kind_of, rates_of

NOON = datetime(2026, 3, 2, 15, tzinfo=UTC)  # 12:00 in Brasília
MIDNIGHT = datetime(2026, 3, 2, 3, tzinfo=UTC)  # 00:00 there
HOUR_MS = 60 * 60_000
PAYMENT = b"<CdtTrfTxInf></CdtTrfTxInf>"
REPORT = b"<TxInfAndSts></TxInfAndSts>"


def message(kind: str, *content: bytes) -> bytes:
    namespace = f"https://www.bcb.gov.br/pi/{kind}/1.0".encode()
    return b'<Envelope xmlns="' + namespace + b'">' + b"".join(content) + b"</Envelope>"


def taken(bucket: ChannelBucket, *messages: bytes) -> int:
    """Take until it is refused; the number taken."""
    count = 0
    while not bucket.take(messages):
        count += 1
    return count


def make(channel: ChannelName, now: datetime) -> tuple[ChannelBucket, VirtualClock]:
    clock = VirtualClock(now)
    return ChannelBucket(rates_of(channel), clock), clock


@pytest.mark.parametrize(
    ("body", "expected_milli"),
    [
        (message("pacs.008", *[PAYMENT] * 10), 10_000),
        (message("pacs.002", *[REPORT] * 10), 2_000),
        (message("pacs.002", REPORT), 200),
        (message("trck.002"), 1_000),
        (message("camt.060"), 1_000),
        (message("pacs.008"), 1_000),
        (b"no message at all", 1_000),
    ],
)
def test_price_is_that_of_the_manual(body: bytes, expected_milli: int) -> None:
    assert cost_milli(body) == expected_milli


def test_scheduled_payments_and_internal_ones_belong_on_the_secondary_channel() -> None:
    scheduled = b"<SvcLvl><Prtry>PAGAGD</Prtry></SvcLvl>"

    assert channel_of(message("pacs.008", scheduled)) is ChannelName.SECONDARY
    assert channel_of(message("trck.002")) is ChannelName.SECONDARY
    assert channel_of(message("pacs.008", PAYMENT)) is ChannelName.PRIMARY
    assert channel_of(message("pacs.008", b"<Ustrd>PAGAGD</Ustrd>")) is ChannelName.PRIMARY
    assert channel_of(message("pacs.002", scheduled)) is ChannelName.PRIMARY
    assert kind_of(b"<a/>") == ""


@pytest.mark.parametrize(
    ("channel", "now", "kind", "capacity", "per_second"),
    [
        (ChannelName.PRIMARY, NOON, "camt.060", 3_750, 750),
        (ChannelName.PRIMARY, MIDNIGHT, "camt.060", 3_750, 750),
        (ChannelName.SECONDARY, NOON, "camt.060", 350, 35),
        (ChannelName.SECONDARY, MIDNIGHT, "camt.060", 5_000, 350),
        (ChannelName.SECONDARY, NOON, "trck.002", 1_500, 500),
        (ChannelName.SECONDARY, MIDNIGHT, "trck.002", 1_500, 500),
    ],
)
async def test_bucket_has_the_capacity_and_refill_of_its_channel_and_hour(
    channel: ChannelName, now: datetime, kind: str, capacity: int, per_second: int
) -> None:
    bucket, clock = make(channel, now)

    assert taken(bucket, message(kind)) == capacity
    await clock.advance(1000)
    assert taken(bucket, message(kind)) == per_second


async def test_reports_of_internal_payments_do_not_use_up_the_others_tokens() -> None:
    bucket, _ = make(ChannelName.SECONDARY, NOON)
    taken(bucket, message("trck.002"))

    assert taken(bucket, message("camt.060")) == 350
    assert bucket.take([message("camt.060"), message("trck.002")]) > 0


async def test_large_batch_overdraws_and_then_nothing_goes_until_it_is_paid_off() -> None:
    bucket, clock = make(ChannelName.SECONDARY, NOON)
    batch = message("pacs.008", *[PAYMENT] * 500)

    assert bucket.take([batch]) == 0
    wait_ms = bucket.take([message("camt.060")])
    assert wait_ms == -(-150_001 // 35)  # 150 tokens missing, and a little to be above zero
    await clock.advance(wait_ms - 1)
    assert bucket.take([message("camt.060")]) == 1
    await clock.advance(1)
    assert bucket.take([message("camt.060")]) == 0


async def test_refused_post_costs_nothing() -> None:
    bucket, _ = make(ChannelName.PRIMARY, NOON)
    taken(bucket, message("pacs.008", *[PAYMENT] * 10))
    before = bucket.balance_milli()

    assert bucket.take([message("camt.060")]) > 0
    assert bucket.balance_milli() == before


async def test_night_begins_at_midnight_and_day_at_eight_in_brasilia() -> None:
    bucket, clock = make(ChannelName.SECONDARY, MIDNIGHT - timedelta(milliseconds=1))
    assert taken(bucket, message("camt.060")) == 350

    await clock.advance(1 + 1000)
    assert taken(bucket, message("camt.060")) == 351  # one second at 350, and what was left over

    await clock.advance(8 * HOUR_MS - 1001)
    assert bucket.balance_milli() == 5_000_000
    await clock.advance(1)
    assert bucket.balance_milli() == 350_000


async def test_idle_bucket_is_filled_by_the_rule_of_each_hour() -> None:
    bucket, clock = make(ChannelName.SECONDARY, NOON)
    taken(bucket, message("camt.060"))

    await clock.advance(12 * HOUR_MS + 2_000)

    assert bucket.balance_milli() == 350_000 + 700_000


async def test_wall_clock_that_is_set_gives_no_tokens() -> None:
    bucket, clock = make(ChannelName.PRIMARY, NOON)
    taken(bucket, message("camt.060"))

    clock.set_wall(NOON + timedelta(days=1))

    assert bucket.balance_milli() == 0
