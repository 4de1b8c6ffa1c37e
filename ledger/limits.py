"""What a request may look like at all.

Everything that PostgreSQL would refuse is refused here: in a batch it would take the entries of
all other callers down with it.
"""

from typing import Final

from ledger.errors import InvalidText, NothingDone, OverLimit
from ledger.messages import (
    ACCOUNTS_MAX,
    ENTRIES_MAX,
    TRANSFERS_MAX,
    Commit,
    DefineProduct,
    OpenAccounts,
    SetStatus,
)

TEXT_CHARS_MAX: Final = 255
FINGERPRINT_BYTES_MAX: Final = 64
ACCOUNT_TEXTS: Final = (
    "tenant",
    "branch",
    "number",
    "account_type",
    "name",
    "tax_id",
    "product",
)


def problem_of(commit: Commit) -> NothingDone | None:
    """Say what is wrong with a commit as a whole, if anything."""
    if len(commit.entries) > ENTRIES_MAX:
        return OverLimit("entries", len(commit.entries), ENTRIES_MAX)
    for entry in commit.entries:
        length = max(len(entry.transfers), len(entry.events))
        if length > TRANSFERS_MAX:
            return OverLimit("transfers or events of an entry", length, TRANSFERS_MAX)
        if entry.idempotency is not None:
            if not is_storable(entry.idempotency.key):
                return InvalidText("idempotency key")
            if len(entry.idempotency.fingerprint) > FINGERPRINT_BYTES_MAX:
                return InvalidText("fingerprint")
        for event in entry.events:
            if not is_storable(event.name):
                return InvalidText("event name")
    return None


def problem_of_other(request: object) -> NothingDone | None:
    """Say what is wrong with a request that is no commit, if anything."""
    if isinstance(request, OpenAccounts):
        return problem_of_accounts(request)
    if isinstance(request, SetStatus):
        return problem_of_status(request)
    return problem_of_product(request) if isinstance(request, DefineProduct) else None


def problem_of_accounts(request: OpenAccounts) -> NothingDone | None:
    """Say what is wrong with a request to open accounts as a whole, if anything."""
    if len(request.accounts) > ACCOUNTS_MAX:
        return OverLimit("accounts", len(request.accounts), ACCOUNTS_MAX)
    for account in request.accounts:
        for name in ACCOUNT_TEXTS:
            text = getattr(account, name)
            if text is not None and not is_storable(text):
                return InvalidText(f"account {name}")
    return None


def problem_of_status(request: SetStatus) -> NothingDone | None:
    """Say what is wrong with a request to change a status as a whole, if anything."""
    return None if is_storable(request.made_by) else InvalidText("made by")


def problem_of_product(request: DefineProduct) -> NothingDone | None:
    """Say what is wrong with a request to define a product as a whole, if anything."""
    texts = {
        "product code": request.product.code,
        "product name": request.product.name,
        "account type": request.product.account_type or "",
        "made by": request.made_by,
    }
    return next((InvalidText(what) for what, text in texts.items() if not is_storable(text)), None)


def is_storable(text: str) -> bool:
    """True for at most `TEXT_CHARS_MAX` characters that all have a place in a UTF-8 column."""
    if len(text) > TEXT_CHARS_MAX or "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
