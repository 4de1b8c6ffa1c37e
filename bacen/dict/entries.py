"""Entries of DICT, and the checking of keys: structs and operations (DICT API 2.12.1)."""

import re
from typing import Annotated, Literal
from uuid import UUID

from bacen import InvalidKey, InvalidMessage
from bacen.dict.forms import (
    AccountNumber,
    AccountType,
    Branch,
    Flag,
    Instant,
    Ispb,
    Key,
    KeyKind,
    Name,
    TaxId,
    TradeName,
    Uuid,
    Word,
    kind_of_key,
)
from bacen.dict.keys import parse_key
from bacen.dict.part import Attribute, Content, Header, Items, Part, require_rule
from bacen.dict.response import Response
from bacen.dict.statistics import KeyStatistics, PersonStatistics

KEYS_CHECKED_MAX = 200

EntryReason = Literal[
    "USER_REQUESTED",
    "ACCOUNT_CLOSURE",
    "BRANCH_TRANSFER",
    "RECONCILIATION",
    "FRAUD",
    "RFB_VALIDATION",
    "PARTICIPANT_EXCLUSION",
]

_CPF_CHARACTERS = 11
_NATURAL_NAME = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ' -]+")
_LEGAL_NAME = re.compile(r"[\u0020-\u007e\u00a1-\u00ff]+")
_ONLY_STARS = re.compile(r"\*+")


class Account(Part, frozen=True, kw_only=True):
    """An account at a participant: `BrazilianAccount` of the API.

    Attributes:
        participant: ISPB of the PSP, upper case.
        account_number: Upper case, as SPI wants it.
    """

    participant: Ispb
    branch: Branch | None = None
    account_number: AccountNumber
    account_type: AccountType
    opening_date: Instant


class Person(Part, frozen=True, kw_only=True):
    """Who owns an account or claims a key.

    Attributes:
        tax_id_number: CPF of a natural person, CNPJ of a legal one, upper case.
        trade_name: Of a legal person only.
    """

    type: Literal["NATURAL_PERSON", "LEGAL_PERSON"]
    tax_id_number: TaxId
    name: Name
    trade_name: TradeName | None = None

    def check_rules(self) -> None:
        """Refuse the document of the other type of person."""
        is_natural = self.type == "NATURAL_PERSON"
        has_cpf = len(self.tax_id_number) == _CPF_CHARACTERS
        require_rule(is_natural is has_cpf, "TaxIdNumber", "must be of the type of person")


def require_names_of_today(person: Person, path: str) -> None:
    """Refuse letters that DICT takes in no name any more; names that it has may be older.

    Raises:
        InvalidMessage: A name holds one, or a natural person has a trade name.
    """
    is_natural = person.type == "NATURAL_PERSON"
    allowed = _NATURAL_NAME if is_natural else _LEGAL_NAME
    require_rule(
        allowed.fullmatch(person.name) is not None, f"{path}/Name", "holds a character not allowed"
    )
    trade_name = person.trade_name
    if trade_name is not None:
        is_good = not is_natural and _LEGAL_NAME.fullmatch(trade_name) is not None
        is_good = is_good and _ONLY_STARS.fullmatch(trade_name) is None
        require_rule(is_good, f"{path}/TradeName", "is no trade name of a legal person")


def require_valid_key(key: str, path: str) -> None:
    """Refuse a key that no account can have: a wrong check digit, a number that cannot exist.

    Raises:
        InvalidMessage: `parse_key` refuses it.
    """
    try:
        parsed = parse_key(key)
    except InvalidKey as error:
        raise InvalidMessage(path, error.problem) from None
    require_rule(parsed.value == key, path, "must be in its written form")


class NewEntry(Part, frozen=True, kw_only=True):
    """An entry to be made.

    Attributes:
        key: Left out for an EVP, which DICT makes.
    """

    key: Key | None = None
    key_type: KeyKind
    account: Account
    owner: Person

    def check_rules(self) -> None:
        """Refuse a key of another type."""
        if self.key is None:
            require_rule(self.key_type == "EVP", "Key", "must be there")
        else:
            require_rule(kind_of_key(self.key) == self.key_type, "KeyType", "is not the key's")


