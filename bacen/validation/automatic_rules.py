"""Rules of Pix Automático: pain.009, 011, 012, 013, 014, camt.055 and camt.029.

The code is that of the answer: of pain.012 to a mandate, of pain.014 to a charge, of camt.029 to a
cancellation. Source: BCB message catalogue 5.13, by its dictionaries in a public implementation.
"""

from typing import Final

from bacen.validation.payment_rules import CNPJ_LENGTH, TAX_TYPES
from bacen.validation.rule import Check, Rule, RuleSet
from bacen.wire import (
    Camt029,
    Camt055,
    Charge,
    MandateTerms,
    Pain009,
    Pain011,
    Pain012,
    Pain013,
    Pain014,
)

DAYS_AHEAD_MIN: Final = 2
DAYS_AHEAD_MAX: Final = 10
REJECTED: Final = "admi.002"
REQUEST_STEPS: Final = ("CRTN", "CRAT", "EXPR")
CANCELLATION_STEPS: Final = ("CRTN", "CLTN")
PAYER_ONLY_REASONS: Final = frozenset({"CCLD", "FAIL"})

CREDITOR: Final = Rule("creditor_is_company", "AP06", "who collects has a CNPJ")
LAST_DAY: Final = Rule("mandate_ends_after_it_begins", "CH16", "it must not end before it begins")


def ends_after_it_begins(terms: MandateTerms) -> bool:
    return terms.last_on is None or terms.last_on >= terms.first_on


def days_ahead(charge: Charge, message: Pain013) -> int:
    return (charge.due_on - message.created_at.date()).days


def tax_fits(charge: Charge) -> bool:
    """Say whether each tax is declared once, and together they are within the amount."""
    declared = [each for each in charge.tax_records if each.category == "INF"]
    if not charge.tax_records:
        return True
    corrected = {
        each.type: each.amount_cents for each in charge.tax_records if each.category == "COR"
    }
    amounts = {each.type: each.amount_cents for each in declared} | corrected
    are_once = len(declared) == len(TAX_TYPES) and {each.type for each in declared} == TAX_TYPES
    return are_once and sum(amounts.values()) <= charge.amount_cents


