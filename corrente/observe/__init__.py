"""The processes of a running platform in a terminal.

Import from here; the modules behind it may move.
"""

from corrente.observe.keyboard import Key, Keyboard, parse_keys
from corrente.observe.rates import Answer, with_rates
from corrente.observe.screen import frame, listing
from corrente.observe.view import Sort, View

__all__ = [
    "Answer",
    "Key",
    "Keyboard",
    "Sort",
    "View",
    "frame",
    "listing",
    "parse_keys",
    "with_rates",
]
