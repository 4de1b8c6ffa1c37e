"""The decisions of the SPI: a message comes in, `Changes` come out; no clock, no disk, no network.

The engine holds what is under way: PI accounts, payments that wait for their receiver, and those
decided but not yet stored. Finished payments live in the store; whoever calls `pay` looks up there
which EndToEndIds are taken, and for `give_back` what was returned before. A return is a payment
with the roles exchanged. BCB Manual das Interfaces 1.12, message catalogue 5.13.

A step is one message, or one time limit: `begin`, then what decides, and `undo` when that raised.
"""

import heapq
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from datetime import timedelta
from typing import TypeVar

from bacen.simulator import returns
from bacen.simulator.accounts import PiAccounts
from bacen.simulator.changes import Changes, Move, ReceivedMessage, Rejection, Supply
from bacen.simulator.participants import Participant
from bacen.simulator.payments import (
    PENDING,
    REJECTED,
    SETTLED,
    Details,
    Moment,
    Payment,
    encode_details,
    rejected_report,
    report_for,
    settled_report,
    to_ms,
)
from bacen.simulator.receivers import ACCEPT, ALWAYS_ACCEPTS, SILENT, answer
from bacen.validation import message_rule, report_rule, returns_rule, transfer_rule
from bacen.wire import CreditTransfer, Pacs002, Pacs004, Pacs008, PaymentReturn, StatusReport

DUPLICATE_TEXT = "EndToEndId ja utilizado"
DUPLICATE_RETURN_TEXT = "RtrId ja utilizado"
NOT_DUE = "Status nao permitido para esta transacao"
OWN_END_TO_END = frozenset({"MANU", "DICT", "QRES", "QRDN", "APES", "APDN"})

Known = Mapping[str, Payment]
T = TypeVar("T")


