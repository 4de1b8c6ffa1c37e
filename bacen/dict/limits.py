"""Rate limits of DICT, counted on our side too, so that we stop before DICT says 429.

A bucket a policy and participant; reading keys has two more: one of the payer and kind of key,
which a wrong key empties fast, and one of the participant by its category. Our count and that of
DICT differ by what is under way and by when their periods begin: DICT's word wins (`observe`).
Rules: DICT API 2.12.1, limitation policies.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from bacen.dict.entries import GetEntryRequest
from bacen.dict.forms import kind_of_key
from bacen.dict.operation import Operation, Q, R
from bacen.dict.part import Part
from bacen.dict.policies import Category, Policy
from bacen.token_bucket import TOKEN_MILLI, BucketRule, TokenBucket

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
PAYERS_MAX = 50_000  # buckets of payers that are kept; the one used longest ago goes first
PARTICIPANT_READING = "ENTRIES_READ_PARTICIPANT_ANTISCAN"
USER_READING = "ENTRIES_READ_USER_ANTISCAN"
USER_READING_V2 = "ENTRIES_READ_USER_ANTISCAN_V2"

_CPF_CHARACTERS = 11


def _rule(refill: int, capacity: int, period_ms: int = MINUTE_MS) -> BucketRule:
    return BucketRule(capacity=capacity, refill=refill, period_ms=period_ms, is_stepwise=True)


POLICY_RULES: Mapping[str, BucketRule] = {
    "ENTRIES_WRITE": _rule(1_200, 36_000),
    "ENTRIES_UPDATE": _rule(600, 600),
    "CLAIMS_READ": _rule(600, 18_000),
    "CLAIMS_WRITE": _rule(1_200, 36_000),
    "CLAIMS_LIST_WITH_ROLE": _rule(40, 200),
    "CLAIMS_LIST_WITHOUT_ROLE": _rule(10, 50),
    "SYNC_VERIFICATIONS_WRITE": _rule(10, 50),
    "CIDS_FILES_WRITE": _rule(40, 200, DAY_MS),
    "CIDS_FILES_READ": _rule(10, 50),
    "CIDS_EVENTS_LIST": _rule(20, 100),
    "CIDS_ENTRIES_READ": _rule(1_200, 36_000),
    "INFRACTION_REPORTS_READ": _rule(600, 18_000),
    "INFRACTION_REPORTS_WRITE": _rule(1_200, 36_000),
    "INFRACTION_REPORTS_LIST_WITH_ROLE": _rule(40, 200),
    "INFRACTION_REPORTS_LIST_WITHOUT_ROLE": _rule(10, 50),
    "KEYS_CHECK": _rule(70, 70),
    "REFUNDS_READ": _rule(1_200, 36_000),
    "REFUNDS_WRITE": _rule(2_400, 72_000),
    "REFUND_LIST_WITH_ROLE": _rule(40, 200),
    "REFUND_LIST_WITHOUT_ROLE": _rule(10, 50),
    "FRAUD_MARKERS_READ": _rule(600, 18_000),
    "FRAUD_MARKERS_WRITE": _rule(1_200, 36_000),
    "FRAUD_MARKERS_LIST": _rule(600, 18_000),
    "PERSONS_STATISTICS_READ": _rule(12_000, 36_000),
    "POLICIES_READ": _rule(60, 200),
    "POLICIES_LIST": _rule(6, 20),
    "EVENT_LIST": _rule(40, 200),
}
"""Buckets of a participant in which every answer but 500 costs one token."""

CATEGORY_RULES: Mapping[Category, BucketRule] = {
    "A": _rule(25_000, 50_000),
    "B": _rule(20_000, 40_000),
    "C": _rule(15_000, 30_000),
    "D": _rule(8_000, 16_000),
    "E": _rule(2_500, 5_000),
    "F": _rule(250, 500),
    "G": _rule(25, 250),
    "H": _rule(2, 50),
}
"""Bucket of a participant for reading keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPrice:
    """What an answer to getEntry costs a bucket, and what a payment gives back; in tokens.

    Another status than 200 and 404 costs nothing.
    """

    found: int
    missing: int
    payment_sent: int

    def of(self, status: int) -> int:
        """Tell the price of an answer by its HTTP status."""
        return {200: self.found, 404: self.missing}.get(status, 0)


PARTICIPANT_PRICE = ReadingPrice(found=1, missing=3, payment_sent=1)
NATURAL_USER_RULE = _rule(2, 100)
NATURAL_USER_PRICE = ReadingPrice(found=1, missing=20, payment_sent=1)
LEGAL_USER_RULE = _rule(20, 1_000)
LEGAL_USER_PRICE = ReadingPrice(found=1, missing=20, payment_sent=2)


