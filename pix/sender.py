"""SPI sender: payments out of the table of open payments, signed messages into the SPI.

A sender does one round at a time: take what waits in its lane (up to 10 payments a message, 10
messages a POST), sign, have the writer store the bytes, POST them. What arrives meanwhile is the
next round; there is no timer in batching. Several lanes keep several rounds under way.

Bytes are stored before they are sent, so a retry, by this sender or by its successor after a crash,
sends the same BizMsgIdr, and the SPI drops what it already has (idempotent for 24 h, BCB Manual das
Interfaces 1.12). An answer 201 is not the end: a message without outcome is sent again, unchanged,
after a while. A 4xx is: nothing was stored, so the payments have failed, unless an earlier attempt
may have been; then they wait for the SPI, and the message is not sent again.

A payment that the SPI would refuse by its rules is not sent: it fails here, and raises an alarm,
because the intake lets none such in. What was right and waited too long may be among them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from actors import Continue, GenServer, IdleTimeout, NoReply, Target
from bacen import RuleBroken
from bacen.icom import Icom, IcomRefused, IcomUnknown, MessageRejected
from bacen.signing import Signed, SigningUnavailable, sign
from bacen.validation import check
from bacen.wire import SPI_ISPB, Pacs008, WireError
from ledger import Committed, Entry
from pix.committing import commit
from pix.conclusion import conclusion
from pix.events import payment_event
from pix.open_payments import OpenPayments
from pix.payments import (
    MESSAGE_LEG,
    Outcome,
    Payment,
    PaymentStatus,
    base62,
    credit_transfer,
    leg,
)
from pix.records import MessageSent, NewPayment, StoreMessage
from pix.store import PaymentReader

PAYMENTS_PER_MESSAGE_MAX = 10  # PAGPRI, BCB catalogue
MESSAGES_PER_POST_MAX = 10  # BCB Manual das Interfaces 1.12
RESEND_AFTER_SECONDS = 60
SWEEP_MS = 5_000
BACK_OFF_MS_MIN = 100
BACK_OFF_MS_MAX = 5_000
UNWRITABLE = "invalid_message"  # reason of a payment that no pacs.008 can carry
REFUSED = "message_refused"  # reason of a payment whose message ICOM did not store (4xx)
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Wake:
    """There is work in the table; `is_after_load` when it was just loaded and may hold old work."""

    is_after_load: bool = False


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """What all senders of a shard have in common: institution, who signs, who writes, who counts.

    Attributes:
        tenant: ISPB of the institution.
        signer: A pool of `bacen.signing.signer_pool`.
        writer: The shard's writer.
        key_paid: Told, once, the payer's tax id and the key of each payment to a key that was sent.
    """

    tenant: str
    signer: Target
    writer: Target
    key_paid: Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class _Draft:
    """Payments in one message that is not signed yet; why it cannot be sent, if it cannot."""

    id: UUID
    waiting: Sequence[NewPayment]
    message: Pacs008 | WireError


@dataclass(frozen=True, slots=True)
class _Outgoing:
    id: UUID
    body: bytes
    end_to_end_ids: tuple[str, ...]


class SpiSender(GenServer):
    """See the module. Lives and dies with the shard writer (rest_for_one)."""

    def __init__(
        self,
        lane: int,
        settings: SenderSettings,
        opened: OpenPayments,
        icom: Icom,
        reader: PaymentReader,
    ) -> None:
        self._lane = lane
        self._tenant = settings.tenant
        self._signer = settings.signer
        self._writer = settings.writer
        self._key_paid = settings.key_paid
        self._opened = opened
        self._icom = icom
        self._reader = reader
        self._is_loaded = False
        self._unreported: list[Entry] = []  # events that the next commit takes along
        self._refused: set[UUID] = set()  # messages that may be stored, and got a 4xx since

    async def init(self) -> Continue:
        """Begin with what an earlier sender left."""
        self.node.send_after(SWEEP_MS, self.pid, "sweep")
        return Continue("resend")

    async def handle_continue(self, argument: object) -> NoReply:
        """Send a round, or stored messages again."""
        if not self._is_loaded:
            # The table may be a dead writer's; an empty commit is answered after the load.
            await commit(self.node, self._writer)
            self._is_loaded = True
        if argument == "resend":
            await self._resend()
        return await self._round()

    async def handle_cast(self, message: Wake) -> NoReply:
        """Payments were accepted or loaded: when the mailbox is empty, send them."""
        return NoReply(Continue("resend") if message.is_after_load else IdleTimeout(0))

    async def handle_info(self, message: object) -> NoReply:
        """Idle: send what waits. The sweep: send again what got no outcome."""
        if isinstance(message, MessageRejected):  # the receiver ends its payments
            self._report("rejected", message.rejection.rejecting_party_reason)
        if message == "sweep":
            self.node.send_after(SWEEP_MS, self.pid, "sweep")
            return NoReply(Continue("resend"))
        return await self._round()

    async def _round(self) -> NoReply:
        most = PAYMENTS_PER_MESSAGE_MAX * MESSAGES_PER_POST_MAX
        waiting = list(islice(self._opened.unassigned(self._lane), most))
        if not waiting and not self._unreported:
            return NoReply()
        messages = await self._signed(
            [
                self._draft(waiting[first : first + PAYMENTS_PER_MESSAGE_MAX])
                for first in range(0, len(waiting), PAYMENTS_PER_MESSAGE_MAX)
            ]
        )
        if await self._store(messages) and messages:
            outgoing = [_Outgoing(one.id, one.body, one.end_to_end_ids) for one in messages]
            if await self._post(outgoing, is_unsent=True):
                self._count_keys(waiting, messages)
        return NoReply(Continue("round"))

    def _count_keys(self, waiting: Sequence[NewPayment], sent: Sequence[StoreMessage]) -> None:
        """DICT gives tokens back for them. Some may be final already, so the table is not asked."""
        sent_ids = {one for message in sent for one in message.end_to_end_ids}
        for payment in (each.payment for each in waiting):
            if payment.creditor.key and payment.end_to_end_id in sent_ids:
                self._key_paid(payment.debtor.tax_id, payment.creditor.key)

    async def _signed(self, drafts: Sequence[_Draft]) -> list[StoreMessage]:
        """Messages to be stored; a payment that cannot be sent must not stop the others."""
        ready = [draft.message for draft in drafts if isinstance(draft.message, Pacs008)]
        bodies = iter(await self._sign(ready)) if ready else iter(())
        messages: list[StoreMessage] = []
        for draft in drafts:
            outcome = draft.message if isinstance(draft.message, WireError) else next(bodies)
            if isinstance(outcome, bytes):
                messages.append(_stored(draft, outcome))
            elif len(draft.waiting) == 1:
                self._give_up(draft.waiting[0].payment, outcome)
            else:
                messages += await self._signed([self._draft([one]) for one in draft.waiting])
        return messages

    async def _sign(self, messages: Sequence[Pacs008]) -> tuple[Signed, ...]:
        """Sign each message once; without a key, such as while a token is away, wait for one."""
        while True:
            try:
                return await sign(self.node, self._signer, messages)
            except SigningUnavailable as error:
                self._report("unsigned", str(error))
            await self.node.clock.sleep_ms(BACK_OFF_MS_MAX)

    def _give_up(self, payment: Payment, error: WireError) -> None:
        """End a payment that was never sent, with an alarm: the customer's money is released."""
        reason = error.rule if isinstance(error, RuleBroken) else UNWRITABLE
        self.node.telemetry.execute(
            ("pix", "sender", "alarm"),
            {"count": 1},
            {
                "tenant": self._tenant,
                "end_to_end_id": payment.end_to_end_id,
                "reason": reason,
                "problem": str(error),
            },
        )
        outcome = Outcome(PaymentStatus.FAILED, reason, self.node.clock.now())
        self._unreported.append(conclusion(payment, outcome, outcome.at, is_submitted=True))

    def _draft(self, waiting: Sequence[NewPayment]) -> _Draft:
        # An id made from its last payment: never smaller than its payments', whatever the clock
        # did between two starts, so recovery finds every message that an open payment is in.
        identifier = leg(max(one.payment.payment_id for one in waiting), MESSAGE_LEG)
        message: Pacs008 | WireError
        try:
            written = Pacs008(
                sender=self._tenant,
                receiver=SPI_ISPB,
                message_id=f"M{self._tenant}{base62(identifier.int, 23)}",
                created_at=self.node.clock.now(),
                transfers=tuple(one.transfer or credit_transfer(one.payment) for one in waiting),
            )
            check(written)
            message = written
        except WireError as error:
            message = error
        return _Draft(identifier, waiting, message)

    async def _store(self, messages: Sequence[StoreMessage]) -> bool:
        """Commit the messages, and what is to be reported; False: begin again from the table."""
        entries = (*self._unreported, *(Entry(record=message) for message in messages))
        answers = await commit(self.node, self._writer, *entries)
        kept = answers[len(self._unreported) :]
        self._unreported.clear()
        return all(isinstance(answer, Committed) for answer in kept)

    async def _post(self, messages: Sequence[_Outgoing], *, is_unsent: bool) -> bool:
        """POST until the SPI has stored the messages or refuses them; the bytes never change.

        Returns:
            Whether it has stored them.
        """
        bodies = [message.body for message in messages]
        while True:
            try:
                resource_ids = await self._icom.post(bodies, sender=self.pid)
            except IcomUnknown:  # the transport has reported each attempt
                is_unsent = False
            except IcomRefused as error:
                self._report("refused", str(error))
                if error.status != TOO_MANY:
                    self._not_stored(messages, is_unsent=is_unsent)
                    return False
            else:
                self._sent(messages, resource_ids, self.node.clock.now())
                return True
            await self.node.clock.sleep_ms(
                BACK_OFF_MS_MIN + self.node.rng.randrange(BACK_OFF_MS_MIN)
            )

    def _not_stored(self, messages: Sequence[_Outgoing], *, is_unsent: bool) -> None:
        if not is_unsent:
            self._refused.update(message.id for message in messages)
            return
        outcome = Outcome(PaymentStatus.FAILED, REFUSED, self.node.clock.now())
        for end_to_end_id in (one for message in messages for one in message.end_to_end_ids):
            opened = self._opened.payments.get(end_to_end_id)
            if opened is not None:
                self._unreported.append(
                    conclusion(opened.payment, outcome, outcome.at, is_submitted=True)
                )

    def _sent(
        self, messages: Sequence[_Outgoing], resource_ids: Sequence[str], at: datetime
    ) -> None:
        self.node.telemetry.execute(
            ("pix", "sender", "posted"), {"messages": len(messages)}, {"tenant": self._tenant}
        )
        for message, resource_id in zip(messages, resource_ids, strict=True):
            events = []
            for end_to_end_id in message.end_to_end_ids:
                one = self._opened.payments.get(end_to_end_id)
                if one is not None and not one.is_submitted:
                    one.is_submitted = True
                    events.append(payment_event(one.payment, PaymentStatus.SUBMITTED, None, at))
            self._unreported.append(
                Entry(events=tuple(events), record=MessageSent(message.id, resource_id, at))
            )

    def _report(self, outcome: str, problem: str) -> None:
        self.node.telemetry.execute(
            ("pix", "sender", "post_failed"),
            {"count": 1},
            {"tenant": self._tenant, "outcome": outcome, "problem": problem},
        )

    async def _resend(self) -> None:
        """Send stored messages that were never answered, or long ago, in their own bytes."""
        now = self.node.clock.now()
        due = [
            (identifier, message.end_to_end_ids)
            for identifier, message in self._opened.messages.items()
            if self._opened.lane_of(identifier) == self._lane
            and identifier not in self._refused
            and (
                message.sent_at is None
                or now - message.sent_at > timedelta(seconds=RESEND_AFTER_SECONDS)
            )
        ]
        for first in range(0, len(due), MESSAGES_PER_POST_MAX):
            chunk = due[first : first + MESSAGES_PER_POST_MAX]
            await self._post(
                [
                    _Outgoing(identifier, await self._reader.message_body(identifier), ids)
                    for identifier, ids in chunk
                ],
                is_unsent=False,
            )


def _stored(draft: _Draft, body: bytes) -> StoreMessage:
    assert isinstance(draft.message, Pacs008), "only messages are signed"
    return StoreMessage(
        draft.id,
        draft.message.message_id,
        body,
        tuple(one.payment.end_to_end_id for one in draft.waiting),
        tuple(one.payment.payment_id for one in draft.waiting),
    )
