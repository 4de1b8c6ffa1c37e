"""Entry of a key and the answer that carries it: `GetEntryResponse` of DICT API 2.12.1."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import cast, get_args

import msgspec
from lxml import etree

from bacen import InvalidKey, InvalidMessage
from bacen.dict.keys import KeyType, parse_key
from bacen.wire import Signer, Verifier, sign_dict, verify_dict

OWNER_TYPES = frozenset({"NATURAL_PERSON", "LEGAL_PERSON"})
ACCOUNT_TYPES = frozenset({"CACC", "OTHR", "SLRY", "SVGS", "TRAN"})

_PATTERNS = {
    "participant": re.compile(r"[0-9A-Z]{8}"),
    "branch": re.compile(r"[0-9]{1,4}"),
    "account_number": re.compile(r"[0-9A-Z]{1,20}"),
    "owner_tax_id": re.compile(r"[0-9]{11}|[0-9A-Z]{12}[0-9]{2}"),
    "owner_name": re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]{1,150}"),
    "owner_trade_name": re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]{1,100}"),
}
_TIMES = ("account_opening_date", "creation_date", "key_ownership_date", "open_claim_creation_date")
_OPTIONAL = frozenset({"branch", "owner_trade_name", "open_claim_creation_date"})
_CORRELATION_ID = re.compile(r"[0-9a-fA-F]{32}")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What DICT knows about a key: the account that it leads to, and who owns it.

    Attributes:
        key: In the written form of `parse_key`.
        key_type: `CPF`, `CNPJ`, `PHONE`, `EMAIL` or `EVP`.
        participant: ISPB of the PSP, upper case.
        account_number: Upper case, as SPI wants it.
        account_type: `CACC`, `SVGS`, `TRAN`, `SLRY` or `OTHR`.
        owner_type: `NATURAL_PERSON` or `LEGAL_PERSON`.
        owner_tax_id: CPF or CNPJ, upper case.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    key: str
    key_type: KeyType
    participant: str
    account_number: str
    account_type: str
    account_opening_date: datetime
    owner_type: str
    owner_tax_id: str
    owner_name: str
    creation_date: datetime
    key_ownership_date: datetime
    branch: str | None = None
    owner_trade_name: str | None = None
    open_claim_creation_date: datetime | None = None

    def __post_init__(self) -> None:
        """Check the fields against the API's schema."""
        _check_key(self.key, self.key_type)
        _require(self.account_type in ACCOUNT_TYPES, "account_type")
        _require(self.owner_type in OWNER_TYPES, "owner_type")
        for name, pattern in _PATTERNS.items():
            value = getattr(self, name)
            absent = value is None and name in _OPTIONAL
            _require(absent or pattern.fullmatch(value or "") is not None, name)
        for name in _TIMES:
            at = getattr(self, name)
            absent = at is None and name in _OPTIONAL
            _require(absent or (isinstance(at, datetime) and at.utcoffset() is not None), name)


def encode_entry_response(
    entry: Entry, signer: Signer, *, response_time: datetime, correlation_id: str
) -> bytes:
    """Write and sign the answer to getEntry.

    Args:
        entry: What was found.
        signer: Key of the DICT.
        response_time: `ResponseTime`, aware.
        correlation_id: 32 hexadecimal digits.

    Raises:
        InvalidMessage: `correlation_id` has the wrong form.
    """
    _require(_CORRELATION_ID.fullmatch(correlation_id) is not None, "correlation_id")
    root = etree.Element("GetEntryResponse")
    _add(root, "ResponseTime", _time_text(response_time))
    _add(root, "CorrelationId", correlation_id)
    body = etree.SubElement(root, "Entry")
    _add(body, "Key", entry.key)
    _add(body, "KeyType", entry.key_type)
    account = etree.SubElement(body, "Account")
    _add(account, "Participant", entry.participant)
    _add(account, "Branch", entry.branch)
    _add(account, "AccountNumber", entry.account_number)
    _add(account, "AccountType", entry.account_type)
    _add(account, "OpeningDate", _time_text(entry.account_opening_date))
    owner = etree.SubElement(body, "Owner")
    _add(owner, "Type", entry.owner_type)
    _add(owner, "TaxIdNumber", entry.owner_tax_id)
    _add(owner, "Name", entry.owner_name)
    _add(owner, "TradeName", entry.owner_trade_name)
    _add(body, "CreationDate", _time_text(entry.creation_date))
    _add(body, "KeyOwnershipDate", _time_text(entry.key_ownership_date))
    claimed = entry.open_claim_creation_date
    _add(body, "OpenClaimCreationDate", None if claimed is None else _time_text(claimed))
    return sign_dict(etree.tostring(root), signer)


