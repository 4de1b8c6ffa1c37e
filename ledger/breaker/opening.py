"""Opening accounts: in TigerBeetle, or in the mirror alone while TigerBeetle does not answer.

None is taken in that has a history there which the mirror does not know.
"""

from collections.abc import Sequence
from typing import Any, Final

from ledger.accounts import AccountFlag, Balance
from ledger.breaker.errors import Unsupported
from ledger.breaker.healing import OPENED, Ask
from ledger.breaker.mirror import Mirror
from ledger.breaker.poison import COUNTERPART, NEVER_CREATED
from ledger.core import ID_MAX
from ledger.tigerbeetle import CreateAccounts, LookUpAccounts, NewAccount
from ledger.transfers import LEDGER_BRL

NO_MONEY: Final = Balance(0, 0, 0, 0)
RESERVED: Final = (NEVER_CREATED, COUNTERPART)
BOTH_LIMITS: Final = int(
    AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
)
OPENABLE: Final = BOTH_LIMITS | int(AccountFlag.HISTORY)
CODE_END: Final = 1 << 16


def open_in_mirror(
    mirror: Mirror, accounts: Sequence[NewAccount]
) -> tuple[tuple[Any, ...], list[NewAccount]]:
    """Open accounts that TigerBeetle is to get later; as `open_in_tigerbeetle`.

    Raises:
        Unsupported: An account is of a form that TigerBeetle would refuse.
    """
    currencies = mirror.currencies | {LEDGER_BRL}
    for each in accounts:
        if each.id in RESERVED or not 0 < each.id.int < ID_MAX:
            raise Unsupported("id")
        if each.flags & BOTH_LIMITS == BOTH_LIMITS or each.flags & ~OPENABLE:
            raise Unsupported("flags")
        if not 0 < each.code < CODE_END or each.ledger not in currencies:
            raise Unsupported("code or ledger")
    created, exists = OPENED
    statuses, new = [], {}
    for each in accounts:
        is_known = mirror.has(each.id) or each.id in new
        statuses.append(exists if is_known else created)
        if not is_known:
            new[each.id] = each
    return tuple(statuses), list(new.values())


async def open_in_tigerbeetle(
    ask: Ask, mirror: Mirror, accounts: Sequence[NewAccount]
) -> tuple[tuple[Any, ...], list[NewAccount]]:
    """Open accounts.

    Args:
        ask: Asks the back end.
        mirror: Knows some of them already.
        accounts: To be opened.

    Returns:
        TigerBeetle's status of each, and those that the mirror is to take in.

    Raises:
        Unsupported: An id is reserved, or an account has moved already.
        Away, Alarm: As `ask`.
    """
    if any(each.id in RESERVED for each in accounts):
        raise Unsupported("id")
    statuses = await ask(CreateAccounts(tuple(accounts)))
    opened = (
        each.id
        for each, status in zip(accounts, statuses, strict=True)
        if status in OPENED and not mirror.has(each.id)
    )
    there = tuple(dict.fromkeys(opened))
    found = await ask(LookUpAccounts(there)) if there else {}
    if any(each.balance != NO_MONEY for each in found.values()):
        raise Unsupported("an account with a history of its own")
    return tuple(statuses), [found[account_id].account for account_id in there]
