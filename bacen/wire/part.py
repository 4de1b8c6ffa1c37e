"""What a struct of a message says about itself: where each field stands, and what it may hold.

A field is written once, with its place: `owner: Annotated[str, At("Acct/Id/Othr/Id")]`. Order,
number and type of the elements are those of the schema's table; `bacen.wire.layout` joins the two,
and gives every struct the checks that run when it is built.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any

import msgspec

from bacen import InvalidMessage
from bacen.wire import fields
from bacen.wire.kinds import Kind


@dataclass(frozen=True, slots=True)
class At:
    """The place of a field in a message.

    Attributes:
        path: Elements below the one of the struct, such as `Tp/Cd`.
        narrower: A pattern beyond the schema's.
        counts: Name of the field whose items this one counts; None in it means as many as there
            are.
        elsewhere: Other paths, in messages that have another header.
    """

    path: str
    narrower: re.Pattern[str] | None = None
    counts: str | None = None
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """What one field of a struct may hold.

    Attributes:
        name: Of the field.
        is_optional: It may be absent: None, or an empty tuple.
        kind: Of its values; None where they are structs.
        struct: Class of its values; None where they are no structs.
        counts: Fewest and most values of a tuple; None where it is no tuple.
        schema: Type of the text in the schema; two messages with the same struct must agree.
    """

    name: str
    is_optional: bool
    kind: Kind | None = field(compare=False)
    struct: type | None
    counts: tuple[int, int] | None
    schema: object

    @property
    def shortest(self) -> Callable[[Any, str], None]:
        """The check itself where there is but one value that must be there."""
        is_plain = self.kind is not None and self.counts is None and not self.is_optional
        return self.kind.check if is_plain and self.kind is not None else self.run

    def run(self, value: Any, name: str) -> None:
        """Check a value of the field."""
        del name  # it is ours
        if self.counts is not None:
            self._many(value, *self.counts)
        elif value is not None:
            self._one(value)
        elif not self.is_optional:
            raise InvalidMessage(self.name, "must be there")

    def _one(self, value: object) -> None:
        if self.kind is not None:
            self.kind.check(value, self.name)
        elif self.struct is not None and not isinstance(value, self.struct):
            raise InvalidMessage(self.name, f"must be of {self.struct.__name__}")

    def _many(self, values: object, least: int, most: int) -> None:
        if self.is_optional and values == ():
            return
        if not isinstance(values, tuple) or len(values) < least or 0 <= most < len(values):
            largest = "" if most < 0 else f", {most} at most"
            raise InvalidMessage(self.name, f"must be a tuple of {least} or more{largest}")
        for value in values:
            self._one(value)


@dataclass(frozen=True, slots=True)
class Together:
    """Fields of one optional element: where one of them is, the required ones must be."""

    required: tuple[str, ...]
    names: tuple[str, ...]

    def run(self, part: msgspec.Struct) -> None:
        if all(_is_absent(getattr(part, name)) for name in self.names):
            return
        for name in self.required:
            if _is_absent(getattr(part, name)):
                raise InvalidMessage(name, f"must be there with {' and '.join(self.names)}")


@dataclass(frozen=True, slots=True)
class OneOf:
    """Fields of which exactly one must be there."""

    names: tuple[str, ...]

    def run(self, part: msgspec.Struct) -> None:
        if sum(not _is_absent(getattr(part, name)) for name in self.names) != 1:
            raise InvalidMessage(self.names[0], f"must be the only one of {', '.join(self.names)}")


@dataclass(frozen=True)
class Checks:
    """All checks of one struct."""

    each: tuple[FieldCheck, ...]
    groups: tuple[Together | OneOf, ...]

    def run(self, part: msgspec.Struct) -> None:
        """Check every field, and then what belongs together."""
        for name, check in self._plan:
            check(getattr(part, name), name)
        for group in self.groups:
            group.run(part)

    @cached_property
    def _plan(self) -> tuple[tuple[str, Callable[[Any, str], None]], ...]:
        return tuple((each.name, each.shortest) for each in self.each)


CHECKS: dict[type, Checks] = {}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a message; its fields are checked against the schema when it is built.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        CHECKS[type(self)].run(self)


class Message(Part, frozen=True, kw_only=True):
    """A message of SPI: what every one of them has.

    Attributes:
        sender: ISPB of the header; the signer's.
        receiver: ISPB of the header; the SPI's when a participant sends.
        message_id: `BizMsgIdr`, and `MsgId` where the kind has one; SPI is idempotent by it for
            24 h.
        created_at: Written with milliseconds.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    sender: str
    receiver: str
    message_id: Annotated[str, At("GrpHdr/MsgId", elsewhere=("MsgHdr/MsgId", "Assgnmt/Id"))]
    created_at: Annotated[
        datetime, At("GrpHdr/CreDtTm", elsewhere=("MsgHdr/CreDtTm", "Assgnmt/CreDtTm"))
    ]

    def __post_init__(self) -> None:
        """Check the header and the fields against the schema."""
        self._check_header()
        Part.__post_init__(self)

    def _check_header(self) -> None:
        fields.require_header(self.sender, self.receiver, self.message_id, self.created_at)


def _is_absent(value: object) -> bool:
    return value is None or value == ()
