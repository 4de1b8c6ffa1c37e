"""MED over payments that really ran: recovery, graph, reports, markers, refunds, events."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from bacen.dict import (
    CloseInfractionReportRequest,
    CloseRefundRequest,
    ContactInformation,
    CreateFundsRecoveryRequest,
    CreateRefundRequest,
    DictClient,
    DictOutcomeUnknown,
    FundsRecovery,
    FundsRecoveryRequest,
    GetFundsRecoveryRequest,
    GetInfractionReportRequest,
    GetPersonStatisticsRequest,
    InfractionReport,
    InfractionReportRequest,
    ListEventNotificationsRequest,
    ListFraudMarkersRequest,
    ListInfractionReportsRequest,
    NewFundsRecovery,
    NewRefund,
    TrackingGraph,
    TrackingGraphParameters,
    UpdateFundsRecoveryRequest,
)
from bacen.simulator.clock import REAL, STEPPED, BankClock
from bacen.simulator.dict.settings import DAY_MS
from bacen.simulator.dict.transactions import Transaction, Transactions
from bacen.wire import AccountId
from tests.bacen.simulator.desk import CONNECTED, PAYER, VIRTUAL
from tests.bacen.simulator.dict.member import (
    ANA,
    BRUNO,
    PHONE,
    new_end_to_end_id,
    read,
    refused,
    register,
)
from tests.bacen.simulator.dict.money import Money

CONTACT = ContactInformation(email="med@example.com", phone="+551130000000")
TRACKING_MS = 500


async def recover(
    client: DictClient, root: str, parameters: TrackingGraphParameters | None = None, **told: Any
) -> tuple[FundsRecovery, TrackingGraph]:
    request = CreateFundsRecoveryRequest(
        participant=client.ispb,
        funds_recovery=NewFundsRecovery(
            root_transaction_id=root,
            **{"situation_type": "SCAM", "contact_information": CONTACT, **told},
        ),
        tracking_graph_parameters=parameters,
    )
    answer = await client.create_funds_recovery(request)
    assert answer.tracking_graph is not None
    return answer.funds_recovery, answer.tracking_graph


async def status(client: DictClient, number: UUID) -> str:
    request = GetFundsRecoveryRequest(funds_recovery_id=number, participant=client.ispb)
    return (await client.get_funds_recovery(request)).funds_recovery.status


async def reports(client: DictClient, **wanted: Any) -> tuple[InfractionReport, ...]:
    request = ListInfractionReportsRequest(
        participant=client.ispb, **{"include_details": True, **wanted}
    )
    return (await client.list_infraction_reports(request)).infraction_reports


async def judge(client: DictClient, report: UUID, result: Any, fraud: Any = None) -> Any:
    number = {"infraction_report_id": report, "participant": client.ispb}
    await client.acknowledge_infraction_report(InfractionReportRequest(**number))
    request = CloseInfractionReportRequest(**number, analysis_result=result, fraud_type=fraud)
    return (await client.close_infraction_report(request)).infraction_report


async def events(client: DictClient, cursor: str | None = None) -> Any:
    return await client.list_event_notifications(
        ListEventNotificationsRequest(participant=client.ispb, cursor=cursor)
    )


async def test_recovery_follows_the_money_from_report_to_refund(
    first: DictClient, second: DictClient, money: Money, clock: BankClock
) -> None:
    await register(second, PHONE, tax_id=BRUNO, number="2000")
    await read(first, PHONE)
    root = await money.defraud(local_instrument="DICT", creditor_key=PHONE)
    onward = await money.pass_on()

    clock.set_rate(STEPPED)
    recovery, graph = await recover(first, root.end_to_end_id)
    seen = [await status(first, recovery.id)]
    for _ in range(2):
        await clock.advance(TRACKING_MS + 100)
        seen.append(await status(first, recovery.id))
    clock.set_rate(REAL)
    assert seen == ["CREATED", "TRACKED", "AWAITING_ANALYSIS"]
    assert [each.id for each in graph.transactions] == [
        root.end_to_end_id,
        onward.end_to_end_id,
    ]
    (mine,) = await reports(second)
    assert (mine.transaction_id, mine.infraction_amount) == (root.end_to_end_id, 50_000)
    assert (mine.status, mine.funds_recovery_id) == ("OPEN", recovery.id)
    assert mine.contact_information == CONTACT
    judged = await judge(second, mine.id, "AGREED", "MULE_ACCOUNT")
    assert judged.fraud_marker_id is not None
    assert await status(first, recovery.id) == "ANALYSED"

    number = FundsRecoveryRequest(participant=PAYER, funds_recovery_id=recovery.id)
    refunding = await first.refund_funds_recovery(number)
    asked = GetFundsRecoveryRequest(funds_recovery_id=recovery.id, participant=CONNECTED)
    (refund,) = (await second.list_funds_recovery_refunds(asked)).refunds
    rtr = await money.give_back(root, 50_000)
    closed = await second.close_refund(
        CloseRefundRequest(
            refund_id=refund.id,
            participant=CONNECTED,
            refund_analysis_result="TOTALLY_ACCEPTED",
            refund_transaction_id=rtr,
            effective_refunded_amount=50_000,
        )
    )

    assert refunding.funds_recovery.status == "REFUNDING"
    assert (refund.refund_amount, refund.infraction_report_id) == (50_000, mine.id)
    assert refund.refund_account is not None
    assert refund.refund_account.account_number == "1000"
    assert closed.refund.status == "CLOSED"
    assert await status(first, recovery.id) == "COMPLETED"
    told = await events(first)
    assert [each.event for each in told.event_notifications] == [
        "FUNDS_RECOVERY_ANALYSED",
        "FUNDS_RECOVERY_COMPLETED",
    ]
    with refused("EntryWithFraudRelatedRestriction"):
        await read(first, PHONE)
    with refused("UserOrAccountWithFraudRelatedRestriction"):
        await register(second, None, tax_id=BRUNO)


async def test_graph_goes_two_hops_and_leaves_out_what_is_small_or_late(
    first: DictClient, money: Money
) -> None:
    root = await money.defraud()
    large = await money.pass_on(40_000)
    await money.pass_on(19_999)
    back = await money.pass_on(
        25_000, creditor_ispb=PAYER, creditor_account=AccountId("7"), creditor_tax_id=ANA
    )
    second_hop = await money.pay(
        money.first, amount_cents=21_000, debtor_account=AccountId("7"), creditor_ispb=VIRTUAL
    )

    _, graph = await recover(first, root.end_to_end_id)
    ids = [each.id for each in graph.transactions]
    short = TrackingGraphParameters(max_hops=1, max_transactions=2)
    with refused("FundsRecoveryForTransactionAlreadyExists"):
        await recover(first, root.end_to_end_id, short)

    assert ids == [each.end_to_end_id for each in (root, large, back, second_hop)]
    assert [each.id for each in graph.accounts] == [1, 2, 3, 4, 5]
    assert graph.parameters.hop_window == timedelta(hours=2)
    assert {each.participant for each in graph.accounts} == {PAYER, CONNECTED, VIRTUAL}
    assert [each.debtor_account_id for each in graph.transactions] == [1, 2, 2, 4]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        (TrackingGraphParameters(max_hops=1, max_transactions=2), 2),
        (TrackingGraphParameters(min_transaction_amount=30_001), 1),
        (TrackingGraphParameters(hop_window=timedelta(seconds=5)), 1),
    ],
)
async def test_creator_may_have_less_of_a_graph(
    first: DictClient,
    money: Money,
    clock: BankClock,
    parameters: TrackingGraphParameters,
    found: int,
) -> None:
    root = await money.defraud()
    await clock.advance(10_000)
    await money.pass_on()

    _, graph = await recover(first, root.end_to_end_id, parameters)

    assert len(graph.transactions) == found


async def test_payment_that_is_no_root_of_a_recovery_is_refused(
    first: DictClient, second: DictClient, money: Money, clock: BankClock
) -> None:
    root = await money.defraud()
    rejected = money.first.transfer(amount_cents=0)
    await money.first.pay(rejected)
    await money.first.read()
    rtr = await money.give_back(root, 10_000)

    for parameters in (
        TrackingGraphParameters(max_hops=3),
        TrackingGraphParameters(max_transactions=6),
        TrackingGraphParameters(hop_window=timedelta(hours=3)),
    ):
        with refused("FundsRecoveryTrackingGraphParameterInvalid"):
            await recover(first, root.end_to_end_id, parameters)
    with refused("FundsRecoveryTransactionNotEligible"):
        await recover(second, root.end_to_end_id)
    with refused("FundsRecoveryTransactionNotEligible"):
        await recover(first, rtr)
    with refused("FundsRecoveryTransactionNotEligible"):
        await recover(first, new_end_to_end_id())
    with refused("FundsRecoveryTransactionNotSettled"):
        await recover(first, rejected.end_to_end_id)
    await clock.advance(80 * DAY_MS + 60_000)
    with refused("FundsRecoveryTransactionNotEligible"):
        await recover(first, root.end_to_end_id)


async def test_creator_changes_and_gives_up_a_recovery_and_the_others_are_told(
    first: DictClient, second: DictClient, money: Money, clock: BankClock
) -> None:
    root = await money.defraud()
    recovery, _ = await recover(first, root.end_to_end_id)
    await clock.advance(3 * TRACKING_MS)
    number = {"participant": PAYER, "funds_recovery_id": recovery.id}
    await first.update_funds_recovery(
        UpdateFundsRecoveryRequest(**number, situation_type="COERCION", report_details="De novo")
    )
    (report,) = await reports(second)
    with refused("FundsRecoveryOperationInvalid"):  # not yet analysed
        await first.refund_funds_recovery(FundsRecoveryRequest(**number))
    with refused("Forbidden"):
        await second.cancel_funds_recovery(
            FundsRecoveryRequest(participant=CONNECTED, funds_recovery_id=recovery.id)
        )
    await first.cancel_funds_recovery(FundsRecoveryRequest(**number))
    with refused("FundsRecoveryOperationInvalid"):
        await first.update_funds_recovery(UpdateFundsRecoveryRequest(**number))

    assert (report.situation_type, report.report_details) == ("COERCION", "De novo")
    assert await status(second, recovery.id) == "CANCELLED"
    assert [each.status for each in await reports(second)] == ["CANCELLED"]
    told = await events(second)
    assert [each.event for each in told.event_notifications] == [
        "FUNDS_RECOVERY_INFORMATION_UPDATED",
        "FUNDS_RECOVERY_CANCELLED",
    ]
    assert (await events(second, told.next_cursor)).event_notifications == ()
    assert (await events(first)).event_notifications == ()
    await clock.advance(7 * DAY_MS + 1)
    assert (await events(second)).event_notifications == ()
    with refused("BadRequest"):
        await events(second, "strange")
    again, _ = await recover(first, root.end_to_end_id)
    assert again.status == "CREATED"


async def test_report_is_judged_once_by_its_counterparty(
    first: DictClient, second: DictClient, money: Money, clock: BankClock
) -> None:
    root = await money.defraud()
    recovery, _ = await recover(first, root.end_to_end_id)
    await clock.advance(3 * TRACKING_MS)
    (report,) = await reports(second, is_counterparty=True)
    number = {"infraction_report_id": report.id, "participant": CONNECTED}
    with refused("InfractionReportOperationInvalid"):  # acknowledged it must be first
        await second.close_infraction_report(
            CloseInfractionReportRequest(**number, analysis_result="DISAGREED")
        )
    with refused("Forbidden"):
        await first.acknowledge_infraction_report(
            InfractionReportRequest(infraction_report_id=report.id, participant=PAYER)
        )
    with refused("Forbidden"):
        await second.cancel_infraction_report(InfractionReportRequest(**number))
    with refused("NotFound"):
        await second.get_infraction_report(
            GetInfractionReportRequest(infraction_report_id=uuid4(), participant=CONNECTED)
        )
    await second.acknowledge_infraction_report(InfractionReportRequest(**number))
    with refused("InfractionReportOperationInvalid"):  # a fraud has a type
        await second.close_infraction_report(
            CloseInfractionReportRequest(**number, analysis_result="AGREED")
        )
    closed = await second.close_infraction_report(
        CloseInfractionReportRequest(**number, analysis_result="DISAGREED")
    )
    with refused("InfractionReportOperationInvalid"):
        await second.acknowledge_infraction_report(InfractionReportRequest(**number))
    finished = await first.refund_funds_recovery(
        FundsRecoveryRequest(participant=PAYER, funds_recovery_id=recovery.id)
    )

    assert closed.infraction_report.fraud_marker_id is None
    assert finished.funds_recovery.status == "COMPLETED"  # nobody agreed: nothing to refund
    assert await reports(first, is_counterparty=True) == ()
    (brief,) = await reports(first, include_details=False)
    assert brief.contact_information is None
    statistics = await first.get_person_statistics(
        GetPersonStatisticsRequest(tax_id_number=BRUNO, participant=PAYER)
    )
    told = statistics.person_statistics.infraction_reports
    assert told is not None
    assert told.rejected_reports is not None
    assert (told.open_reports, told.rejected_reports.d90) == (0, 1)


async def test_virtual_participant_agrees_and_may_have_no_balance(
    first: DictClient, money: Money, clock: BankClock
) -> None:
    account = AccountId("NOBALANCE1")
    root = await money.pay(money.first, amount_cents=40_000, creditor_account=account)
    recovery, _ = await recover(first, root.end_to_end_id)
    await clock.advance(3 * TRACKING_MS)
    assert await status(first, recovery.id) == "ANALYSED"
    number = FundsRecoveryRequest(participant=PAYER, funds_recovery_id=recovery.id)
    await first.refund_funds_recovery(number)
    asked = GetFundsRecoveryRequest(funds_recovery_id=recovery.id, participant=PAYER)
    (refund,) = (await first.list_funds_recovery_refunds(asked)).refunds
    (report,) = (await first.list_funds_recovery_infraction_reports(asked)).infraction_reports
    markers = await first.list_fraud_markers(
        ListFraudMarkersRequest(tax_id_number=root.creditor_tax_id)
    )

    assert (report.status, report.analysis_result) == ("CLOSED", "AGREED")
    assert (refund.status, refund.refund_rejection_reason) == ("CLOSED", "NO_BALANCE")
    assert await status(first, recovery.id) == "COMPLETED"
    assert markers.fraud_markers[0].infraction_report is not None
    assert (await first.get_tracking_graph(asked)).tracking_graph.root_transaction_id == (
        root.end_to_end_id
    )


async def test_virtual_participant_gives_the_money_of_a_recovery_back(
    first: DictClient, money: Money, clock: BankClock
) -> None:
    root = await money.pay(money.first, amount_cents=40_000)
    recovery, _ = await recover(first, root.end_to_end_id)
    await clock.advance(3 * TRACKING_MS)
    number = FundsRecoveryRequest(participant=PAYER, funds_recovery_id=recovery.id)
    assert await status(first, recovery.id) == "ANALYSED"
    await first.refund_funds_recovery(number)
    returned = await money.receive_return()

    assert (returned.end_to_end_id, returned.amount_cents) == (root.end_to_end_id, 40_000)
    assert returned.reason == "FR01"
    assert await status(first, recovery.id) == "COMPLETED"
    asked = GetFundsRecoveryRequest(funds_recovery_id=recovery.id, participant=PAYER)
    (refund,) = (await first.list_funds_recovery_refunds(asked)).refunds
    assert (refund.analysis_result, refund.refund_transaction_id) == (
        "TOTALLY_ACCEPTED",
        returned.return_id,
    )


def read_nothing(index: Transactions) -> tuple[list[Transaction], bool]:
    index._is_behind = True
    return [], True


async def test_payment_that_dict_has_not_indexed_yet_is_asked_for_again(
    first: DictClient, money: Money, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = await money.pay(money.first, amount_cents=40_000)
    with monkeypatch.context() as patched:
        patched.setattr(Transactions, "read_on", read_nothing)
        with refused("FundsRecoveryTransactionNotIndexed"):
            await recover(first, root.end_to_end_id)
        wanted = NewRefund(
            transaction_id=root.end_to_end_id,
            refund_reason="OPERATIONAL_FLAW",
            refund_amount=40_000,
            refund_details="Pago duas vezes",
        )
        with pytest.raises(DictOutcomeUnknown) as unknown:  # 503: nothing was decided
            await first.create_refund(CreateRefundRequest(participant=PAYER, refund=wanted))
    recovery, _ = await recover(first, root.end_to_end_id)

    assert unknown.value.cause == "HTTP 503"
    assert recovery.status == "CREATED"
