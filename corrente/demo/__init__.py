"""The demonstration institution of profile embedded.

Import from here; the modules behind it may move.
"""

from corrente.demo.institution import (
    KEY,
    PI_ACCOUNT_ID,
    customers,
    debtor_body,
    load_participants,
    pi_funding_cents,
    provision,
)

__all__ = [
    "KEY",
    "PI_ACCOUNT_ID",
    "customers",
    "debtor_body",
    "load_participants",
    "pi_funding_cents",
    "provision",
]