class Entry(Part, frozen=True, kw_only=True):
    """What DICT knows about a key: the account that it leads to, and who owns it.

    Attributes:
        key: In the written form of `parse_key`.
        creation_date: When the present participant got the key.
        key_ownership_date: When the present owner got it.
        open_claim_creation_date: When the claim that is open now was made.
    """

    key: Key
    key_type: KeyKind
    account: Account
    owner: Person
    creation_date: Instant
    key_ownership_date: Instant
    open_claim_creation_date: Instant | None = None

    def check_rules(self) -> None:
        """Refuse a key of another type."""
        require_rule(kind_of_key(self.key) == self.key_type, "KeyType", "is not the key's")


class CreateEntryRequest(Part, frozen=True, kw_only=True):
    """createEntry: reasons USER_REQUESTED and RECONCILIATION.

    Attributes:
        request_id: UUID version 4; the same again is the same request. It is the secret of the CID.
    """

    entry: NewEntry
    reason: EntryReason
    request_id: Uuid

    def check_rules(self) -> None:
        """Refuse a key or a name that DICT takes no more."""
        if self.entry.key is not None:
            require_valid_key(self.entry.key, "Entry/Key")
        require_names_of_today(self.entry.owner, "Entry/Owner")
        require_version_4(self.request_id)


def require_version_4(request_id: UUID) -> None:
    """Refuse a RequestId that is no UUID version 4.

    Raises:
        InvalidMessage: It is not.
    """
    require_rule(request_id.version == 4, "RequestId", "must be a UUID version 4")


class GetEntryRequest(Part, frozen=True, kw_only=True):
    """getEntry: each question costs tokens of the payer and of the participant.

    Attributes:
        participant: Who asks.
        payer_id: CPF or CNPJ of the payer.
        end_to_end_id: Id that the payment will have.
    """

    key: Key
    include_statistics: Flag = False
    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]
    payer_id: Annotated[TaxId, Header("PI-PayerId")]
    end_to_end_id: Annotated[Word, Header("PI-EndToEndId")]


class UpdateEntryRequest(Part, frozen=True, kw_only=True):
    """updateEntry: only the account, the name and the trade name can change."""

    key: Key
    account: Account | None = None
    owner: Person | None = None
    reason: EntryReason

    def check_rules(self) -> None:
        """Refuse a name that DICT takes no more."""
        if self.owner is not None:
            require_names_of_today(self.owner, "Owner")


class DeleteEntryRequest(Part, frozen=True, kw_only=True):
    """deleteEntry; a key under an open claim cannot be deleted."""

    key: Key
    participant: Ispb
    reason: EntryReason


class CheckKeysRequest(Part, frozen=True, kw_only=True):
    """checkKeys: 1 to 200 keys."""

    keys: Annotated[tuple[Key, ...], Items("Key")]

    def check_rules(self) -> None:
        """Refuse an empty list and one that is too long."""
        number_is_good = 0 < len(self.keys) <= KEYS_CHECKED_MAX
        require_rule(number_is_good, "Keys", f"must be 1 to {KEYS_CHECKED_MAX}")


class EntryResponse(Response, frozen=True, kw_only=True):
    """Answer to createEntry and updateEntry."""

    entry: Entry


class GetEntryResponse(Response, frozen=True, kw_only=True):
    """Answer to getEntry; statistics where they were asked for."""

    entry: Entry
    owner_statistics: PersonStatistics | None = None
    key_statistics: KeyStatistics | None = None


class DeleteEntryResponse(Response, frozen=True, kw_only=True):
    """Answer to deleteEntry."""

    key: Key


class CheckedKey(Part, frozen=True, kw_only=True):
    """A key, and whether DICT has an entry for it."""

    key: Annotated[Key, Content()]
    has_entry: Annotated[Flag, Attribute("hasEntry")]


class CheckKeysResponse(Response, frozen=True, kw_only=True):
    """Answer to checkKeys, in the order of the question."""

    keys: Annotated[tuple[CheckedKey, ...], Items("Key")] = ()
