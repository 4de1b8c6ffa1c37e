"""PI accounts: one balance per direct participant, part of it blocked for payments under way.

Money is only moved between accounts, never made; it comes and goes through the STR alone, which
`supplied_cents` counts. `Payment` under way = amount blocked at the payer; settled = debited there,
credited at the receiver; rejected = unblocked.
"""

from collections.abc import Iterable, Mapping

import msgspec


class PiAccount(msgspec.Struct):
    ispb: str
    balance_cents: int
    blocked_cents: int = 0

    @property
    def available_cents(self) -> int:
        return self.balance_cents - self.blocked_cents


class PiAccounts:
    def __init__(self, accounts: Mapping[str, PiAccount]) -> None:
        self._accounts = accounts
        self._before: dict[str, tuple[int, int]] = {}  # since `begin`: balance and blocked
        self.supplied_cents = 0  # by the STR since this start, less what went back there
        self._supplied_before = 0

    def begin(self) -> None:
        """Remember from here on what `undo` takes back."""
        self._before.clear()
        self._supplied_before = self.supplied_cents

    def undo(self) -> None:
        """Put every account back as it was at `begin`."""
        for ispb, (balance_cents, blocked_cents) in self._before.items():
            account = self._accounts[ispb]
            account.balance_cents, account.blocked_cents = balance_cents, blocked_cents
        self._before.clear()
        self.supplied_cents = self._supplied_before

    def __contains__(self, ispb: str) -> bool:
        return ispb in self._accounts

    def get(self, ispb: str) -> PiAccount | None:
        return self._accounts.get(ispb)

    def all(self) -> list[PiAccount]:
        return list(self._accounts.values())

    def some(self, ispbs: Iterable[str]) -> list[PiAccount]:
        return [self._accounts[each] for each in ispbs]

    def total_cents(self) -> int:
        return sum(each.balance_cents for each in self._accounts.values())

    def block(self, ispb: str, amount_cents: int) -> bool:
        """Block an amount, or say False when what is available does not reach (AM04)."""
        account = self._change(ispb)
        if account.balance_cents - account.blocked_cents < amount_cents:
            return False
        account.blocked_cents += amount_cents
        return True

    def unblock(self, ispb: str, amount_cents: int) -> None:
        account = self._change(ispb)
        if amount_cents > account.blocked_cents:
            raise ValueError("more would be unblocked than is blocked")
        account.blocked_cents -= amount_cents

    def settle(self, payer: str, receiver: str, amount_cents: int) -> None:
        """Debit a blocked amount at the payer and credit it at the receiver."""
        self.unblock(payer, amount_cents)
        self._change(payer).balance_cents -= amount_cents
        self._change(receiver).balance_cents += amount_cents

    def supply(self, ispb: str, amount_cents: int) -> bool:
        """Credit what came from the STR, or debit what goes there (an amount below zero).

        Returns:
            False when what is available does not reach.
        """
        account = self._change(ispb)
        if account.balance_cents - account.blocked_cents + amount_cents < 0:
            return False
        account.balance_cents += amount_cents
        self.supplied_cents += amount_cents
        return True

    def _change(self, ispb: str) -> PiAccount:
        account = self._accounts[ispb]
        if ispb not in self._before:
            self._before[ispb] = account.balance_cents, account.blocked_cents
        return account
