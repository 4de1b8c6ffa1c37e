"""Errors of the room, each with fields.

BacenError
├── WireError
│   ├── MalformedXml         the bytes are no XML that we read
│   ├── UnknownMessage       a message definition that we do not speak
│   ├── InvalidMessage       a field breaks the schema or a rule of ours
│   └── SignatureInvalid     nobody we trust signed these bytes
├── CertificateRefused       a certificate or key that cannot be used here
├── MultipartInvalid         a multipart body that breaks its grammar or a bound
├── InvalidBrCode            the text is no BR Code, or the code cannot be written
├── IcomError
│   ├── IcomRefused          4xx: nothing was stored
│   └── IcomUnknown          cut, late or 5xx: it may be stored
└── DictError
├── InvalidKey           the text is no Pix key
├── EntryNotFound        DICT has no such key
├── DictRefused          DICT answered with another problem
└── DictUnavailable      no usable answer
"""

from dataclasses import dataclass, fields


@dataclass(eq=False)
class BacenError(Exception):
    """Root of every error of this room; survives pickling, no personal data in its text."""

    def __post_init__(self) -> None:
        """Keep the fields in `args`: unpickling calls the class with them."""
        self.args = tuple(getattr(self, field.name) for field in fields(self))

    def __str__(self) -> str:
        return ", ".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))


@dataclass(eq=False)
class WireError(BacenError):
    """A message that cannot be written or read."""


@dataclass(eq=False)
class MalformedXml(WireError):
    """The bytes are not XML, or XML with parts that we never accept (DOCTYPE, too large).

    Attributes:
        problem: What is wrong, without content of the message.
    """

    problem: str


@dataclass(eq=False)
class UnknownMessage(WireError):
    """A well signed message of a kind or version that is not spoken here.

    Attributes:
        message_definition: `MsgDefIdr` or namespace, as it came, at most 100 characters.
    """

    message_definition: str


@dataclass(eq=False)
class InvalidMessage(WireError):
    """A field that the schema or a rule of the catalogue refuses.

    Attributes:
        path: The field (building) or the place in the document (reading).
        problem: The rule that is broken, never the value.
    """

    path: str
    problem: str


@dataclass(eq=False)
class SignatureInvalid(WireError):
    """The signature does not prove that the named sender wrote these bytes.

    Attributes:
        problem: Which check failed.
    """

    problem: str


@dataclass(eq=False)
class CertificateRefused(BacenError):
    """A certificate or key that is unreadable or too weak.

    Attributes:
        problem: What is wrong with it.
    """

    problem: str


@dataclass(eq=False)
class ExchangeFailed(BacenError):
    """A request went out, or may have, and no whole answer came back.

    Attributes:
        cause: Type of the transport's error, or the bound that the answer broke.
    """

    cause: str


@dataclass(eq=False)
class MultipartInvalid(BacenError):
    """A multipart body that breaks its grammar or one of the bounds.

    Attributes:
        problem: The rule that is broken.
    """

    problem: str


@dataclass(eq=False)
class InvalidBrCode(BacenError):
    """A text that is no BR Code, or a code that cannot be written.

    Attributes:
        path: The field by its tags, such as `26/01`.
        problem: The rule that is broken, never the value.
    """

    path: str
    problem: str


@dataclass(eq=False)
class IcomError(BacenError):
    """An exchange with ICOM that did not succeed."""


@dataclass(eq=False)
class IcomRefused(IcomError):
    """ICOM answered 4xx: nothing was stored (BCB Manual das Interfaces 1.12).

    Do not resend unchanged, except 429: later.

    Attributes:
        status: HTTP status.
        title: `title` of the problem document, or the reason phrase.
        retry_after_s: `Retry-After`, where given.
    """

    status: int
    title: str
    retry_after_s: int | None = None


@dataclass(eq=False)
class IcomUnknown(IcomError):
    """No usable answer: the message may be stored. Resend the same bytes.

    Attributes:
        cause: What happened, such as `HTTP 503` or the type of the transport error.
    """

    cause: str


@dataclass(eq=False)
class DictError(BacenError):
    """A question to DICT without an entry as its answer."""


@dataclass(eq=False)
class InvalidKey(DictError):
    """The text is no Pix key.

    Attributes:
        problem: The rule that is broken, never the key.
    """

    problem: str


@dataclass(eq=False)
class EntryNotFound(DictError):
    """DICT answered 404 NotFound, signed. The question still cost tokens.

    Attributes:
        key_type: Kind of the key that was asked for.
    """

    key_type: str


@dataclass(eq=False)
class DictRefused(DictError):
    """DICT answered with a problem document.

    Attributes:
        type: Last segment of the problem's type, such as `RateLimited`.
        status: HTTP status.
    """

    type: str
    status: int


@dataclass(eq=False)
class DictUnavailable(DictError):
    """No usable answer: cut, late, 5xx, unreadable, or not signed by DICT.

    Attributes:
        cause: What happened.
    """

    cause: str
