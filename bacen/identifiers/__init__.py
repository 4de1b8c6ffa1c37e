"""Identifiers of Pix: what each is made of, made and checked part by part.

`check` names every part that is wrong, for people and for logs; the wire has its own short checks.
"""

from bacen.identifiers.forms import FORMS, TOLERANCE_HOURS, Identifier, IdentifierKind, check, make

__all__ = [
    "FORMS",
    "TOLERANCE_HOURS",
    "Identifier",
    "IdentifierKind",
    "check",
    "make",
]
