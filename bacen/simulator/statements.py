"""What the bank says about PI accounts: answers to camt.060, and notices that nobody asked for.

camt.053 balances of this moment, camt.054 one entry, camt.052 a file of entries; what cannot be
answered is an admi.002. BCB message catalogue 5.13; where it leaves something open (what a payment
under way is, whose days a period counts): `docs/bank-spi.md`.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from functools import partial
from typing import Any, Protocol

import msgspec

from bacen.simulator.changes import Changes, Draft, FileRequest, Rejection, Supply
from bacen.simulator.engine import Engine
from bacen.simulator.entries import payment_entry, supply_entry
from bacen.simulator.payments import (
    BRASILIA,
    DAY_MS,
    PENDING,
    Moment,
    Payment,
    to_ms,
)
from bacen.validation import broken_rules
from bacen.wire import (
    SPI_ISPB,
    AccountEntry,
    AccountFile,
    Admi004,
    Balance,
    Camt052,
    Camt053,
    Camt054,
    Camt060,
    ReportPeriod,
    Statement,
)

REQUEST = "/Envelope/Document/AcctRptgReq/RptgReq"
BREAKS_RULES = "CH16"
NOT_FOUND = "Lancamento nao encontrado"
UNDER_WAY = "Lancamento em processamento"
FILE_FAILED = "Arquivo nao gerado"
SPONTANEOUS_ID = f"M{SPI_ISPB}{'0' * 23}"  # until the message has its own
ENTRY_FILES = frozenset({"TRD", "REL"})


class Archive(Protocol):
    """What the store knows of the past."""

    def payments(self, instruction_ids: list[str]) -> Mapping[str, Payment]: ...

    def supply(self, control_number: str) -> Supply | None: ...


class Statements:
    """Answers what participants ask.

    Args:
        engine: Has the accounts and what is not stored yet.
        archive: Has the rest.
    """

    def __init__(self, engine: Engine, archive: Archive) -> None:
        self._engine = engine
        self._archive = archive

    def answer(self, question: Camt060, moment: Moment, changes: Changes) -> None:
        """Take a question that was not seen before."""
        problem = question_problem(question)
        if problem is not None:
            changes.rejections.append(refused(question, BREAKS_RULES, problem))
        elif question.report == "camt.053":
            self._balances(question, moment, changes)
        elif question.report == "camt.054":
            self._entry(question, changes)
        else:
            self._file(question, changes)

    def _balances(self, question: Camt060, moment: Moment, changes: Changes) -> None:
        account = self._engine.accounts.get(question.owner_ispb)
        if account is None:
            changes.rejections.append(refused(question, NOT_FOUND, "Conta PI inexistente"))
            return
        if question.balance_type == "CRE":  # this bank pays no remuneration
            amounts = {"PSSR": 0, "REMN": 0}
        else:
            amounts = {"SADP": account.available_cents, "SABK": account.blocked_cents}
        balances = tuple(
            Balance(type=name, amount_cents=cents, at=moment.at) for name, cents in amounts.items()
        )
        statement = Statement(
            request_id=question.message_id, owner_ispb=account.ispb, balances=balances
        )
        changes.write(question.sender, partial(Camt053, statements=(statement,)))

    def _entry(self, question: Camt060, changes: Changes) -> None:
        entry_id = question.entry_id or ""
        supply = self._engine.supplies.get(entry_id) or self._archive.supply(entry_id)
        payment = self._engine.payments.get(entry_id)
        payment = payment or self._archive.payments([entry_id]).get(entry_id)
        own = question.owner_ispb
        if supply is not None and supply.ispb == own:
            entries: tuple[AccountEntry, ...] = (supply_entry(supply, question.message_id),)
        elif payment is None or own not in {payment.payer, payment.receiver}:
            changes.rejections.append(refused(question, NOT_FOUND))
            return
        elif payment.status == PENDING:
            changes.rejections.append(refused(question, UNDER_WAY))
            return
        else:
            entries = payment_entry(payment, own, question.message_id)
        changes.write(question.sender, partial(Camt054, entries=entries))

    def _file(self, question: Camt060, changes: Changes) -> None:
        assert question.period is not None  # `question_problem` has looked
        first_ms, end_ms = bounds_of(question.period)
        changes.file_requests.append(
            FileRequest(question.message_id, question.owner_ispb, first_ms, end_ms)
        )


def question_problem(question: Camt060) -> str | None:
    """Say what in a question breaks a rule, or is more than this bank tells; or None."""
    for finding in broken_rules(question):
        return f"Regra do catalogo: {finding.rule.name}"
    if question.report == "camt.052":
        is_told = question.period is not None and question.balance_type in ENTRY_FILES
        return None if is_told else "camt.052: TRD com periodo"
    return None if question.period is None else f"{question.report}: sem periodo"


def bounds_of(period: ReportPeriod) -> tuple[int, int]:
    """Give the first millisecond of a period and the one after its last.

    Days alone are those of the books, in Brasília; with times of the day they are in UTC.
    """
    last = period.last or period.first
    if period.start is None or period.end is None:
        return midnight_ms(period.first), midnight_ms(last) + DAY_MS
    return instant_ms(period.first, period.start), instant_ms(last, period.end) + 1


def midnight_ms(day: date) -> int:
    return to_ms(datetime.combine(day, time(), BRASILIA))


def instant_ms(day: date, at: time) -> int:
    return to_ms(datetime.combine(day, at))


def refused(question: Camt060, reason: str, description: str | None = None) -> Rejection:
    entry_id = question.entry_id
    return Rejection(
        ispb=question.sender,
        reference=question.message_id,
        reason=reason,
        location=REQUEST,
        description=description,
        additional_data=None if entry_id is None else f"Id={entry_id}",
    )


def file_made(request: FileRequest, entries: int, sha256: str, changes: Changes) -> None:
    """Tell that a file is there, and forget that it was asked for."""
    changes.files_made.append(request.message_id)
    made = AccountFile(
        request_id=request.message_id,
        owner_ispb=request.ispb,
        entries_count=entries,
        file_hash=sha256,
    )
    changes.write(request.ispb, partial(Camt052, files=(made,)))


def file_failed(request: FileRequest, changes: Changes) -> None:
    """Tell that a file could not be made; it may be asked for again."""
    changes.files_made.append(request.message_id)
    changes.rejections.append(Rejection(request.ispb, request.message_id, FILE_FAILED))


def supply_notice(supply: Supply) -> Draft:
    """Tell the owner of an account of a movement of the STR.

    Raises:
        InvalidMessage: The control number is none of the STR.
    """
    entry = supply_entry(supply, SPONTANEOUS_ID)

    def draft(*, message_id: str, **header: Any) -> Camt054:
        told = msgspec.structs.replace(entry, notification_id=message_id)
        return Camt054(message_id=message_id, entries=(told,), **header)

    return draft


def announce(connected: Iterable[str], text: str, changes: Changes) -> None:
    """Tell every connected participant an event of the SPI."""
    for ispb in sorted(connected):
        changes.write(ispb, partial(Admi004, description=text))
