"""Every rule that a typed message breaks, and `check`, which a sender calls before sending."""

from collections.abc import Iterator
from typing import Any, Final

from bacen import RuleBroken
from bacen.validation import account_rules, automatic_rules
from bacen.validation.receiver_rules import receiver_rule
from bacen.validation.rule import Check, Finding, RuleSet
from bacen.validation.rules import SERVICE_LEVEL, Window, message_rule, transfer_rule
from bacen.wire import Message, Pacs008

PAYMENT: Final = "FIToFICstmrCdtTrf"
_RULE_SETS: Final[dict[type[Message], RuleSet]] = {
    each.message: each for each in (*account_rules.RULE_SETS, *automatic_rules.RULE_SETS)
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
    """Find the rules that a message breaks; of a payment, and of each rule's place, the first."""
    if isinstance(message, Pacs008):
        yield from _payments(message)
    elif (rules := _RULE_SETS.get(type(message))) is not None:
        yield from _found(rules.checks, rules.root, message, message)
        if rules.field:
            parts = getattr(message, rules.field)
            for number, part in enumerate(parts, start=1):
                place = _place(f"{rules.root}/{rules.element}", number, len(parts))
                yield from _found(rules.part_checks, place, part, message)


def _payments(message: Pacs008) -> Iterator[Finding]:
    rule = message_rule(message)
    if rule is not None:
        field = "PmtTpInf" if rule is SERVICE_LEVEL else "NbOfTxs"
        yield Finding(f"{PAYMENT}/GrpHdr/{field}", rule)
    window = Window(message.created_at)
    for number, transfer in enumerate(message.transfers, start=1):
        rule = transfer_rule(transfer, window) or receiver_rule(transfer, message)
        if rule is not None:
            yield Finding(_place(f"{PAYMENT}/CdtTrfTxInf", number, len(message.transfers)), rule)


def _found(checks: tuple[Check, ...], place: str, part: Any, message: Message) -> Iterator[Finding]:
    for each in checks:
        if not each.holds(part, message):
            yield Finding(f"{place}/{each.below}".rstrip("/"), each.rule)


def _place(path: str, number: int, count: int) -> str:
    return f"{path}[{number}]" if count > 1 else path
