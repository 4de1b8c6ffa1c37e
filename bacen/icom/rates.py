"""How much a participant may send on a channel, by the hour (BCB Manual das Interfaces 1.12).

Both ends count with this: the bank to refuse (429), a participant to wait before it is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from actors import Clock
from bacen import BucketRule, TokenBucket
from bacen.icom.postage import ChannelName, costs_milli

PRIMARY_PER_SECOND = 750
PRIMARY_CAPACITY_SECONDS = 5
SECONDARY_BY_DAY = BucketRule(capacity=350, refill=35, may_overdraw=True)
SECONDARY_BY_NIGHT = BucketRule(capacity=5_000, refill=350, may_overdraw=True)
SECONDARY_INTERNAL = BucketRule(capacity=1_500, refill=500, may_overdraw=True)
DAY_STARTS_HOUR = 8  # until midnight

_BRASILIA = ZoneInfo("America/Sao_Paulo")
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class ChannelRates:
    """Limits of one channel.

    Attributes:
        by_day: From 08:00 to midnight in Brasília.
        by_night: From midnight to 08:00.
        internal: For trck.002, where it has a bucket of its own.
    """

    by_day: BucketRule
    by_night: BucketRule
    internal: BucketRule | None = None

    def rule_at(self, now: datetime) -> tuple[BucketRule, int]:
        """The rule of this moment, and for how many ms it has held."""
        local = now.astimezone(_BRASILIA)
        is_day = local.hour >= DAY_STARTS_HOUR
        hour = DAY_STARTS_HOUR if is_day else 0
        since = local - local.replace(hour=hour, minute=0, second=0, microsecond=0)
        return self.by_day if is_day else self.by_night, since // timedelta(milliseconds=1)


def rates_of(channel: ChannelName, primary_per_second: int = PRIMARY_PER_SECOND) -> ChannelRates:
    """Limits of a channel.

    Args:
        channel: Which.
        primary_per_second: Tokens a second of the primary channel; its capacity is five times that.
            The Banco Central gives 750: more is for the bank in a box alone.
    """
    if channel is ChannelName.SECONDARY:
        return ChannelRates(SECONDARY_BY_DAY, SECONDARY_BY_NIGHT, SECONDARY_INTERNAL)
    primary = BucketRule(
        capacity=PRIMARY_CAPACITY_SECONDS * primary_per_second,
        refill=primary_per_second,
        may_overdraw=True,
    )
    return ChannelRates(primary, primary)


class ChannelBucket:
    """Tokens of one participant on one channel; full at the start.

    Args:
        rates: Limits of the channel.
        clock: Its monotonic time fills the bucket, its wall time tells the hour.
    """

    def __init__(self, rates: ChannelRates, clock: Clock) -> None:
        self._rates = rates
        self._clock = clock
        now_ms = self._now_ms()
        self._ordinary = TokenBucket(rates.rule_at(clock.now())[0], now_ms)
        self._internal = self._ordinary
        if rates.internal is not None:
            self._internal = TokenBucket(rates.internal, now_ms)

    def take(self, messages: Sequence[bytes]) -> int:
        """Pay for one POST.

        Returns:
            0 when it is paid; else nothing was taken, and the ms until it can be.
        """
        now_ms = self._now_ms()
        self._follow_the_hour(now_ms)
        ordinary_milli, internal_milli = costs_milli(messages)
        bills = [
            (bucket, cost_milli)
            for bucket, cost_milli in (
                (self._ordinary, ordinary_milli),
                (self._internal, internal_milli),
            )
            if cost_milli
        ]
        wait_ms = max((bucket.retry_after_ms(now_ms, cost) for bucket, cost in bills), default=0)
        if wait_ms == 0:
            for bucket, cost in bills:
                bucket.charge(now_ms, cost)
        return wait_ms

    def drain(self) -> None:
        """Begin again at zero: the other end has said that nothing is left."""
        now_ms = self._now_ms()
        for bucket in {id(each): each for each in (self._ordinary, self._internal)}.values():
            bucket.charge(now_ms, max(0, bucket.balance_milli(now_ms)))

    def balance_milli(self) -> int:
        """Tell what is left for ordinary messages, in thousandths of a token."""
        now_ms = self._now_ms()
        self._follow_the_hour(now_ms)
        return self._ordinary.balance_milli(now_ms)

    def _follow_the_hour(self, now_ms: int) -> None:
        if self._rates.by_day == self._rates.by_night:
            return
        rule, held_ms = self._rates.rule_at(self._clock.now())
        if rule != self._ordinary.rule:
            self._ordinary.adopt(rule, now_ms - held_ms)

    def _now_ms(self) -> int:
        return self._clock.monotonic_ns() // _NS_PER_MS
