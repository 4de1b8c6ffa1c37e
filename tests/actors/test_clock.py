"""Time, ids and randomness of a node."""

import asyncio
from datetime import UTC, datetime, timedelta

from actors import Clock, Node, VirtualClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_virtual_timers_fire_in_order_at_their_exact_time() -> None:
    clock = VirtualClock(NOON)
    fired: list[tuple[str, datetime]] = []
    for ms, name in ((20, "second"), (10, "first"), (20, "third"), (40, "never")):
        clock.call_later(ms, lambda name=name: fired.append((name, clock.now())))

    await clock.advance(30)

    assert fired == [
        ("first", NOON + timedelta(milliseconds=10)),
        ("second", NOON + timedelta(milliseconds=20)),
        ("third", NOON + timedelta(milliseconds=20)),
    ]


async def test_virtual_sleep_ends_when_time_is_moved() -> None:
    clock = VirtualClock()
    sleeping = asyncio.get_running_loop().create_task(clock.sleep_ms(1_000))

    await clock.advance(999)
    assert not sleeping.done()
    await clock.advance(1)

    assert sleeping.done()


async def test_wall_time_is_aware_and_monotonic_time_ignores_steps() -> None:
    clock = VirtualClock(NOON)

    clock.set_wall(NOON - timedelta(hours=1))
    await clock.advance(5)

    assert clock.now() == NOON - timedelta(hours=1) + timedelta(milliseconds=5)
    assert clock.monotonic_ns() == 5_000_000
    assert abs(Clock().now() - datetime.now(UTC)) < timedelta(seconds=1)


def test_ids_are_version_7_rising_and_leave_the_low_bits_free() -> None:
    node = Node(clock=VirtualClock(NOON))

    ids = [node.ids.new_id() for _ in range(10_000)]

    assert ids == sorted(set(ids))
    assert {(value.version, value.variant, value.int & 15) for value in ids} == {
        (7, "specified in RFC 4122", 0)
    }
    assert {value.int >> 80 for value in ids} == {int(NOON.timestamp() * 1000)}


def test_ids_keep_rising_when_the_wall_clock_steps_back() -> None:
    clock = VirtualClock(NOON)
    node = Node(clock=clock)
    before = node.ids.new_id()

    clock.set_wall(NOON - timedelta(hours=1))

    assert node.ids.new_id() > before


def test_a_seeded_node_repeats_itself_and_others_differ() -> None:
    first, second, other = (Node(clock=VirtualClock(NOON), seed=seed) for seed in (7, 7, 8))

    made = [(node.ids.new_id(), node.ids.token(20), node.rng.random()) for node in (first, second)]

    assert made[0] == made[1]
    assert other.ids.new_id() != made[0][0]
    assert Node().ids.token(20) != Node().ids.token(20)
    assert Node().ids.token(20).isalnum()
