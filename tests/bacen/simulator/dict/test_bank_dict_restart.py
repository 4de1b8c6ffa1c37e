"""DICT dies and starts again on its home: what it acknowledged is there, and so are its clocks."""

from pathlib import Path
from uuid import uuid4

from actors import Killed, Node
from bacen.dict import (
    ContentAttributes,
    CreateFundsRecoveryRequest,
    CreateSyncVerificationRequest,
    DictClient,
    DictUnavailable,
    FundsRecoveryResponse,
    GetEntryByCidRequest,
    GetFundsRecoveryRequest,
    NewFundsRecovery,
    NewSyncVerification,
    VSync,
    content_id,
)
from bacen.simulator import RunningBank
from bacen.simulator.clock import BankClock
from bacen.simulator.dict import DIRECTORY
from bacen.simulator.dict.settings import DAY_MS
from tests.bacen.simulator.conftest import OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, DeskKeys
from tests.bacen.simulator.dict.conftest import OpenClient
from tests.bacen.simulator.dict.member import (
    PHONE,
    acknowledge,
    claim,
    complete,
    confirm,
    delete,
    get_claim,
    open_client,
    read,
    refused,
    register,
)
from tests.bacen.simulator.dict.test_bank_dict_recoveries import CONTACT
from tests.bacen.simulator.test_simulator_restart import BankProcess


async def test_killed_bank_knows_every_key_claim_and_request_that_it_acknowledged(
    home: Path, desk_keys: dict[str, DeskKeys]
) -> None:
    bank = BankProcess(home)
    await bank.start()
    first = open_client(bank.url, desk_keys[PAYER])
    second = open_client(bank.url, desk_keys[CONNECTED])
    requests = [uuid4(), uuid4()]
    try:
        email = await register(first, "ana@example.com", request_id=requests[0])
        await register(first, PHONE)
        opened = await claim(second, PHONE, "PORTABILITY")
        waiting = await acknowledge(first, opened.id)
        await delete(first, "ana@example.com")
        again = await register(first, "ana@example.com", request_id=requests[1])
        await bank.kill()
        await bank.start()
        told = await read(second, "ana@example.com")
        kept = await get_claim(second, opened.id)
        with refused("RequestIdAlreadyUsed"):
            await register(first, "ana@example.com", request_id=requests[0])
        cid = content_id(ContentAttributes.of(again), requests[1])
        by_cid = await first.get_entry_by_cid(GetEntryByCidRequest(cid=cid, participant=PAYER))
        verified = await first.create_sync_verification(
            CreateSyncVerificationRequest(
                sync_verification=NewSyncVerification(
                    participant=PAYER,
                    key_type="CPF",
                    participant_sync_verifier=str(VSync()),
                )
            )
        )
        await confirm(first, opened.id)
        completed = await complete(second, opened.id)
    finally:
        await bank.kill()
        await first.close()
        await second.close()

    assert told == again
    assert told.creation_date > email.creation_date
    assert (kept, by_cid.request_id) == (waiting, requests[1])
    assert verified.sync_verification.result == "OK"
    assert completed.status == "COMPLETED"


async def test_killed_bank_finds_every_payment_that_settled(
    home: Path, desk_keys: dict[str, DeskKeys], desks: OpenDesk
) -> None:
    bank = BankProcess(home)
    await bank.start()
    desk = desks(bank, PAYER)
    payment = desk.transfer(amount_cents=30_000)
    await desk.pay(payment)
    await bank.kill()
    await bank.start()
    client = open_client(bank.url, desk_keys[PAYER])
    try:
        recovery = await recover(client, payment.end_to_end_id)
    finally:
        await bank.kill()
        await client.close()

    assert recovery.funds_recovery.root_transaction_id == payment.end_to_end_id


async def test_deadlines_that_passed_while_the_bank_was_down_are_kept(
    start: StartBank, clients: OpenClient, clock: BankClock
) -> None:
    bank = await start()
    first, second = clients(bank, PAYER), clients(bank, CONNECTED)
    await register(first, PHONE)
    opened = await claim(second, PHONE, "PORTABILITY")
    await bank.stop()
    await clock.advance(8 * DAY_MS)
    client = clients(await start(), CONNECTED)

    assert (await get_claim(client, opened.id)).status == "CANCELLED"
    assert (await read(client, PHONE)).open_claim_creation_date is None


async def test_directory_that_is_killed_alone_starts_again_and_goes_on(
    bank: RunningBank, first: DictClient, second: DictClient, node: Node
) -> None:
    await register(first, PHONE)
    directory = node.whereis(DIRECTORY)
    assert directory is not None
    node.exit(directory, Killed())
    while node.whereis(DIRECTORY) in (directory, None):
        await node.clock.sleep_ms(1)

    assert await told_when_back(second, PHONE) == PHONE


async def told_when_back(client: DictClient, key: str) -> str:
    """Read a key; the listener starts after the directory."""
    while True:
        try:
            return (await read(client, key)).key
        except DictUnavailable:
            continue


async def recover(client: DictClient, root: str) -> FundsRecoveryResponse:
    wanted = NewFundsRecovery(
        root_transaction_id=root, situation_type="SCAM", contact_information=CONTACT
    )
    made = await client.create_funds_recovery(
        CreateFundsRecoveryRequest(participant=client.ispb, funds_recovery=wanted)
    )
    return await client.get_funds_recovery(
        GetFundsRecoveryRequest(funds_recovery_id=made.funds_recovery.id, participant=PAYER)
    )