@dataclass(frozen=True, slots=True)
class LimitReached:
    """A bucket that is empty, and for how long."""

    policy: str
    retry_after_ms: int


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A bucket that a request draws on; `price` is None where every answer costs one token."""

    policy: str
    bucket: TokenBucket
    price: ReadingPrice | None


class RateLimits:
    """The buckets of one participant as we count them.

    Args:
        category: Of the participant.
        now_ms: Of a clock that does not step, as in every method.
        factor: How many times as large all buckets are; above 1 for a bank in a box only.
    """

    def __init__(self, category: Category, now_ms: int, factor: int = 1) -> None:
        self._factor = factor
        rules = {**POLICY_RULES, PARTICIPANT_READING: CATEGORY_RULES[category]}
        self._buckets = {
            name: TokenBucket(rule.larger(factor), now_ms) for name, rule in rules.items()
        }
        self._payers: OrderedDict[tuple[str, str], TokenBucket] = OrderedDict()

    def take(self, operation: Operation[Q, R], request: Part, now_ms: int) -> LimitReached | None:
        """Take one token of each bucket that a request draws on, or none at all.

        Returns:
            The bucket that is empty longest, or None when the request may go.
        """
        drawn = self._drawn(operation, request, now_ms)
        empty = [
            LimitReached(each.policy, wait_ms)
            for each in drawn
            if (wait_ms := each.bucket.retry_after_ms(now_ms)) > 0
        ]
        if empty:
            return max(empty, key=lambda reached: reached.retry_after_ms)
        for each in drawn:
            each.bucket.charge(now_ms, TOKEN_MILLI)
        return None

    def settle(self, operation: Operation[Q, R], request: Part, status: int, now_ms: int) -> None:
        """Correct what `take` took by what the answer costs; without an answer, it stays taken."""
        for each in self._drawn(operation, request, now_ms):
            price = int(status != 500) if each.price is None else each.price.of(status)
            if price > 1:
                each.bucket.charge(now_ms, (price - 1) * TOKEN_MILLI)
            elif price == 0:
                each.bucket.credit(now_ms, TOKEN_MILLI)

    def payment_sent(self, payer_id: str, key: str, now_ms: int) -> None:
        """Give back what a payment gives after its key was read.

        Args:
            payer_id: As in the reading.
            key: The key that the payment went to, in its written form.
            now_ms: The time.
        """
        _, bucket = self._payer(payer_id, key, now_ms)
        bucket.credit(now_ms, user_price(payer_id).payment_sent * TOKEN_MILLI)
        shared = self._buckets[PARTICIPANT_READING]
        shared.credit(now_ms, PARTICIPANT_PRICE.payment_sent * TOKEN_MILLI)

    def observe(self, policy: Policy, now_ms: int) -> None:
        """Take over rule and balance as DICT tells them; one that it gives no size is left."""
        if min(policy.capacity, policy.refill_tokens, policy.refill_period_sec) < 1:
            return
        rule = _rule(policy.refill_tokens, policy.capacity, policy.refill_period_sec * 1000)
        self._buckets[policy.name] = TokenBucket(
            rule, now_ms, policy.available_tokens * TOKEN_MILLI
        )

    def refused(
        self, operation: Operation[Q, R], request: Part, now_ms: int
    ) -> LimitReached | None:
        """Believe a 429: the emptiest bucket of the request is empty until its next refill.

        Returns:
            That bucket; None where the operation has none that we know.
        """
        drawn = self._drawn(operation, request, now_ms)
        if not drawn:
            return None
        emptiest = min(drawn, key=lambda each: each.bucket.balance_milli(now_ms))
        emptiest.bucket.charge(now_ms, max(0, emptiest.bucket.balance_milli(now_ms)))
        return LimitReached(emptiest.policy, emptiest.bucket.retry_after_ms(now_ms))

    def balances(self, now_ms: int) -> Mapping[str, int]:
        """Tell the tokens left in each bucket of the participant, rounded down."""
        return {
            name: bucket.balance_milli(now_ms) // TOKEN_MILLI
            for name, bucket in self._buckets.items()
        }

    def _drawn(self, operation: Operation[Q, R], request: Part, now_ms: int) -> tuple[_Drawn, ...]:
        name = operation.policy_of(request)
        if name is None:
            return ()
        if not isinstance(request, GetEntryRequest):
            return (_Drawn(name, self._buckets[name], None),)
        policy, bucket = self._payer(request.payer_id, request.key, now_ms)
        return (
            _Drawn(policy, bucket, user_price(request.payer_id)),
            _Drawn(PARTICIPANT_READING, self._buckets[PARTICIPANT_READING], PARTICIPANT_PRICE),
        )

    def _payer(self, payer_id: str, key: str, now_ms: int) -> tuple[str, TokenBucket]:
        policy = user_policy(key)
        bucket = self._payers.get((policy, payer_id))
        if bucket is None:
            bucket = TokenBucket(user_rule(payer_id).larger(self._factor), now_ms)
            self._payers[(policy, payer_id)] = bucket
            if len(self._payers) > PAYERS_MAX:
                self._payers.popitem(last=False)
        self._payers.move_to_end((policy, payer_id))
        return policy, bucket


def user_policy(key: str) -> str:
    """Name the payer's bucket that a key draws on."""
    return USER_READING if kind_of_key(key) in ("EMAIL", "PHONE") else USER_READING_V2


def user_rule(payer_id: str) -> BucketRule:
    """Tell how a payer's buckets fill: a CPF is a natural person."""
    return NATURAL_USER_RULE if len(payer_id) == _CPF_CHARACTERS else LEGAL_USER_RULE


def user_price(payer_id: str) -> ReadingPrice:
    """Tell what readings cost a payer: a CPF is a natural person."""
    return NATURAL_USER_PRICE if len(payer_id) == _CPF_CHARACTERS else LEGAL_USER_PRICE
