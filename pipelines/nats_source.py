"""A source that pulls from a durable consumer of NATS JetStream.

One request for messages is open at the server at a time, for all that the processors want; what it
brings arrives by itself. So this process never waits for a poll: when the pipeline drains, it ends
its subscription, which flushes what the server had already sent, and nothing fetched is lost.
A success is acknowledged; a failure is given back for redelivery, or ended where the message says
that redelivering would not help.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from actors import Answer, Continue, ExitReason, TimerRef
from pipelines.message import Message
from pipelines.source import Source

EXPIRES_MS: Final = 30_000
RETRY_MS: Final = 1_000
BATCH_MAX: Final = 1_000
FAILED: Final = ("pipeline", "nats", "failed")

_GRACE_MS: Final = 1_000  # a request that the server forgot is made again this long after its end
_NS_PER_MS: Final = 1_000_000
_HEARTBEAT: Final = "100"
_ENDS: Final = frozenset({"404", "408"})  # nothing there, time is over: ask again at once
_TROUBLE: Final = (OSError, nats.errors.Error)


class _Arrived(Enum):
    ARRIVED = "arrived"


_ARRIVED: Final = _Arrived.ARRIVED


@dataclass(frozen=True, slots=True)
class Retry:
    """Connect, or ask, again."""


@dataclass(frozen=True, slots=True)
class RequestOver:
    """The request of this number brings nothing more.

    Attributes:
        number: Which one.
        status: What the server said; "" when it said nothing in time.
    """

    number: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsConsumer:
    """A durable pull consumer, which exists and wants explicit acknowledgements.

    Attributes:
        connection: Gives the open connection, which belongs to somebody else.
        stream: Name of the stream.
        durable: Name of the consumer.
        expires_ms: How long a request for messages stays open at the server.
        redeliver_after_ms: Pause before a failed message is delivered again.
    """

    connection: Callable[[], Client]
    stream: str
    durable: str
    expires_ms: int = EXPIRES_MS
    redeliver_after_ms: int = 0


class _Acknowledgements:
    """Answers JetStream for each message; what it does not hear of is redelivered by itself."""

    def __init__(self, redeliver_after_ms: int) -> None:
        self._delay_seconds = redeliver_after_ms / 1000 if redeliver_after_ms else None

    async def acknowledge(
        self, ref: Hashable, successful: Sequence[Message], failed: Sequence[Message]
    ) -> None:
        del ref
        for message in successful:
            await message.ack_data.ack()
        for message in failed:
            if message.is_final:
                await message.ack_data.term()
            else:
                await message.ack_data.nak(delay=self._delay_seconds)


class NatsSource(Source):
    """Pulls as much as is asked for. `data` is the payload, `ack_data` the message of nats-py.

    Trouble is told by the event `("pipeline", "nats", "failed")` and tried again.

    Args:
        consumer: Where from.
    """

    def __init__(self, consumer: NatsConsumer) -> None:
        self._consumer = consumer
        self._acknowledgements = _Acknowledgements(consumer.redeliver_after_ms)
        self._subscription: Subscription | None = None
        self._inbox = ""
        self._arrived: list[Msg] = []
        self._wanted = 0
        self._number = 0
        self._left = 0  # of the open request; 0: none is open
        self._forgotten: TimerRef | None = None

    async def init(self) -> Continue:
        """Connect after the start: NATS may be away."""
        return Continue("open")

    async def handle_continue(self, argument: object) -> None:
        """Connect."""
        del argument
        await self._open()

    async def handle_demand(self, count: int) -> None:
        """Ask the server, unless a request is open already."""
        self._wanted += count
        await self._request()

    async def handle_info(self, message: Any) -> Answer:
        """Take what arrived, and ask for more."""
        if message is _ARRIVED:
            self._emit_arrived()
            await self._request()
        elif isinstance(message, RequestOver):
            await self._end_request(message)
        elif isinstance(message, Retry):
            await self._open()
        else:
            return await super().handle_info(message)
        return None

    async def prepare_for_draining(self) -> None:
        """End the subscription; what the server has sent before it heard of that still counts."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            try:
                await subscription.drain()  # type: ignore[no-untyped-call] # so in nats-py
            except _TROUBLE as error:
                self._report(error)
        self._emit_arrived()

    async def terminate(self, reason: ExitReason) -> None:
        """End the subscription and give back what has not gone out."""
        del reason
        subscription, self._subscription = self._subscription, None
        try:
            if subscription is not None:
                await subscription.unsubscribe()
            for message in self._arrived:
                await message.nak()
        except _TROUBLE as error:
            self._report(error)

    async def _open(self) -> None:
        if self._subscription is None and not self.is_draining:
            try:
                connection = self._consumer.connection()
                self._inbox = connection.new_inbox()
                self._subscription = await self._listen(connection)
            except _TROUBLE as error:
                self._try_later(error)
                return
        await self._request()

    async def _listen(self, connection: Client) -> Subscription:
        node, pid, prefix = self.node, self.pid, f"{self._inbox}."
        subscription: Subscription

        async def arrive(message: Msg) -> None:
            if message.subject.startswith(prefix):  # a status, sent to the request itself
                status = (message.headers or {}).get("Status", "")
                if status != _HEARTBEAT:
                    node.send(pid, RequestOver(int(message.subject[len(prefix) :]), status))
            elif node.is_alive(pid):
                if not self._arrived:
                    node.send(pid, _ARRIVED)
                self._arrived.append(message)
            else:  # killed, so nobody ended the subscription
                await message.nak()
                await subscription.unsubscribe()

        subscription = await connection.subscribe(f"{self._inbox}.*", cb=arrive)
        return subscription

    async def _request(self) -> None:
        if self._subscription is None or self._left or not self._wanted or self.is_draining:
            return
        consumer = self._consumer
        count = min(self._wanted, BATCH_MAX)
        body = {"batch": count, "expires": consumer.expires_ms * _NS_PER_MS}
        self._number += 1
        try:
            await consumer.connection().publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.durable}",
                msgspec.json.encode(body),
                reply=f"{self._inbox}.{self._number}",
            )
        except _TROUBLE as error:
            self._try_later(error)
            return
        self._wanted -= count
        self._left = count
        if self._forgotten is not None:
            self.node.cancel_timer(self._forgotten)
        over = RequestOver(self._number, "")
        self._forgotten = self.node.send_after(consumer.expires_ms + _GRACE_MS, self.pid, over)

    async def _end_request(self, over: RequestOver) -> None:
        if over.number != self._number:
            return
        self._wanted += self._left
        self._left = 0
        if over.status and over.status not in _ENDS:
            self._try_later(nats.errors.Error(f"status {over.status}"))
        else:
            await self._request()

    def _emit_arrived(self) -> None:
        arrived, self._arrived = self._arrived, []
        self._left = max(0, self._left - len(arrived))
        self.emit(
            [
                Message(
                    one.data,
                    self._acknowledgements,
                    ack_data=one,
                    metadata={"subject": one.subject, "headers": one.headers},
                )
                for one in arrived
            ]
        )

    def _try_later(self, error: Exception) -> None:
        self._report(error)
        self.node.send_after(RETRY_MS, self.pid, Retry())

    def _report(self, error: Exception) -> None:
        about = {"stream": self._consumer.stream, "problem": type(error).__name__}
        self.node.telemetry.execute(FAILED, {"count": 1}, about)
