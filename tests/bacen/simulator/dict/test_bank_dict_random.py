"""Whatever is asked in whatever order: no key twice, every VSync right, every case in its state."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bacen.dict import (
    CancelRefundRequest,
    ClaimDecisionRequest,
    ClaimRequest,
    CloseInfractionReportRequest,
    CloseRefundRequest,
    CompleteClaimRequest,
    ContactInformation,
    CreateClaimRequest,
    CreateEntryRequest,
    CreateFundsRecoveryRequest,
    CreateRefundRequest,
    DeleteEntryRequest,
    FundsRecoveryRequest,
    InfractionReportRequest,
    NewClaim,
    NewFundsRecovery,
    NewRefund,
    UpdateEntryRequest,
    VSync,
    key_type,
)
from tests.bacen.simulator.desk import CONNECTED, PAYER
from tests.bacen.simulator.dict.member import ANA, BRUNO, account, new_entry, person
from tests.bacen.simulator.dict.test_bank_dict_transactions import payment, settle
from tests.bacen.simulator.dict.world import A_DAY_MS, World

KEYS = ("+5511987654321", "+5511987654322", "a@example.com", ANA, BRUNO)
REASONS = ("USER_REQUESTED", "ACCOUNT_CLOSURE", "FRAUD", "RECONCILIATION", "DEFAULT_OPERATION")
SIDES = (PAYER, CONNECTED)
CONTACT = ContactInformation(email="med@example.com", phone="+551130000000")


@pytest.fixture(params=range(2))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, request.param)
    yield made
    made.close()


async def test_keys_and_verifiers_are_right_after_any_sequence(world: World) -> None:
    claims: list[UUID] = []
    for _ in range(1_500):
        by = world.random.choice(SIDES)
        answer = world.ask(by, *something_about_keys(world, by, claims))
        if answer is not None and hasattr(answer, "claim") and answer.claim.id not in claims:
            claims.append(answer.claim.id)
        if world.random.random() < 0.1:
            await world.wait(0, 1, A_DAY_MS, 4 * A_DAY_MS)
        check_keys(world)

    assert {"createEntry", "createClaim", "completeClaim", "updateEntry"} <= world.outcomes.keys()


def something_about_keys(world: World, by: str, claims: list[UUID]) -> tuple[str, Any]:
    pick = world.random.choice
    key, tax_id, reason = pick(KEYS), pick((ANA, BRUNO)), pick(REASONS)
    request_id = world.office.new_random_id()
    about: dict[str, Any] = {
        "claim_id": pick(claims[-3:]) if claims else request_id,
        "participant": by,
    }
    claim = NewClaim(
        type=pick(("PORTABILITY", "OWNERSHIP")),
        key=key,
        key_type=key_type(key),
        claimer_account=account(by),
        claimer=person(tax_id),
    )
    entry = new_entry(by, key, tax_id=tax_id, number=pick(("1", "2")))
    named = person(tax_id, name=pick(("Ana", "Bruno", "Caio")))
    made = CreateEntryRequest(entry=entry, reason="USER_REQUESTED", request_id=request_id)
    deleted = DeleteEntryRequest(key=key, participant=by, reason="USER_REQUESTED")
    choices: list[tuple[str, Any]] = [
        ("createEntry", made),
        ("updateEntry", UpdateEntryRequest(key=key, owner=named, reason="RECONCILIATION")),
        ("deleteEntry", deleted),
        ("createClaim", CreateClaimRequest(claim=claim)),
        ("acknowledgeClaim", ClaimRequest(**about)),
        ("confirmClaim", ClaimDecisionRequest(**about, reason=reason)),
        ("cancelClaim", ClaimDecisionRequest(**about, reason=reason)),
        ("completeClaim", CompleteClaimRequest(**about, request_id=request_id)),
    ]
    return pick(choices)


def check_keys(world: World) -> None:
    for participant in SIDES:
        for kind in ("PHONE", "EMAIL", "CPF"):
            rows = world.store.rows(
                "SELECT cid FROM entries WHERE participant = ? AND key_type = ?",
                (participant, kind),
            )
            mine = world.families.cids.verifier(participant, kind)
            assert mine == VSync.of(cid for (cid,) in rows)
    for key in KEYS:
        unfinished = world.families.claims.cases.about(
            key, ("OPEN", "WAITING_RESOLUTION", "CONFIRMED")
        )
        entry = world.families.entries.find(key)
        assert len(unfinished) <= 1
        is_open = bool(unfinished) and unfinished[0].status != "CONFIRMED"
        assert (entry is not None and entry.open_claim_creation_date is not None) is is_open
        assert entry is None or not unfinished or is_open  # a confirmed claim has no entry


async def test_recoveries_reports_and_refunds_agree_after_any_sequence(world: World) -> None:
    start_ms = world.office.now_ms()
    settle(world.spi, *(payment(n, start_ms - 1_000 + n) for n in range(12)))
    for _ in range(1_000):
        by, name, request = something_about_money(world)
        world.ask(by, name, request)
        if world.random.random() < 0.2:
            await world.wait(0, 500, 5_000)
        if world.random.random() < 0.2:
            check_money(world)

    assert {"createFundsRecovery", "closeInfractionReport", "closeRefund"} <= world.outcomes.keys()


def something_about_money(world: World) -> tuple[str, str, Any]:
    pick = world.random.choice
    recoveries = world.families.recoveries
    ids = [UUID(number) for (number,) in world.store.rows("SELECT id FROM cases")]
    number = pick(ids) if ids else world.office.new_id()
    transaction = payment(pick(range(12)), 0).instruction_id
    creator, judge = (PAYER, CONNECTED) if world.random.random() < 0.9 else (CONNECTED, PAYER)
    wanted = NewFundsRecovery(
        root_transaction_id=transaction, situation_type="SCAM", contact_information=CONTACT
    )
    refund = NewRefund(
        transaction_id=transaction,
        refund_reason=pick(("FRAUD", "OPERATIONAL_FLAW")),
        refund_amount=50,
        refund_details="Flaw",
    )
    recovery = FundsRecoveryRequest(participant=creator, funds_recovery_id=number)
    report = {"infraction_report_id": number, "participant": judge}
    is_agreed = pick((True, False))
    closed = CloseInfractionReportRequest(
        **report,
        analysis_result="AGREED" if is_agreed else "DISAGREED",
        fraud_type="OTHER" if is_agreed else None,
        analysis_details="Visto",
    )
    rejected = CloseRefundRequest(
        refund_id=number,
        participant=judge,
        refund_analysis_result="REJECTED",
        refund_rejection_reason="NO_BALANCE",
    )
    cancelled = InfractionReportRequest(infraction_report_id=number, participant=creator)
    asked = CreateFundsRecoveryRequest(participant=creator, funds_recovery=wanted)
    assert recoveries.refunds.returns_wanted == []  # nobody is virtual here
    return pick(
        (
            (creator, "createFundsRecovery", asked),
            (creator, "refundFundsRecovery", recovery),
            (creator, "refundFundsRecovery", recovery),
            (creator, "cancelFundsRecovery", recovery),
            (judge, "acknowledgeInfractionReport", InfractionReportRequest(**report)),
            (judge, "acknowledgeInfractionReport", InfractionReportRequest(**report)),
            (judge, "closeInfractionReport", closed),
            (judge, "closeInfractionReport", closed),
            (creator, "cancelInfractionReport", cancelled),
            (creator, "createRefund", CreateRefundRequest(participant=creator, refund=refund)),
            (
                creator,
                "cancelRefund",
                CancelRefundRequest(refund_id=number, participant=creator),
            ),
            (judge, "closeRefund", rejected),
            (judge, "closeRefund", rejected),
        )
    )


def check_money(world: World) -> None:
    recoveries = world.families.recoveries
    rows = world.store.rows("SELECT id, status FROM cases WHERE family = 'recovery'")
    for number, status in rows:
        reports = [each.status for each in recoveries.reports.cases.of_parent(UUID(number))]
        refunds = [each.status for each in recoveries.refunds.cases.of_parent(UUID(number))]
        is_judged = not {"OPEN", "ACKNOWLEDGED"} & set(reports)
        assert bool(reports) is (status not in ("CREATED", "TRACKED")) or status == "CANCELLED"
        assert is_judged is (status != "AWAITING_ANALYSIS")
        assert ("OPEN" in refunds) is (status == "REFUNDING")
        assert not refunds or status in ("REFUNDING", "COMPLETED")
    for n in range(12):
        root = payment(n, 0).instruction_id
        going = [each for each in recoveries.cases.about(root) if each.status != "CANCELLED"]
        assert len(going) <= 1
        for report in recoveries.reports.cases.about(root, ("CLOSED",)):
            is_agreed = report.document.analysis_result == "AGREED"
            assert (report.document.fraud_marker_id is not None) is is_agreed
