"""Errors of the room, each with fields.

BacenError
├── WireError
│   ├── MalformedXml         the bytes are no XML that we read
│   ├── UnknownMessage       a message definition that we do not speak
│   ├── InvalidMessage       a field breaks the schema or a rule of ours
│   ├── RuleBroken           a rule of the catalogue beyond the schema
│   ├── SignatureInvalid     nobody we trust signed these bytes
│   └── StrRefused           a message of the SFN that the STR does not take
├── CertificateRefused       a certificate or key that cannot be used here
├── SigningUnavailable       no key can sign now; nothing was signed
├── MultipartInvalid         a multipart body that breaks its grammar or a bound
├── InvalidBrCode            the text is no BR Code, or the code cannot be written
├── IcomError
│   ├── IcomRefused          4xx: nothing was stored
│   ├── IcomUnknown          cut, late or 5xx: it may be stored
│   └── CatalogueMismatch    the bank speaks other versions of a message
└── DictError
├── InvalidKey           the text is no Pix key
├── EntryNotFound        DICT has no such key
├── DictRefused          DICT answered with another problem; below it, by what to do next:
│   ├── DictForbidden        our rights, our certificate or our signature are wrong
│   ├── DictRequestInvalid   the request is wrong
│   ├── DictNotFound         what the request names is not there
│   ├── DictConflict         something is in another state: read it again
│   ├── DictRestricted       a person, account or key may not be used
│   ├── DictGone             no longer kept, or no longer offered
│   └── DictTooEarly         the same request may succeed later
│       └── DictRateLimited      a bucket is empty, at DICT or in our own count
└── DictUnavailable      no usable answer
    └── DictOutcomeUnknown   to a write: it may have been carried out
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
class RuleBroken(WireError):
    """A message that follows its schema and breaks a rule of the catalogue; it was not sent.

    Attributes:
        rule: Name of the rule, such as `local_instrument_dict_needs_proxy`.
        code: What the other side would answer.
        path: The place in the document.
        text: The rule in words, never the value.
    """

    rule: str
    code: str
    path: str
    text: str


@dataclass(eq=False)
class SignatureInvalid(WireError):
    """The signature does not prove that the named sender wrote these bytes.

    Attributes:
        problem: Which check failed.
    """

    problem: str


@dataclass(eq=False)
class StrRefused(WireError):
    """A message of the SFN that cannot be taken as it is.

    Attributes:
        code: What a GEN0004 says of it, such as `EGEN0043`.
        problem: What is wrong; no value of the message.
        operation: Its `NUOp`, where it could be read.
    """

    code: str
    problem: str
    operation: str | None = None


@dataclass(eq=False)
class CertificateRefused(BacenError):
    """A certificate or key that is unreadable or too weak.

    Attributes:
        problem: What is wrong with it.
    """

    problem: str


@dataclass(eq=False)
class SigningUnavailable(BacenError):
    """No key can sign now: none is valid, or the token does not answer. Nothing was signed.

    Attributes:
        problem: What is missing.
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
        retry_after_s: `Retry-After`, where given; a minute at most.
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
class CatalogueMismatch(IcomError):
    """The bank and we speak different versions of a message (BCB Manual das Interfaces 1.12).

    Attributes:
        message: Kind of message, such as `pacs.008`.
        ours: Versions that we send or read.
        theirs: Versions that the bank takes or sends; empty when it does not take the message.
    """

    message: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]

    def __str__(self) -> str:
        ours, theirs = ", ".join(self.ours) or "none", ", ".join(self.theirs) or "none"
        return f"versions of {self.message}: here {ours}, at the bank {theirs}"


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
    """DICT answered with a problem document. A type that we do not know is this class itself.

    Attributes:
        type: Last segment of the problem's type, such as `RateLimited`.
        status: HTTP status.
        correlation_id: Id that DICT gave the exchange.
        properties: Properties of the request that DICT finds wrong, never their values.
    """

    type: str
    status: int
    correlation_id: str | None = None
    properties: tuple[str, ...] = ()


@dataclass(eq=False)
class DictForbidden(DictRefused):
    """Our rights, our certificate or our signature are wrong: somebody must mend them."""


@dataclass(eq=False)
class DictRequestInvalid(DictRefused):
    """The request is wrong: never send it again unchanged."""


@dataclass(eq=False)
class DictNotFound(DictRefused):
    """What the request names is not there."""


@dataclass(eq=False)
class DictConflict(DictRefused):
    """What the request names is in another state than it takes: read it again, then decide."""


@dataclass(eq=False)
class DictRestricted(DictRefused):
    """A person, an account or a key may not be used this way."""


@dataclass(eq=False)
class DictGone(DictRefused):
    """DICT does not keep it any more, or does not offer the operation any more."""


@dataclass(eq=False)
class DictTooEarly(DictRefused):
    """The same request may succeed later."""


@dataclass(eq=False)
class DictRateLimited(DictTooEarly):
    """A bucket is empty.

    Attributes:
        policy: Name of the bucket, where it is known.
        retry_after_ms: When to ask again, as far as we can tell.
        is_local: We did not ask: our own count of the bucket said no.
    """

    policy: str | None = None
    retry_after_ms: int | None = None
    is_local: bool = False


@dataclass(eq=False)
class DictUnavailable(DictError):
    """No usable answer: cut, late, 5xx, unreadable, or not signed by DICT.

    Attributes:
        cause: What happened.
    """

    cause: str


@dataclass(eq=False)
class DictOutcomeUnknown(DictUnavailable):
    """A write without a usable answer: it may have been carried out.

    Attributes:
        operation: `operationId` of the API.
        may_repeat: The same request again is safe; otherwise read first what there is.
    """

    operation: str
    may_repeat: bool
