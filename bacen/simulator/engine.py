"""The decisions of the SPI: a message comes in, `Changes` come out; no clock, no disk, no network.

The engine holds what is under way: PI accounts, payments that wait for their receiver, and those
decided but not yet stored. Finished payments live in the store; whoever calls `pay` looks up there
which EndToEndIds are taken. BCB Manual das Interfaces 1.12, message catalogue 5.13.

A step is one message, or one time limit: `begin`, then what decides, and `undo` when that raised.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta

import msgspec

from bacen.simulator.accounts import PiAccounts
from bacen.simulator.participants import Participant
from bacen.simulator.payments import (
    PENDING,
    REJECTED,
    SETTLED,
    Moment,
    Payment,
    rejected_report,
    report_for,
    settled_report,
    to_ms,
)
from bacen.simulator.receivers import ACCEPT, SILENT, answer
from bacen.validation import message_reason, transfer_reason
from bacen.wire import CreditTransfer, Pacs002, Pacs008, StatusReport

DUPLICATE_TEXT = "EndToEndId ja utilizado"
OWN_END_TO_END = frozenset({"MANU", "DICT", "QRES", "QRDN", "APES", "APDN"})

Known = Mapping[str, Payment]


class Rejection(msgspec.Struct, frozen=True):
    """A message that the bank could not take: becomes an admi.002."""

    ispb: str
    reference: str
    reason: str
    location: str | None = None
    description: str | None = None
    additional_data: str | None = None


class ReceivedMessage(msgspec.Struct, frozen=True, array_like=True):
    """A BizMsgIdr that is taken, and the payments it speaks of."""

    message_id: str
    ispb: str
    at_ms: int
    end_to_end_ids: list[str]


class Changes:
    """What a batch of messages changed and whom the bank has to tell."""

    __slots__ = ("accounts", "forwards", "payments", "received", "rejections", "reports")

    def __init__(self) -> None:
        self.accounts: set[str] = set()
        self.payments: dict[str, Payment] = {}
        self.received: dict[str, ReceivedMessage] = {}
        self.reports: dict[str, list[StatusReport]] = {}
        self.forwards: dict[tuple[str, str, str], list[CreditTransfer]] = {}
        self.rejections: list[Rejection] = []

    def report(self, ispb: str, report: StatusReport) -> None:
        self.reports.setdefault(ispb, []).append(report)

    def add(self, step: "Changes") -> None:
        """Take over what one step changed."""
        self.accounts |= step.accounts
        self.payments |= step.payments
        self.received |= step.received
        for ispb, reports in step.reports.items():
            self.reports.setdefault(ispb, []).extend(reports)
        for address, transfers in step.forwards.items():
            self.forwards.setdefault(address, []).extend(transfers)
        self.rejections += step.rejections


class Engine:
    """State of the bank and its rules.

    Args:
        participants: By ISPB.
        accounts: PI accounts of the direct participants.
        connected: Those that are asked over ICOM; the others answer by account number.
        acceptance_timeout_ms: PAGPRI and PAGFRD.
        scheduled_timeout_ms: PAGAGD.
    """

    def __init__(
        self,
        participants: Mapping[str, Participant],
        accounts: PiAccounts,
        connected: Iterable[str],
        *,
        acceptance_timeout_ms: int,
        scheduled_timeout_ms: int,
    ) -> None:
        self.participants = participants
        self.accounts = accounts
        self.connected = frozenset(connected)
        self.payments: dict[str, Payment] = {}
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.late_answers = 0
        self._acceptance_timeout_ms = acceptance_timeout_ms
        self._acceptance_timeout = timedelta(milliseconds=acceptance_timeout_ms)
        self._scheduled_timeout_ms = scheduled_timeout_ms
        self._deadlines: list[tuple[int, str]] = []
        self._counted = self.outcomes.copy(), self.late_answers

    def begin(self) -> Changes:
        """Start a step that `undo` can take back as a whole; gives what it is to change."""
        self.accounts.begin()
        self._counted = self.outcomes.copy(), self.late_answers
        return Changes()

    def undo(self, step: Changes) -> None:
        """Take back all that happened since `begin`, wherever it broke off."""
        self.accounts.undo()
        self.outcomes, self.late_answers = self._counted
        for end_to_end_id, payment in step.payments.items():
            if payment.message_id in step.received:  # it began in this step
                del self.payments[end_to_end_id]
            else:  # only what is pending is ever changed
                payment.status, payment.reason, payment.finished_ms = PENDING, None, 0

    def resume(self, pending: Iterable[Payment]) -> None:
        """Take up payments that were pending when the last bank ended; amounts block again."""
        for payment in pending:
            if not self.accounts.block(payment.payer, payment.amount_cents):
                raise ValueError("a pending payment is larger than its PI account")
            self._wait(payment)

    def next_deadline_ms(self) -> int | None:
        return self._deadlines[0][0] if self._deadlines else None

    def pay(self, message: Pacs008, known: Known, moment: Moment, changes: Changes) -> None:
        """Take a pacs.008 that was not seen before.

        Args:
            message: Its sender is the participant that sent it.
            known: The payments of the store that have one of the message's EndToEndIds.
            moment: Now.
            changes: Is added to.
        """
        ids = [each.end_to_end_id for each in message.transfers]
        changes.received[message.message_id] = ReceivedMessage(
            message.message_id, message.sender, moment.ms, ids
        )
        for_all = message_reason(message)
        for transfer in message.transfers:
            end_to_end_id = transfer.end_to_end_id
            if end_to_end_id in self.payments or end_to_end_id in known:
                # No record: the one that stands under this id is that of the first payment.
                report = rejected_report(end_to_end_id, "FF08", DUPLICATE_TEXT)
                self._tell(message.sender, report, changes)
                self.outcomes["RJCT", "FF08"] += 1
                continue
            reason = for_all or self._refusal(message, transfer, moment)
            self._open(message, transfer, reason, moment, changes)

    def answer(self, message: Pacs002, moment: Moment, changes: Changes) -> None:
        """Take a receiver's pacs.002: settle or reject what waits for it, count what came late."""
        ids = [each.end_to_end_id for each in message.reports]
        changes.received[message.message_id] = ReceivedMessage(
            message.message_id, message.sender, moment.ms, ids
        )
        for report in message.reports:
            payment = self.payments.get(report.end_to_end_id)
            if payment is None or payment.status != PENDING:
                self.late_answers += 1
            elif payment.receiver != message.sender or report.status not in {"ACSP", "RJCT"}:
                changes.rejections.append(misplaced(message, report))
            elif report.status == "ACSP":
                self._settle(payment, moment, changes)
            else:
                reason = report.reasons[0] if report.reasons else "ED05"
                self._reject(payment, reason, report.additional, moment, changes)

    def due(self, moment: Moment) -> list[Payment]:
        """Hand out, once, what waits past its time limit: for `expire` or `postpone`."""
        due: dict[str, Payment] = {}
        while self._deadlines and self._deadlines[0][0] <= moment.ms:
            payment = self.payments.get(heapq.heappop(self._deadlines)[1])
            if payment is None or payment.status != PENDING:
                continue
            # A step that was undone leaves its deadline behind: the payment's own one counts.
            if payment.deadline_ms <= moment.ms:
                due[payment.end_to_end_id] = payment
        return list(due.values())

    def expire(self, payment: Payment, moment: Moment, changes: Changes) -> None:
        """Reject with AB03 what waited too long."""
        self._reject(payment, "AB03", (), moment, changes)

    def postpone(self, payment: Payment, until_ms: int) -> None:
        """Let a payment be due once more, later."""
        heapq.heappush(self._deadlines, (until_ms, payment.end_to_end_id))

    def repeat(self, received: ReceivedMessage, ispb: str, known: Known, changes: Changes) -> None:
        """Tell the sender of a repeated BizMsgIdr again how its finished payments ended.

        A manual says only that the repetition changes nothing; a participant that lost the
        outcome could otherwise learn it by camt.060 alone.
        """
        for end_to_end_id in received.end_to_end_ids:
            payment = self.payments.get(end_to_end_id) or known.get(end_to_end_id)
            if payment is None:
                continue
            if payment.payer == ispb and payment.message_id != received.message_id:
                report: StatusReport | None = rejected_report(end_to_end_id, "FF08", DUPLICATE_TEXT)
            else:
                report = report_for(payment, ispb)
            if report is not None:
                changes.report(ispb, report)

    def stored(self, changes: Changes, newer: Changes) -> None:
        """Forget the finished payments of a stored batch that no newer batch touches."""
        for end_to_end_id, payment in changes.payments.items():
            if payment.status != PENDING and end_to_end_id not in newer.payments:
                del self.payments[end_to_end_id]

    def _refusal(self, message: Pacs008, transfer: CreditTransfer, moment: Moment) -> str | None:
        reason = transfer_reason(transfer, moment.window)
        if reason is not None:
            return reason
        reason = self._parties_reason(message.sender, transfer)
        if reason is not None:
            return reason
        # A difference, because the last years of the calendar leave no room for a sum.
        is_late = moment.at - transfer.accepted_at >= self._acceptance_timeout
        if is_late and message.service_level == "PAGPRI":
            return "AB03"
        if not self.accounts.block(message.sender, transfer.amount_cents):
            return "AM04"
        return None

    def _parties_reason(self, sender: str, transfer: CreditTransfer) -> str | None:
        payer = self.participants.get(transfer.debtor_ispb)
        if payer is None or payer.settled_by not in self.accounts:
            return "RC09"
        if payer.settled_by != sender:
            return "AGNT"
        owner = transfer.end_to_end_id[1:9]
        if owner != transfer.debtor_ispb and transfer.local_instrument in OWN_END_TO_END:
            return "FF08"
        receiver = self.participants.get(transfer.creditor_ispb)
        if receiver is None or receiver.settled_by not in self.accounts:
            return "RC10"
        return None

    def _open(
        self,
        message: Pacs008,
        transfer: CreditTransfer,
        reason: str | None,
        moment: Moment,
        changes: Changes,
    ) -> None:
        end_to_end_id = transfer.end_to_end_id
        agent = self.participants.get(transfer.creditor_ispb)
        receiver = agent.settled_by if agent is not None else transfer.creditor_ispb
        payment = Payment(
            end_to_end_id, message.message_id, message.sender, receiver, transfer.amount_cents
        )
        self.payments[end_to_end_id] = changes.payments[end_to_end_id] = payment
        if reason is not None:
            self._finish(payment, REJECTED, reason, moment)
            self._tell(message.sender, rejected_report(end_to_end_id, reason), changes)
            return
        virtual = ACCEPT if receiver in self.connected else answer(transfer.creditor_account.number)
        if receiver in self.connected:
            address = (receiver, message.priority, message.service_level)
            changes.forwards.setdefault(address, []).append(transfer)
            virtual = SILENT
        if virtual == ACCEPT:
            self._settle(payment, moment, changes)
        elif virtual == SILENT:
            payment.deadline_ms = self._deadline_ms(message.service_level, transfer, moment)
            self._wait(payment)
        else:
            self._reject(payment, virtual, (), moment, changes)

    def _deadline_ms(self, service_level: str, transfer: CreditTransfer, moment: Moment) -> int:
        if service_level == "PAGPRI":
            # A payer's fast clock does not lengthen the limit.
            return min(to_ms(transfer.accepted_at), moment.ms) + self._acceptance_timeout_ms
        if service_level == "PAGAGD":
            return moment.ms + self._scheduled_timeout_ms
        return moment.ms + self._acceptance_timeout_ms

    def _wait(self, payment: Payment) -> None:
        self.payments[payment.end_to_end_id] = payment
        heapq.heappush(self._deadlines, (payment.deadline_ms, payment.end_to_end_id))

    def _settle(self, payment: Payment, moment: Moment, changes: Changes) -> None:
        payer, receiver = payment.payer, payment.receiver
        self.accounts.settle(payer, receiver, payment.amount_cents)
        changes.accounts.add(payer)
        changes.accounts.add(receiver)
        changes.payments[payment.end_to_end_id] = payment
        self._finish(payment, SETTLED, None, moment)
        if payer in self.connected:
            changes.report(payer, settled_report(payment.end_to_end_id, "ACSC", moment))
        if receiver in self.connected:
            changes.report(receiver, settled_report(payment.end_to_end_id, "ACCC", moment))

    def _reject(
        self,
        payment: Payment,
        reason: str,
        additional: tuple[str, ...],
        moment: Moment,
        changes: Changes,
    ) -> None:
        self.accounts.unblock(payment.payer, payment.amount_cents)
        changes.payments[payment.end_to_end_id] = payment
        self._finish(payment, REJECTED, reason, moment)
        report = rejected_report(payment.end_to_end_id, reason, *additional)
        self._tell(payment.payer, report, changes)
        self._tell(payment.receiver, report, changes)

    def _tell(self, ispb: str, report: StatusReport, changes: Changes) -> None:
        if ispb in self.connected:  # nobody reads what a virtual participant is told
            changes.report(ispb, report)

    def _finish(self, payment: Payment, status: str, reason: str | None, moment: Moment) -> None:
        payment.status = status
        payment.reason = reason
        payment.finished_ms = moment.ms
        self.outcomes["RJCT" if reason else "ACSC", reason or ""] += 1


def misplaced(message: Pacs002, report: StatusReport) -> Rejection:
    return Rejection(
        ispb=message.sender,
        reference=message.message_id,
        reason="CH16",
        location="/Envelope/Document/FIToFIPmtStsRpt/TxInfAndSts",
        description="Status nao permitido para esta transacao",
        additional_data=f"EndToEndId={report.end_to_end_id}",
    )
