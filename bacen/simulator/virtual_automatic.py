"""How a virtual participant answers Pix Automático: by what stands in the message alone.

| Asked by | Answer | Refuses with |
|---|---|---|
| pain.009 mandate | pain.012 | the reason with which the contract's number begins |
| pain.011 end of a mandate | pain.012 | the same |
| pain.013 charge | pain.014 | the reason with which the charge's id begins |
| camt.055 end of a charge | camt.029 | the same |

`SILENT` in their place: no answer. What breaks a rule of the catalogue is refused with its code
before. Everything else is accepted. It keeps no mandates and pays no charges.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from bacen.simulator.changes import Draft
from bacen.simulator.payments import Moment
from bacen.simulator.receivers import ACCEPT, ALWAYS_ACCEPTS, SILENT, prefix_answer
from bacen.validation import broken_rules
from bacen.wire import (
    AnsweredMandate,
    AnswerStep,
    Camt029,
    Camt055,
    CancelledMandate,
    ChargeAnswer,
    MandateAnswer,
    MandateRequest,
    MandateTerms,
    Message,
    Pain009,
    Pain011,
    Pain012,
    Pain013,
    Pain014,
)

# What each answer may give as its reason (catalogue 5.13).
MANDATE_REASONS: Final = frozenset(
    [
        *("AC01", "AC04", "AC06", "AM05", "CH16", "MD01", "MD20", "SA01"),
        *(f"AP{number:02d}" for number in range(1, 16)),
    ]
)
CHARGE_REASONS: Final = frozenset(
    [
        *("AB10", "AC05", "AC06", "AM02", "AM09", "CRNC", "DENC", "DTED", "DTNT", "FCD1"),
        *("FCD2", "GRER", "IRNT", "MIDI", "MSUC", "NIEC", "NIPA", "NITX", "QUNT", "UDEI"),
    ]
)
CANCELLATION_REASONS: Final = frozenset(
    ["AB09", "AB10", "CH16", "CRNC", "DENC", "FBRD", "FF08", "PRJL"]
)

# Of a mandate: those of the request that is answered, and where the answer's id comes from.
_TERMS: Final = tuple(each for each in MandateTerms.__struct_fields__ if each != "request_id")
_ID_TAIL: Final = 11


def mandate_asked(message: Pain009, by: str, moment: Moment) -> Draft | None:
    (one,) = message.mandates
    verdict = judged(message, one.contract, MANDATE_REASONS, by)
    if verdict == SILENT:
        return None
    created = tuple(each.at for each in one.steps if each.type == "CRTN")
    steps = [AnswerStep(type="CRTN", at=at) for at in created[:1]]
    if verdict == ACCEPT:
        steps.append(AnswerStep(type="AUT1", at=moment.at))
    return mandate_answer(one, by, verdict, "CFDB", tuple(steps), moment)


def mandate_cancelled(message: Pain011, by: str, moment: Moment) -> Draft | None:
    verdict = judged(message, message.mandate.contract, MANDATE_REASONS, by)
    if verdict == SILENT:
        return None
    steps = (AnswerStep(type="UPDT", at=moment.at),)
    return mandate_answer(message.mandate, by, verdict, "CCLD", steps, moment)


def mandate_answer(
    asked: MandateRequest | CancelledMandate,
    by: str,
    verdict: str,
    status: str,
    steps: tuple[AnswerStep, ...],
    moment: Moment,
) -> Draft:
    terms = {name: getattr(asked, name) for name in _TERMS}
    request_id = f"IS{by}{moment.at:%Y%m%d}{asked.request_id[-_ID_TAIL:]}"
    is_accepted = verdict == ACCEPT
    answer = MandateAnswer(
        is_accepted=is_accepted,
        mandate=AnsweredMandate(
            **terms, request_id=request_id, original_request_id=asked.request_id
        ),
        reason=None if is_accepted else verdict,
        steps=steps,
        status=status if is_accepted else None,
    )
    return partial(Pain012, issuer_ispb=by, answers=(answer,))


def charge_asked(message: Pain013, by: str, moment: Moment) -> Draft | None:
    (one,) = message.charges
    verdict = judged(message, one.charge_id, CHARGE_REASONS, by)
    if verdict == SILENT:
        return None
    answer = ChargeAnswer(
        charge_id=one.charge_id,
        end_to_end_id=one.end_to_end_id,
        status="ACSP" if verdict == ACCEPT else "RJCT",
        decided_at=moment.at,
        creditor_ispb=one.creditor_ispb,
        creditor_tax_id=one.creditor_tax_id,
        reason=None if verdict == ACCEPT else verdict,
    )
    return partial(Pain014, answers=(answer,))


def charge_cancelled(message: Camt055, by: str, moment: Moment) -> Draft | None:
    verdict = judged(message, message.charge_id, CANCELLATION_REASONS, by)
    if verdict == SILENT:
        return None
    is_accepted = verdict == ACCEPT
    return partial(
        Camt029,
        issuer_ispb=by,
        recipient_ispb=message.issuer_ispb,
        cancellation_id=message.cancellation_id,
        charge_id=message.charge_id,
        status="ACCR" if is_accepted else "RJCR",
        end_to_end_id=message.end_to_end_id,
        type="DHAC" if is_accepted else "DHRC",
        at=moment.at,
        reason=None if is_accepted else verdict,
    )


ANSWERED: Final[Mapping[type[Message], Callable[[Any, str, Moment], Draft | None]]] = {
    Pain009: mandate_asked,
    Pain011: mandate_cancelled,
    Pain013: charge_asked,
    Camt055: charge_cancelled,
}


def virtual_answer(message: Message, by: str, moment: Moment) -> Draft | None:
    """Say what a virtual participant answers.

    Args:
        message: With one part only, where it may have several.
        by: ISPB of the one that is told.
        moment: Now.

    Returns:
        What the other one is told; None for silence, and for what is an answer itself.
    """
    answer = ANSWERED.get(type(message))
    return None if answer is None else answer(message, by, moment)


def judged(message: Message, text: str, reasons: frozenset[str], by: str) -> str:
    """Give ACCEPT, SILENT, or the reason of a refusal."""
    for finding in broken_rules(message):
        return finding.rule.code
    return ACCEPT if by == ALWAYS_ACCEPTS else prefix_answer(text, reasons)
