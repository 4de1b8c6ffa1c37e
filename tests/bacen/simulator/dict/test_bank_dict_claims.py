"""A key goes from one connected participant to another, or does not, in its time."""

from datetime import timedelta
from uuid import uuid4

from bacen.dict import DictClient, ListClaimsRequest
from bacen.simulator import RunningBank
from bacen.simulator.clock import BankClock
from tests.bacen.simulator.desk import CONNECTED, PAYER
from tests.bacen.simulator.dict.conftest import OpenClient
from tests.bacen.simulator.dict.member import (
    ANA,
    BRUNO,
    PHONE,
    acknowledge,
    cancel,
    claim,
    complete,
    confirm,
    get_claim,
    read,
    refused,
    register,
)

DAY_MS = 86_400_000


async def test_portability_goes_through_its_states_and_moves_the_key(
    first: DictClient, second: DictClient, clients: OpenClient, bank: RunningBank
) -> None:
    entry = await register(first, PHONE)
    opened = await claim(second, PHONE, "PORTABILITY")
    waiting = await acknowledge(first, opened.id)
    confirmed = await confirm(first, opened.id)
    with refused("NotFound"):  # the donor's entry is gone, the claimer's not yet made
        await read(second, PHONE)
    request_id = uuid4()
    completed = await complete(second, opened.id, request_id)
    again = await complete(second, opened.id, request_id)
    moved = await read(first, PHONE)

    assert [each.status for each in (opened, waiting, confirmed, completed)] == [
        "OPEN",
        "WAITING_RESOLUTION",
        "CONFIRMED",
        "COMPLETED",
    ]
    assert (opened.donor_participant, opened.completion_period_end) == (PAYER, None)
    assert again == completed
    assert moved.account == opened.claimer_account
    assert moved.key_ownership_date == entry.key_ownership_date
    assert moved.creation_date > entry.creation_date
    assert moved.open_claim_creation_date is None


async def test_repeated_operations_on_a_claim_answer_the_same(
    first: DictClient, second: DictClient
) -> None:
    await register(first, PHONE)
    opened = await claim(second, PHONE, "PORTABILITY")

    assert await claim(second, PHONE, "PORTABILITY") == opened
    assert await acknowledge(first, opened.id) == await acknowledge(first, opened.id)
    assert await cancel(first, opened.id) == await cancel(first, opened.id)


async def test_claim_that_does_not_fit_the_key_is_refused(
    first: DictClient, second: DictClient
) -> None:
    await register(first, PHONE)
    await register(first, "ana@example.com")
    evp = await register(first, None)

    with refused("ClaimKeyNotFound"):
        await claim(second, "nobody@example.com", "PORTABILITY")
    with refused("ClaimTypeInconsistent"):  # only phones change their owner
        await claim(second, "ana@example.com", "OWNERSHIP", tax_id=BRUNO)
    with refused("ClaimTypeInconsistent"):
        await claim(second, evp.key, "PORTABILITY")
    with refused("ClaimTypeInconsistent"):  # another person's
        await claim(second, PHONE, "PORTABILITY", tax_id=BRUNO)
    with refused("ClaimTypeInconsistent"):  # the owner's own
        await claim(second, PHONE, "OWNERSHIP")
    with refused("ClaimResultingEntryAlreadyExists"):
        await claim(first, PHONE, "PORTABILITY")


async def test_key_has_one_open_claim(first: DictClient, second: DictClient) -> None:
    await register(first, PHONE)
    await claim(second, PHONE, "PORTABILITY")

    with refused("ClaimAlreadyExistsForKey"):
        await claim(second, PHONE, "OWNERSHIP", tax_id=BRUNO)


async def test_account_that_is_full_claims_nothing(first: DictClient, second: DictClient) -> None:
    await register(first, PHONE)
    for _ in range(5):
        await register(second, None, number="2002")

    with refused("EntryLimitExceeded"):
        await claim(second, PHONE, "PORTABILITY")


async def test_each_side_does_its_own_part_and_strangers_see_nothing(
    first: DictClient, second: DictClient
) -> None:
    await register(first, PHONE)
    opened = await claim(second, PHONE, "PORTABILITY")

    with refused("Forbidden"):
        await acknowledge(second, opened.id)
    with refused("Forbidden"):
        await confirm(second, opened.id)
    with refused("Forbidden"):
        await complete(first, opened.id)
    with refused("NotFound"):
        await get_claim(second, uuid4())
    with refused("ClaimOperationInvalid"):
        await complete(second, opened.id)
    with refused("InvalidReason"):
        await confirm(first, opened.id, "FRAUD")
    with refused("InvalidReason"):
        await cancel(first, opened.id, "ACCOUNT_CLOSURE")


