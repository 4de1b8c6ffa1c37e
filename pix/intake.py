"""Intake: the gate of one shard. Decides in memory whether a payment may be tried.

It never waits: a payment that passes goes on to the shard writer together with the caller's
address, and the writer answers the caller once the hold is durable. So one intake keeps deciding
while a commit runs, and the next batch is there when the commit is done.
"""

from dataclasses import dataclass
from uuid import UUID

from actors import From, GenServer, NoReply, Reply, Target
from bacen.validation import Window, transfer_rule
from bacen.wire import CreditTransfer
from ledger import AccountBook, Commit, CommitFor, Entry, Idempotency, TransferCode, hold
from pix.errors import PaymentRefused
from pix.events import payment_event
from pix.open_payments import OpenPayments
from pix.participants import ParticipantTable
from pix.payments import HOLD_LEG, Payment, PaymentStatus, leg
from pix.records import NewPayment

PRIORITY = "HIGH"  # of every message that carries a payment
OPEN_PAYMENTS_MAX = 200_000  # beyond it new payments are refused: the bank does not answer


@dataclass(frozen=True, slots=True)
class SubmitPayment:
    """Try a payment. The answer is the ledger's: Committed, Refused or Replayed, or a refusal.

    Attributes:
        payment: The payment with its ids; the creditor is resolved.
        transfer: The payment as a transaction of a pacs.008: proof that one can carry it.
        idempotency_key: Key of the client.
        fingerprint: SHA-256 of the request, to tell a repetition from a reuse of the key.
    """

    payment: Payment
    transfer: CreditTransfer
    idempotency_key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSettings:
    """Limits of one institution, in centavos, and where its money at the central bank is kept."""

    tenant: str
    pi_account_id: UUID
    payment_max_cents: int


class PaymentIntake(GenServer):
    """See the module. Reads the tables of others, keeps no state of its own."""

    def __init__(
        self,
        settings: IntakeSettings,
        book: AccountBook,
        participants: ParticipantTable,
        opened: OpenPayments,
        writer: Target,
    ) -> None:
        self._settings = settings
        self._book = book
        self._participants = participants
        self._opened = opened
        self._writer = writer

    async def handle_call(self, request: SubmitPayment, sender: From) -> Reply | NoReply:
        """Refuse at once, or pass on to the writer, which answers."""
        payment = request.payment
        refusal = self._refusal(payment) or self._broken_rule(request.transfer)
        if refusal is not None:
            return Reply(refusal)
        entry = Entry(
            transfers=(
                hold(
                    leg(payment.payment_id, HOLD_LEG),
                    debit_account_id=payment.debtor_account_id,
                    credit_account_id=self._settings.pi_account_id,
                    amount_cents=payment.amount_cents,
                    code=TransferCode.PIX_OUT,
                ),
            ),
            events=(payment_event(payment, PaymentStatus.PROCESSING, None, payment.created_at),),
            idempotency=Idempotency(
                request.idempotency_key, request.fingerprint, payment.payment_id
            ),
            record=NewPayment(payment, request.transfer),
        )
        self.node.cast(self._writer, CommitFor(Commit((entry,)), sender))
        return NoReply()

    def _refusal(self, payment: Payment) -> PaymentRefused | None:
        settings = self._settings
        if len(self._opened.payments) >= OPEN_PAYMENTS_MAX:
            return PaymentRefused("overloaded", "too many payments wait for the central bank")
        if payment.amount_cents > settings.payment_max_cents:
            return PaymentRefused("limit_exceeded", "amount is above the limit", "amount")
        if payment.creditor.ispb == settings.tenant:
            return PaymentRefused(
                "same_institution",
                "payments inside one institution do not pass the SPI (AG12)",
                "creditor_account",
            )
        if not self._participants.is_active(payment.creditor.ispb):
            return PaymentRefused(
                "unknown_participant", "the creditor's institution takes no Pix", "creditor_account"
            )
        account = self._book.account(payment.debtor_account_id)
        if account is None or account.tenant != settings.tenant:
            return PaymentRefused("debtor_account_not_found", "no such account", "debtor")
        return None

    def _broken_rule(self, transfer: CreditTransfer) -> PaymentRefused | None:
        """Refuse now what the SPI would refuse later, while nothing was promised."""
        rule = transfer_rule(transfer, Window(self.node.clock.now()), PRIORITY)
        if rule is None:
            return None
        return PaymentRefused(rule.name, f"the SPI refuses it: {rule.text} ({rule.code})")
