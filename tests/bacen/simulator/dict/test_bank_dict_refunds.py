"""Refunds, fraud markers and statistics over payments that really ran."""

from typing import Any
from uuid import UUID, uuid4

from bacen.dict import (
    CancelFraudMarkerRequest,
    CancelRefundRequest,
    CloseRefundRequest,
    CreateFraudMarkerRequest,
    CreateRefundRequest,
    DictClient,
    FraudMarker,
    GetEntryStatisticsRequest,
    GetFraudMarkerRequest,
    GetPersonStatisticsRequest,
    GetRefundRequest,
    ListFraudMarkersRequest,
    ListRefundsRequest,
    NewFraudMarker,
    NewRefund,
    PersonStatistics,
    Refund,
)
from bacen.simulator.clock import BankClock
from bacen.simulator.dict.settings import DAY_MS
from bacen.wire import AccountId
from tests.bacen.simulator.desk import CONNECTED, PAYER
from tests.bacen.simulator.dict.member import (
    ANA,
    BRUNO,
    PADARIA,
    PHONE,
    new_end_to_end_id,
    reading,
    refused,
    register,
)
from tests.bacen.simulator.dict.money import Money

FLAW = {"refund_reason": "OPERATIONAL_FLAW", "refund_details": "Pago duas vezes"}


async def ask(client: DictClient, payment: str, cents: int = 50_000, **told: Any) -> Refund:
    wanted = NewRefund(transaction_id=payment, refund_amount=cents, **{**FLAW, **told})
    request = CreateRefundRequest(participant=client.ispb, refund=wanted)
    return (await client.create_refund(request)).refund


async def close(client: DictClient, refund: UUID, result: Any, **told: Any) -> Refund:
    request = CloseRefundRequest(
        refund_id=refund, participant=client.ispb, refund_analysis_result=result, **told
    )
    return (await client.close_refund(request)).refund


async def mark(
    client: DictClient,
    kind: Any,
    *,
    tax_id: str = BRUNO,
    key: str | None = None,
    request_id: UUID | None = None,
) -> FraudMarker:
    request = CreateFraudMarkerRequest(
        participant=client.ispb,
        fraud_marker=NewFraudMarker(tax_id_number=tax_id, key=key, fraud_type=kind),
        request_id=request_id or uuid4(),
    )
    return (await client.create_fraud_marker(request)).fraud_marker


async def statistics(client: DictClient, tax_id: str) -> PersonStatistics:
    request = GetPersonStatisticsRequest(tax_id_number=tax_id, participant=client.ispb)
    return (await client.get_person_statistics(request)).person_statistics


async def test_refund_is_asked_for_paid_in_the_spi_and_closed(
    first: DictClient, second: DictClient, money: Money
) -> None:
    payment = await money.defraud()
    asked = await ask(first, payment.end_to_end_id)
    with refused("RefundAlreadyBeingProcessedForTransaction"):
        await ask(first, payment.end_to_end_id)
    rtr = await money.give_back(payment, 50_000)
    closed = await close(second, asked.id, "TOTALLY_ACCEPTED", refund_transaction_id=rtr)
    with refused("RefundAlreadyProcessedForTransaction"):
        await ask(first, payment.end_to_end_id)

    assert (asked.status, asked.contested_participant) == ("OPEN", CONNECTED)
    assert (closed.status, closed.effective_refunded_amount) == ("CLOSED", 50_000)


async def test_refund_that_did_not_settle_is_not_accepted(
    first: DictClient, second: DictClient, money: Money
) -> None:
    payment, other = await money.defraud(), await money.defraud()
    asked = await ask(first, payment.end_to_end_id)
    part = await money.give_back(payment, 10_000)
    wrong: list[dict[str, Any]] = [
        {"refund_analysis_result": "TOTALLY_ACCEPTED"},
        {"refund_analysis_result": "REJECTED"},
        {"refund_analysis_result": "REJECTED", "refund_rejection_reason": "INVALID_REQUEST"},
        {"refund_analysis_result": "REJECTED", "refund_rejection_reason": "OTHER"},
        {"refund_analysis_result": "TOTALLY_ACCEPTED", "refund_transaction_id": part},
        {"refund_analysis_result": "PARTIALLY_ACCEPTED", "refund_transaction_id": "D" * 32},
        {
            "refund_analysis_result": "PARTIALLY_ACCEPTED",
            "refund_transaction_id": other.end_to_end_id,
        },
        {
            "refund_analysis_result": "PARTIALLY_ACCEPTED",
            "refund_transaction_id": part,
            "effective_refunded_amount": 9_999,
        },
    ]
    fraud = await ask(first, other.end_to_end_id)
    for told in wrong:
        if told.get("refund_rejection_reason") == "INVALID_REQUEST":
            continue  # a flaw may be told so
        with refused("RefundOperationInvalid"):
            await close(second, asked.id, told.pop("refund_analysis_result"), **told)
    closed = await close(second, asked.id, "PARTIALLY_ACCEPTED", refund_transaction_id=part)
    rejected = await close(second, fraud.id, "REJECTED", refund_rejection_reason="INVALID_REQUEST")

    assert closed.effective_refunded_amount == 10_000
    assert rejected.status == "CLOSED"
    with refused("RefundOperationInvalid"):
        await close(second, fraud.id, "REJECTED", refund_rejection_reason="NO_BALANCE")


