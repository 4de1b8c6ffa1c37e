"""A small participant that does what the script asks: reads both channels, answers, pays, asks."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import uuid4

import msgspec

from bacen.dict import (
    CancelFraudMarkerRequest,
    CheckKeysRequest,
    CloseInfractionReportRequest,
    ContactInformation,
    CreateCidSetFileRequest,
    CreateFraudMarkerRequest,
    CreateFundsRecoveryRequest,
    CreateSyncVerificationRequest,
    DictClient,
    DictRefused,
    FundsRecoveryRequest,
    GetCidSetFileRequest,
    GetFundsRecoveryRequest,
    InfractionReportRequest,
    ListClaimsRequest,
    ListEventNotificationsRequest,
    ListInfractionReportsRequest,
    NewFraudMarker,
    NewFundsRecovery,
    NewSyncVerification,
    UpdateEntryRequest,
    VSync,
)
from bacen.icom import IcomClient, IcomRefused, IcomUnknown
from bacen.simulator import RunningBank, fund, withdraw
from bacen.simulator.receivers import ACCEPT, answer
from bacen.wire import (
    SPI_ISPB,
    AccountId,
    Camt052,
    Camt060,
    CreditTransfer,
    Message,
    Pacs002,
    Pacs004,
    Pacs008,
    Pibr001,
    ReportPeriod,
    StatusReport,
    decode,
)
from tests.bacen.simulator.controls import Controls
from tests.bacen.simulator.desk import Desk, DeskKeys, Schemas, report
from tests.bacen.simulator.dict.member import (
    account,
    acknowledge,
    claim,
    complete,
    confirm,
    delete,
    open_client,
    read,
    register,
)

ACCEPTS = "99999A04"
CONTACT = ContactInformation(email="med@example.com", phone="+551130000000")
POLL_SECONDS = 0.05
AT_ONCE = 4
LOOK_UP = "7d9f0335-8dcc-4054-9bf9-0dbd61d36906"  # Santander's, in the bank's own table


class Reference:
    """One participant; `async with` reads its streams meanwhile.

    Args:
        bank: To which it is connected.
        keys: Its own.
        schemas: For what the bank sends.
    """

    def __init__(self, bank: RunningBank, keys: DeskKeys, schemas: Schemas) -> None:
        self._bank = bank
        self.desk = Desk(bank.url, keys, schemas)
        self.secondary = IcomClient(bank.secondary_url, keys.ispb, keys.context, compress=True)
        self.dict: DictClient = open_client(bank.url, keys)
        self.controls = Controls(bank)
        self.settled: list[str] = []
        self.received: dict[str, CreditTransfer] = {}
        self.files: list[str] = []
        self.phones = 0
        self.step: dict[str, Any] = {}
        self._context = keys.context
        self._keys = keys
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for client in (self.desk.client, self.secondary):
            self._tasks.append(asyncio.create_task(self._read(client)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.desk.close()
        await self.secondary.close()
        await self.dict.close()

    async def play(self, run_id: str) -> dict[str, Any]:
        """Do each step of a run as it comes; gives the run when it has ended."""
        done: set[tuple[str, str]] = set()
        while True:
            run = await self.controls.ask("GET", f"/cockpit/runs/{run_id}")
            if run["state"] != "RUNNING":
                return dict(run)
            for step in run["steps"]:
                turn = (step["id"], str(step["began_at"]))
                if step["state"] == "RUNNING" and turn not in done:
                    done.add(turn)
                    self.step = step
                    if step["capacity"]:
                        await self._capacity(step["capacity"])
                    elif step["id"] in STEPS:
                        await STEPS[step["id"]](self)
            await asyncio.sleep(POLL_SECONDS)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_so():
                await asyncio.sleep(POLL_SECONDS)

    async def _read(self, client: IcomClient) -> None:
        """Read one channel, each delivery confirmed by the next request."""
        following: str | None = None
        while True:
            try:
                delivery = await (client.pull(following) if following else client.start_stream())
            except (IcomRefused, IcomUnknown):
                following = None
                await asyncio.sleep(POLL_SECONDS)
                continue
            following = delivery.next
            answers = [self._take(decode(each.body, self.desk.spi)) for each in delivery.messages]
            reports = [each for some in answers for each in some]
            if reports:
                await self.desk.client.post([self.desk.encode(self.desk.pacs002(*reports))])

    def _take(self, message: Message) -> list[StatusReport]:
        """Answer by account number, and by the text of a return, as the bank's own do."""
        match message:
            case Pacs008(transfers=transfers):
                self.received |= {each.end_to_end_id: each for each in transfers}
                return [
                    verdict_of(report(each, "ACSP"), each.creditor_account.number)
                    for each in transfers
                ]
            case Pacs004(returns=returns):
                return [
                    verdict_of(
                        StatusReport(
                            original_instruction_id=each.return_id,
                            end_to_end_id=each.end_to_end_id,
                            status="ACSP",
                        ),
                        each.additional or "",
                    )
                    for each in returns
                ]
            case Pacs002(reports=reports):
                self.settled += [
                    each.original_instruction_id
                    for each in reports
                    if each.status in {"ACSC", "ACCC"}
                ]
            case Camt052():
                self.files.append(message.files[0].file_hash)
            case _:
                pass
        return []

    async def pay(self, *, is_scheduled: bool = False, **changed: Any) -> str:
        transfer = self.desk.transfer(**{"creditor_ispb": ACCEPTS, **changed})
        message = self.desk.pacs008(transfer)
        if is_scheduled:
            message = msgspec.structs.replace(message, priority="NORM", service_level="PAGAGD")
        client = self.secondary if is_scheduled else self.desk.client
        await client.post([self.desk.encode(message)])
        return transfer.end_to_end_id

    async def send(self, kind: type[Message], **fields: Any) -> None:
        message = kind(
            sender=self.desk.ispb,
            receiver=SPI_ISPB,
            message_id=self.desk.new_message_id(),
            created_at=datetime.now(UTC),
            **fields,
        )
        await self.desk.client.post([self.desk.encode(message)])

    async def echo(self) -> None:
        await self.send(Pibr001, data="homologacao")

    async def send_return(self) -> None:
        end_to_end_id = self.step["done"][0].split()[-1]
        await self.until(lambda: end_to_end_id in self.settled)
        one = self.desk.return_of(self.received[end_to_end_id])
        await self.desk.client.post([self.desk.encode(self.desk.pacs004(one))])

    async def ask_balance(self) -> None:
        await self.send(Camt060, report="camt.053", owner_ispb=self.desk.ispb, balance_type="CSA")

    async def ask_entry(self) -> None:
        entry_id = await self.pay()
        await self.until(lambda: entry_id in self.settled)
        await self.send(Camt060, report="camt.054", owner_ispb=self.desk.ispb, entry_id=entry_id)

    async def ask_file(self) -> None:
        day = datetime.now(UTC).date()
        period = ReportPeriod(first=day - timedelta(days=1), last=day + timedelta(days=1))
        await self.send(
            Camt060,
            report="camt.052",
            owner_ispb=self.desk.ispb,
            balance_type="TRD",
            period=period,
        )
        await self.until(lambda: bool(self.files))
        await self._fetch(self.files[-1])

    async def _fetch(self, sha256: str) -> None:
        """Fetch a file as the client of ICOM would; it has no call of its own for this."""
        channel = self.desk.client._channel
        path = f"/api/v1/out/{self.desk.ispb}/files/{sha256}"
        answered = await channel.send("GET", path, {"Accept": "*/*"})
        assert answered.status == 200

    async def move_liquidity(self) -> None:
        today = datetime.now(UTC).strftime("%Y%m%d")
        await fund(self._bank.node, self.desk.ispb, 100, f"STR{today}{uuid4().hex[:9]}")
        await withdraw(self._bank.node, self.desk.ispb, 100, f"STR{today}{uuid4().hex[:9]}")

    async def refused_payment(self) -> None:
        await self.pay(creditor_ispb="60701190", creditor_account=AccountId("AC0312345"))

    # DICT

    def new_phone(self) -> str:
        self.phones += 1
        return f"+55119{self.phones:08d}"

    async def create(self) -> None:
        await register(self.dict, self.new_phone())

    async def look_up(self) -> None:
        await read(self.dict, LOOK_UP)

    async def change(self) -> None:
        key = self.new_phone()
        await register(self.dict, key)
        changed = account(self.desk.ispb, "2002")
        request = UpdateEntryRequest(key=key, account=changed, reason="USER_REQUESTED")
        await self.dict.update_entry(request)

    async def remove(self) -> None:
        key = self.new_phone()
        await register(self.dict, key)
        await delete(self.dict, key)

    async def check_keys(self) -> None:
        await self.dict.check_keys(CheckKeysRequest(keys=(LOOK_UP, "+5511999887766")))

    async def claim_portability(self) -> None:
        made = await claim(self.dict, "+5521988776655", "PORTABILITY", tax_id="39053344705")
        await self._complete(made.id)

    async def claim_ownership(self) -> None:
        made = await claim(self.dict, "+5511999887766", "OWNERSHIP", tax_id="39053344705")
        await self._complete(made.id)

    async def _complete(self, claim_id: Any) -> None:
        async with asyncio.timeout(20):
            while True:
                with suppress(DictRefused):
                    await complete(self.dict, claim_id)
                    return
                await asyncio.sleep(POLL_SECONDS)

    async def give_key(self) -> None:
        """Register a key; when a claim comes for it, acknowledge and confirm."""
        key = self.new_phone()
        await register(self.dict, key)
        request = ListClaimsRequest(participant=self.desk.ispb, is_donor=True, status=("OPEN",))
        async with asyncio.timeout(20):
            while not (claims := (await self.dict.list_claims(request)).claims):
                await asyncio.sleep(POLL_SECONDS)
        await acknowledge(self.dict, claims[0].id)
        await confirm(self.dict, claims[0].id)

    async def judge_report(self) -> None:
        request = ListInfractionReportsRequest(
            participant=self.desk.ispb, is_counterparty=True, status=("OPEN",)
        )
        async with asyncio.timeout(20):
            while not (
                found := (await self.dict.list_infraction_reports(request)).infraction_reports
            ):
                await asyncio.sleep(POLL_SECONDS)
        known = {"infraction_report_id": found[0].id, "participant": self.desk.ispb}
        await self.dict.acknowledge_infraction_report(InfractionReportRequest(**known))
        await self.dict.close_infraction_report(
            CloseInfractionReportRequest(**known, analysis_result="DISAGREED")
        )

    async def recover(self) -> Any:
        root = await self.pay(creditor_ispb="60701190", amount_cents=50_000)
        await self.until(lambda: root in self.settled)
        wanted = NewFundsRecovery(
            root_transaction_id=root, situation_type="SCAM", contact_information=CONTACT
        )
        made = await self.dict.create_funds_recovery(
            CreateFundsRecoveryRequest(participant=self.desk.ispb, funds_recovery=wanted)
        )
        known = {"funds_recovery_id": made.funds_recovery.id, "participant": self.desk.ispb}
        async with asyncio.timeout(20):
            while True:
                with suppress(DictRefused):
                    await self.dict.get_tracking_graph(GetFundsRecoveryRequest(**known))
                    return known
                await asyncio.sleep(POLL_SECONDS)

    async def ask_refund(self) -> None:
        known = await self.recover()
        async with asyncio.timeout(20):
            while True:
                with suppress(DictRefused):
                    await self.dict.refund_funds_recovery(FundsRecoveryRequest(**known))
                    break
                await asyncio.sleep(POLL_SECONDS)
        await self.dict.list_funds_recovery_refunds(GetFundsRecoveryRequest(**known))

    async def mark_fraud(self) -> None:
        marker = NewFraudMarker(tax_id_number="11144477735", fraud_type="MULE_ACCOUNT")
        request = CreateFraudMarkerRequest(
            participant=self.desk.ispb, fraud_marker=marker, request_id=uuid4()
        )
        made = (await self.dict.create_fraud_marker(request)).fraud_marker
        await self.dict.cancel_fraud_marker(
            CancelFraudMarkerRequest(fraud_marker_id=made.id, participant=self.desk.ispb)
        )

    async def verify_keys(self) -> None:
        own = self.desk.ispb
        verification = NewSyncVerification(
            participant=own, key_type="EMAIL", participant_sync_verifier=str(VSync())
        )
        await self.dict.create_sync_verification(
            CreateSyncVerificationRequest(sync_verification=verification)
        )
        made = await self.dict.create_cid_set_file(
            CreateCidSetFileRequest(participant=own, key_type="EMAIL")
        )
        await self.dict.get_cid_set_file(
            GetCidSetFileRequest(id=made.cid_set_file.id, participant=own)
        )

    async def read_events(self) -> None:
        await self.dict.list_event_notifications(
            ListEventNotificationsRequest(participant=self.desk.ispb)
        )

    async def look_up_many(self, count: int = 1_000) -> None:
        async def some(number: int) -> None:
            for _ in range(number):
                with suppress(DictRefused):
                    await read(self.dict, LOOK_UP)

        await asyncio.gather(*(some(-(-count // AT_ONCE)) for _ in range(AT_ONCE)))

    async def _capacity(self, figures: dict[str, Any]) -> None:
        """Pay at the rate of the test, and look up keys beside it."""
        seconds, rate = figures["seconds"], figures["per_second"]
        looking = asyncio.create_task(self.look_up_many(-(-1_000 * seconds // 600)))
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while sent < rate * seconds:
            due = min(rate * seconds, int((loop.time() - began) * rate * 1.1) + 1)
            while sent < due:
                count = min(10, due - sent)
                some = [self.desk.transfer(creditor_ispb=ACCEPTS) for _ in range(count)]
                await self.desk.pay(*some)
                sent += count
            await asyncio.sleep(POLL_SECONDS)
        await looking


async def nothing(_: Reference) -> None:
    """What the step needs is done by reading and answering."""


STEPS: dict[str, Callable[[Reference], Awaitable[Any]]] = {
    "1": Reference.echo,
    "2a": Reference.pay,
    "2b": nothing,
    "2c": lambda reference: reference.pay(is_scheduled=True),
    "2d": nothing,
    "2e": nothing,
    "2f": Reference.send_return,
    "2g": Reference.pay,
    "2h": Reference.pay,
    "2i": Reference.ask_balance,
    "2j": Reference.ask_entry,
    "2k": Reference.refused_payment,
    "3": Reference.ask_file,
    "4": Reference.move_liquidity,
    "D1": Reference.create,
    "D2": Reference.look_up,
    "D3": Reference.change,
    "D4": Reference.remove,
    "D5": Reference.check_keys,
    "D6": Reference.claim_portability,
    "D7": Reference.give_key,
    "D8": Reference.claim_ownership,
    "D9": Reference.give_key,
    "D10": Reference.judge_report,
    "D11": Reference.recover,
    "D12": Reference.ask_refund,
    "D13": Reference.mark_fraud,
    "D14": Reference.verify_keys,
    "D15": Reference.read_events,
    "D16": Reference.look_up_many,
}


def verdict_of(accepted: StatusReport, text: str) -> StatusReport:
    """Accept, or refuse with the reason that a number or a text begins with."""
    verdict = answer(text)
    if verdict == ACCEPT:
        return accepted
    return msgspec.structs.replace(accepted, status="RJCT", reasons=(verdict,))
