"""What the STR asks of a request for liquidity; the rules RLPI0001 to RLPI0007 of catalogue 5.11.

Each rule gives the tag that breaks it and the code of an error message, "" for the message as a
whole. The first of a tag counts.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, Protocol

from bacen import WireError
from bacen.simulator.str.book import E_MONEY, RESERVES, AutomaticRule, StrOrder
from bacen.simulator.str.hours import ADDITIONAL, DEPOSITS, WITHDRAWALS, StrHours, day_of
from bacen.str import StrMessage

GROUP: Final = "Grupo_LPI0003_CliCredtd"
OWN_MOVEMENT: Final = "1"
GIVING_BACK: Final = "2"
PERCENT_MAX: Final = 100
SHARES: Final = ("PercSldRB_CL", "VlrRB_CL", "PercSldCCME", "VlrCCME")
KINDS: Final = {"LPI0001": RESERVES, "LPI0002": E_MONEY, "LPI0003": RESERVES, "LPI0004": E_MONEY}
DIRECTIONS: Final = {"LPI0001": 1, "LPI0002": 1, "LPI0003": -1, "LPI0004": -1}
ORDERERS: Final = {
    "LPI0001": "ISPBIF",
    "LPI0002": "ISPBIEME",
    "LPI0003": "ISPBPSPI",
    "LPI0004": "ISPBPSPI",
    "LPI0005": "ISPBPSPI",
}
STR_OWNERS: Final = {**ORDERERS, "LPI0003": "ISPBIFCredtd"}
PI_OWNERS: Final = {**ORDERERS, "LPI0001": "ISPBPSPI"}

Broken = tuple[str, str]


class Facts(Protocol):
    """What the rules ask of the books."""

    def balance(self, ispb: str, kind: str) -> int | None:
        """Balance at the STR; None without such an account."""

    def settled_deposit(self, control_number: str) -> StrOrder | None:
        """A deposit that was settled."""

    def given_back(self, control_number: str) -> int:
        """What of a deposit has gone back, or is on its way, in centavos."""


class Rules:
    """The rules with what they need to know.

    Args:
        facts: The STR's books.
        hours: Its hours.
        has_pi_account: Says of an ISPB whether it has one.
    """

    def __init__(
        self, facts: Facts, hours: StrHours, has_pi_account: Callable[[str], bool]
    ) -> None:
        self._facts = facts
        self._hours = hours
        self._has_pi_account = has_pi_account

    def broken(self, message: StrMessage, at: datetime) -> dict[str, str]:
        """Error codes by tag; empty for a request that can be carried out if there is money."""
        found: dict[str, str] = {}
        for tag, code in self._all(message, at):
            found.setdefault(tag, code)
        return found

    def _all(self, message: StrMessage, at: datetime) -> Iterator[Broken]:
        fields = message.fields
        orderer = ORDERERS[message.code]
        if fields[orderer] != message.sender:
            yield orderer, "ESTR0003"
        if fields["DtMovto"] != day_of(at).isoformat():
            yield "DtMovto", "ESTR0002"
        if not self._has_pi_account(fields[PI_OWNERS[message.code]]):
            yield PI_OWNERS[message.code], "ELPI0001"
        if message.code == "LPI0005":
            yield from _shares(message)
            return
        yield from self._hours_of(message, at)
        yield from self._account(message)
        if not has_amount(message):
            yield "VlrLanc", "ESTR0016"
        if message.code == "LPI0003":
            yield from self._withdrawal(message)

    def _hours_of(self, message: StrMessage, at: datetime) -> Iterator[Broken]:
        is_deposit = DIRECTIONS[message.code] > 0
        window = self._hours.window(DEPOSITS if is_deposit else WITHDRAWALS, at)
        pi_owner = message.fields[PI_OWNERS[message.code]]
        is_own = message.fields[STR_OWNERS[message.code]] == pi_owner
        if window is None or (window == ADDITIONAL and not is_own):
            yield "", "ESTR0300"

    def _account(self, message: StrMessage) -> Iterator[Broken]:
        """Whose account at the STR, and may it serve that PI account."""
        tag, kind = STR_OWNERS[message.code], KINDS[message.code]
        owner, pi_owner = message.fields[tag], message.fields[PI_OWNERS[message.code]]
        if self._facts.balance(owner, kind) is None:
            codes = {"LPI0001": "ESTR0005", "LPI0003": "ESTR0007"}
            yield tag, codes.get(message.code, "ELPI0011")
        if owner != pi_owner and self._facts.balance(pi_owner, RESERVES) is not None:
            yield "ISPBPSPI", "ELPI0002"

    def _withdrawal(self, message: StrMessage) -> Iterator[Broken]:
        fields = message.fields
        purpose, original = fields["FinlddLPI"].lstrip("0"), fields.get("NumCtrlSTROr")
        has_client = f"{GROUP}/CNPJCliCredtd" in fields
        is_own = fields["ISPBIFCredtd"] == fields["ISPBPSPI"]
        if purpose == OWN_MOVEMENT:
            if original is not None:
                yield "NumCtrlSTROr", "ELPI0013"
            if has_client and is_own:
                yield GROUP, "ELPI0015"
            if not has_client and not is_own:
                yield "", "ELPI0012"
        elif purpose == GIVING_BACK:
            if has_client:
                yield GROUP, "ELPI0015"
            if original is None:
                yield "", "ELPI0014"
            elif not self._can_give_back(message, original):
                yield "NumCtrlSTROr", "ELPI0016"
        else:
            yield "FinlddLPI", "EGEN0023"

    def _can_give_back(self, message: StrMessage, original: str) -> bool:
        """What came to this PI account from that institution, and not more of it."""
        deposit = self._facts.settled_deposit(original)
        return (
            deposit is not None
            and deposit.pi_owner == message.fields["ISPBPSPI"]
            and deposit.str_owner == message.fields["ISPBIFCredtd"]
            and has_amount(message)
            and message.amount_cents + self._facts.given_back(original) <= deposit.amount_cents
        )


def has_amount(message: StrMessage) -> bool:
    """Tell whether something is to move."""
    try:
        return message.amount_cents > 0
    except WireError:
        return False


def rule_of(message: StrMessage) -> AutomaticRule:
    """The shares that an LPI0005 names; those of zero switch it off."""
    shares = {tag: message.fields[tag] for tag in SHARES if tag in message.fields}
    return AutomaticRule({tag: text for tag, text in shares.items() if hundredths_of(text) != 0})


def hundredths_of(text: str) -> int:
    """A decimal of at most two places in hundredths."""
    whole, _, part = text.strip().partition(".")
    cents = int(whole.lstrip("-") + f"{part:0<2}")
    return -cents if whole.startswith("-") else cents


def _shares(message: StrMessage) -> Iterator[Broken]:
    for tag in SHARES:
        hundredths = hundredths_of(message.fields.get(tag, "0"))
        is_too_much = tag.startswith("Perc") and hundredths > PERCENT_MAX * 100
        if hundredths < 0 or is_too_much:
            yield tag, "EGEN0023"
