"""The position of the institution: its money at the central bank.

The position is not a second counter. It is the PI account of the ledger: a payment under way is a
pending credit on it, made by the same hold that blocks the customer's money, checked and committed
by the same writer. So it cannot drift from the payments, and nothing leaks when a process dies.
"""

from dataclasses import dataclass
from uuid import UUID

from actors import Continue, From, GenServer, NoReply, Reply
from ledger import AccountBook

WATCH_MS = 30_000
LOADING_MS = 500
WARNING_PERCENT = 30
CRITICAL_PERCENT = 10


@dataclass(frozen=True, slots=True)
class GetPosition:
    """Ask the position manager for the position; the answer is a `Position`."""


@dataclass(frozen=True, slots=True)
class Position:
    """Money of the institution in its PI account, in centavos.

    Attributes:
        ispb: The institution.
        balance_cents: What the SPI has settled.
        reserved_cents: Payments under way.
        limit_cents: Highest balance seen since the start; alerts are a share of it.
    """

    ispb: str
    balance_cents: int
    reserved_cents: int
    limit_cents: int

    @property
    def available_cents(self) -> int:
        """What a new payment may use."""
        return self.balance_cents - self.reserved_cents

    @property
    def level(self) -> str:
        """``normal``, ``warning`` at 30 % of the limit or less, ``critical`` at 10 % or less."""
        share = self.available_cents * 100
        if share <= self.limit_cents * CRITICAL_PERCENT:
            return "critical"
        return "warning" if share <= self.limit_cents * WARNING_PERCENT else "normal"


class PositionManager(GenServer):
    """Answers for the position and reports its level every 30 seconds."""

    def __init__(self, tenant: str, pi_account_id: UUID, book: AccountBook) -> None:
        self._tenant = tenant
        self._pi_account_id = pi_account_id
        self._book = book
        self._limit_cents = 0

    async def init(self) -> Continue:
        """Start the watch."""
        return Continue("watch")

    async def handle_call(self, request: GetPosition, sender: From) -> Reply:
        """The position as of now."""
        del request, sender
        return Reply(self._position())

    async def handle_continue(self, argument: object) -> NoReply:
        """Report the level and come back later."""
        if not self._book.is_loaded:
            self.node.send_after(LOADING_MS, self.pid, argument)
            return NoReply()
        position = self._position()
        self.node.telemetry.execute(
            ("pix", "position", "level"),
            {"available_cents": position.available_cents, "limit_cents": position.limit_cents},
            {"tenant": self._tenant, "level": position.level},
        )
        self.node.send_after(WATCH_MS, self.pid, argument)
        return NoReply()

    async def handle_info(self, message: object) -> NoReply:
        """The timer: watch again."""
        return NoReply(Continue(message))

    def _position(self) -> Position:
        balance = self._book.balance(self._pi_account_id)
        balance_cents = reserved_cents = 0
        if balance is not None:
            balance_cents = balance.debits_posted - balance.credits_posted
            reserved_cents = balance.credits_pending
        self._limit_cents = max(self._limit_cents, balance_cents)
        return Position(self._tenant, balance_cents, reserved_cents, self._limit_cents)
