"""What flows through a pipeline, and who hears what became of it."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

DEFAULT_BATCHER: Final = "default"
DEFAULT_BATCH_KEY: Final = "default"


class Acknowledger(Protocol):
    """Tells the source of messages what became of them; hashable, and shared by many of them."""

    async def acknowledge(
        self, ref: Hashable, successful: Sequence["Message"], failed: Sequence["Message"]
    ) -> None:
        """Each message comes once, in one of the two lists, in order; raising is logged."""


@dataclass(slots=True, eq=False)
class Message:
    """One message; handlers change it in place.

    Attributes:
        data: What it is about.
        acknowledger: Who hears what became of it; None: nobody.
        ack_ref: Messages of one acknowledger with equal references are acknowledged together.
        ack_data: What the acknowledger needs to know.
        metadata: What the source says about it, if anything.
        batcher: Which batcher it goes to.
        batch_key: Only messages with equal keys share a batch.
        flush: The batch it joins leaves at once.
        failure: Why it failed; None: it has not.
        is_final: It failed, and redelivering it would not help.
        partition: What `Pipeline.partition_by` gave.
    """

    data: Any
    acknowledger: Acknowledger | None = None
    ack_ref: Hashable = None
    ack_data: Any = None
    metadata: Mapping[str, Any] | None = None
    batcher: str = DEFAULT_BATCHER
    batch_key: Hashable = DEFAULT_BATCH_KEY
    flush: bool = False
    failure: Any = None
    is_final: bool = False
    partition: int = 0

    def fail(self, reason: object, *, is_final: bool = False) -> "Message":
        """Mark it failed; gives the message.

        Args:
            reason: Why; not None.
            is_final: Redelivering would not help.
        """
        self.failure = "failed" if reason is None else reason
        self.is_final = is_final
        return self
