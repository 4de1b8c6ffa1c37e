"""The figures of a capacity test: exact counts by the bank's clock (Manual de Tempos 7.0)."""

from collections.abc import Mapping
from typing import Final

import msgspec

from bacen.simulator.cockpit.sights import DICT, FINISHED, SENT, Noticed, Sight, is_settled
from bacen.simulator.virtual_payer import VIRTUAL_PAYER
from bacen.simulator.watching import LETTERS_FETCHED

FETCH_MS: Final = 200
FETCHED_PERCENT: Final = 99
HALF_MS: Final = 1_400
HALF_PERCENT: Final = 50
MOST_MS: Final = 2_300
MOST_PERCENT: Final = 95
FULL_SECONDS: Final = 600
FULL_LOOK_UPS: Final = 1_000
START_MS: Final = 30_000  # the participant begins to pay at most so long after the bank
TAIL_MS: Final = START_MS + 45_000  # the time limit of the last payment, and the way of its outcome
PERCENT: Final = 100
RATE_LIMITED: Final = "RateLimited"


class Gauge(msgspec.Struct, frozen=True):
    """One figure with what it has to be: `value` of `total`, in percent `least` or more."""

    text: str
    value: int
    total: int
    least: int

    @property
    def is_met(self) -> bool:
        return self.total > 0 and self.value * PERCENT >= self.least * self.total


class Figures(msgspec.Struct):
    """Counts of one test; times in milliseconds, as how often each was seen.

    Attributes:
        per_second: Payments a second, in each direction.
        seconds: How long payments count.
        began_ms: By the bank's clock.
        offered: Payments that the bank sent to the participant.
        ended: Those of them that have settled, were refused, or ran out of time.
        answered: Times from t2 to t3.
        fetched: Times that messages waited for the participant to read them.
        first_ms: When its first payment came; its own time counts from there.
        paid: Payments of the participant that settled.
        messages: pacs.008 with which it sent them.
        looked_up: Keys that it looked up in DICT.
    """

    per_second: int
    seconds: int
    began_ms: int = 0
    offered: int = 0
    ended: int = 0
    answered: dict[int, int] = {}
    fetched: dict[int, int] = {}
    first_ms: int = 0
    paid: int = 0
    messages: int = 0
    looked_up: int = 0

    @property
    def payments(self) -> int:
        """How many in each direction."""
        return self.per_second * self.seconds

    @property
    def ends_ms(self) -> int:
        return self.began_ms + self.seconds * 1_000

    @property
    def paying_ends_ms(self) -> int:
        """When payments of the participant no longer count: it cannot begin at the same moment."""
        latest_ms = self.began_ms + START_MS
        return min(self.first_ms or latest_ms, latest_ms) + self.seconds * 1_000

    def note_fetched(self, noticed: Noticed) -> None:
        """Count messages that were read."""
        if noticed.event == LETTERS_FETCHED:
            for waited_ms in noticed.told["waited_ms"]:
                add(self.fetched, waited_ms)

    def note(self, sight: Sight) -> None:
        """Count what was seen of payments and look-ups."""
        if sight.kind == SENT and sight.text("kind") == "pacs.008":
            if sight.text("ids").startswith(f"E{VIRTUAL_PAYER}"):
                self.offered += sight.number("items")
        elif sight.kind == FINISHED and sight.text("what") == "payment":
            self._note_payment(sight)
        elif sight.kind == "received" and sight.text("kind") == "pacs.008":
            self.first_ms = self.first_ms or sight.at_ms
            self.messages += sight.at_ms < self.paying_ends_ms
        elif sight.kind == DICT and sight.text("operation") == "getEntry":
            self.looked_up += sight.text("type") != RATE_LIMITED

    def _note_payment(self, sight: Sight) -> None:
        if sight.text("role") == "payer":
            is_in_time = self.began_ms <= sight.number("received_ms") < self.paying_ends_ms
            self.paid += is_settled(sight) and is_in_time
        elif sight.text("other") == VIRTUAL_PAYER:
            self.ended += 1
            if "answered_in_ms" in sight.fields:
                add(self.answered, sight.number("answered_in_ms"))

    def is_over(self, now_ms: int) -> bool:
        """Say whether all has been seen that will be."""
        if now_ms < self.ends_ms:
            return False
        is_answered = self.offered >= self.payments and self.ended >= self.offered
        is_paid = self.paid >= self.payments and self.looked_up >= self.look_ups_wanted()
        return (is_answered and is_paid) or now_ms >= self.ends_ms + TAIL_MS

    def gauges(self) -> list[Gauge]:
        """Give what the test is judged by."""
        fetched, look_ups = sum(self.fetched.values()), self.look_ups_wanted()
        return [
            Gauge("payments sent to the participant", self.offered, self.payments, PERCENT),
            Gauge(
                "messages fetched within 200 ms",
                within(self.fetched, FETCH_MS),
                fetched,
                FETCHED_PERCENT,
            ),
            Gauge(
                "answered in less than 1.4 s",
                within(self.answered, HALF_MS - 1),
                self.offered,
                HALF_PERCENT,
            ),
            Gauge(
                "answered in less than 2.3 s",
                within(self.answered, MOST_MS - 1),
                self.offered,
                MOST_PERCENT,
            ),
            Gauge("payments of the participant that settled", self.paid, self.payments, PERCENT),
            Gauge("keys looked up in DICT", self.looked_up, look_ups, PERCENT),
        ]

    def look_ups_wanted(self) -> int:
        return max(1, FULL_LOOK_UPS * self.seconds // FULL_SECONDS)


def add(times: dict[int, int], time_ms: int) -> None:
    times[time_ms] = times.get(time_ms, 0) + 1


def within(times: Mapping[int, int], limit_ms: int) -> int:
    """Count the times up to a limit."""
    return sum(count for each, count in times.items() if each <= limit_ms)


def percentile(times: Mapping[int, int], percent: int) -> int | None:
    """Give the shortest time within which so many of a hundred are; None of none."""
    left = -(-sum(times.values()) * percent // PERCENT)
    for each in sorted(times):
        left -= times[each]
        if left <= 0:
            return each
    return None
