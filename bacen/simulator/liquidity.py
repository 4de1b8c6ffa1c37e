"""Money that comes to a PI account from the STR, and goes back there.

The SPI itself only moves money between PI accounts. `fund` and `withdraw` are for whoever plays the
STR; each movement is kept as an entry, and its owner is told by a camt.054.
"""

from actors import Node
from bacen.simulator.accounts import PiAccounts
from bacen.simulator.changes import Changes, Supply
from bacen.simulator.engine import Engine
from bacen.simulator.errors import (
    BankError,
    ControlNumberTaken,
    InsufficientBalance,
    UnknownAccount,
)
from bacen.simulator.payments import Moment
from bacen.simulator.requests import SETTLEMENT, MoveLiquidity
from bacen.simulator.statements import supply_notice

TIMEOUT_MS = 5_000


async def fund(node: Node, ispb: str, cents: int, control_number: str) -> None:
    """Credit a PI account with money from the STR; returns once that is stored.

    Args:
        node: Where the bank runs.
        ispb: Owner of the account, a direct participant.
        cents: Centavos above zero.
        control_number: Of the STR, `[A-Z]{3}yyyyMMdd[a-zA-Z0-9]{9}`; the same again moves nothing.

    Raises:
        UnknownAccount: The participant has no PI account.
        ControlNumberTaken: The number stands for another movement.
        BankFault: The number has not the form.
        CallTimeout: It may be stored: ask again with the same number.
    """
    asked = MoveLiquidity(ispb, cents, control_number)
    await node.call(SETTLEMENT, asked, timeout_ms=TIMEOUT_MS)


async def withdraw(node: Node, ispb: str, cents: int, control_number: str) -> None:
    """Debit a PI account for the STR; as `fund` otherwise.

    Raises:
        InsufficientBalance: Less than that is available.
        UnknownAccount: The participant has no PI account.
        ControlNumberTaken: The number stands for another movement.
        BankFault: The number has not the form.
        CallTimeout: It may be stored: ask again with the same number.
    """
    asked = MoveLiquidity(ispb, -cents, control_number)
    await node.call(SETTLEMENT, asked, timeout_ms=TIMEOUT_MS)


def refusal(
    request: MoveLiquidity, earlier: Supply | None, accounts: PiAccounts
) -> BankError | None:
    """Say why a movement cannot be made; one that was made already can."""
    if earlier is not None:
        same = (earlier.ispb, earlier.amount_cents) == (request.ispb, request.amount_cents)
        return None if same else ControlNumberTaken(request.control_number)
    account = accounts.get(request.ispb)
    if account is None:
        return UnknownAccount(request.ispb)
    if account.available_cents + request.amount_cents < 0:
        return InsufficientBalance(request.ispb, account.available_cents)
    return None


def move(engine: Engine, request: MoveLiquidity, moment: Moment, changes: Changes) -> None:
    """Move the money, keep the entry, tell the owner; `refusal` has nothing against it."""
    supply = Supply(request.control_number, request.ispb, request.amount_cents, moment.ms)
    notice = supply_notice(supply)  # first, because a number of the wrong form is refused here
    changes.supplies[supply.control_number] = engine.supplies[supply.control_number] = supply
    changes.accounts.add(supply.ispb)
    engine.accounts.supply(supply.ispb, supply.amount_cents)
    if supply.ispb in engine.connected:
        changes.write(supply.ispb, notice)
