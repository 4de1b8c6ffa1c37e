"""What the bank tells those who watch it (a cockpit, the log of faults): events of the node.

| Event | Measurements | Metadata |
|---|---|---|
| `MESSAGE_RECEIVED` | | `ispb`, `channel`, `kind`, `message_id` |
| `MESSAGE_SIGNED` | `items` | `ispb`, `kind`, `message_id`, `ids`, `channel` |
| `PAYMENT_FINISHED` | `amount_cents`, and in milliseconds of the clock `received_ms` (t1), `offered_ms` (t2), `answered_ms` (t3), `finished_ms` (t4) | `instruction_id`, `end_to_end_id`, `message_id`, `status`, `reason`, `payer`, `receiver` |
| `LETTERS_FETCHED` | `count` | `ispb`, `waited_ms`: how long each had been there for its reader |
| `LETTERS_CONFIRMED` | `count` | `ispb` |
| `LIQUIDITY_MOVED` | `amount_cents`, below zero to the STR | `ispb`, `control_number` |
| `FILE_FETCHED` | | `ispb`, `sha256` |
| `DICT_ANSWERED` | | `ispb`, `operation`, `type` ("OK" or of the problem), `request`, `response` |

`kind` of a received message is its name (`pacs.008`), `repeated` or `invalid`. A time that did not
come is 0: nobody was asked, or the bank started again meanwhile. t2 is when the message went to the
mailroom. An event comes before its commit, but for `PAYMENT_FINISHED`, which is on disk.
"""  # noqa: E501 (a table)

from collections import Counter
from collections.abc import Iterable
from typing import Final

from actors import Event, Node
from bacen.icom import ChannelName
from bacen.simulator.changes import Changes, Supply
from bacen.simulator.outbox import Letter
from bacen.simulator.payments import Payment, to_ms
from bacen.simulator.requests import Receive
from bacen.wire import Message, Pacs002, Pacs004, Pacs008

MESSAGE_RECEIVED: Final[Event] = ("bacen", "message", "received")
MESSAGE_SIGNED: Final[Event] = ("bacen", "message", "signed")
PAYMENT_FINISHED: Final[Event] = ("bacen", "payment", "finished")
LETTERS_FETCHED: Final[Event] = ("bacen", "letters", "fetched")
LETTERS_CONFIRMED: Final[Event] = ("bacen", "letters", "confirmed")
LIQUIDITY_MOVED: Final[Event] = ("bacen", "liquidity", "moved")
FILE_FETCHED: Final[Event] = ("bacen", "file", "fetched")
DICT_ANSWERED: Final[Event] = ("bacen", "dict", "answered")
SCHEDULED = "PAGAGD"  # the service level whose messages go on the secondary channel


class Watch:
    """Emits the events; where nobody listens, asking is all that it costs.

    Args:
        node: Where the bank runs.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._telemetry = node.telemetry

    def received(self, post: Receive, kind: str, message_id: str) -> None:
        if self._telemetry.listens(MESSAGE_RECEIVED):
            seen = {
                "ispb": post.ispb,
                "channel": post.channel,
                "kind": kind,
                "message_id": message_id,
            }
            self._telemetry.execute(MESSAGE_RECEIVED, {}, seen)

    def signed(self, message: Message) -> None:
        if not self._telemetry.listens(MESSAGE_SIGNED):
            return
        ids = ids_of(message)
        seen = {
            "ispb": message.receiver,
            "kind": kind_of(type(message)),
            "message_id": message.message_id,
            "ids": ids,
            "channel": channel_of(message),
        }
        self._telemetry.execute(MESSAGE_SIGNED, {"items": max(1, len(ids))}, seen)

    def offered(self, changes: Changes) -> None:
        """Note when the receivers of a stored batch could first read what they are asked."""
        if not self._telemetry.listens(PAYMENT_FINISHED):
            return
        now_ms = to_ms(self._node.clock.now())
        asked = [each.end_to_end_id for some in changes.forwards.values() for each in some]
        asked += [each.return_id for some in changes.returns.values() for each in some]
        for instruction_id in asked:
            payment = changes.payments.get(instruction_id)
            if payment is not None:
                payment.offered_ms = now_ms

    def finished(self, payments: Iterable[Payment]) -> None:
        if not self._telemetry.listens(PAYMENT_FINISHED):
            return
        for each in payments:
            measured = {
                "amount_cents": each.amount_cents,
                "received_ms": each.received_ms,
                "offered_ms": each.offered_ms,
                "answered_ms": each.answered_ms,
                "finished_ms": each.finished_ms,
            }
            seen = {
                "instruction_id": each.instruction_id,
                "end_to_end_id": each.end_to_end_id,
                "message_id": each.message_id,
                "status": each.status,
                "reason": each.reason,
                "payer": each.payer,
                "receiver": each.receiver,
            }
            self._telemetry.execute(PAYMENT_FINISHED, measured, seen)

    def moved(self, supplies: Iterable[Supply]) -> None:
        """Tell of money that came from the STR or went there."""
        if self._telemetry.listens(LIQUIDITY_MOVED):
            for each in supplies:
                seen = {"ispb": each.ispb, "control_number": each.control_number}
                self._telemetry.execute(LIQUIDITY_MOVED, {"amount_cents": each.amount_cents}, seen)

    def confirmed(self, ispbs: Iterable[str]) -> None:
        """Tell of letters by the ISPB of each."""
        if self._telemetry.listens(LETTERS_CONFIRMED):
            for ispb, count in Counter(ispbs).items():
                self._telemetry.execute(LETTERS_CONFIRMED, {"count": count}, {"ispb": ispb})


class MailWatch:
    """Emits how long letters waited for their reader, once each.

    Args:
        node: Where the mailroom runs.
    """

    def __init__(self, node: Node) -> None:
        self._telemetry = node.telemetry
        self._posted_ms: dict[str, int] = {}  # by PI-ResourceId

    def posted(self, letters: Iterable[Letter], now_ms: int) -> None:
        if self._telemetry.listens(LETTERS_FETCHED):
            self._posted_ms.update((each.resource_id, now_ms) for each in letters)

    def fetched(self, ispb: str, letters: Iterable[Letter], now_ms: int) -> None:
        if not self._posted_ms:
            return
        posted = [self._posted_ms.pop(each.resource_id, None) for each in letters]
        waited_ms = tuple(now_ms - each for each in posted if each is not None)
        if waited_ms:
            seen = {"ispb": ispb, "waited_ms": waited_ms}
            self._telemetry.execute(LETTERS_FETCHED, {"count": len(waited_ms)}, seen)


def channel_of(message: Message) -> ChannelName:
    """Tell on which channel its receiver reads a message."""
    is_scheduled = isinstance(message, Pacs008) and message.service_level == SCHEDULED
    return ChannelName.SECONDARY if is_scheduled else ChannelName.PRIMARY


def kind_of(message: type[Message]) -> str:
    """Name of a message as the catalogue writes it: `Pacs008` is pacs.008."""
    name = message.__name__.lower()
    return f"{name[:-3]}.{name[-3:]}"


def ids_of(message: Message) -> tuple[str, ...]:
    """EndToEndIds and RtrIds that a message speaks of."""
    match message:
        case Pacs008(transfers=transfers):
            return tuple(each.end_to_end_id for each in transfers)
        case Pacs002(reports=reports):
            return tuple(each.original_instruction_id for each in reports)
        case Pacs004(returns=returns):
            return tuple(each.return_id for each in returns)
        case _:
            return ()
