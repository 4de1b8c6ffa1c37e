"""One stream of ICOM, read for ever: what was given is confirmed by asking for more, never before.

The reader of a stream calls `next` only when it has committed what the last call gave. Whatever
fails in between, the bank delivers again under the same PI-ResourceId, so the reader drops what it
has already (BCB Manual das Interfaces 1.12). A stream also brings the refusals of what was sent.
"""

from typing import Protocol

from actors import Node
from bacen import IcomRefused, IcomUnknown
from bacen.icom.client import Delivery, Received
from bacen.icom.sent import SentMessages
from bacen.wire import Admi002

BACK_OFF_MS_MIN = 100
BACK_OFF_MS_MAX = 5_000
GONE = 410


class Streams(Protocol):
    """What of `IcomClient` a reader needs."""

    async def start_stream(self) -> Delivery: ...

    async def pull(self, path: str) -> Delivery: ...

    async def close_stream(self, path: str) -> None: ...


class StreamReader:
    """Reads one stream, one caller at a time; a bank that does not answer is asked again.

    Telemetry `bacen.icom.pull_failed` counts the failures.

    Args:
        node: Its clock and its generator make the pauses.
        client: Of the channel that is read; a participant has six streams on each.
        sent: What was sent, for the refusals.
    """

    def __init__(self, node: Node, client: Streams, sent: SentMessages) -> None:
        self._node = node
        self._client = client
        self._sent = sent
        self._next: str | None = None
        self._back_off_ms = BACK_OFF_MS_MIN

    async def next(self) -> tuple[Received, ...]:
        """Confirm what the last call gave, and wait for what comes next.

        Returns:
            Up to ten messages; none after an idle long poll, or when the bank could not be reached:
            then a pause has passed.
        """
        try:
            delivery = await self._pull()
        except (IcomUnknown, IcomRefused) as error:
            await self._pause(error)
            return ()
        self._back_off_ms = BACK_OFF_MS_MIN
        self._next = delivery.next
        return delivery.messages

    def rejected(self, rejection: Admi002) -> bool:
        """Pass an admi.002 on to whoever sent the message it is about; False: not known here."""
        return self._sent.rejected(rejection)

    async def close(self) -> None:
        """Confirm what the last call gave, and close the stream.

        Raises:
            IcomRefused: The bank would not.
            IcomUnknown: No answer: what was not confirmed comes again on another stream.
        """
        path, self._next = self._next, None
        if path is not None:
            await self._client.close_stream(path)

    async def _pull(self) -> Delivery:
        if self._next is None:
            return await self._client.start_stream()
        return await self._client.pull(self._next)

    async def _pause(self, error: IcomUnknown | IcomRefused) -> None:
        self._node.telemetry.execute(
            ("bacen", "icom", "pull_failed"), {"count": 1}, {"problem": str(error)}
        )
        wait_ms = self._back_off_ms
        if isinstance(error, IcomRefused):
            was_open, self._next = self._next is not None, None
            if was_open and error.status == GONE:
                return  # a new one can be had at once
            wait_ms = (error.retry_after_s or 0) * 1000 or wait_ms
        self._back_off_ms = min(self._back_off_ms * 2, BACK_OFF_MS_MAX)
        # An open stream is asked again by the same path: if only the answer was lost, it is given
        # again, and the stream keeps its place among the six.
        await self._node.clock.sleep_ms(wait_ms + self._node.rng.randrange(BACK_OFF_MS_MIN))
