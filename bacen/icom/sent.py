"""What became of the messages we sent: an admi.002 finds its way back to whoever sent them.

The bank stores a message before it reads it, so a refusal comes later, on the stream, and quotes
the MsgId or, when even that could not be read, the PI-ResourceId (Manual das Interfaces 1.12). It
may overtake the answer of the POST. Only the latest messages are remembered; who must know also
after a crash keeps its own record, as the payments do.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

from actors import Node, Pid
from bacen.wire import Admi002

SENT_MAX = 10_000  # some ten seconds at full rate: a refusal comes with the next delivery
EARLY_MAX = 100


class Outcome(StrEnum):
    """What is known of a message.

    Attributes:
        SENT: It went out; no answer yet, or none that told.
        STORED: 201.
        REJECTED: admi.002: nothing of it was or will be executed.
    """

    SENT = "sent"
    STORED = "stored"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class MessageRejected:
    """To whoever sent a message: the SPI rejected it as a whole; its bytes must not be sent again.

    Attributes:
        message_id: Its BizMsgIdr.
        rejection: Why, in the bank's words.
    """

    message_id: str
    rejection: Admi002


@dataclass(slots=True)
class SentMessage:
    """One message that went out.

    Attributes:
        message_id: Its BizMsgIdr.
        sender: Who is told of a refusal.
        resource_id: PI-ResourceId, empty until it was stored.
        outcome: What is known of it.
    """

    message_id: str
    sender: Pid | None = None
    resource_id: str = ""
    outcome: Outcome = Outcome.SENT


class SentMessages:
    """The latest messages, by both of their names; tells senders of refusals.

    Telemetry `bacen.icom.rejected` counts refusals; `is_matched`: whether the message was known.

    Args:
        node: Where the senders run.
        size_max: Messages remembered; the oldest is forgotten first.
    """

    def __init__(self, node: Node, size_max: int = SENT_MAX) -> None:
        self._node = node
        self._size_max = size_max
        self._messages: OrderedDict[str, SentMessage] = OrderedDict()
        self._by_resource: dict[str, SentMessage] = {}
        self._early: OrderedDict[str, Admi002] = OrderedDict()  # refusals before their 201

    def __len__(self) -> int:
        return len(self._messages)

    def outcome(self, name: str) -> Outcome | None:
        """Tell what is known of a message by its MsgId or PI-ResourceId; None: not remembered."""
        found = self._find(name)
        return None if found is None else found.outcome

    def sent(self, message_id: str, sender: Pid | None = None) -> None:
        """Remember a message before it goes out; again when it is sent again."""
        known = self._messages.pop(message_id, None) or SentMessage(message_id)
        known.sender = sender or known.sender
        self._messages[message_id] = known
        while len(self._messages) > self._size_max:
            _, oldest = self._messages.popitem(last=False)
            self._by_resource.pop(oldest.resource_id, None)

    def stored(self, message_id: str, resource_id: str) -> None:
        """Note the 201 of a message; a refusal that came before it finds its sender now."""
        message = self._messages.get(message_id)
        if message is None:
            return
        self._by_resource.pop(message.resource_id, None)  # sent again: it has another name now
        message.resource_id = resource_id
        self._by_resource[resource_id] = message
        if message.outcome is Outcome.SENT:
            message.outcome = Outcome.STORED
        early = self._early.pop(resource_id, None)
        if early is not None:
            self._reject(message, early)

    def rejected(self, rejection: Admi002) -> bool:
        """Tell the sender of the message that an admi.002 is about.

        Returns:
            False when no such message is known (yet): the refusal is kept for a while, for a 201
            that names its PI-ResourceId.
        """
        message = self._find(rejection.related_reference)
        if message is not None:
            self._reject(message, rejection)
            return True
        self._early[rejection.related_reference] = rejection
        while len(self._early) > EARLY_MAX:
            self._early.popitem(last=False)
        self._report(rejection, is_matched=False)
        return False

    def _reject(self, message: SentMessage, rejection: Admi002) -> None:
        self._report(rejection, is_matched=True)
        if message.outcome is Outcome.REJECTED:
            return  # delivered again
        message.outcome = Outcome.REJECTED
        if message.sender is not None:
            self._node.send(message.sender, MessageRejected(message.message_id, rejection))

    def _report(self, rejection: Admi002, *, is_matched: bool) -> None:
        self._node.telemetry.execute(
            ("bacen", "icom", "rejected"),
            {"count": 1},
            {
                "reference": rejection.related_reference,
                "reason": rejection.rejecting_party_reason,
                "is_matched": is_matched,
            },
        )

    def _find(self, name: str) -> SentMessage | None:
        return self._messages.get(name) or self._by_resource.get(name)
