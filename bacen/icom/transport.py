"""ICOM of one participant: both channels, their limits, and what became of what was sent.

A message goes out in the same bytes until the bank has answered 201 or 4xx: the SPI knows a
BizMsgIdr for 24 h, so sending again is safe, and after a 4xx it is pointless (BCB Manual das
Interfaces 1.12).
"""

import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from actors import Node, Pid
from bacen import IcomRefused, IcomUnknown
from bacen.icom.catalogue import check_catalogue
from bacen.icom.client import IcomClient
from bacen.icom.postage import ChannelName, channel_of
from bacen.icom.rates import PRIMARY_PER_SECOND, ChannelBucket, rates_of
from bacen.icom.reader import StreamReader
from bacen.icom.sent import SentMessages
from bacen.wire import peek_message_id

RESEND_FOR_MS = 30_000  # then the caller decides; the bank rejects a payment 40 s after its start
BACK_OFF_MS_MIN = 100
BACK_OFF_MS_MAX = 5_000
TOO_MANY = 429
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IcomAddress:
    """Where a participant finds ICOM.

    Attributes:
        ispb: The participant.
        primary_url: `https://host:port` of the primary channel.
        secondary_url: The same of the secondary channel; None: nothing scheduled can be sent.
        timeout_ms: Deadline of one request; a pull waits for the long poll on top.
        primary_per_second: Tokens a second of the primary channel. The Banco Central gives 750; a
            bank in a box may be told to give more.
    """

    ispb: str
    primary_url: str
    secondary_url: str | None = None
    timeout_ms: int = 10_000
    primary_per_second: int = PRIMARY_PER_SECOND


@dataclass(slots=True)
class _Line:
    """Our end of one channel; `pause_until_ms` is when a 429 lets us send again."""

    client: IcomClient
    bucket: ChannelBucket
    pause_until_ms: int = 0


