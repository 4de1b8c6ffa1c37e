"""The gate of a shard: what the SPI would refuse is refused while nothing was promised."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ledger import Committed
from pix import (
    IntakeSettings,
    Participant,
    ParticipantTable,
    PaymentIntake,
    PaymentRefused,
)
from pix.intake import SubmitPayment
from pix.payments import credit_transfer
from tests.pix.desk import PI_ACCOUNT, TENANT, WRITER, Desk, make_payment

LIMIT_CENTS = 1_000_000


async def submit(desk: Desk, **changes: Any) -> Any:
    """Try a payment whose transfer was changed on the way, and give the answer."""
    payment = make_payment(desk.node, 1)
    transfer = credit_transfer(payment)
    active = ParticipantTable()
    active.replace({transfer.creditor_ispb: Participant(transfer.creditor_ispb, "BANCO", "DRCT")})
    settings = IntakeSettings(
        tenant=TENANT, pi_account_id=PI_ACCOUNT, payment_max_cents=LIMIT_CENTS
    )
    intake = PaymentIntake(settings, desk.book, active, desk.opened, WRITER)
    pid = await desk.node.start(intake, name="intake", link=False)
    changed = msgspec.structs.replace(transfer, **changes)
    return await desk.node.call(pid, SubmitPayment(payment, changed, "k1", b"f"))


async def test_payment_that_keeps_the_rules_is_let_in(desk: Desk) -> None:
    assert await submit(desk) == (Committed(),)
    assert len(desk.opened.payments) == 1


@pytest.mark.parametrize(
    ("changes", "rule", "code"),
    [
        ({"amount_cents": 0}, "amount_above_zero", "AM01"),
        ({"creditor_key": "a@b.br"}, "local_instrument_manu_forbids_proxy", "CH16"),
        ({"purpose": "OTHR"}, "purpose_othr_needs_cash", "CH16"),
    ],
)
async def test_payment_that_breaks_a_rule_is_refused_by_its_name_and_nothing_is_held(
    desk: Desk, changes: dict[str, Any], rule: str, code: str
) -> None:
    refused = await submit(desk, **changes)

    assert isinstance(refused, PaymentRefused)
    assert refused.code == rule
    assert refused.detail.endswith(f"({code})")
    assert not desk.opened.payments
    assert await desk.rows("SELECT count(*) FROM payments") == [(0,)]


@pytest.mark.parametrize("hours", [-13, 13])
async def test_payment_with_the_id_of_another_time_is_refused(desk: Desk, hours: int) -> None:
    at = desk.node.clock.now() + timedelta(hours=hours)

    refused = await submit(desk, end_to_end_id=f"E{TENANT}{at:%Y%m%d%H%M}{'a' * 11}")

    assert isinstance(refused, PaymentRefused)
    assert refused.code == "end_to_end_id_within_12_hours"
