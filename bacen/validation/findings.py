"""Every rule that a typed message breaks, and `check`, which a sender calls before sending."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bacen import RuleBroken
from bacen.validation import account_rules, automatic_rules
from bacen.validation.payment_rules import (
    PAYMENT_RULES,
    SERVICE_LEVEL,
    Window,
    message_rule,
    transfer_rule,
)
from bacen.validation.report_rules import REPORT_RULES, report_rule
from bacen.validation.return_rules import RETURN_RULES, deadline_rule, return_rule, returns_rule
from bacen.validation.rule import Check, Finding, Rule, RuleSet
from bacen.wire import SPI_ISPB, Message, Pacs002, Pacs004, Pacs008

_RULE_SETS: Final[dict[type[Message], RuleSet]] = {
    each.message: each for each in (*account_rules.RULE_SETS, *automatic_rules.RULE_SETS)
}
# Every rule beyond the schema, by the kind of message, in the order in which it is looked at.
RULES: Final[Mapping[type[Message], tuple[Rule, ...]]] = {
    Pacs008: PAYMENT_RULES,
    Pacs002: REPORT_RULES,
    Pacs004: RETURN_RULES,
    **{
        kind: tuple(each.rule for each in (*rules.checks, *rules.part_checks))
        for kind, rules in _RULE_SETS.items()
    },
}


def check(message: Message) -> None:
    """Refuse a message that the other side would refuse, as far as that needs no other knowledge.

    Neither accounts nor participants are looked at, and no clock: times are held against the
    message's own `created_at`.

    Args:
        message: What is about to be sent.

    Raises:
        RuleBroken: The first rule that it breaks.
    """
    for finding in broken_rules(message):
        rule = finding.rule
        raise RuleBroken(rule.name, rule.code, finding.path, rule.text)


def broken_rules(message: Message) -> Iterator[Finding]:
    """Find the rules that a message breaks; of a payment, return or report the first."""
    match message:
        case Pacs008():
            yield from _payments(message)
        case Pacs004():
            yield from _returns(message)
        case Pacs002(sender=sender, reports=reports) if sender != SPI_ISPB:
            rules = [report_rule(each) for each in reports]
            yield from _firsts("FIToFIPmtStsRpt/TxInfAndSts", rules)
        case _ if (rule_set := _RULE_SETS.get(type(message))) is not None:
            yield from _of_rule_set(rule_set, message)


def _payments(message: Pacs008) -> Iterator[Finding]:
    rule = message_rule(message)
    if rule is not None:
        field = "PmtTpInf" if rule is SERVICE_LEVEL else "NbOfTxs"
        yield Finding(f"FIToFICstmrCdtTrf/GrpHdr/{field}", rule)
    window = Window(message.created_at)
    rules = [transfer_rule(each, window, message.priority) for each in message.transfers]
    yield from _firsts("FIToFICstmrCdtTrf/CdtTrfTxInf", rules)


def _returns(message: Pacs004) -> Iterator[Finding]:
    rule, at = returns_rule(message), message.created_at
    if rule is not None:
        yield Finding("PmtRtr/GrpHdr/NbOfTxs", rule)
    window = Window(at)
    rules = [return_rule(each, window) or deadline_rule(each, at) for each in message.returns]
    yield from _firsts("PmtRtr/TxInf", rules)


def _of_rule_set(rules: RuleSet, message: Message) -> Iterator[Finding]:
    yield from _found(rules.checks, rules.root, message, message)
    if rules.field:
        parts = getattr(message, rules.field)
        for number, part in enumerate(parts, start=1):
            place = _place(f"{rules.root}/{rules.element}", number, len(parts))
            yield from _found(rules.part_checks, place, part, message)


def _firsts(path: str, rules: Sequence[Rule | None]) -> Iterator[Finding]:
    for number, rule in enumerate(rules, start=1):
        if rule is not None:
            yield Finding(_place(path, number, len(rules)), rule)


def _found(checks: tuple[Check, ...], place: str, part: Any, message: Message) -> Iterator[Finding]:
    for each in checks:
        if not each.holds(part, message):
            yield Finding(f"{place}/{each.below}".rstrip("/"), each.rule)


def _place(path: str, number: int, count: int) -> str:
    return f"{path}[{number}]" if count > 1 else path
