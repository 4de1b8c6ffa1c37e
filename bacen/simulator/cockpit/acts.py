"""What the bank does by itself in a step: its virtual participants pay, return, claim, contest."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from actors import ActorError, Node
from bacen.dict import (
    Account,
    ClaimDecisionRequest,
    CompleteClaimRequest,
    ContactInformation,
    CreateClaimRequest,
    CreateFundsRecoveryRequest,
    Entry,
    EntryResponse,
    NewClaim,
    NewFundsRecovery,
    Person,
)
from bacen.simulator.cockpit.run import Run, StepState
from bacen.simulator.cockpit.sights import Noticed, claim_of
from bacen.simulator.dict import DIRECTORY, Ask, Asked, DictRefusal
from bacen.simulator.errors import BankFault
from bacen.simulator.requests import SETTLEMENT, GetPayment, Originate
from bacen.simulator.virtual_payer import VIRTUAL_PAYER, VirtualOrder, pacs008_of
from bacen.simulator.virtual_returner import ReturnOrder, pacs004_of
from bacen.simulator.watching import SCHEDULED
from bacen.wire import InvalidMessage

CENTS: Final = 1_050
MUCH_CENTS: Final = 50_000  # above what a tracking graph leaves out
REFUSAL_TEXT: Final = "AC07 conta encerrada"
TIMEOUT_MS: Final = 10_000
UUID_BITS = 128
OTHERS: Final = (
    Person(type="NATURAL_PERSON", tax_id_number="52998224725", name="Fulano de Teste"),
    Person(type="NATURAL_PERSON", tax_id_number="39053344705", name="Fulano de Teste"),
)
CONTACT: Final = ContactInformation(email="med@example.com", phone="+551130000000")


class ActFailed(Exception):
    """The bank could not do its part of a step; the text says why."""


class Acts:
    """Does what steps need.

    Args:
        node: Of the bank.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    async def do(self, name: str, run: Run, step: StepState, cause: Noticed | None) -> None:
        """Do one thing and write it down in the step.

        Args:
            name: Of the act.
            run: Names the account to be paid.
            step: Under way.
            cause: What was seen before, where the act follows on something.

        Raises:
            ActFailed: It could not be done.
        """
        try:
            if cause is None:
                await self._pay(name, run, step)
            elif name.startswith("give_back"):
                await self._give_back(name, step, cause)
            elif name == "recover":
                await self._recover(step, cause)
            else:
                await self._claim(name, step, cause)
        except (ActorError, BankFault) as error:
            raise ActFailed(f"{name}: {type(error).__name__}") from None
        except DictRefusal as refusal:
            raise ActFailed(f"{name}: {refusal.type}") from None
        except InvalidMessage as error:
            raise ActFailed(f"{name}: {error.path}: {error.problem}") from None

    async def _pay(self, name: str, run: Run, step: StepState) -> None:
        payee = run.payee
        is_wrong = name == "pay_wrong_account"
        order = VirtualOrder(
            receiver_ispb=run.participant,
            account_number=payee.wrong_account_number if is_wrong else payee.account_number,
            tax_id=payee.tax_id,
            amount_cents=MUCH_CENTS if name == "pay_much" else CENTS,
            account_type=payee.account_type,
            branch=payee.branch,
        )
        message = pacs008_of(order, self._node.ids, self._now())
        if name == "pay_scheduled":
            message = msgspec.structs.replace(message, priority="NORM", service_level=SCHEDULED)
        end_to_end_id = message.transfers[0].end_to_end_id
        step.ordered.append(end_to_end_id)
        await self._order(message)
        step.done.append(f"99999A03 sent pacs.008 {message.message_id} with {end_to_end_id}")

    async def _give_back(self, name: str, step: StepState, cause: Noticed) -> None:
        end_to_end_id = str(cause.told["end_to_end_id"])
        text = None if name == "give_back" else REFUSAL_TEXT
        asked = GetPayment(end_to_end_id)
        original = await self._node.call(SETTLEMENT, asked, timeout_ms=TIMEOUT_MS)
        order = ReturnOrder(end_to_end_id=end_to_end_id, additional=text)
        message = pacs004_of(order, original, self._node.ids, self._now())
        return_id = message.returns[0].return_id
        step.ordered.append(return_id)
        await self._order(message)
        step.done.append(f"{message.sender} sent pacs.004 {message.message_id} with {return_id}")

    async def _recover(self, step: StepState, cause: Noticed) -> None:
        root = str(cause.told["end_to_end_id"])
        wanted = NewFundsRecovery(
            root_transaction_id=root, situation_type="SCAM", contact_information=CONTACT
        )
        request = CreateFundsRecoveryRequest(participant=VIRTUAL_PAYER, funds_recovery=wanted)
        answer = await self._ask("createFundsRecovery", VIRTUAL_PAYER, request)
        step.done.append(f"99999A03 began the recovery {answer.funds_recovery.id} of {root}")

    async def _claim(self, name: str, step: StepState, cause: Noticed) -> None:
        response = cause.told["response"]
        if isinstance(response, EntryResponse):
            kind: Any = "OWNERSHIP" if name == "claim_ownership" else "PORTABILITY"
            request = CreateClaimRequest(claim=wanted_claim(response.entry, kind, self._now()))
            made = await self._ask("createClaim", VIRTUAL_PAYER, request)
            step.done.append(f"99999A03 made the claim {made.claim.id}")
            return
        claim = claim_of(response)
        assert claim is not None  # the check before says so
        if name == "confirm_claim":
            donor = claim.donor_participant
            decision = ClaimDecisionRequest(
                claim_id=claim.id, participant=donor, reason="USER_REQUESTED"
            )
            await self._ask("confirmClaim", donor, decision)
            step.done.append(f"{donor} confirmed the claim {claim.id}")
            return
        request_id = UUID(int=self._node.rng.getrandbits(UUID_BITS), version=4)
        completion = CompleteClaimRequest(
            claim_id=claim.id, participant=VIRTUAL_PAYER, request_id=request_id
        )
        await self._ask("completeClaim", VIRTUAL_PAYER, completion)
        step.done.append(f"99999A03 completed the claim {claim.id}")

    async def _order(self, message: Any) -> None:
        await self._node.call(SETTLEMENT, Originate(message), timeout_ms=TIMEOUT_MS)

    async def _ask(self, operation: str, by: str, request: object) -> Any:
        head = {"response_time": self._now(), "correlation_id": self._node.ids.new_id().hex}
        asked = Asked(by=by, request=request, head=head, files_url="")
        return await self._node.call(DIRECTORY, Ask(operation, asked), timeout_ms=TIMEOUT_MS)

    def _now(self) -> datetime:
        return self._node.clock.now()


def wanted_claim(entry: Entry, kind: Any, now: datetime) -> NewClaim:
    """Claim a key for an account at the virtual payer: of its owner, or of another person."""
    owner = entry.owner
    if kind == "OWNERSHIP":
        owner = next(each for each in OTHERS if each.tax_id_number != owner.tax_id_number)
    account = Account(
        participant=VIRTUAL_PAYER,
        branch="0001",
        account_number="1",
        account_type="CACC",
        opening_date=now,
    )
    return NewClaim(
        type=kind, key=entry.key, key_type=entry.key_type, claimer_account=account, claimer=owner
    )