async def test_refund_that_the_payment_does_not_allow_is_refused(
    first: DictClient, second: DictClient, money: Money, clock: BankClock
) -> None:
    payment = await money.defraud()
    rejected = money.first.transfer(amount_cents=0)
    await money.first.pay(rejected)
    await money.first.read()
    rtr = await money.give_back(payment, 20_000)
    number = payment.end_to_end_id

    with refused("Forbidden"):
        await ask(second, number)
    with refused("RefundTransactionNotFound"):
        await ask(first, new_end_to_end_id())
    with refused("RefundTransactionNotSettled"):
        await ask(first, rejected.end_to_end_id)
    with refused("RefundTransactionInvalid"):
        await ask(first, rtr)
    with refused("RefundInvalid"):
        await ask(first, number, 30_001)
    with refused("RefundInvalid"):
        await ask(first, number, 30_000, refund_reason="REFUND_CANCELLED")
    with refused("RefundInfractionReportNotFound"):
        await ask(first, number, 30_000, refund_reason="FRAUD")
    with refused("TransactionTypeInvalid"):
        await ask(first, number, 30_000, refund_reason="PIX_AUTOMATICO")
    await money.give_back(payment, 30_000)
    with refused("TransactionNotRefundable"):
        await ask(first, number, 1)
    await clock.advance(90 * DAY_MS + 60_000)
    with refused("RefundPeriodExpired"):
        await ask(first, number, 1)


async def test_refund_is_cancelled_by_who_asked_and_seen_by_its_two_sides(
    first: DictClient, second: DictClient, money: Money
) -> None:
    payments = [await money.defraud(), await money.defraud()]
    asked = [await ask(first, each.end_to_end_id) for each in payments]
    with refused("Forbidden"):
        await second.cancel_refund(
            CancelRefundRequest(refund_id=asked[0].id, participant=CONNECTED)
        )
    with refused("Forbidden"):
        await close(first, asked[0].id, "REJECTED", refund_rejection_reason="NO_BALANCE")
    with refused("NotFound"):
        await first.get_refund(GetRefundRequest(refund_id=uuid4(), participant=PAYER))
    number = CancelRefundRequest(refund_id=asked[0].id, participant=PAYER)
    await first.cancel_refund(number)
    with refused("RefundOperationInvalid"):
        await first.cancel_refund(number)

    found: list[Refund] = []
    cursor = None
    for _ in range(2):
        page = await second.list_refunds(
            ListRefundsRequest(
                participant=CONNECTED, participant_role="CONTESTED", limit=1, cursor=cursor
            )
        )
        found += page.refunds
        cursor = page.next_cursor
    assert [each.id for each in found] == [asked[1].id, asked[0].id]
    assert cursor is None
    assert found[0].refund_details is None  # without details
    with refused("BadRequest"):
        await first.list_refunds(
            ListRefundsRequest(participant=PAYER, participant_role="CONTESTED", cursor="x")
        )
    mine = await first.list_refunds(
        ListRefundsRequest(participant=PAYER, participant_role="CONTESTED")
    )
    assert mine.refunds == ()


async def test_marker_is_registered_once_a_request_listed_and_cancelled(
    first: DictClient, second: DictClient
) -> None:
    await register(second, PHONE, tax_id=BRUNO)
    request_id = uuid4()
    made = await mark(first, "SCAMMER_ACCOUNT", key=PHONE, request_id=request_id)
    assert await mark(first, "SCAMMER_ACCOUNT", key=PHONE, request_id=request_id) == made
    with refused("RequestIdAlreadyUsed"):
        await mark(first, "MULE_ACCOUNT", request_id=request_id)
    with refused("RequestIdAlreadyUsed"):
        await register(first, None, request_id=request_id)
    with refused("FraudMarkerInvalid"):
        await mark(first, "MULE_ACCOUNT", tax_id=ANA, key=PHONE)
    listed = await second.list_fraud_markers(ListFraudMarkersRequest(tax_id_number=BRUNO))
    with refused("NotFound"):
        await second.get_fraud_marker(
            GetFraudMarkerRequest(fraud_marker_id=made.id, participant=CONNECTED)
        )
    with refused("UserOrAccountWithFraudRelatedRestriction"):
        await register(second, None, tax_id=BRUNO)
    number = CancelFraudMarkerRequest(fraud_marker_id=made.id, participant=PAYER)
    cancelled = (await first.cancel_fraud_marker(number)).fraud_marker
    with refused("NotFound"):
        await first.cancel_fraud_marker(number)

    assert listed.fraud_markers == (made,)
    assert cancelled.status == "CANCELLED"
    assert (await register(second, None, tax_id=BRUNO)).key_type == "EVP"
    by_state = ListFraudMarkersRequest(tax_id_number=BRUNO, status="REGISTERED", key=PHONE)
    assert (await second.list_fraud_markers(by_state)).fraud_markers == ()


