"""The life of a key at the bank's DICT, over HTTPS with signed requests."""

from uuid import uuid4

import pytest

from bacen.dict import (
    CheckKeysRequest,
    ContentAttributes,
    CreateEntryRequest,
    DictClient,
    EntryNotFound,
    GetEntryByCidRequest,
    UpdateEntryRequest,
    content_id,
)
from bacen.simulator import BankSettings, DictSettings
from bacen.simulator.errors import InvalidBankSettings
from tests.bacen.simulator.conftest import StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER
from tests.bacen.simulator.dict.conftest import OpenClient
from tests.bacen.simulator.dict.member import (
    ANA,
    BRUNO,
    PADARIA,
    PHONE,
    account,
    claim,
    delete,
    new_end_to_end_id,
    new_entry,
    person,
    read,
    reading,
    refused,
    register,
)


async def test_key_is_made_read_by_another_participant_changed_and_deleted(
    first: DictClient, second: DictClient
) -> None:
    made = await register(first, PHONE)
    changed = await first.update_entry(
        UpdateEntryRequest(
            key=PHONE, account=account(PAYER, "1009"), owner=person(), reason="USER_REQUESTED"
        )
    )
    told = await read(second, PHONE)
    await delete(first, PHONE)

    assert (made.key, made.key_type, made.account.participant) == (PHONE, "PHONE", PAYER)
    assert made.creation_date == made.key_ownership_date
    assert changed.entry.account.account_number == "1009"
    assert told == changed.entry
    with refused("NotFound"):
        await read(second, PHONE)


async def test_dict_makes_an_evp_and_repeats_it_for_the_same_request(first: DictClient) -> None:
    request_id = uuid4()

    made = await register(first, None, request_id=request_id)
    again = await register(first, None, request_id=request_id)
    other = await register(first, None)

    assert made.key_type == "EVP"
    assert again == made
    assert other.key != made.key


async def test_request_id_counts_once_while_its_entry_is_as_it_was(first: DictClient) -> None:
    request_id = uuid4()
    await register(first, PHONE, request_id=request_id)

    with refused("RequestIdAlreadyUsed"):
        await register(first, "ana@example.com", request_id=request_id)
    await first.update_entry(
        UpdateEntryRequest(key=PHONE, owner=person(name="Ana Outra"), reason="USER_REQUESTED")
    )
    with refused("RequestIdAlreadyUsed"):
        await register(first, PHONE, request_id=request_id)
    await delete(first, PHONE)
    with refused("RequestIdAlreadyUsed"):
        await register(first, PHONE, request_id=request_id)


async def test_key_that_somebody_has_is_refused_with_what_to_do(
    first: DictClient, second: DictClient
) -> None:
    await register(first, PHONE)

    with refused("EntryAlreadyExists"):
        await register(first, PHONE)
    with refused("EntryKeyInCustodyOfDifferentParticipant"):
        await register(second, PHONE)
    with refused("EntryKeyOwnedByDifferentPerson"):
        await register(second, PHONE, tax_id=BRUNO)


@pytest.mark.parametrize(("tax_id", "most"), [(ANA, 5), (PADARIA, 20)])
async def test_account_has_its_number_of_keys_and_no_more(
    first: DictClient, tax_id: str, most: int
) -> None:
    for _ in range(most):
        await register(first, None, tax_id=tax_id)

    with refused("EntryLimitExceeded"):
        await register(first, None, tax_id=tax_id)
    other = await register(first, None, tax_id=tax_id, number="1002")
    with refused("EntryInvalid"):  # nor is one moved there
        await first.update_entry(
            UpdateEntryRequest(key=other.key, account=account(PAYER), reason="BRANCH_TRANSFER")
        )


async def test_document_as_a_key_is_its_owner_s_own(first: DictClient) -> None:
    assert (await register(first, BRUNO, tax_id=BRUNO)).key_type == "CPF"
    with refused("EntryTaxIdNumberByDifferentOwner"):
        await register(first, ANA, tax_id=BRUNO)


async def test_reasons_that_do_not_belong_to_an_operation_are_refused(first: DictClient) -> None:
    evp = await register(first, None)

    with refused("InvalidReason"):
        await register(first, PHONE, reason="FRAUD")
    with refused("InvalidReason"):
        await delete(first, evp.key, reason="BRANCH_TRANSFER")
    with refused("InvalidReason"):  # an EVP is not changed because its user asks
        await first.update_entry(
            UpdateEntryRequest(key=evp.key, owner=person(), reason="USER_REQUESTED")
        )


