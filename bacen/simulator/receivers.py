"""How a virtual participant answers a pacs.008: by the number of the account to be credited.

| Account number starts with | Answer |
|---|---|
| a reason that a receiver may raise (`AC03`, `BE01`, ...) | RJCT with that reason |
| `SILENT` | none, so that the bank rejects with AB03 when the time is over |
| anything else | ACSP |
"""

from collections.abc import Set as AbstractSet

SILENT = "SILENT"
ACCEPT = "ACCEPT"
ALWAYS_ACCEPTS = "99999A04"  # as in BCB's own homologation

# Reasons of pacs.002 1.17 that the receiving PSP raises.
RECEIVER_REASONS = frozenset(
    [
        "AB09",
        "AC03",
        "AC06",
        "AC07",
        "AC14",
        "AG03",
        "AM02",
        "AM09",
        "AM12",
        "BE01",
        "BE05",
        "BE15",
        "BE17",
        "CH11",
        "DS04",
        "DT02",
        "DU03",
        "DUPL",
        "ED05",
        "FF07",
        "FRAD",
        "INDT",
        "MD01",
        "RR04",
        "SL02",
        "UPAY",
    ]
)


def answer(account_number: str) -> str:
    """Give ACCEPT, SILENT, or the reason of a rejection."""
    return prefix_answer(account_number, RECEIVER_REASONS)


def prefix_answer(text: str, reasons: AbstractSet[str]) -> str:
    """Give what a text begins with: one of these reasons, or SILENT; else ACCEPT."""
    prefix = text[:4]
    if prefix in reasons:
        return prefix
    return SILENT if text.startswith(SILENT) else ACCEPT
