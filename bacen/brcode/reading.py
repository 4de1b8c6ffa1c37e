"""Reading a BR Code: every rule that it breaks by name, and what it says if it breaks none."""

import re
from dataclasses import dataclass

from bacen import BrokenRule, InvalidBrCode
from bacen.brcode import rules
from bacen.brcode.code import BrCode
from bacen.brcode.rules import PIX, Findings
from bacen.brcode.tlv import (
    CHECKSUM_FIELD_CHARACTERS,
    CHECKSUM_HEAD,
    PAYLOAD_CHARACTERS_MAX,
    VALUE_CHARACTERS_MAX,
    Fields,
    checksum,
    split,
)

ACCOUNTS = frozenset(f"{tag:02d}" for tag in range(26, 52))
UNRESERVED = frozenset(f"{tag:02d}" for tag in range(80, 100))
TEMPLATES = ACCOUNTS | UNRESERVED | {"62", "64"}
ACCOUNT = "26"
ADDITIONAL = "62"
RECURRENCE = "80"

_CHECKSUM = re.compile(r"[0-9A-F]{4}")
_STATIC_ONLY = {"02": "information", "03": "withdrawal_ispb"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a text came to. It is a BR Code where `violations` is empty.

    Attributes:
        code: What it says; None where a rule is broken.
        fields: All fields by their tags, those that Pix does not know too; empty where the text
            cannot be split.
        violations: Rules that are broken.
        deviations: Rules that codes in use bend; `make` never does.
    """

    code: BrCode | None
    fields: Fields
    violations: tuple[BrokenRule, ...]
    deviations: tuple[BrokenRule, ...]

    def __repr__(self) -> str:
        return f"Reading({self.code!r}, {len(self.violations)} violations)"


def parse(payload: str) -> BrCode:
    """Read a BR Code as a payer's bank does: rules that codes in use bend may be bent.

    Raises:
        InvalidBrCode: A rule is broken; the first of them.
    """
    reading = read(payload)
    if reading.code is None:
        first = reading.violations[0]
        raise InvalidBrCode(first.path, first.text)
    return reading.code


def read(payload: str) -> Reading:
    """Judge a text by every rule.

    Args:
        payload: The text of a QR code, with nothing before or after it.
    """
    findings = Findings()
    top = _split(payload, findings)
    tree = _tree(top, findings)
    code = None
    if top:
        rules.fixed_fields(top, findings)
        rules.merchant(top, findings)
        code = _code(top, tree, findings)
    return Reading(
        None if findings.violations else code,
        tree,
        tuple(findings.violations),
        tuple(findings.deviations),
    )


def _split(payload: str, findings: Findings) -> dict[str, str]:
    """The fields, or none where the text has no fields."""
    if not 0 < len(payload) <= PAYLOAD_CHARACTERS_MAX:
        told = f"must hold 1 to {PAYLOAD_CHARACTERS_MAX} characters"
        findings.broken("payload", "payload_length", told)
        return {}
    if any("\ud800" <= character <= "\udfff" for character in payload):
        findings.broken("payload", "characters", "must be text that UTF-8 can write")
        return {}
    has_checksum = _check_checksum(payload, findings)
    top = split(payload)
    if isinstance(top, BrokenRule):
        findings.violations.append(top)
        return {}
    if has_checksum and list(top)[-1] != "63":
        findings.broken("63", "truncated_or_missing_crc", "must be the last field")
    return top


def _check_checksum(payload: str, findings: Findings) -> bool:
    """Check the last field; its value may be in lower case, as some write it."""
    tail = payload[-CHECKSUM_FIELD_CHARACTERS:]
    written = tail[len(CHECKSUM_HEAD) :]
    if not tail.startswith(CHECKSUM_HEAD) or _CHECKSUM.fullmatch(written.upper()) is None:
        told = "must end the text with 6304 and four hexadecimal digits"
        findings.broken("63", "truncated_or_missing_crc", told)
        return False
    if checksum(payload[: -len(written)]) != written.upper():
        findings.broken("63", "crc_mismatch", "is not the checksum of this text")
    elif not _CHECKSUM.fullmatch(written):
        findings.bent("63", "crc_lower_case", "is written in upper case")
    return True


def _tree(top: dict[str, str], findings: Findings) -> dict[str, str | dict[str, str]]:
    """Split the templates."""
    tree: dict[str, str | dict[str, str]] = {}
    for tag, value in top.items():
        tree[tag] = value
        if tag in TEMPLATES:
            inner = split(value, tag)
            if isinstance(inner, BrokenRule):
                findings.violations.append(inner)
            else:
                tree[tag] = inner
    return tree


def _code(
    top: dict[str, str], tree: dict[str, str | dict[str, str]], findings: Findings
) -> BrCode | None:
    recurrence = _recurrence(tree, findings)
    account_tag, account = _pix(tree, ACCOUNTS, ACCOUNT, findings)
    if not account_tag:
        told = f"must name {PIX}"
        note = findings.broken if recurrence is None else findings.bent
        note(ACCOUNT, "no_pix_merchant_account", told)
    is_static = "01" in account
    location = _account(account_tag, account, findings, stands_alone=recurrence is None)
    amount_cents = None
    if "54" in top:
        amount_cents = rules.amount(top["54"], "54", findings)
        if not is_static:
            findings.bent("54", "amount_of_dynamic", "is of static codes, a charge has its own")
    txid = _txid(tree, findings, is_static=is_static)
    if findings.violations:
        return None
    return BrCode(
        merchant_name=top["59"],
        merchant_city=top["60"],
        key=account.get("01"),
        information=account.get("02"),
        withdrawal_ispb=account.get("03"),
        amount_cents=amount_cents,
        txid=txid,
        location=location,
        recurrence=recurrence,
        postal_code=top.get("61"),
        is_single_use=top.get("01") == "12",
    )


def _pix(
    tree: dict[str, str | dict[str, str]], tags: frozenset[str], usual: str, findings: Findings
) -> tuple[str, dict[str, str]]:
    """The template of Pix among these tags, or an empty one."""
    found = [
        (tag, inner)
        for tag, inner in tree.items()
        if tag in tags and not isinstance(inner, str) and inner.get("00", "").lower() == PIX
    ]
    if not found:
        return "", {}
    tag, inner = found[0]
    if next(iter(inner)) != "00":
        findings.broken(f"{tag}/00", "template_order", "must come first")
    if len(found) > 1:
        findings.broken(found[1][0], "two_pix_templates", f"is of {PIX} like {tag}")
    if tag != usual:
        findings.bent(tag, "template_tag", f"is {usual} in Pix")
    return tag, inner


def _recurrence(tree: dict[str, str | dict[str, str]], findings: Findings) -> str | None:
    tag, inner = _pix(tree, UNRESERVED, RECURRENCE, findings)
    if not tag:
        return None
    if "25" not in inner:
        findings.broken(f"{tag}/25", "missing", "must be there")
        return ""
    _unknown(tag, inner, {"00", "25"}, findings)
    return rules.location(inner["25"], f"{tag}/25", findings)


def _account(
    tag: str, account: dict[str, str], findings: Findings, *, stands_alone: bool
) -> str | None:
    """Check tag 26; the answer is the location of a dynamic code."""
    if "01" in account and "25" in account:
        findings.broken(tag, "static_and_dynamic", "must hold a key or a location, not both")
    elif tag and stands_alone and not {"01", "25"} & account.keys():
        findings.broken(tag, "no_key_or_location", "must hold a key (01) or a location (25)")
    if "01" in account:
        rules.key(account["01"], f"{tag}/01", findings)
    for inner, name in _STATIC_ONLY.items():
        if inner in account and "01" not in account:
            findings.broken(f"{tag}/{inner}", f"{name}_without_key", "is of static codes")
    if "02" in account:
        rules.free_text(account["02"], f"{tag}/02", VALUE_CHARACTERS_MAX, findings)
    if "03" in account:
        rules.ispb(account["03"], f"{tag}/03", findings)
    _unknown(tag, account, {"00", "01", "02", "03", "25"}, findings)
    if "25" not in account:
        return None
    return rules.location(account["25"], f"{tag}/25", findings)


def _txid(
    tree: dict[str, str | dict[str, str]], findings: Findings, *, is_static: bool
) -> str | None:
    additional = tree.get(ADDITIONAL, {})
    if isinstance(additional, str):  # broken, and said so
        return None
    if "05" not in additional:
        findings.bent("62/05", "txid_missing", "is *** where there is no txid")
        return None
    return rules.txid(additional["05"], "62/05", findings, is_static=is_static)


def _unknown(tag: str, inner: dict[str, str], known: set[str], findings: Findings) -> None:
    for other in inner.keys() - known:
        findings.bent(f"{tag}/{other}", "unknown_field", "is no field of Pix")
