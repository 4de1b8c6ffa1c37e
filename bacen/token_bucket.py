"""Token bucket: how much the central bank lets somebody ask, and when to ask again.

ICOM fills all the time and lets the balance fall below zero (Manual das Interfaces 1.12); DICT
fills once a period and takes its price when the answer is known (API 2.12.1). Time is an argument,
so both ends of the wire and every test count the same. Tokens are integers of a thousandth,
because a report in a pacs.002 costs 0.2.
"""

from dataclasses import dataclass, replace

TOKEN_MILLI = 1000  # one token


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketRule:
    """How a bucket fills, and whether it may be overdrawn.

    Attributes:
        capacity: Tokens at the start, and the most there ever are.
        refill: Tokens that come in each period.
        period_ms: Length of a period.
        is_stepwise: The refill comes at once at the end of each period, counted from the bucket's
            start; otherwise it flows.
        may_overdraw: What is left, however little, pays for anything: the balance falls below zero.

    Raises:
        ValueError: A capacity, refill or period below 1.
    """

    capacity: int
    refill: int
    period_ms: int = 1000
    is_stepwise: bool = False
    may_overdraw: bool = False

    def __post_init__(self) -> None:
        """Refuse a bucket that would never fill."""
        if min(self.capacity, self.refill, self.period_ms) < 1:
            raise ValueError("capacity, refill and period must be at least 1")

    def larger(self, factor: int) -> "BucketRule":
        """Give the rule of a bucket that holds and refills this many times as much."""
        return replace(self, capacity=self.capacity * factor, refill=self.refill * factor)


class TokenBucket:
    """Tokens of one asker under one rule.

    Every method takes the time in ms of any clock that does not step; an earlier time than the last
    counts as the last.

    Args:
        rule: How it fills.
        now_ms: When it starts.
        balance_milli: Its balance then, in thousandths of a token; full by default.
    """

    def __init__(self, rule: BucketRule, now_ms: int, balance_milli: int | None = None) -> None:
        capacity_milli = rule.capacity * TOKEN_MILLI
        self._rule = rule
        self._balance_milli = capacity_milli
        if balance_milli is not None:
            self._balance_milli = min(balance_milli, capacity_milli)
        self._filled_ms = now_ms  # the refill is counted up to here
        self._rest = 0  # of a thousandth, in parts of a period; less than one

    @property
    def rule(self) -> BucketRule:
        """How it fills."""
        return self._rule

    def balance_milli(self, now_ms: int) -> int:
        """Tell the balance in thousandths of a token; below zero when overdrawn."""
        self._fill(now_ms)
        return self._balance_milli

    def take(self, now_ms: int, cost_milli: int = TOKEN_MILLI) -> bool:
        """Pay, if the balance allows it; otherwise nothing changes.

        Raises:
            ValueError: The cost is above the capacity of a bucket that may not be overdrawn.
        """
        if self.retry_after_ms(now_ms, cost_milli):
            return False
        self._balance_milli -= cost_milli
        return True

    def charge(self, now_ms: int, cost_milli: int) -> None:
        """Pay what is known only afterwards; the balance falls below zero where it must."""
        self._fill(now_ms)
        self._balance_milli -= cost_milli

    def credit(self, now_ms: int, gain_milli: int) -> None:
        """Give tokens back; what does not fit is lost."""
        self._fill(now_ms)
        self._gain(gain_milli)

    def retry_after_ms(self, now_ms: int, cost_milli: int = TOKEN_MILLI) -> int:
        """Tell how long until this cost can be paid; 0 when it can be now.

        Raises:
            ValueError: The cost is above the capacity of a bucket that may not be overdrawn.
        """
        rule = self._rule
        if cost_milli > rule.capacity * TOKEN_MILLI and not rule.may_overdraw:
            raise ValueError("the bucket never holds that much")
        self._fill(now_ms)
        needed_milli = 1 if rule.may_overdraw else cost_milli
        missing_milli = needed_milli - self._balance_milli
        if missing_milli <= 0:
            return 0
        refill_milli = rule.refill * TOKEN_MILLI
        if rule.is_stepwise:
            wait_ms = -(-missing_milli // refill_milli) * rule.period_ms
        else:
            wait_ms = -(-(missing_milli * rule.period_ms - self._rest) // refill_milli)
        # Never 0: nothing comes before the next ms of a clock that was set back.
        return max(1, wait_ms - (now_ms - self._filled_ms))

    def adopt(self, rule: BucketRule, now_ms: int) -> None:
        """Fill by another rule from now on; what is above its capacity is lost."""
        self._fill(now_ms)
        self._rule = rule
        self._balance_milli = min(self._balance_milli, rule.capacity * TOKEN_MILLI)
        self._rest = 0

    def _fill(self, now_ms: int) -> None:
        elapsed_ms = now_ms - self._filled_ms
        if elapsed_ms <= 0:
            return
        rule = self._rule
        if rule.is_stepwise:
            periods = elapsed_ms // rule.period_ms
            self._filled_ms += periods * rule.period_ms
            self._gain(periods * rule.refill * TOKEN_MILLI)
            return
        self._filled_ms = now_ms
        flowed = elapsed_ms * rule.refill * TOKEN_MILLI + self._rest
        gain_milli, self._rest = divmod(flowed, rule.period_ms)
        self._gain(gain_milli)

    def _gain(self, gain_milli: int) -> None:
        capacity_milli = self._rule.capacity * TOKEN_MILLI
        self._balance_milli = min(self._balance_milli + gain_milli, capacity_milli)
        if self._balance_milli == capacity_milli:
            self._rest = 0  # a full bucket saves nothing up
