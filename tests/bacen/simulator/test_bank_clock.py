"""The bank's clock: moved by hand, or many times faster; never back."""

import asyncio
import itertools
from typing import Any

import pytest

from actors import Node
from bacen.simulator.clock import (
    ADVANCE_MS_MAX,
    FORGOTTEN_MAX,
    NS_PER_MS,
    RATE_MAX,
    REAL,
    STEPPED,
    BankClock,
    rate_of,
    rate_text,
)
from bacen.simulator.durations import duration_ms, duration_text
from bacen.simulator.errors import InvalidControl

A_DAY_MS = 86_400_000


class Diary:
    """Writes down what fired, and how many milliseconds after the start."""

    def __init__(self, clock: BankClock) -> None:
        self._clock = clock
        self._start_ns = clock.monotonic_ns()
        self.entries: list[tuple[str, int]] = []

    def after(self, ms: int, name: str) -> None:
        self._clock.call_later(ms, lambda: self.write(name))

    def every(self, ms: int, name: str) -> None:
        def fire() -> None:
            self.write(name)
            self._clock.call_later(ms, fire)

        self._clock.call_later(ms, fire)

    def write(self, name: str) -> None:
        passed_ns = self._clock.monotonic_ns() - self._start_ns
        self.entries.append((name, passed_ns // NS_PER_MS))


@pytest.fixture
def clock() -> BankClock:
    return BankClock(STEPPED)


async def test_stepped_clock_stands_still_until_it_is_advanced(clock: BankClock) -> None:
    before = clock.now(), clock.monotonic_ns()
    await asyncio.sleep(0.005)
    stood = clock.now(), clock.monotonic_ns()

    await clock.advance(A_DAY_MS)

    assert stood == before
    assert (clock.now() - before[0]).days == 1
    assert clock.monotonic_ns() - before[1] == A_DAY_MS * NS_PER_MS


async def test_timers_that_fall_due_fire_in_order_each_at_its_own_time(clock: BankClock) -> None:
    diary = Diary(clock)
    diary.after(7 * A_DAY_MS, "claim")
    diary.after(40_000, "AB03")
    diary.after(40_000, "AB03 too")
    diary.after(8 * A_DAY_MS, "not yet")
    diary.after(5_000, "poll")

    await clock.advance(7 * A_DAY_MS)

    assert diary.entries == [
        ("poll", 5_000),
        ("AB03", 40_000),
        ("AB03 too", 40_000),
        ("claim", 7 * A_DAY_MS),
    ]


async def test_week_with_a_timer_that_fires_four_times_a_second_is_passed_in_a_few_steps(
    clock: BankClock,
) -> None:
    diary = Diary(clock)
    diary.every(250, "sweep")
    diary.after(3 * A_DAY_MS, "middle")

    await clock.advance(7 * A_DAY_MS)

    assert ("middle", 3 * A_DAY_MS) in diary.entries
    assert 50 <= len(diary.entries) <= 103
    assert diary.entries == sorted(diary.entries, key=lambda entry: entry[1])
    clock.set_rate(REAL)  # the sweep that comes next is still there
    count = len(diary.entries)
    while len(diary.entries) == count:
        await asyncio.sleep(0.01)


async def test_timer_started_on_the_way_fires_a_hundredth_of_the_advance_late_at_most(
    clock: BankClock,
) -> None:
    diary = Diary(clock)
    clock.call_later(1_000, lambda: diary.after(2_000, "second"))

    await clock.advance(100_000)

    ((_, at_ms),) = diary.entries
    assert 3_000 <= at_ms <= 4_000


async def test_timer_that_wants_no_time_fires_while_the_clock_stands(clock: BankClock) -> None:
    done = asyncio.Event()

    clock.call_later(0, done.set)

    await asyncio.wait_for(done.wait(), 30)


async def test_cancelled_timers_do_not_fire_and_do_not_pile_up(clock: BankClock) -> None:
    diary = Diary(clock)
    diary.after(500, "kept")
    for _ in range(10 * FORGOTTEN_MAX):
        clock.call_later(1_000, lambda: diary.write("cancelled")).cancel()

    assert len(clock._timers) <= 2 * FORGOTTEN_MAX + 2
    await clock.advance(2_000)

    assert diary.entries == [("kept", 500)]


async def test_faster_clock_waits_a_fraction_of_the_time_and_never_goes_back() -> None:
    clock = BankClock(RATE_MAX)
    readings = [(clock.now_ns(), clock.monotonic_ns())]
    loop = asyncio.get_running_loop()
    start = loop.time()
    await clock.sleep_ms(60_000)
    took = loop.time() - start

    for rate in (REAL, 60, STEPPED, REAL, STEPPED):
        readings.append((clock.now_ns(), clock.monotonic_ns()))
        clock.set_rate(rate)
        readings.append((clock.now_ns(), clock.monotonic_ns()))
        await clock.advance(1_000)

    assert 0.09 <= took < 30
    for (wall, monotonic), (later_wall, later_monotonic) in itertools.pairwise(readings):
        assert later_wall >= wall
        assert later_monotonic >= monotonic
    assert clock.ahead_ms() >= 59_000


async def test_timers_move_with_the_rate() -> None:
    clock = BankClock(STEPPED)
    done = asyncio.Event()
    clock.call_later(300_000, done.set)
    await asyncio.sleep(0.005)
    assert not done.is_set()

    clock.set_rate(RATE_MAX)

    await asyncio.wait_for(done.wait(), 60)


async def test_advance_that_is_given_up_keeps_the_timers_it_did_not_reach(
    clock: BankClock,
) -> None:
    diary = Diary(clock)
    for second in (1, 2, 3):
        diary.after(second * 1_000, str(second))
    advance: asyncio.Task[None] = asyncio.ensure_future(clock.advance(400_000))

    def give_up() -> None:
        advance.cancel()

    clock.call_later(1_000, give_up)
    with pytest.raises(asyncio.CancelledError):
        await advance
    reached = list(diary.entries)

    await clock.advance(10_000)

    assert reached == [("1", 1_000)]
    assert [name for name, _ in diary.entries] == ["1", "2", "3"]


async def test_one_advance_at_a_time_and_no_other_rate_meanwhile(clock: BankClock) -> None:
    refused: list[str] = []

    def interfere() -> None:
        try:
            clock.set_rate(60)
        except InvalidControl as error:
            refused.append(error.field)

    clock.call_later(100, interfere)
    first = asyncio.ensure_future(clock.advance(1_000))
    await asyncio.sleep(0)
    with pytest.raises(InvalidControl):
        await clock.advance(1_000)
    await first

    assert refused == ["rate"]


@pytest.mark.parametrize("ms", [-1, ADVANCE_MS_MAX + 1])
async def test_clock_does_not_go_back_nor_too_far(clock: BankClock, ms: int) -> None:
    with pytest.raises(InvalidControl):
        await clock.advance(ms)


@pytest.mark.parametrize("text", ["real", "x2", "x60", "x600", "stepped"])
def test_ways_of_a_clock_are_read_as_they_are_written(text: str) -> None:
    assert rate_text(rate_of(text)) == text


@pytest.mark.parametrize("text", ["", "x0", "x601", "x-1", "60", "fast", "x1.5"])
def test_other_ways_are_refused(text: str) -> None:
    with pytest.raises(InvalidControl):
        rate_of(text)


async def test_calls_and_timers_of_a_node_follow_its_clock() -> None:
    from actors import CallTimeout, From, GenServer, NoReply

    class Silent(GenServer):
        async def handle_call(self, request: Any, sender: From) -> NoReply:  # noqa: ARG002
            return NoReply()

    clock = BankClock(STEPPED)
    node = Node("bank", clock=clock)
    silent = await node.start(Silent())
    call = asyncio.ensure_future(node.call(silent, "anybody", timeout_ms=A_DAY_MS))
    await asyncio.sleep(0.01)
    assert not call.done()

    await clock.advance(A_DAY_MS)

    with pytest.raises(CallTimeout):
        await call
    await node.shutdown()


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("P7D", 7 * A_DAY_MS),
        ("7d", 7 * A_DAY_MS),
        ("PT1H30M", 5_400_000),
        ("1h30m", 5_400_000),
        ("P1DT1S", A_DAY_MS + 1_000),
        ("500ms", 500),
        ("0s", 0),
    ],
)
def test_lengths_of_time_are_read_in_both_forms(text: str, ms: int) -> None:
    assert duration_ms(text) == ms
    assert duration_ms(duration_text(ms)) == ms


@pytest.mark.parametrize("text", ["", "P", "PT", "7", "-7d", "P1M", "1y", "d7", "1s1m", " 1s"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidControl):
        duration_ms(text)
