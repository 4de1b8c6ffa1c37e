"""Rules beyond the schema: each has a name, the code that answers it, and one sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bacen.wire import Message


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        name: The same in every version, such as `local_instrument_dict_needs_proxy`.
        code: What is answered where it is broken: a reason of the message that answers, or
            `admi.002`, the rejection of the whole message.
        text: The rule in words.
    """

    name: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a message breaks, and the place: `PmtRtr/TxInf[2]`, without what is around."""

    path: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Check:
    """A rule, and the function that says whether a part of a message keeps it.

    Attributes:
        rule: The rule.
        holds: Called with the part and the message; a rule of the whole message has it twice.
        below: Path from the part to the element that is wrong, where it is one.
    """

    rule: Rule
    holds: Callable[[Any, Any], bool]
    below: str = ""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one kind of message.

    Attributes:
        message: Its struct.
        root: Name of its element below Document.
        checks: Of the whole message.
        field: Field that holds its parts, where some rules are of them.
        element: Name of their elements.
        part_checks: Of each part.
    """

    message: type[Message]
    root: str
    checks: tuple[Check, ...] = ()
    field: str = ""
    element: str = ""
    part_checks: tuple[Check, ...] = ()