PAIN_009: Final = RuleSet(
    Pain009,
    "MndtInitnReq",
    (),
    "mandates",
    "Mndt",
    (
        Check(CREDITOR, lambda each, _: len(each.creditor_tax_id) == CNPJ_LENGTH),
        Check(LAST_DAY, lambda each, _: ends_after_it_begins(each)),
        Check(
            Rule("limit_or_fixed_amount", "CH16", "a fixed amount has no limit beside it"),
            lambda each, _: each.amount_cents is None or each.limit_cents is None,
        ),
        Check(
            Rule("mandate_steps_in_order", "CH16", "the dates are CRTN, CRAT and EXPR"),
            lambda each, _: tuple(step.type for step in each.steps) == REQUEST_STEPS,
        ),
    ),
)
PAIN_011: Final = RuleSet(
    Pain011,
    "MndtCxlReq",
    (
        Check(
            Rule("originator_is_a_party", "AP10", "payer or receiver must want it"),
            lambda each, _: (
                each.originator_tax_id in (each.mandate.debtor_tax_id, each.mandate.creditor_tax_id)
            ),
        ),
        Check(
            Rule("issuer_is_a_participant", "CH16", "one of the mandate's PSPs must send it"),
            lambda each, _: (
                each.issuer_ispb in (each.mandate.debtor_ispb, each.mandate.creditor_ispb)
            ),
        ),
        Check(CREDITOR, lambda each, _: len(each.mandate.creditor_tax_id) == CNPJ_LENGTH),
        Check(LAST_DAY, lambda each, _: ends_after_it_begins(each.mandate)),
        Check(
            Rule("mandate_steps_in_order", "CH16", "the dates are CRTN and CLTN"),
            lambda each, _: (
                not each.steps or tuple(step.type for step in each.steps) == CANCELLATION_STEPS
            ),
        ),
    ),
)
PAIN_012: Final = RuleSet(
    Pain012,
    "MndtAccptncRpt",
    (),
    "answers",
    "UndrlygAccptncDtls",
    (
        Check(
            Rule("reason_with_rejection_only", REJECTED, "a refusal, and only that, has a reason"),
            lambda each, _: (each.reason is None) == each.is_accepted,
        ),
        Check(
            Rule("mandate_steps_differ", REJECTED, "no date stands there twice"),
            lambda each, _: len({step.type for step in each.steps}) == len(each.steps),
        ),
    ),
)
PAIN_013: Final = RuleSet(
    Pain013,
    "CdtrPmtActvtnReq",
    (
        Check(
            Rule("number_of_charges", "GRER", "NbOfTxs must be the number of charges"),
            lambda each, _: each.declared_count in {None, len(each.charges)},
            "GrpHdr/NbOfTxs",
        ),
    ),
    "charges",
    "PmtInf",
    (
        Check(
            Rule("charge_above_zero", "AM09", "the amount must be above zero"),
            lambda each, _: each.amount_cents > 0,
        ),
        Check(
            Rule("creditor_is_company", "CRNC", "who collects has a CNPJ"),
            lambda each, _: len(each.creditor_tax_id) == CNPJ_LENGTH,
        ),
        Check(
            Rule("execution_time_with_first_attempt", "GRER", "AGND, and only that, has a time"),
            lambda each, _: (each.execute_at is not None) == (each.attempt == "AGND"),
        ),
        Check(
            Rule("charge_at_most_10_days_ahead", "FCD1", "AGND comes 10 days before or later"),
            lambda each, message: (
                each.attempt != "AGND" or days_ahead(each, message) <= DAYS_AHEAD_MAX
            ),
        ),
        Check(
            Rule("charge_at_least_2_days_ahead", "FCD2", "AGND comes 2 days before or earlier"),
            lambda each, message: (
                each.attempt != "AGND" or days_ahead(each, message) >= DAYS_AHEAD_MIN
            ),
        ),
        Check(
            Rule("tax_of_companies_only", "GRER", "only a legal person pays with split taxes"),
            lambda each, _: not each.tax_records or len(each.debtor_tax_id) == CNPJ_LENGTH,
        ),
        Check(
            Rule("tax_declared_once_within_amount", "GRER", "each tax once, within the amount"),
            lambda each, _: tax_fits(each),
        ),
    ),
)
PAIN_014: Final = RuleSet(
    Pain014,
    "CdtrPmtActvtnReqStsRpt",
    (),
    "answers",
    "OrgnlPmtInfAndSts",
    (
        Check(
            Rule("reason_with_rejection_only", REJECTED, "RJCT, and only that, has a reason"),
            lambda each, _: (each.reason is not None) == (each.status == "RJCT"),
        ),
    ),
)
CAMT_055: Final = RuleSet(
    Camt055,
    "CstmrPmtCxlReq",
    (
        Check(
            Rule("cancellation_reason_fits_type", "CH16", "CCLD and FAIL are of the payer's PSP"),
            lambda each, _: each.type == "DHIP" or each.reason not in PAYER_ONLY_REASONS,
        ),
        Check(
            Rule("cancellation_between_two", "CH16", "the two PSPs must differ"),
            lambda each, _: each.issuer_ispb != each.recipient_ispb,
        ),
    ),
)
CAMT_029: Final = RuleSet(
    Camt029,
    "RsltnOfInvstgtn",
    (
        Check(
            Rule("cancellation_type_fits_status", REJECTED, "ACCR has DHAC, RJCR has DHRC"),
            lambda each, _: (each.status == "ACCR") == (each.type == "DHAC"),
        ),
        Check(
            Rule("reason_with_rejection_only", REJECTED, "RJCR, and only that, has a reason"),
            lambda each, _: (each.reason is not None) == (each.status == "RJCR"),
        ),
    ),
)
RULE_SETS: Final = (PAIN_009, PAIN_011, PAIN_012, PAIN_013, PAIN_014, CAMT_055, CAMT_029)