class Engine:
    """State of the bank and its rules.

    Args:
        participants: By ISPB.
        accounts: PI accounts of the direct participants.
        connected: Those that are asked and told; the others answer by account number.
        acceptance_timeout_ms: PAGPRI, PAGFRD, and returns.
        scheduled_timeout_ms: PAGAGD.
        return_days: How long after its settlement a payment may be returned.
    """

    def __init__(
        self,
        participants: Mapping[str, Participant],
        accounts: PiAccounts,
        connected: Container[str],
        *,
        acceptance_timeout_ms: int,
        scheduled_timeout_ms: int,
        return_days: int,
    ) -> None:
        self.participants = dict(participants)
        self.accounts = accounts
        self.connected = connected
        self.payments: dict[str, Payment] = {}
        self.supplies: dict[str, Supply] = {}  # decided, not stored yet
        self.moves: dict[str, Move] = {}  # that wait for a confirmation, by the indirect one
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.late_answers = 0
        self._acceptance_timeout_ms = acceptance_timeout_ms
        self._acceptance_timeout = timedelta(milliseconds=acceptance_timeout_ms)
        self._scheduled_timeout_ms = scheduled_timeout_ms
        self._return_days = return_days
        self._deadlines: list[tuple[int, str]] = []
        self._returns: dict[str, set[str]] = {}  # in `payments`: RtrIds by EndToEndId
        self._counted = self.outcomes.copy(), self.late_answers
        self._participants_before: dict[str, Participant | None] = {}  # since `begin`
        self._moves_before: dict[str, Move | None] = {}

    def begin(self) -> Changes:
        """Start a step that `undo` can take back as a whole; gives what it is to change."""
        self.accounts.begin()
        self._counted = self.outcomes.copy(), self.late_answers
        self._participants_before.clear()
        self._moves_before.clear()
        return Changes()

    def undo(self, step: Changes) -> None:
        """Take back all that happened since `begin`, wherever it broke off."""
        self.accounts.undo()
        self.outcomes, self.late_answers = self._counted
        for control_number in step.supplies:
            self.supplies.pop(control_number, None)
        put_back(self.participants, self._participants_before)
        put_back(self.moves, self._moves_before)
        for payment in step.payments.values():
            if payment.message_id in step.received:  # it began in this step
                self._forget(payment)
            else:  # only what is pending is ever changed
                payment.status, payment.reason, payment.finished_ms = PENDING, None, 0
                payment.answered_ms = 0

    def resume(self, pending: Iterable[Payment], moves: Iterable[Move] = ()) -> None:
        """Take up what was pending when the last bank ended; amounts of payments block again."""
        for move in moves:
            self.moves[move.indirect_ispb] = move
            self.postpone(move, move.until_ms)
        for payment in pending:
            if not self.accounts.block(payment.payer, payment.amount_cents):
                raise ValueError("a pending payment is larger than its PI account")
            self.payments[payment.instruction_id] = payment
            if payment.is_return:
                self._returns.setdefault(payment.end_to_end_id, set()).add(payment.instruction_id)
            self._wait(payment)

    def register(self, participant: Participant, changes: Changes) -> None:
        """Let a participant come, change or leave."""
        ispb = participant.ispb
        self._participants_before.setdefault(ispb, self.participants.get(ispb))
        self.participants[ispb] = changes.participants[ispb] = participant

    def ask_to_move(self, move: Move, changes: Changes) -> None:
        """Let a request to settle for another's indirect participant wait for its confirmation."""
        self._set_move(move.indirect_ispb, move, changes)
        self.postpone(move, move.until_ms)

    def end_move(self, ispb: str, changes: Changes) -> None:
        """Forget the request for an indirect participant, if there is one."""
        if ispb in self.moves:
            self._set_move(ispb, None, changes)

    def _set_move(self, ispb: str, move: Move | None, changes: Changes) -> None:
        self._moves_before.setdefault(ispb, self.moves.get(ispb))
        put_back(self.moves, {ispb: move})
        changes.moves[ispb] = move

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
        changes.receive(ReceivedMessage(message.message_id, message.sender, moment.ms, ids))
        for_all = message_rule(message)
        for transfer in message.transfers:
            end_to_end_id = transfer.end_to_end_id
            if end_to_end_id in self.payments or end_to_end_id in known:
                # No record: the one that stands under this id is that of the first payment.
                report = rejected_report(end_to_end_id, end_to_end_id, "FF08", DUPLICATE_TEXT)
                self._tell(message.sender, report, changes)
                self.outcomes["RJCT", "FF08"] += 1
                continue
            reason = for_all.code if for_all else self._refusal(message, transfer, moment)
            self._open(message, transfer, reason, moment, changes)

    def give_back(self, message: Pacs004, known: Known, moment: Moment, changes: Changes) -> None:
        """Take a pacs.004 that was not seen before.

        Args:
            message: Its sender is the participant that sent it.
            known: The payments of the store that have one of the message's RtrIds or EndToEndIds,
                and all returns of the latter.
            moment: Now.
            changes: Is added to.
        """
        ids = [each.return_id for each in message.returns]
        changes.receive(ReceivedMessage(message.message_id, message.sender, moment.ms, ids))
        for_all = returns_rule(message)
        for one in message.returns:
            if one.return_id in self.payments or one.return_id in known:
                report = rejected_report(
                    one.return_id, one.end_to_end_id, "FF08", DUPLICATE_RETURN_TEXT
                )
                self._tell(message.sender, report, changes)
                self.outcomes["RJCT", "FF08"] += 1
                continue
            if for_all is not None:
                reason: str | None = for_all.code
            else:
                reason = self._return_refusal(message.sender, one, known, moment)
            self._open_return(message, one, reason, moment, changes)

    def answer(self, message: Pacs002, moment: Moment, changes: Changes) -> None:
        """Take a receiver's pacs.002: settle or reject what waits for it, count what came late."""
        ids = [each.original_instruction_id for each in message.reports]
        changes.receive(ReceivedMessage(message.message_id, message.sender, moment.ms, ids))
        for report in message.reports:
            rule = report_rule(report)
            payment = self.payments.get(report.original_instruction_id)
            if rule is not None:
                changes.rejections.append(misplaced(message, report, rule.name))
            elif payment is None or payment.status != PENDING:
                self.late_answers += 1
            elif not is_due_from(message, report, payment):
                changes.rejections.append(misplaced(message, report))
            else:
                self._follow_answer(payment, report, moment, changes)

    def due(self, moment: Moment) -> list[Payment | Move]:
        """Hand out, once, what waits past its time limit: to be ended, or for `postpone`."""
        due: dict[str, Payment | Move] = {}
        while self._deadlines and self._deadlines[0][0] <= moment.ms:
            waiting = heapq.heappop(self._deadlines)[1]
            payment, move = self.payments.get(waiting), self.moves.get(waiting)
            # A step that was undone leaves its deadline behind: the own one of each counts.
            if payment is not None and payment.status == PENDING:
                if payment.deadline_ms <= moment.ms:
                    due[waiting] = payment
            elif move is not None and move.until_ms <= moment.ms:
                due[waiting] = move
        return list(due.values())

    def expire(self, payment: Payment, moment: Moment, changes: Changes) -> None:
        """Reject with AB03 what waited too long."""
        self._reject(payment, "AB03", (), moment, changes)

    def postpone(self, waiting: Payment | Move, until_ms: int) -> None:
        """Let something be due, or once more, at this time."""
        # An ISPB is no EndToEndId: one heap has both.
        key = waiting.indirect_ispb if isinstance(waiting, Move) else waiting.instruction_id
        heapq.heappush(self._deadlines, (until_ms, key))

    def repeat(self, received: ReceivedMessage, ispb: str, known: Known, changes: Changes) -> None:
        """Tell the sender of a repeated BizMsgIdr again how its finished payments ended.

        A manual says only that the repetition changes nothing; a participant that lost the
        outcome could otherwise learn it by camt.060 alone.
        """
        for instruction_id in received.instruction_ids:
            payment = self.payments.get(instruction_id) or known.get(instruction_id)
            if payment is None:
                continue
            if payment.payer == ispb and payment.message_id != received.message_id:
                text = DUPLICATE_RETURN_TEXT if payment.is_return else DUPLICATE_TEXT
                original = payment.end_to_end_id
                report: StatusReport | None = rejected_report(
                    instruction_id, original, "FF08", text
                )
            else:
                report = report_for(payment, ispb)
            if report is not None:
                changes.report(ispb, report)

    def stored(self, changes: Changes, newer: Changes) -> list[Payment]:
        """Forget what a stored batch finished and no newer batch touches; gives those payments."""
        finished = [
            payment
            for instruction_id, payment in changes.payments.items()
            if payment.status != PENDING and instruction_id not in newer.payments
        ]
        for payment in finished:
            self._forget(payment)
        for control_number in changes.supplies:
            self.supplies.pop(control_number, None)
        return finished

    def _refusal(self, message: Pacs008, transfer: CreditTransfer, moment: Moment) -> str | None:
        rule = transfer_rule(transfer, moment.window, message.priority)
        if rule is not None:
            return rule.code
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
        receiver = self.participants.get(transfer.creditor_ispb)
        if payer is None or receiver is None:
            return "RC09" if payer is None else "RC10"
        if not payer.settled_by or not receiver.settled_by:  # one that has left
            return "DS27"
        if payer.settled_by not in self.accounts:
            return "RC09"
        if payer.settled_by != sender:
            return "AGNT"
        owner = transfer.end_to_end_id[1:9]
        if owner != transfer.debtor_ispb and transfer.local_instrument in OWN_END_TO_END:
            return "FF08"
        return None if receiver.settled_by in self.accounts else "RC10"

    def _return_refusal(
        self, sender: str, one: PaymentReturn, known: Known, moment: Moment
    ) -> str | None:
        original_id = one.end_to_end_id
        original = self.payments.get(original_id) or known.get(original_id)
        reason = returns.return_reason(one, original, sender, moment, self._return_days)
        if reason is not None or original is None:
            return reason
        # What is here is newer than what the store says of it.
        here = {each: self.payments[each] for each in self._returns.get(original_id, ())}
        returned_cents = returns.returned_cents(original_id, {**known, **here}.values())
        if returned_cents + one.amount_cents > original.amount_cents:
            return "AM09"
        return None if self.accounts.block(sender, one.amount_cents) else "AM04"

    def _open(
        self,
        message: Pacs008,
        transfer: CreditTransfer,
        reason: str | None,
        moment: Moment,
        changes: Changes,
    ) -> None:
        details = Details(
            transfer=transfer, priority=message.priority, service_level=message.service_level
        )
        payment = Payment(
            transfer.end_to_end_id,
            transfer.end_to_end_id,
            message.message_id,
            message.sender,
            self._settled_by(transfer.creditor_ispb),
            transfer.amount_cents,
            received_ms=moment.ms,
            details=encode_details(details),
        )
        self.payments[payment.instruction_id] = changes.payments[payment.instruction_id] = payment
        if reason is not None:
            self._refuse(payment, reason, moment, changes)
            return
        virtual = ACCEPT
        if payment.receiver in self.connected:
            address = (payment.receiver, message.priority, message.service_level)
            changes.forwards.setdefault(address, []).append(transfer)
            virtual = SILENT
        elif transfer.creditor_ispb != ALWAYS_ACCEPTS:
            virtual = answer(transfer.creditor_account.number)
        if virtual == SILENT:
            payment.deadline_ms = self._deadline_ms(message.service_level, transfer, moment)
        self._follow(payment, virtual, moment, changes)

    def _open_return(
        self,
        message: Pacs004,
        one: PaymentReturn,
        reason: str | None,
        moment: Moment,
        changes: Changes,
    ) -> None:
        payment = Payment(
            one.return_id,
            one.end_to_end_id,
            message.message_id,
            message.sender,
            self._settled_by(one.debtor_ispb),
            one.amount_cents,
            received_ms=moment.ms,
            deadline_ms=moment.ms + self._acceptance_timeout_ms,
            details=encode_details(Details(returned=one, priority=one.priority)),
        )
        self.payments[one.return_id] = changes.payments[one.return_id] = payment
        self._returns.setdefault(one.end_to_end_id, set()).add(one.return_id)
        if reason is not None:
            self._refuse(payment, reason, moment, changes)
        elif payment.receiver in self.connected:
            changes.returns.setdefault(payment.receiver, []).append(one)
            self._follow(payment, SILENT, moment, changes)
        else:
            self._follow(payment, answer(one.additional or ""), moment, changes)

    def _settled_by(self, ispb: str) -> str:
        participant = self.participants.get(ispb)
        return participant.settled_by if participant is not None else ispb

    def _refuse(self, payment: Payment, reason: str, moment: Moment, changes: Changes) -> None:
        """End what no money was blocked for; only the sender learns of it."""
        self._finish(payment, REJECTED, reason, moment)
        report = rejected_report(payment.instruction_id, payment.end_to_end_id, reason)
        self._tell(payment.payer, report, changes)

    def _follow(self, payment: Payment, virtual: str, moment: Moment, changes: Changes) -> None:
        """Do what a virtual participant answers; one that was asked has not answered yet."""
        if virtual == ACCEPT:
            self._settle(payment, moment, changes)
        elif virtual == SILENT:
            self._wait(payment)
        else:
            self._reject(payment, virtual, (), moment, changes)

    def _follow_answer(
        self, payment: Payment, report: StatusReport, moment: Moment, changes: Changes
    ) -> None:
        """Do what the receiver answers; the time goes last, when `undo` knows the payment."""
        if report.status == "ACSP":
            self._settle(payment, moment, changes)
        else:
            self._reject(payment, report.reasons[0], report.additional, moment, changes)
        payment.answered_ms = moment.ms

    def _forget(self, payment: Payment) -> None:
        self.payments.pop(payment.instruction_id, None)
        if payment.is_return and payment.end_to_end_id in self._returns:
            others = self._returns[payment.end_to_end_id]
            others.discard(payment.instruction_id)
            if not others:
                del self._returns[payment.end_to_end_id]

    def _deadline_ms(self, service_level: str, transfer: CreditTransfer, moment: Moment) -> int:
        if service_level == "PAGPRI":
            # A payer's fast clock does not lengthen the limit.
            return min(to_ms(transfer.accepted_at), moment.ms) + self._acceptance_timeout_ms
        if service_level == "PAGAGD":
            return moment.ms + self._scheduled_timeout_ms
        return moment.ms + self._acceptance_timeout_ms

    def _wait(self, payment: Payment) -> None:
        heapq.heappush(self._deadlines, (payment.deadline_ms, payment.instruction_id))

    def _settle(self, payment: Payment, moment: Moment, changes: Changes) -> None:
        payer, receiver = payment.payer, payment.receiver
        self.accounts.settle(payer, receiver, payment.amount_cents)
        changes.accounts.add(payer)
        changes.accounts.add(receiver)
        changes.payments[payment.instruction_id] = payment
        self._finish(payment, SETTLED, None, moment)
        if payer in self.connected:
            changes.report(payer, settled_report(payment, "ACSC", moment))
        if receiver in self.connected:
            changes.report(receiver, settled_report(payment, "ACCC", moment))

    def _reject(
        self,
        payment: Payment,
        reason: str,
        additional: tuple[str, ...],
        moment: Moment,
        changes: Changes,
    ) -> None:
        self.accounts.unblock(payment.payer, payment.amount_cents)
        changes.payments[payment.instruction_id] = payment
        self._finish(payment, REJECTED, reason, moment)
        report = rejected_report(payment.instruction_id, payment.end_to_end_id, reason, *additional)
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


def put_back(live: dict[str, T], before: Mapping[str, T | None]) -> None:
    """Make entries what they were; None: there was none."""
    for key, value in before.items():
        if value is None:
            live.pop(key, None)
        else:
            live[key] = value


def is_due_from(message: Pacs002, report: StatusReport, payment: Payment) -> bool:
    """Say whether this is the answer of the one that was asked, to what it was asked."""
    return payment.receiver == message.sender and payment.end_to_end_id == report.end_to_end_id


def misplaced(message: Pacs002, report: StatusReport, rule: str = "") -> Rejection:
    """Refuse an answer that breaks a rule, or is not for this participant to give."""
    return Rejection(
        ispb=message.sender,
        reference=message.message_id,
        reason="CH16",
        location="/Envelope/Document/FIToFIPmtStsRpt/TxInfAndSts",
        description=f"Status nao permitido: {rule}" if rule else NOT_DUE,
        additional_data=f"EndToEndId={report.end_to_end_id}",
    )
