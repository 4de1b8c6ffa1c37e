"""Rules of single fields.

A rule is broken, or only bent: codes that are in use bend some of them, and a payer's bank that
refused those would refuse real customers. Reading lets a bent rule pass, writing never bends one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bacen import BrokenRule, InvalidKey
from bacen.dict import parse_key

PIX = "br.gov.bcb.pix"
NO_TXID = "***"
TXID_CHARACTERS_MAX = 25
NAME_CHARACTERS_MAX = 25
CITY_CHARACTERS_MAX = 15

_LOCATION = re.compile(
    r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?/[a-z0-9._~!$&'()*+,;=:%/-]+", re.IGNORECASE
)
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,9})\.[0-9]{2}")
_AMOUNT_BENT = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,2}))?")
_TXID = re.compile(r"[a-zA-Z0-9]{1,25}")
_TXID_BENT = re.compile(r"[a-zA-Z0-9_]{1,25}")
_ISPB = re.compile(r"[0-9A-Z]{8}")
_MERCHANT_CATEGORY = re.compile(r"[0-9]{4}")
_POSTAL_CODE = re.compile(r"[0-9]{8}")
_POSTAL_CODE_BENT = re.compile(r"[0-9A-Za-z -]{1,10}")


@dataclass(slots=True)
class Findings:
    """Rules that a code breaks, and rules that it only bends."""

    violations: list[BrokenRule] = field(default_factory=list)
    deviations: list[BrokenRule] = field(default_factory=list)

    def broken(self, path: str, rule: str, text: str) -> None:
        """Note a rule whose breach makes the code unusable."""
        self.violations.append(BrokenRule(path, rule, text))

    def bent(self, path: str, rule: str, text: str) -> None:
        """Note a rule that codes in use bend."""
        self.deviations.append(BrokenRule(path, rule, text))


def fixed_fields(fields: Mapping[str, str], findings: Findings) -> None:
    """Check the fields whose content is the same in every code, or one of a few."""
    if next(iter(fields)) != "00" or fields["00"] != "01":
        findings.broken("00", "payload_format_indicator_not_01", "must come first and be 01")
    if fields.get("01", "11") not in {"11", "12"}:
        findings.broken("01", "initiation_method", "must be 11 or 12")
    category = fields.get("52", "")
    if _MERCHANT_CATEGORY.fullmatch(category) is None:
        findings.broken("52", "merchant_category", "must be four digits")
    elif category != "0000":
        findings.bent("52", "merchant_category_not_0000", "is 0000 in Pix")
    if fields.get("53") != "986":
        findings.broken("53", "currency_not_986", "must be 986, the real")
    if fields.get("58") != "BR":
        findings.broken("58", "country_not_BR", "must be BR")


def merchant(fields: Mapping[str, str], findings: Findings) -> None:
    """Check who is paid and where."""
    free_text(fields.get("59"), "59", NAME_CHARACTERS_MAX, findings)
    free_text(fields.get("60"), "60", CITY_CHARACTERS_MAX, findings)
    postal_code = fields.get("61")
    if postal_code is None or _POSTAL_CODE.fullmatch(postal_code) is not None:
        return
    if _POSTAL_CODE_BENT.fullmatch(postal_code) is not None:
        findings.bent("61", "postal_code_form", "is a CEP of eight digits")
    else:
        findings.broken("61", "postal_code", "must be a postal code of at most 10 characters")


def free_text(value: str | None, path: str, characters_max: int, findings: Findings) -> None:
    """Check text for people: it must be there, fit, and show what it is.

    Characters that cannot be seen or that turn the direction of writing could hide a name.
    """
    if value is None:
        findings.broken(path, "missing", "must be there")
    elif len(value) > characters_max:
        findings.broken(path, "too_long", f"must hold at most {characters_max} characters")
    elif not value.isprintable() or not value.strip():
        findings.broken(path, "characters", "must be text that can be seen")


def key(value: str, path: str, findings: Findings) -> None:
    """Check a Pix key."""
    try:
        written = parse_key(value).value
    except InvalidKey as error:
        findings.broken(path, "key", error.problem)
        return
    if written != value:
        findings.bent(path, "key_form", "is not how DICT writes this key")


def ispb(value: str, path: str, findings: Findings) -> None:
    """Check the ISPB of the PSP that serves a withdrawal."""
    if _ISPB.fullmatch(value) is None:
        findings.broken(path, "ispb", "must be eight digits or upper-case letters")


def location(value: str, path: str, findings: Findings) -> str:
    """Check the address of a charge or recurrence; the answer is without its scheme.

    It has at most 77 characters: the template around it has no room for more.
    """
    address = value
    if value.lower().startswith("https://"):
        address = value[len("https://") :]
        findings.bent(path, "location_scheme", "is written without https://")
    if _LOCATION.fullmatch(address) is None:
        findings.broken(path, "location", "must be a host and a path, nothing else")
    return address


def amount(value: str, path: str, findings: Findings) -> int | None:
    """Check an amount and read it as centavos."""
    found = _AMOUNT_BENT.fullmatch(value)
    if found is None:
        findings.broken(path, "amount", "must be digits, a point and two decimals, such as 10.50")
        return None
    whole, part = found.groups()
    cents = int(whole) * 100 + int((part or "").ljust(2, "0"))
    if cents == 0:
        findings.broken(path, "amount_zero", "must not be zero")
    if _AMOUNT.fullmatch(value) is None:
        findings.bent(path, "amount_form", "is written with two decimals and no leading zero")
    return cents


def txid(value: str, path: str, findings: Findings, *, is_static: bool) -> str | None:
    """Check a transaction id; the answer is None for `***`."""
    if value == NO_TXID:
        return None
    if len(value) > TXID_CHARACTERS_MAX:
        findings.broken(path, "too_long", f"must hold at most {TXID_CHARACTERS_MAX} characters")
    elif _TXID_BENT.fullmatch(value) is None:
        findings.broken(path, "txid", "must be letters and digits, or ***")
    elif _TXID.fullmatch(value) is None:
        findings.bent(path, "txid_characters", "holds letters and digits only")
    if not is_static:
        findings.bent(path, "txid_of_dynamic", "is *** in a dynamic code: its charge has the txid")
    return value
