"""What is wrong with a text that came from outside: where, which rule, in words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """One rule that a text breaks. It never repeats the text: that may be a key or a name.

    Attributes:
        path: The part that is wrong, such as `26/01`.
        rule: Name of the rule, the same in every version.
        text: The rule in words.
    """

    path: str
    rule: str
    text: str
