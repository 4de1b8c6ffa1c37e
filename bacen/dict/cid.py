"""CID, the content identifier of an entry: a keyed hash of what DICT knows (DICT API 2.12.1).

Two sides that have the same entry have the same CID, and a CID tells nothing about the entry. The
key of the hash is the RequestId of the request that made the entry: keep it as a secret.
"""

import hashlib
import hmac
import re
from dataclasses import astuple, dataclass
from typing import NewType
from uuid import UUID

from actors import IdGenerator
from bacen import InvalidMessage
from bacen.dict.entries import Entry

Cid = NewType("Cid", str)
"""64 lower-case hexadecimal digits."""

TOKEN_CHARACTERS = 32  # more than the 122 random bits of a UUID

_CID = re.compile(r"[0-9a-f]{64}")
_SEPARATOR = "&"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentAttributes:
    """The attributes that a CID covers, letter for letter as DICT keeps them.

    Nothing is normalised: another case or one more zero is another CID. Its text shows the kind
    of the key only.

    Attributes:
        key_type: `CPF`, `CNPJ`, `PHONE`, `EMAIL` or `EVP`.
        owner_trade_name: Empty where there is none, as is `branch`.
        participant: ISPB.

    Raises:
        InvalidMessage: UTF-8 cannot write a field.
    """

    key_type: str
    key: str
    owner_tax_id: str
    owner_name: str
    owner_trade_name: str = ""
    participant: str
    branch: str = ""
    account_number: str
    account_type: str

    def __post_init__(self) -> None:
        """Check that each field is text with bytes."""
        for name in self.__slots__:
            value = getattr(self, name)
            if not isinstance(value, str):
                raise InvalidMessage(name, "must be text")
            if any("\ud800" <= character <= "\udfff" for character in value):
                raise InvalidMessage(name, "must be text that UTF-8 can write")

    @classmethod
    def of(cls, entry: Entry) -> "ContentAttributes":
        """Take them out of an entry, in its written form."""
        account, owner = entry.account, entry.owner
        return cls(
            key_type=entry.key_type,
            key=entry.key,
            owner_tax_id=owner.tax_id_number,
            owner_name=owner.name,
            owner_trade_name=owner.trade_name or "",
            participant=account.participant,
            branch=account.branch or "",
            account_number=account.account_number,
            account_type=account.account_type,
        )

    def __repr__(self) -> str:
        return f"ContentAttributes({self.key_type})"


def new_request_id(ids: IdGenerator) -> UUID:
    """Make a RequestId: a UUID version 4, not to be guessed, for it is the key of the CID.

    Keep it before the request goes out: the same one again is the same request.

    Args:
        ids: The node's.
    """
    drawn = hashlib.sha256(ids.token(TOKEN_CHARACTERS).encode()).digest()
    return UUID(bytes=drawn[:16], version=4)


def content_id(attributes: ContentAttributes, request_id: UUID) -> Cid:
    """Compute the CID: HMAC-SHA256 of the attributes, keyed by the 16 bytes of the RequestId.

    Args:
        attributes: The entry.
        request_id: `RequestId` of the request that made the entry.
    """
    message = _SEPARATOR.join(astuple(attributes)).encode()
    return Cid(hmac.digest(request_id.bytes, message, hashlib.sha256).hex())


def is_content_id(cid: Cid, attributes: ContentAttributes, request_id: UUID) -> bool:
    """Say whether the CID is that of the entry; takes the same time wherever they differ."""
    return hmac.compare_digest(cid, content_id(attributes, request_id))


def parse_cid(text: str, path: str = "cid") -> Cid:
    """Read a CID; upper case becomes lower case.

    Raises:
        InvalidMessage: Not 64 hexadecimal digits.
    """
    lower = text.lower()
    if _CID.fullmatch(lower) is None:
        raise InvalidMessage(path, "must be 64 hexadecimal digits")
    return Cid(lower)
