"""What a counterparty does next, drawn from generators of its own."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist
from typing import Protocol

from bacen.simulator.counterparties.config import AnswerTime, Counterparty, Fixed, Target, Uniform
from bacen.simulator.durations import duration_ms

MILLION = 1_000_000
ACCEPTED, REJECTED, SILENT, LATE = "accepted", "rejected", "silent", "late"
Z95 = NormalDist().inv_cdf(95 / 100)  # 95 of 100 lie below so many deviations


class Generator(Protocol):
    """What is used of a node's generator."""

    def randrange(self, stop: int, /) -> int: ...
    def randint(self, low: int, high: int, /) -> int: ...
    def gauss(self, mean: int, deviation: int, /) -> float: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a payment is answered: what kind of answer, with which reason, after how long."""

    kind: str
    reason: str | None
    after_ms: int


class Behaviour:
    """Draws payments and answers.

    Args:
        config: Shares, times, amounts and targets.
        paying: Generator of payments.
        answering: Generator of answers: what one draws does not change what the other does.
        timeout_ms: After which an answer is late.
    """

    def __init__(
        self, config: Counterparty, paying: Generator, answering: Generator, timeout_ms: int
    ) -> None:
        self._config = config
        self._paying = paying
        self._answering = answering
        self._timeout_ms = timeout_ms
        self._draw_ms = answer_times(config.answers, answering)
        self._shares = list(shares_of(config))

    def payment(self) -> tuple[Target, int]:
        """Draw whom to pay, and how many centavos."""
        targets = self._config.targets
        target = targets[self._paying.randrange(len(targets))]
        return target, self._paying.randint(*self._config.amount_cents)

    def verdict(self) -> Verdict:
        """Draw how one payment is answered."""
        after_ms = self._draw_ms()
        drawn = self._answering.randrange(MILLION)
        for share, kind, reason in self._shares:
            drawn -= share
            if drawn < 0:
                late_ms = self._timeout_ms if kind == LATE else 0
                return Verdict(kind, reason, after_ms + late_ms)
        return Verdict(ACCEPTED, None, after_ms)


def shares_of(config: Counterparty) -> Iterator[tuple[int, str, str | None]]:
    """Give the shares of all that is no plain acceptance, of a million."""
    for reason, share in config.reject.items():
        yield of_a_million(share), REJECTED, reason
    yield of_a_million(config.silent), SILENT, None
    yield of_a_million(config.late), LATE, None


def of_a_million(share: Decimal) -> int:
    return int(share * MILLION)


def answer_times(times: AnswerTime, rng: Generator) -> Callable[[], int]:
    """Make what draws one time of an answer, in milliseconds."""
    if isinstance(times, Fixed):
        after_ms = duration_ms(times.after)
        return lambda: after_ms
    if isinstance(times, Uniform):
        low_ms, high_ms = duration_ms(times.low), duration_ms(times.high)
        return lambda: rng.randint(low_ms, high_ms)
    middle = math.log(duration_ms(times.p50))
    spread = (math.log(duration_ms(times.p95)) - middle) / Z95
    return lambda: round(math.exp(middle + spread * rng.gauss(0, 1)))
