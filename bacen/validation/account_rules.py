"""Rules of questions, book transfers and of the register of participants.

camt.060, trck.002, camt.025, reda.014, 016, 022 and 031; source: BCB message catalogue
5.13, by its dictionaries in a public implementation.
"""

from datetime import timedelta
from typing import Final

from bacen.validation.payment_rules import AMOUNT, INSTRUMENTS
from bacen.validation.rule import Check, Rule, RuleSet
from bacen.wire import (
    BookTransfer,
    Camt025,
    Camt060,
    Message,
    Modification,
    Reda014,
    Reda016,
    Reda022,
    Reda031,
    Trck002,
)

REPORT_DAYS_MAX: Final = 30
BALANCES: Final = {
    "camt.052": frozenset({"REL", "TRD", "TRT"}),
    "camt.053": frozenset({"CRE", "CSA"}),
    "camt.054": frozenset({None}),
}
REJECTED: Final = "admi.002"


def period_ends_after_it_begins(message: Camt060) -> bool:
    period = message.period
    if period is None:
        return True
    last = period.last or period.first
    if period.start is None or period.end is None:
        return period.first <= last
    return (period.first, period.start) <= (last, period.end)


def kinds(message: Reda022) -> list[str]:
    """Name each modification by what it changes, in the order of the names."""
    return sorted(map(kind, message.modifications))


def kind(each: Modification) -> str:
    if each.contact is not None:
        return "director" if each.contact.name is not None else "contact"
    return "keyword" if each.keyword is not None else "cpf"


def responsibility_fits(each: Modification) -> bool:
    if each.contact is None:
        return True
    wanted = "CONTATOPSP" if each.contact.name is None else "DIRETORPSP"
    return each.contact.responsibility == wanted


def key_fits(each: BookTransfer, _: Message) -> bool:
    return (each.creditor_key is not None) == INSTRUMENTS[each.local_instrument].has_key


CAMT_060: Final = RuleSet(
    Camt060,
    "AcctRptgReq",
    (
        Check(
            Rule("question_about_own_account", REJECTED, "the account must be the sender's"),
            lambda each, _: each.owner_ispb == each.sender,
        ),
        Check(
            Rule(
                "balance_type_fits_report",
                REJECTED,
                "camt.053 goes with CSA and CRE, camt.052 with REL, TRD and TRT, camt.054 alone",
            ),
            lambda each, _: each.balance_type in BALANCES[each.report],
        ),
        Check(
            Rule("entry_id_with_camt_054_only", REJECTED, "camt.054, and only that, needs Id"),
            lambda each, _: (each.entry_id is not None) == (each.report == "camt.054"),
        ),
        Check(
            Rule("period_ends_after_it_begins", REJECTED, "a period must not end before it begins"),
            lambda each, _: period_ends_after_it_begins(each),
        ),
    ),
)
TRCK_002: Final = RuleSet(
    Trck002,
    "PmtStsTrckrRpt",
    (),
    "transfers",
    "TrckrStsAndTx/Tx",
    (
        Check(AMOUNT, lambda each, _: each.amount_cents > 0),
        Check(
            Rule(
                "scenario_fits_participants",
                "RC10",
                "BOK1 has the same PSP on both sides, BOK2 two PSPs",
            ),
            lambda each, _: (each.scenario == "BOK1") == (each.debtor_ispb == each.creditor_ispb),
        ),
        Check(
            Rule("proxy_fits_local_instrument", "ED05", "MANU and AUTO go without key"),
            key_fits,
        ),
        Check(
            Rule("salary_account_receives_nothing", "ED05", "SLRY does not receive"),
            lambda each, _: each.creditor_account.type != "SLRY",
        ),
        Check(
            Rule(
                "reported_within_30_days", "FF08", f"it is reported within {REPORT_DAYS_MAX} days"
            ),
            lambda each, message: (
                message.created_at - each.settled_at <= timedelta(days=REPORT_DAYS_MAX)
            ),
        ),
    ),
)
CAMT_025: Final = RuleSet(
    Camt025,
    "Rct",
    (),
    "receipts",
    "RctDtls",
    (
        Check(
            Rule("reason_with_rejection_only", REJECTED, "RJCT, and only that, needs a reason"),
            lambda each, _: (each.reason is not None) == (each.status == "RJCT"),
        ),
    ),
)
REDA_014: Final = RuleSet(
    Reda014,
    "PtyCreReq",
    (
        Check(
            Rule("direct_participant_is_sender", "DIR2", "who asks must be the sender"),
            lambda each, _: each.direct_ispb == each.sender,
        ),
    ),
)
REDA_016: Final = RuleSet(
    Reda016,
    "PtyStsAdvc",
    (
        Check(
            Rule("reason_unless_done", REJECTED, "QUED and REJT, and only those, need a reason"),
            lambda each, _: (each.reason is not None) == (each.status != "COMP"),
        ),
        Check(
            Rule("participant_when_done", REJECTED, "COMP, and only that, names the participant"),
            lambda each, _: (each.participant_ispb is not None) == (each.status == "COMP"),
        ),
    ),
)
REDA_022: Final = RuleSet(
    Reda022,
    "PtyModReq",
    (
        Check(
            Rule("own_data_only", "ATC7", "the data must be the sender's own"),
            lambda each, _: each.direct_ispb == each.sender,
        ),
        Check(
            Rule("modification_contact", "CTT9", "one modification is of the contact"),
            lambda each, _: kinds(each).count("contact") == 1,
        ),
        Check(
            Rule("modification_director", "DI11", "one modification is of the director"),
            lambda each, _: kinds(each).count("director") == 1,
        ),
        Check(
            Rule("modification_keyword", "PCH8", "one modification is of the keyword"),
            lambda each, _: kinds(each).count("keyword") == 1,
        ),
        Check(
            Rule("modification_cpf", "CP10", "one modification is of the director's CPF"),
            lambda each, _: kinds(each).count("cpf") == 1,
        ),
    ),
    "modifications",
    "Mod",
    (
        Check(
            Rule(
                "responsibility_fits_contact",
                "RP13",
                "DIRETORPSP has a name, CONTATOPSP has none",
            ),
            lambda each, _: responsibility_fits(each),
        ),
        Check(
            Rule("director_without_third_telephone", REJECTED, "a director has no FaxNb"),
            lambda each, _: kind(each) != "director" or each.contact.telephone_3 is None,
        ),
    ),
)
REDA_031: Final = RuleSet(
    Reda031,
    "PtyDeltnReq",
    (
        Check(
            Rule("indirect_is_not_sender", "DIR1", "the indirect participant is not the sender"),
            lambda each, _: each.indirect_ispb != each.sender,
        ),
    ),
)
RULE_SETS: Final = (
    CAMT_060,
    TRCK_002,
    CAMT_025,
    REDA_014,
    REDA_016,
    REDA_022,
    REDA_031,
)
