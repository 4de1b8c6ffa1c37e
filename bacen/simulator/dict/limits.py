"""The buckets of DICT: who may still ask (DICT API 2.12.1, limitation policies).

A bucket a participant and policy, and for reading keys two more: one of the payer and kind of key,
one of the participant by its category. A payment whose EndToEndId read a key gives tokens back when
it settled. Buckets live in memory: a bank that starts has full ones.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import cast

import msgspec

from bacen import TOKEN_MILLI, BucketRule, TokenBucket
from bacen.dict import (
    CATEGORY_RULES,
    PARTICIPANT_PRICE,
    PARTICIPANT_READING,
    POLICY_RULES,
    Category,
    GetEntryRequest,
    GetPolicyRequest,
    GetPolicyResponse,
    ListPoliciesRequest,
    ListPoliciesResponse,
    Operation,
    Part,
    Policy,
    ReadingPrice,
    Response,
    user_policy,
    user_price,
    user_rule,
)
from bacen.simulator.dict.errors import DictRefusal, not_found
from bacen.simulator.dict.office import Asked, Office

PAYERS_MAX = 100_000  # the one that asked longest ago is forgotten, and starts with a full bucket
READINGS_MAX = 100_000  # readings that a payment may still follow
MS_PER_SECOND = 1_000


class Reading(msgspec.Struct, frozen=True):
    """A key that was told to somebody who means to pay."""

    participant: str
    payer_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A bucket that a request draws on; `price` is None where every answer costs one token."""

    bucket: TokenBucket
    price: ReadingPrice | None


class Limits:
    """The buckets of all participants.

    Args:
        office: Of the directory.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._category = cast("Category", office.settings.category)  # the settings have checked
        self._buckets: dict[tuple[str, str], TokenBucket] = {}
        self._payers: OrderedDict[tuple[str, str], TokenBucket] = OrderedDict()
        self._readings: OrderedDict[str, Reading] = OrderedDict()

    def require_tokens(self, operation: Operation[Part, Response], asked: Asked) -> None:
        """Refuse who has asked too much.

        Raises:
            DictRefusal: RateLimited.
        """
        now_ms = self._office.now_ms()
        if any(each.bucket.retry_after_ms(now_ms) for each in self._drawn(operation, asked)):
            raise DictRefusal("RateLimited", "the bucket is empty")

    def settle(self, operation: Operation[Part, Response], asked: Asked, status: int) -> None:
        """Take what an answer costs; remember a key that was told."""
        now_ms = self._office.now_ms()
        for each in self._drawn(operation, asked):
            tokens = int(status != 500) if each.price is None else each.price.of(status)
            each.bucket.charge(now_ms, tokens * TOKEN_MILLI)
        request = asked.request
        if isinstance(request, GetEntryRequest) and status == 200:
            reading = Reading(asked.by, request.payer_id, request.key)
            self._readings[request.end_to_end_id] = reading
            if len(self._readings) > READINGS_MAX:
                self._readings.popitem(last=False)

    def paid(self, transaction_ids: list[str]) -> None:
        """Give tokens back for payments that settled after their key was read."""
        now_ms = self._office.now_ms()
        for each in transaction_ids:
            reading = self._readings.pop(each, None)
            if reading is None:
                continue
            price = user_price(reading.payer_id)
            bucket = self._payer(reading.payer_id, reading.key)
            bucket.credit(now_ms, price.payment_sent * TOKEN_MILLI)
            shared = self._bucket(reading.participant, PARTICIPANT_READING)
            shared.credit(now_ms, PARTICIPANT_PRICE.payment_sent * TOKEN_MILLI)

    def listed(self, asked: Asked) -> ListPoliciesResponse:
        request: ListPoliciesRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        names = (*POLICY_RULES, PARTICIPANT_READING)
        return ListPoliciesResponse(
            **asked.head,
            category=self._category,
            policies=tuple(self._policy(asked.by, name) for name in names),
        )

    def get(self, asked: Asked) -> GetPolicyResponse:
        request: GetPolicyRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        if request.policy not in POLICY_RULES and request.policy != PARTICIPANT_READING:
            raise not_found()
        policy = self._policy(asked.by, request.policy)
        return GetPolicyResponse(**asked.head, category=self._category, policy=policy)

    def _policy(self, participant: str, name: str) -> Policy:
        bucket = self._bucket(participant, name)
        rule = bucket.rule
        return Policy(
            available_tokens=bucket.balance_milli(self._office.now_ms()) // TOKEN_MILLI,
            capacity=rule.capacity,
            refill_tokens=rule.refill,
            refill_period_sec=rule.period_ms // MS_PER_SECOND,
            name=name,
        )

    def _drawn(self, operation: Operation[Part, Response], asked: Asked) -> tuple[Drawn, ...]:
        name, request = operation.policy_of(asked.request), asked.request
        if name is None:
            return ()
        bucket = self._bucket(asked.by, name)
        if not isinstance(request, GetEntryRequest):
            return (Drawn(bucket, None),)
        payer = self._payer(request.payer_id, request.key)
        return Drawn(payer, user_price(request.payer_id)), Drawn(bucket, PARTICIPANT_PRICE)

    def _bucket(self, participant: str, policy: str) -> TokenBucket:
        bucket = self._buckets.get((participant, policy))
        if bucket is None:
            rule = CATEGORY_RULES[self._category]
            rule = rule if policy == PARTICIPANT_READING else POLICY_RULES[policy]
            bucket = TokenBucket(self._larger(rule), self._office.now_ms())
            self._buckets[participant, policy] = bucket
        return bucket

    def _payer(self, payer_id: str, key: str) -> TokenBucket:
        name = user_policy(key), payer_id
        bucket = self._payers.get(name)
        if bucket is None:
            bucket = TokenBucket(self._larger(user_rule(payer_id)), self._office.now_ms())
            self._payers[name] = bucket
            if len(self._payers) > PAYERS_MAX:
                self._payers.popitem(last=False)
        self._payers.move_to_end(name)
        return bucket

    def _larger(self, rule: BucketRule) -> BucketRule:
        return rule.larger(self._office.settings.rate_factor)