async def test_update_moves_a_key_to_no_other_person_or_participant(
    first: DictClient, second: DictClient
) -> None:
    await register(first, PHONE)

    for changed in ({"owner": person(BRUNO)}, {"account": account(CONNECTED)}):
        with refused("EntryInvalid"):
            await first.update_entry(
                UpdateEntryRequest(key=PHONE, reason="USER_REQUESTED", **changed)
            )
    with refused("Forbidden"):
        await second.update_entry(
            UpdateEntryRequest(key=PHONE, owner=person(), reason="USER_REQUESTED")
        )
    with refused("Forbidden"):
        await delete(second, PHONE)


async def test_entry_for_another_participant_is_refused(first: DictClient) -> None:
    for participant, kind in ((CONNECTED, "Forbidden"), ("99999999", "ParticipantInvalid")):
        request = CreateEntryRequest(
            entry=new_entry(participant, PHONE), reason="USER_REQUESTED", request_id=uuid4()
        )
        with refused(kind):
            await first.create_entry(request)


async def test_own_key_is_not_asked_of_dict(first: DictClient) -> None:
    await register(first, PHONE)

    with refused("EntryCannotBeQueriedForBookTransfer"):
        await read(first, PHONE)


async def test_reading_for_no_payment_or_in_another_s_name_is_refused(first: DictClient) -> None:
    with refused("BadRequest"):
        await read(first, "loja@example.com", end_to_end_id="E123")
    with refused("Forbidden"):
        await read(first, "loja@example.com", participant=CONNECTED)


async def test_key_under_a_claim_says_so_and_is_not_deleted(
    first: DictClient, second: DictClient
) -> None:
    await register(first, PHONE)
    await claim(second, PHONE, "PORTABILITY")

    with refused("EntryLockedByClaim"):
        await delete(first, PHONE)
    assert (await read(second, PHONE)).open_claim_creation_date is not None


async def test_blocked_document_gets_no_key_and_its_keys_are_not_told(
    start: StartBank, clients: OpenClient
) -> None:
    client = clients(await start(directory=DictSettings(blocked_tax_ids=(ANA, "86288366757"))))

    with refused("TaxIdNumberBlocked"):
        await register(client, PHONE)
    with refused("EntryBlocked"):
        await read(client, "maria.silva@example.com")


async def test_check_tells_which_keys_exist_in_the_order_of_the_question(
    first: DictClient,
) -> None:
    keys = ("nobody@example.com", "loja@example.com", PHONE)

    answer = await first.check_keys(CheckKeysRequest(keys=keys))

    assert [(each.key, each.has_entry) for each in answer.keys] == [
        (keys[0], False),
        (keys[1], True),
        (keys[2], False),
    ]


async def test_entry_is_found_by_its_cid_by_its_own_participant_only(
    first: DictClient, second: DictClient
) -> None:
    request_id = uuid4()
    made = await register(first, PHONE, request_id=request_id)
    cid = content_id(ContentAttributes.of(made), request_id)

    found = await first.get_entry_by_cid(GetEntryByCidRequest(cid=cid, participant=PAYER))

    assert (found.entry, found.request_id, found.cid) == (made, request_id, cid)
    with refused("Forbidden"):
        await second.get_entry_by_cid(GetEntryByCidRequest(cid=cid, participant=CONNECTED))
    with refused("NotFound"):
        await first.get_entry_by_cid(GetEntryByCidRequest(cid="0" * 64, participant=PAYER))


async def test_client_tells_a_missing_key_from_other_problems(first: DictClient) -> None:
    with pytest.raises(EntryNotFound):
        await first.get_entry(
            "nobody@example.com", payer_tax_id=BRUNO, end_to_end_id=new_end_to_end_id()
        )
    assert reading(first, PHONE).participant == PAYER


@pytest.mark.parametrize(
    "wrong", [{"category": "Z"}, {"rate_factor": 0}, {"tracking_delay_ms": -1}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidBankSettings):
        DictSettings(**wrong)
    assert BankSettings.__dataclass_fields__["directory"].default_factory is DictSettings