async def test_statistics_count_what_happened_in_their_windows(
    first: DictClient, second: DictClient, money: Money, clock: BankClock
) -> None:
    await register(second, PHONE, tax_id=BRUNO, number="2000")
    await register(second, None, tax_id=BRUNO, number="2001")
    for _ in range(2):
        await money.defraud(local_instrument="DICT", creditor_key=PHONE)
    await mark(first, "OTHER")
    await mark(second, "UNKNOWN", key=PHONE)
    told = await statistics(first, BRUNO)
    of_key = await first.get_entry_statistics(
        GetEntryStatisticsRequest(key=PHONE, participant=PAYER)
    )
    answer = await first.read_entry(reading(first, PHONE, include_statistics=True))
    await clock.advance(91 * DAY_MS)
    later = await statistics(first, BRUNO)

    assert told.spi is not None
    assert told.spi.settlements is not None
    assert told.spi.settlements.d90 == told.spi.settlements.m60 == 2
    assert told.entries is not None
    assert told.entries.registered_accounts == 3  # one of them from the first start
    frauds = told.fraud_markers
    assert frauds is not None
    assert frauds.other_frauds is not None
    assert frauds.distinct_fraud_reporters is not None
    assert (frauds.other_frauds.d90, frauds.distinct_fraud_reporters.d90) == (1, 2)
    keys = of_key.key_statistics
    assert keys.spi is not None
    assert keys.spi.settlements is not None
    assert keys.spi.settlements.d90 == 2
    assert keys.fraud_markers is not None
    assert keys.fraud_markers.unknown_frauds is not None
    assert keys.fraud_markers.unknown_frauds.d90 == 1
    assert answer.owner_statistics is not None
    assert later.spi is not None
    assert later.spi.settlements is not None
    assert (later.spi.settlements.d90, later.spi.settlements.m12) == (0, 2)
    padaria = await statistics(first, PADARIA)
    assert padaria.entries is not None
    assert padaria.entries.registered_accounts == 1
    with refused("NotFound"):
        await first.get_entry_statistics(
            GetEntryStatisticsRequest(key="nobody@example.com", participant=PAYER)
        )


async def test_virtual_participant_gives_back_until_somebody_takes_it(
    first: DictClient, money: Money, clock: BankClock
) -> None:
    payment = await money.pay(money.first, amount_cents=50_000)
    asked = await ask(first, payment.end_to_end_id, 30_000)
    number = GetRefundRequest(refund_id=asked.id, participant=PAYER)
    await money.receive_return("RJCT", "AC06")
    still = (await first.get_refund(number)).refund
    await clock.advance(60_000)
    returned = await money.receive_return()
    closed = (await first.get_refund(number)).refund

    assert still.status == "OPEN"
    assert (returned.amount_cents, returned.reason) == (30_000, "BE08")
    assert (closed.status, closed.analysis_result) == ("CLOSED", "TOTALLY_ACCEPTED")
    assert closed.effective_refunded_amount == 30_000


async def test_virtual_participant_gives_up_after_its_last_attempt(
    first: DictClient, money: Money, clock: BankClock
) -> None:
    payment = await money.pay(money.first, amount_cents=50_000)
    asked = await ask(first, payment.end_to_end_id)
    for _ in range(3):
        await money.receive_return("RJCT", "AC06")
        await clock.advance(60_000)
    closed = await first.get_refund(GetRefundRequest(refund_id=asked.id, participant=PAYER))

    assert closed.refund.refund_rejection_reason == "NO_BALANCE"


async def test_refund_may_be_paid_by_a_payment_back_and_each_one_pays_once(
    first: DictClient, second: DictClient, money: Money
) -> None:
    payments = [await money.defraud(20_000), await money.defraud(20_000)]
    asked = [await ask(first, each.end_to_end_id, 20_000) for each in payments]
    back = await money.pass_on(
        20_000, creditor_ispb=PAYER, creditor_tax_id=ANA, creditor_account=AccountId("1000")
    )
    elsewhere = await money.pass_on(20_000)
    paid_by = {"refund_transaction_id": back.end_to_end_id}

    with refused("RefundOperationInvalid"):
        await close(
            second,
            asked[0].id,
            "TOTALLY_ACCEPTED",
            refund_transaction_id=elsewhere.end_to_end_id,
        )
    closed = await close(second, asked[0].id, "TOTALLY_ACCEPTED", **paid_by)
    with refused("RefundOperationInvalid"):
        await close(second, asked[1].id, "TOTALLY_ACCEPTED", **paid_by)

    assert closed.effective_refunded_amount == 20_000
