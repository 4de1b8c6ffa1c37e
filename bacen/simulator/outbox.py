"""What waits for one participant on one channel, and the streams by which it reads.

A stream delivers, and the next request on it confirms; what was delivered and not confirmed goes
back to the front when the stream ends without a DELETE, with the same PI-ResourceId
(BCB Manual das Interfaces 1.12). Each delivery has a token of its own (the last part of
PI-Pull-Next). Asking again with the token before the last means that the answer was lost, and gets
the same delivery once more.
"""

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from bacen.simulator.errors import StreamGone, TooManyStreams

DELIVERY_BYTES_MAX = 4_000_000  # one answer; at least one message always goes


class Letter(msgspec.Struct, frozen=True):
    """A message on its way to a participant; `row` is where the store keeps it."""

    resource_id: str
    body: bytes
    row: int


class Delivery(msgspec.Struct, frozen=True):
    """An answer to a reader: 0 to 10 letters and the token to ask for the next."""

    letters: tuple[Letter, ...]
    token: str


class Stream(msgspec.Struct, eq=False):
    token: str
    is_connected: Callable[[], bool]
    seen_ms: int
    last_token: str = ""
    delivered: tuple[Letter, ...] = ()
    has_poll: bool = False  # a request is held open until letters come


class Outbox:
    """Letters of one participant on one channel in order, and its streams.

    Args:
        new_token: Gives a token that nobody can guess.
        streams_max: Streams at one time.
    """

    def __init__(self, new_token: Callable[[], str], streams_max: int) -> None:
        self._new_token = new_token
        self._streams_max = streams_max
        self._letters: deque[Letter] = deque()
        self._streams: dict[str, Stream] = {}  # by the last token given and the one before

    def __len__(self) -> int:
        return len(self._letters)

    def streams(self) -> list[Stream]:
        return list({id(each): each for each in self._streams.values()}.values())

    def put(self, letters: Iterable[Letter]) -> None:
        self._letters.extend(letters)

    def start(self, is_connected: Callable[[], bool], now_ms: int) -> Stream:
        """Open a stream; those whose reader is gone give their letters back first.

        Raises:
            TooManyStreams: The limit is reached by streams that are still read.
        """
        for stream in self.streams():
            if not stream.is_connected():
                self.abandon(stream)
        if len(self.streams()) >= self._streams_max:
            raise TooManyStreams(self._streams_max)
        stream = Stream(self._new_token(), is_connected, now_ms)
        self._streams[stream.token] = stream
        return stream

    def pull(
        self, token: str, is_connected: Callable[[], bool], now_ms: int
    ) -> tuple[Stream, tuple[Letter, ...], bool]:
        """Find a stream by its token and confirm its last delivery.

        Returns:
            The stream, the letters confirmed, and whether the last delivery is to be repeated.

        Raises:
            StreamGone: No stream has this token.
        """
        stream = self._streams.get(token)
        if stream is None:
            raise StreamGone
        stream.is_connected = is_connected
        stream.seen_ms = now_ms
        if token == stream.last_token:
            return stream, (), True
        confirmed, stream.delivered = stream.delivered, ()
        return stream, confirmed, False

    def deliver(self, stream: Stream, letters_max: int, now_ms: int) -> Delivery:
        """Take the next letters for a stream and give it a new token."""
        stream.delivered = self._take(letters_max)
        self._streams.pop(stream.last_token, None)
        stream.last_token, stream.token = stream.token, self._new_token()
        self._streams[stream.token] = stream
        stream.has_poll, stream.seen_ms = False, now_ms
        return Delivery(stream.delivered, stream.token)

    def repeat(self, stream: Stream) -> Delivery:
        return Delivery(stream.delivered, stream.token)

    def close(self, token: str) -> tuple[Letter, ...]:
        """End a stream as its reader wishes; gives the letters that this confirms.

        Raises:
            StreamGone: No stream has this token.
        """
        stream = self._streams.get(token)
        if stream is None:
            raise StreamGone
        if token == stream.last_token:  # the answer was lost: nothing new is confirmed
            self.abandon(stream)
            return ()
        self._forget(stream)
        return stream.delivered

    def abandon(self, stream: Stream) -> None:
        """End a stream whose reader is gone; what it did not confirm is the next to be read."""
        self._forget(stream)
        self._letters.extendleft(reversed(stream.delivered))

    def sweep(self, now_ms: int, grace_ms: int, idle_ms: int) -> int:
        """Abandon the streams whose reader is gone or silent; gives their number."""
        gone = [
            stream
            for stream in self.streams()
            if not stream.has_poll
            and now_ms - stream.seen_ms >= (idle_ms if stream.is_connected() else grace_ms)
        ]
        for stream in gone:
            self.abandon(stream)
        return len(gone)

    def _forget(self, stream: Stream) -> None:
        self._streams.pop(stream.token, None)
        self._streams.pop(stream.last_token, None)

    def _take(self, letters_max: int) -> tuple[Letter, ...]:
        taken: list[Letter] = []
        size = 0
        while self._letters and len(taken) < letters_max:
            size += len(self._letters[0].body)
            if taken and size > DELIVERY_BYTES_MAX:
                break
            taken.append(self._letters.popleft())
        return tuple(taken)
