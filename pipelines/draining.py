"""The end of a pipeline: who is told to stop what, and how the last stages say they are done."""

from enum import Enum
from typing import Final

from actors import From, Node


class StopResubscribing(Enum):
    """Type of `STOP_RESUBSCRIBING`."""

    STOP = "stop"


class WhenDrained(Enum):
    """Type of `WHEN_DRAINED`."""

    WHEN = "when"


STOP_RESUBSCRIBING: Final = StopResubscribing.STOP
"""To a processor: producers that let you go are gone for good."""

WHEN_DRAINED: Final = WhenDrained.WHEN
"""Question to a last stage, answered when nothing can reach it any more."""


class DrainReport:
    """Whether a stage is drained, and who wants to know.

    Attributes:
        is_drained: It is.
    """

    __slots__ = ("_waiting", "is_drained")

    def __init__(self) -> None:
        self.is_drained = False
        self._waiting: list[From] = []

    def wait(self, node: Node, sender: From) -> None:
        """Answer `sender` when it is."""
        if self.is_drained:
            node.reply(sender, None)
        else:
            self._waiting.append(sender)

    def done(self, node: Node) -> None:
        """It is."""
        self.is_drained = True
        for sender in self._waiting:
            node.reply(sender, None)
        self._waiting.clear()