def decode_entry_response(data: bytes, verifier: Verifier, *, ispb: str | None = None) -> Entry:
    """Verify and read the answer to getEntry; statistics in it are left aside.

    Args:
        data: The bytes as they came.
        verifier: Whose signatures count.
        ispb: Whose certificate must have signed, where the certificate names an ISPB.

    Raises:
        MalformedXml: Not XML that we read.
        SignatureInvalid: Not signed by DICT.
        InvalidMessage: Signed, but no entry.
    """
    return read_entry(verify_dict(data, verifier, ispb=ispb))


def read_entry(root: etree._Element) -> Entry:
    """Read the entry out of a verified `GetEntryResponse`.

    Raises:
        InvalidMessage: It does not follow the API's schema.
    """
    _require(root.tag == "GetEntryResponse", "GetEntryResponse")
    with _named("Entry/Key"):
        key = parse_key(_text(root, "Entry/Key"))
    branch = root.findtext("Entry/Account/Branch")
    trade_name = root.findtext("Entry/Owner/TradeName")
    claimed = root.findtext("Entry/OpenClaimCreationDate")
    kind = _text(root, "Entry/KeyType")
    _require(kind in get_args(KeyType), "Entry/KeyType")
    return Entry(
        key=key.value,
        key_type=cast("KeyType", kind),
        participant=_text(root, "Entry/Account/Participant").upper(),
        branch=branch or None,
        account_number=_text(root, "Entry/Account/AccountNumber").upper(),
        account_type=_text(root, "Entry/Account/AccountType"),
        account_opening_date=_time(root, "Entry/Account/OpeningDate"),
        owner_type=_text(root, "Entry/Owner/Type"),
        owner_tax_id=_text(root, "Entry/Owner/TaxIdNumber").upper(),
        owner_name=_text(root, "Entry/Owner/Name"),
        owner_trade_name=trade_name or None,
        creation_date=_time(root, "Entry/CreationDate"),
        key_ownership_date=_time(root, "Entry/KeyOwnershipDate"),
        open_claim_creation_date=_time(root, "Entry/OpenClaimCreationDate") if claimed else None,
    )


def _check_key(key: str, kind: str) -> None:
    with _named("key"):
        parsed = parse_key(key)
    _require(parsed.type == kind, "key_type")
    _require(parsed.value == key, "key")


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Name the field whose key is no key."""
    try:
        yield
    except InvalidKey as error:
        raise InvalidMessage(path, error.problem) from None


def _require(condition: bool, path: str) -> None:
    if not condition:
        raise InvalidMessage(path, "does not follow the DICT API's schema")


def _add(parent: etree._Element, name: str, text: str | None) -> None:
    if text is not None:
        etree.SubElement(parent, name).text = text


def _time_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _text(root: etree._Element, path: str) -> str:
    found = root.findall(path)
    if len(found) != 1 or len(found[0]):
        raise InvalidMessage(path, "must be there once")
    return found[0].text or ""


def _time(root: etree._Element, path: str) -> datetime:
    try:
        at = datetime.fromisoformat(_text(root, path))
    except ValueError:
        raise InvalidMessage(path, "must be a time") from None
    if at.utcoffset() is None:
        raise InvalidMessage(path, "must be a time with an offset")
    return at
