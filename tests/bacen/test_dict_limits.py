"""Buckets of DICT as we count them: prices, refills, payers."""

from typing import Any

import pytest

from bacen.dict import OPERATIONS, GetEntryRequest, ListClaimsRequest, Policy, RateLimits
from bacen.dict import limits as module
from tests.bacen.dict_documents import smallest

GET_ENTRY = OPERATIONS["getEntry"]
LIST_CLAIMS = OPERATIONS["listClaims"]
MINUTE_MS = 60_000
NATURAL, LEGAL = "52998224725", "12ABC34501DE35"
PHONE, CPF = "+5511999887766", "11144477735"


def reading(payer: str = NATURAL, key: str = PHONE) -> GetEntryRequest:
    return GetEntryRequest(key=key, participant="12345678", payer_id=payer, end_to_end_id="E1")


def ask(limits: RateLimits, request: Any, status: int = 200, now_ms: int = 0) -> bool:
    """Ask and be answered, if there are tokens."""
    operation = GET_ENTRY if isinstance(request, GetEntryRequest) else LIST_CLAIMS
    if limits.take(operation, request, now_ms) is not None:
        return False
    limits.settle(operation, request, status, now_ms)
    return True


def count(limits: RateLimits, request: Any, status: int = 200, now_ms: int = 0) -> int:
    """How often one can ask at one moment."""
    asked = 0
    while ask(limits, request, status, now_ms):
        asked += 1
    return asked


@pytest.mark.parametrize(
    ("payer", "status", "times"),
    [(NATURAL, 200, 100), (LEGAL, 200, 1_000), (NATURAL, 404, 5), (LEGAL, 404, 50)],
)
def test_payer_asks_until_the_bucket_is_empty(payer: str, status: int, times: int) -> None:
    assert count(RateLimits("A", 0), reading(payer), status) == times


def test_every_bucket_is_larger_by_the_factor() -> None:
    limits, plain = RateLimits("H", 0, 3), RateLimits("H", 0)

    assert limits.balances(0) == {name: 3 * tokens for name, tokens in plain.balances(0).items()}
    assert count(RateLimits("A", 0, 3), reading()) == 300


def test_payer_has_a_bucket_for_each_kind_of_key() -> None:
    limits = RateLimits("A", 0)

    assert count(limits, reading(key=PHONE)) == 100
    assert count(limits, reading(key="a@b.com")) == 0
    assert count(limits, reading(key=CPF)) == 100
    assert count(limits, reading(payer=LEGAL, key=PHONE)) == 1_000


def test_buckets_fill_at_the_end_of_each_minute() -> None:
    limits = RateLimits("A", 0)
    count(limits, reading())

    assert count(limits, reading(), now_ms=MINUTE_MS - 1) == 0
    assert count(limits, reading(), now_ms=MINUTE_MS) == 2
    assert count(limits, reading(), now_ms=3 * MINUTE_MS) == 4


def test_wrong_keys_of_many_payers_empty_the_bucket_of_the_participant() -> None:
    limits = RateLimits("H", 0)
    payers = [f"{number:011}" for number in range(100)]

    asked = [payer for payer in payers if ask(limits, reading(payer), 404)]

    assert len(asked) == 17  # 16 cost 48 tokens; the next pays the last two and owes one
    reached = limits.take(GET_ENTRY, reading(payers[-1]), 0)
    assert reached is not None
    assert reached.policy == "ENTRIES_READ_PARTICIPANT_ANTISCAN"
    assert reached.retry_after_ms == MINUTE_MS


def test_question_without_an_answer_stays_paid_and_one_with_another_status_is_free() -> None:
    limits = RateLimits("H", 0)
    limits.take(GET_ENTRY, reading(), 0)
    for status in (400, 403, 429, 500, 503):
        assert ask(limits, reading(), status)

    assert limits.balances(0)["ENTRIES_READ_PARTICIPANT_ANTISCAN"] == 49
    assert count(limits, reading()) == 49


@pytest.mark.parametrize(("payer", "credit"), [(NATURAL, 1), (LEGAL, 2)])
def test_payment_gives_back_to_payer_and_participant(payer: str, credit: int) -> None:
    limits = RateLimits("A", 0)
    count(limits, reading(payer))
    before = limits.balances(0)["ENTRIES_READ_PARTICIPANT_ANTISCAN"]

    limits.payment_sent(payer, PHONE, 0)

    assert limits.balances(0)["ENTRIES_READ_PARTICIPANT_ANTISCAN"] == before + 1
    assert count(limits, reading(payer)) == credit


def test_list_without_role_draws_on_the_smaller_bucket() -> None:
    limits = RateLimits("A", 0)
    plain = smallest(ListClaimsRequest)

    assert count(limits, plain) == 50
    assert count(limits, ListClaimsRequest(participant="12345678", is_donor=True)) == 200


def test_nothing_is_taken_when_one_bucket_is_empty() -> None:
    limits = RateLimits("A", 0)
    count(limits, reading())
    before = limits.balances(0)

    limits.take(GET_ENTRY, reading(), 0)

    assert limits.balances(0) == before


def test_bucket_is_as_dict_tells_it() -> None:
    limits = RateLimits("A", 0)
    told = Policy(
        available_tokens=-3, capacity=7, refill_tokens=5, refill_period_sec=30, name="CLAIMS_READ"
    )

    limits.observe(told, 0)
    assert limits.balances(0)["CLAIMS_READ"] == -3
    assert limits.balances(60_000)["CLAIMS_READ"] == 7
    limits.observe(Policy(**{**_fields(told), "capacity": 0}), 0)

    assert limits.balances(60_000)["CLAIMS_READ"] == 7


def _fields(policy: Policy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in policy.__struct_fields__}


def test_payers_are_forgotten_before_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAYERS_MAX", 2)
    limits = RateLimits("A", 0)
    first, second, third = ("11111111111", "22222222222", "33333333333")
    assert count(limits, reading(first)) == 100
    ask(limits, reading(second))
    assert not ask(limits, reading(first))  # used last: the second is the oldest now

    ask(limits, reading(third))

    assert not ask(limits, reading(first))
    assert count(limits, reading(second)) == 100


def test_operation_without_a_policy_is_never_refused_here() -> None:
    limits = RateLimits("A", 0)
    operation = OPERATIONS["getFundsRecovery"]
    request = smallest(operation.request)

    assert all(limits.take(operation, request, 0) is None for _ in range(100_000))
    assert limits.refused(operation, request, 0) is None
