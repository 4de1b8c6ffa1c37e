"""What stages say to each other. Lists travel, never single events: one message for each slice."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from actors import ExitReason, Pid, Ref

# What waits is bounded by demand and by the number of bonds; an `Ask` that a full mailbox dropped
# would stop the flow for good.
STAGE_MAILBOX_MAX: Final = 1_000_000


class CancelMode(Enum):
    """What the end of a subscription means for the consumer."""

    PERMANENT = "permanent"
    """The consumer ends for the same reason."""
    TRANSIENT = "transient"
    """The consumer ends when the reason is abnormal."""
    TEMPORARY = "temporary"
    """Nothing."""


# Not frozen, as everything that is made for each slice: a frozen one takes three times as long.
@dataclass(slots=True)
class Events:
    """Producer to consumer: a slice, never more than was asked for."""

    subscription: Ref
    events: list[Any]


@dataclass(slots=True)
class Ask:
    """Consumer to producer: send this many more."""

    subscription: Ref
    count: int


@dataclass(slots=True)
class Subscribe:
    """Consumer to producer: the first message of a subscription."""

    subscription: Ref
    consumer: Pid
    partition: Any


@dataclass(slots=True)
class Cancel:
    """Consumer to producer: send no more. What is under way still arrives before `Cancelled`."""

    subscription: Ref
    reason: ExitReason


@dataclass(slots=True)
class Cancelled:
    """Producer to consumer: the last message of a subscription."""

    subscription: Ref
    reason: ExitReason
