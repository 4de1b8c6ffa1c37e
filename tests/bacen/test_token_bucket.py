"""The token bucket by which the central bank limits its participants."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bacen import TOKEN_MILLI, BucketRule, TokenBucket

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
FLOWING = BucketRule(capacity=10, refill=5)
STEPWISE = BucketRule(capacity=10, refill=4, period_ms=MINUTE_MS, is_stepwise=True)
OVERDRAWN = BucketRule(capacity=10, refill=5, may_overdraw=True)


def drain(bucket: TokenBucket, now_ms: int, cost_milli: int = TOKEN_MILLI) -> int:
    """Take until it is refused; the number taken."""
    taken = 0
    while bucket.take(now_ms, cost_milli):
        taken += 1
    return taken


def test_full_bucket_gives_its_capacity_and_no_more() -> None:
    bucket = TokenBucket(FLOWING, 0)

    assert drain(bucket, 0) == 10
    assert bucket.balance_milli(0) == 0


def test_flowing_refill_is_exact_to_the_millisecond() -> None:
    bucket = TokenBucket(FLOWING, 0, balance_milli=0)

    assert not bucket.take(199)
    assert bucket.take(200)
    assert bucket.balance_milli(200) == 0


def test_refill_looked_at_often_is_the_refill_looked_at_once() -> None:
    rule = BucketRule(capacity=1000, refill=7, period_ms=MINUTE_MS)
    often, once = TokenBucket(rule, 0, 0), TokenBucket(rule, 0, 0)

    seen = [often.balance_milli(now_ms) for now_ms in range(0, 10 * MINUTE_MS + 1, 13)][-1]

    assert seen == once.balance_milli(10 * MINUTE_MS // 13 * 13)


def test_stepwise_refill_comes_at_the_end_of_the_period_and_not_before() -> None:
    bucket = TokenBucket(STEPWISE, 0, balance_milli=0)

    assert bucket.balance_milli(MINUTE_MS - 1) == 0
    assert bucket.balance_milli(MINUTE_MS) == 4 * TOKEN_MILLI
    assert bucket.balance_milli(2 * MINUTE_MS + 1) == 8 * TOKEN_MILLI
    assert bucket.balance_milli(60 * MINUTE_MS) == 10 * TOKEN_MILLI


def test_fifth_of_a_token_is_counted_exactly() -> None:
    bucket = TokenBucket(FLOWING, 0)

    assert drain(bucket, 0, 200) == 50


def test_balance_falls_below_zero_only_where_the_rule_says_so() -> None:
    strict, lenient = TokenBucket(FLOWING, 0, 1), TokenBucket(OVERDRAWN, 0, 1)

    assert not strict.take(0, 10 * TOKEN_MILLI)
    assert lenient.take(0, 100 * TOKEN_MILLI)
    assert lenient.balance_milli(0) == 1 - 100 * TOKEN_MILLI


def test_overdrawn_bucket_pays_again_when_it_is_above_zero() -> None:
    bucket = TokenBucket(OVERDRAWN, 0)
    bucket.take(0, 15 * TOKEN_MILLI)

    assert bucket.retry_after_ms(0) == 1001
    assert not bucket.take(1000)
    assert bucket.take(1001)


def test_price_known_afterwards_is_paid_even_from_an_empty_bucket() -> None:
    bucket = TokenBucket(FLOWING, 0, balance_milli=TOKEN_MILLI)

    bucket.charge(0, 20 * TOKEN_MILLI)

    assert bucket.balance_milli(0) == -19 * TOKEN_MILLI
    assert bucket.retry_after_ms(0) == 4000


def test_credit_never_lifts_the_balance_above_the_capacity() -> None:
    bucket = TokenBucket(FLOWING, 0, balance_milli=9_500)

    bucket.credit(0, 2 * TOKEN_MILLI)

    assert bucket.balance_milli(0) == 10 * TOKEN_MILLI


def test_full_bucket_saves_nothing_up() -> None:
    bucket = TokenBucket(FLOWING, 0)

    assert drain(bucket, DAY_MS) == 10


def test_clock_set_back_neither_gives_nor_takes() -> None:
    bucket = TokenBucket(FLOWING, 1000, balance_milli=0)

    assert bucket.balance_milli(0) == 0
    assert bucket.retry_after_ms(0) == 1200
    assert bucket.balance_milli(1200) == TOKEN_MILLI


def test_other_rule_holds_from_the_moment_it_is_adopted() -> None:
    bucket = TokenBucket(FLOWING, 0, balance_milli=0)

    bucket.adopt(BucketRule(capacity=3, refill=1), 1000)

    assert bucket.balance_milli(1000) == 3 * TOKEN_MILLI  # of the 5 that had come
    bucket.charge(1000, 3 * TOKEN_MILLI)
    assert bucket.balance_milli(2000) == TOKEN_MILLI


def test_cost_that_a_bucket_can_never_hold_is_an_error() -> None:
    with pytest.raises(ValueError, match="never holds"):
        TokenBucket(FLOWING, 0).take(0, 11 * TOKEN_MILLI)


@pytest.mark.parametrize("field", ["capacity", "refill", "period_ms"])
def test_bucket_that_would_never_fill_cannot_be_made(field: str) -> None:
    values = {"capacity": 1, "refill": 1, "period_ms": 1, field: 0}

    with pytest.raises(ValueError, match="at least 1"):
        BucketRule(**values)


@given(
    rule=st.builds(
        BucketRule,
        capacity=st.integers(1, 50),
        refill=st.integers(1, 50),
        period_ms=st.integers(1, 5000),
        is_stepwise=st.booleans(),
        may_overdraw=st.booleans(),
    ),
    steps=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 1000)), max_size=50),
)
def test_wait_that_is_told_is_the_shortest_that_suffices(
    rule: BucketRule, steps: list[tuple[int, int]]
) -> None:
    bucket, now_ms = TokenBucket(rule, 0), 0
    for elapsed_ms, cost_milli in steps:
        now_ms += elapsed_ms
        wait_ms = bucket.retry_after_ms(now_ms, cost_milli)
        if wait_ms > 1:
            now_ms += wait_ms - 1
            assert not bucket.take(now_ms, cost_milli)
            now_ms += 1
        else:
            now_ms += wait_ms
        assert bucket.take(now_ms, cost_milli)


@given(
    steps=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 5000)), max_size=80),
    is_stepwise=st.booleans(),
)
def test_no_more_is_ever_given_than_capacity_and_refill(
    steps: list[tuple[int, int]], *, is_stepwise: bool
) -> None:
    rule = BucketRule(capacity=7, refill=3, period_ms=700, is_stepwise=is_stepwise)
    bucket, now_ms, paid_milli = TokenBucket(rule, 0), 0, 0
    for elapsed_ms, cost_milli in steps:
        now_ms += elapsed_ms
        paid_milli += cost_milli if bucket.take(now_ms, cost_milli) else 0

    assert paid_milli * 700 <= (7 * 700 + 3 * now_ms) * TOKEN_MILLI


def policies(reference_folder: Path) -> dict[str, dict[str, Any]]:
    vectors = json.loads((reference_folder / "dict" / "vectors.json").read_text())
    found: dict[str, dict[str, Any]] = vectors["rate_limit_policies"]
    for kind in ("NATURAL_PERSON", "LEGAL_PERSON"):
        found[kind] = {"refill_per": "min", **vectors["antiscan"]["user"][kind]}
    for category, numbers in vectors["antiscan"]["participant"]["categories"].items():
        found[category] = {"refill_per": "min", "rate_per_min": numbers["rate_per_min"], **numbers}
    return found


def test_every_policy_of_dict_empties_and_refills_as_its_vector_says(
    reference_folder: Path,
) -> None:
    for name, policy in policies(reference_folder).items():
        rate = policy.get("rate") or policy["rate_per_min"]
        period_ms = {"min": MINUTE_MS, "day": DAY_MS}[policy["refill_per"]]
        rule = BucketRule(
            capacity=policy["capacity"], refill=rate, period_ms=period_ms, is_stepwise=True
        )
        bucket = TokenBucket(rule, 0)

        assert drain(bucket, 0) == policy["capacity"], name
        assert drain(bucket, period_ms - 1) == 0, name
        assert drain(bucket, period_ms) == min(rate, policy["capacity"]), name
        periods = -(-policy["capacity"] // rate)
        now_ms = (1 + periods) * period_ms
        assert bucket.balance_milli(now_ms) == policy["capacity"] * TOKEN_MILLI, name


def test_not_found_costs_a_scanner_its_bucket_in_five_questions(reference_folder: Path) -> None:
    """A natural person's bucket of DICT: 404 costs 20, a payment gives 1 back."""
    vectors = json.loads((reference_folder / "dict" / "vectors.json").read_text())
    user = vectors["antiscan"]["user"]
    person = user["NATURAL_PERSON"]
    rule = BucketRule(
        capacity=person["capacity"],
        refill=person["rate_per_min"],
        period_ms=MINUTE_MS,
        is_stepwise=True,
    )
    bucket = TokenBucket(rule, 0)
    asked = 0
    while not bucket.retry_after_ms(0):
        bucket.charge(0, user["cost"]["404"] * TOKEN_MILLI)
        asked += 1

    bucket.credit(0, person["payment_sent_credit"] * TOKEN_MILLI)

    assert asked == 5
    assert bucket.balance_milli(0) == TOKEN_MILLI