async def test_ownership_waits_for_both_periods_when_the_donor_is_silent(
    first: DictClient, second: DictClient, clock: BankClock
) -> None:
    await register(first, PHONE)
    opened = await claim(second, PHONE, "OWNERSHIP", tax_id=BRUNO)
    await acknowledge(first, opened.id)
    with refused("ClaimResolutionPeriodNotEnded"):
        await confirm(first, opened.id, "DEFAULT_OPERATION")
    await clock.advance(7 * DAY_MS)
    confirmed = await get_claim(second, opened.id)
    by_donor = await confirm(first, opened.id, "DEFAULT_OPERATION")
    with refused("ClaimCompletionPeriodNotEnded"):
        await complete(second, opened.id)
    await clock.advance(7 * DAY_MS)
    completed = await complete(second, opened.id)
    moved = await read(first, PHONE)

    assert (confirmed.status, confirmed.confirm_reason) == ("CONFIRMED", "DEFAULT_OPERATION")
    assert by_donor == confirmed
    assert opened.resolution_period_end + timedelta(days=7) == opened.completion_period_end
    assert completed.status == "COMPLETED"
    assert moved.owner.tax_id_number == BRUNO
    assert moved.key_ownership_date == moved.creation_date


async def test_donor_that_agrees_brings_an_ownership_claim_forward(
    first: DictClient, second: DictClient
) -> None:
    await register(first, PHONE)
    opened = await claim(second, PHONE, "OWNERSHIP", tax_id=BRUNO)
    await confirm(first, opened.id)

    assert (await complete(second, opened.id)).status == "COMPLETED"


async def test_silence_of_the_donor_cancels_a_portability(
    first: DictClient, second: DictClient, clock: BankClock
) -> None:
    await register(first, PHONE)
    opened = await claim(second, PHONE, "PORTABILITY")
    with refused("ClaimResolutionPeriodNotEnded"):
        await cancel(first, opened.id, "DEFAULT_OPERATION")
    await clock.advance(7 * DAY_MS)
    cancelled = await get_claim(second, opened.id)

    assert (cancelled.status, cancelled.cancelled_by) == ("CANCELLED", "DONOR")
    assert cancelled.cancel_reason == "DEFAULT_OPERATION"
    assert (await read(second, PHONE)).open_claim_creation_date is None


async def test_claimer_gives_up_a_confirmed_portability_and_the_key_is_free(
    first: DictClient, second: DictClient
) -> None:
    await register(first, PHONE)
    opened = await claim(second, PHONE, "PORTABILITY")
    await confirm(first, opened.id)
    with refused("ResourceConflict"):  # it is on its way
        await register(first, PHONE)
    with refused("InvalidReason"):
        await cancel(second, opened.id, "USER_REQUESTED")
    with refused("ClaimOperationInvalid"):
        await cancel(first, opened.id, "FRAUD")
    cancelled = await cancel(second, opened.id, "FRAUD")

    assert (cancelled.status, cancelled.cancelled_by) == ("CANCELLED", "CLAIMER")
    assert (await register(first, PHONE)).key == PHONE


async def test_virtual_donor_gives_a_portability_at_once(first: DictClient) -> None:
    opened = await claim(first, "+5511999887766", "PORTABILITY", tax_id=ANA)
    confirmed = await get_claim(first, opened.id)

    assert (opened.donor_participant, confirmed.status) == ("60701190", "CONFIRMED")
    assert (await complete(first, opened.id)).status == "COMPLETED"


async def test_lists_go_in_the_order_of_change_by_role_state_and_page(
    first: DictClient, second: DictClient
) -> None:
    emails = [f"ana{number}@example.com" for number in range(5)]
    for email in emails:
        await register(first, email)
    opened = [await claim(second, email, "PORTABILITY", number="2002") for email in emails]
    await acknowledge(first, opened[0].id)

    async def ids(client: DictClient, **wanted: object) -> tuple[list[str], bool]:
        request = ListClaimsRequest(participant=client.ispb, **wanted)
        answer = await client.list_claims(request)
        return [each.key for each in answer.claims], answer.has_more_elements

    in_order = [*emails[1:], emails[0]]
    assert await ids(first, is_donor=True) == (in_order, False)
    assert await ids(second) == (in_order, False)
    assert await ids(first, is_claimer=True) == ([], False)
    assert await ids(first, status=("WAITING_RESOLUTION",)) == ([emails[0]], False)
    assert await ids(first, type="OWNERSHIP") == ([], False)
    assert await ids(first, limit=2) == (in_order[:2], True)
    after = opened[2].last_modified
    assert await ids(first, modified_after=after, limit=2) == (in_order[2:4], True)
    assert await ids(first, modified_before=after) == (in_order[:1], False)
    with refused("Forbidden"):
        await first.list_claims(ListClaimsRequest(participant=CONNECTED))