class Icom:
    """See the module. Make it inside a running event loop, one for all who send and read.

    Telemetry: `bacen.icom.post_failed` for each attempt that did not succeed (`outcome` is
    `unknown` or `refused`), `bacen.icom.throttled` with the ms that our own limit made a POST wait.

    Attributes:
        sent: The latest messages; give it the admi.002 that come.

    Args:
        node: Its clock and its generator make the pauses; it carries the events to the senders.
        address: Where the bank is.
        ssl_context: As `bacen.wire.client_context` makes it.
    """

    def __init__(self, node: Node, address: IcomAddress, ssl_context: ssl.SSLContext) -> None:
        self._node = node
        self.sent = SentMessages(node)
        urls = {
            ChannelName.PRIMARY: address.primary_url,
            ChannelName.SECONDARY: address.secondary_url,
        }
        self._lines = {
            channel: _Line(
                IcomClient(
                    url,
                    address.ispb,
                    ssl_context,
                    timeout_ms=address.timeout_ms,
                    compress=channel is ChannelName.SECONDARY,
                ),
                ChannelBucket(rates_of(channel, address.primary_per_second), node.clock),
            )
            for channel, url in urls.items()
            if url is not None
        }

    async def post(
        self, messages: Sequence[bytes], *, sender: Pid | None = None
    ) -> tuple[str, ...]:
        """Hand 1 to 10 signed messages to the SPI over the channel they belong on.

        Waits while our tokens are used up, and sends the same bytes again after 429, 5xx and cut
        connections, for `RESEND_FOR_MS`.

        Args:
            messages: All for one channel: those with PAGAGD go over the secondary.
            sender: Gets a `MessageRejected` when an admi.002 about one of them comes.

        Returns:
            The PI-ResourceId of each message, in order.

        Raises:
            IcomRefused: 4xx to the first attempt that was answered: nothing was stored. Do not
                resend unchanged, except 429.
            IcomUnknown: They may be stored: send the same bytes again.
            ValueError: No message, more than ten, for both channels, or for one we do not have.
        """
        line = self._line_of(messages)
        names = [peek_message_id(message) for message in messages]
        for name in names:
            if name is not None:
                self.sent.sent(name, sender)
        resource_ids = await self._until_stored(line, messages)
        for name, resource_id in zip(names, resource_ids, strict=True):
            if name is not None:
                self.sent.stored(name, resource_id)
        return resource_ids

    def stream(self, channel: ChannelName = ChannelName.PRIMARY) -> StreamReader:
        """Make a reader of one more stream; a participant has six on each channel.

        Raises:
            ValueError: There is no such channel here.
        """
        return StreamReader(self._node, self._line(channel).client, self.sent)

    @property
    def channels(self) -> tuple[ChannelName, ...]:
        """The channels that there are."""
        return tuple(self._lines)

    async def check_catalogue(self, *, sends: Iterable[str], reads: Iterable[str]) -> None:
        """Compare our versions with the bank's.

        Args:
            sends: Definitions we send, such as `pacs.008.spi.1.16`.
            reads: Definitions we read.

        Raises:
            CatalogueMismatch: One message, and the versions of both sides.
            IcomRefused: The bank would not tell.
            IcomUnknown: The bank could not be reached.
        """
        client = self._line(ChannelName.PRIMARY).client
        takes, gives = await client.catalogue("in"), await client.catalogue("out")
        check_catalogue(sends=sends, takes=takes, reads=reads, gives=gives)

    async def close(self) -> None:
        """Close the connections; streams stay open at the other end until they time out."""
        for line in self._lines.values():
            await line.client.close()

    def _line_of(self, messages: Sequence[bytes]) -> _Line:
        channels = {channel_of(message) for message in messages}
        if len(channels) != 1:
            raise ValueError("messages of one post go over one channel")
        return self._line(channels.pop())

    def _line(self, channel: ChannelName) -> _Line:
        line = self._lines.get(channel)
        if line is None:
            raise ValueError(f"there is no {channel} channel here")
        return line

    async def _until_stored(self, line: _Line, messages: Sequence[bytes]) -> tuple[str, ...]:
        give_up_ms = self._now_ms() + RESEND_FOR_MS
        back_off_ms = BACK_OFF_MS_MIN
        is_unknown = False
        while True:
            await self._wait_for_turn(line, messages)
            try:
                return await line.client.post(messages)
            except IcomUnknown as error:
                failure: IcomUnknown | IcomRefused = error
                is_unknown, wait_ms = True, back_off_ms
            except IcomRefused as error:
                failure, wait_ms = error, (error.retry_after_s or 0) * 1000 or back_off_ms
            self._report(failure)
            is_final = isinstance(failure, IcomRefused) and failure.status != TOO_MANY
            if is_final or self._now_ms() >= give_up_ms:
                raise _told(failure, is_unknown=is_unknown)
            if isinstance(failure, IcomRefused):
                line.pause_until_ms = self._now_ms() + wait_ms  # for all who send here
                line.bucket.drain()
            back_off_ms = min(back_off_ms * 2, BACK_OFF_MS_MAX)
            await self._node.clock.sleep_ms(wait_ms + self._node.rng.randrange(BACK_OFF_MS_MIN))

    async def _wait_for_turn(self, line: _Line, messages: Sequence[bytes]) -> None:
        waited_from_ms = self._now_ms()
        while True:
            now_ms = self._now_ms()
            wait_ms = max(0, line.pause_until_ms - now_ms) or line.bucket.take(messages)
            if wait_ms == 0:
                break
            await self._node.clock.sleep_ms(wait_ms)
        if now_ms > waited_from_ms:
            self._node.telemetry.execute(
                ("bacen", "icom", "throttled"), {"ms": now_ms - waited_from_ms}, {}
            )

    def _report(self, error: IcomUnknown | IcomRefused) -> None:
        outcome = "unknown" if isinstance(error, IcomUnknown) else "refused"
        self._node.telemetry.execute(
            ("bacen", "icom", "post_failed"),
            {"count": 1},
            {"outcome": outcome, "problem": str(error)},
        )

    def _now_ms(self) -> int:
        return self._node.clock.monotonic_ns() // _NS_PER_MS


def _told(failure: IcomUnknown | IcomRefused, *, is_unknown: bool) -> IcomUnknown | IcomRefused:
    """What the caller is told: a refusal says nothing of an attempt before it that was cut."""
    if is_unknown and isinstance(failure, IcomRefused):
        return IcomUnknown(f"HTTP {failure.status} after an attempt without answer")
    return failure
