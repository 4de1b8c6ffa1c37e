"""Decisions about payments that need no process and no clock."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bacen.wire import StatusReport
from pix.payments import (
    EVENT_LEGS,
    HOLD_LEG,
    RESOLUTION_LEG,
    PaymentStatus,
    base62,
    from_base62,
    leg,
    outcome_of,
    parse_payment_reference,
    payment_reference,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTLED = datetime(2026, 3, 1, 11, 59, 59, tzinfo=UTC)
E2E = "E1234567820260301120000000000001"


def report(status: str, *reasons: str) -> StatusReport:
    return StatusReport(
        original_instruction_id=E2E,
        end_to_end_id=E2E,
        status=status,
        reasons=reasons,
        settled_at=SETTLED if status == "ACSC" else None,
    )


@given(st.integers(0, 2**128 - 1))
def test_a_reference_leads_back_to_its_payment(number: int) -> None:
    payment_id = UUID(int=number)

    assert parse_payment_reference(payment_reference(payment_id)) == payment_id


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1))
def test_references_sort_like_their_payments(one: int, other: int) -> None:
    ordered = sorted([one, other])

    assert [base62(number, 22) for number in ordered] == sorted(base62(n, 22) for n in ordered)
    assert from_base62(base62(one, 22)) == one


@pytest.mark.parametrize(
    "text", ["", "pay-", "pay-1", "pay-" + "z" * 22, "pay-" + "é" * 22, "x" * 26, "pay-" + " " * 22]
)
def test_text_that_is_no_reference_is_none(text: str) -> None:
    assert parse_payment_reference(text) is None


def test_what_a_payment_causes_has_ids_of_its_own() -> None:
    payment_id = UUID(int=0x0199_0000_0000_7000_8000_0000_0000_0010)
    legs = [HOLD_LEG, RESOLUTION_LEG, *EVENT_LEGS.values()]

    assert len({leg(payment_id, number) for number in legs} | {payment_id}) == len(legs) + 1


def test_settlement_confirms_at_the_time_the_bank_gives() -> None:
    outcome = outcome_of(report("ACSC"), NOW)

    assert outcome is not None
    assert (outcome.status, outcome.reason, outcome.at) == (PaymentStatus.CONFIRMED, None, SETTLED)


def test_rejection_keeps_the_first_reason() -> None:
    outcome = outcome_of(report("RJCT", "AB03", "ED05"), NOW)

    assert outcome is not None
    assert (outcome.status, outcome.reason, outcome.at) == (PaymentStatus.REJECTED, "AB03", NOW)


@pytest.mark.parametrize("status", ["ACSP", "ACCC"])
def test_states_for_the_receiver_end_nothing_for_the_payer(status: str) -> None:
    assert outcome_of(report(status), NOW) is None


@pytest.mark.parametrize(("status", "reasons"), [("RJCT", ("AB03",)), ("ACSC", ())])
def test_outcome_of_a_return_does_not_end_the_payment_that_it_names(
    status: str, reasons: tuple[str, ...]
) -> None:
    returned = msgspec.structs.replace(
        report(status, *reasons), original_instruction_id=E2E.replace("E", "D", 1)
    )

    assert outcome_of(returned, NOW) is None
