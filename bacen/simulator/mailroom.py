"""The process that hands out messages: outboxes, streams and the requests held open for them.

A participant has an outbox on each channel: payments with PAGAGD wait on the secondary, all else on
the primary (BCB Manual das Interfaces 1.12).
"""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from actors import From, GenServer, NoReply, Reply, TimerRef, UnhandledMessage
from bacen.icom import ChannelName, channel_of
from bacen.simulator.errors import StreamGone, TooManyStreams
from bacen.simulator.outbox import Delivery, Letter, Outbox, Stream
from bacen.simulator.requests import (
    SETTLEMENT,
    CloseStream,
    Confirmed,
    GetMailStatistics,
    MailStatistics,
    Post,
    PullStream,
    StartStream,
)
from bacen.simulator.settings import BankSettings
from bacen.simulator.watching import MailWatch

SWEEP_EVERY_MS = 250
TOKEN_LENGTH = 22
NS_PER_MS = 1_000_000

Box = tuple[str, ChannelName]  # ISPB and channel


@dataclass(eq=False, slots=True)
class Poll:
    """A request that waits for letters."""

    box: Box
    stream: Stream
    sender: From
    letters_max: int
    timer: TimerRef | None = None


@dataclass(frozen=True, slots=True)
class PollOver:
    poll: Poll


@dataclass(frozen=True, slots=True)
class Sweep:
    pass


class Mailroom(GenServer):
    """Owner of what waits for the participants; filled by the settlement, which stored it.

    Args:
        settings: Of the bank.
    """

    mailbox_max = 1_000_000  # letters are never dropped; requests are bounded by the connections

    def __init__(self, settings: BankSettings) -> None:
        self._settings = settings
        self._outboxes: dict[Box, Outbox] = {}
        self._polls: dict[Box, deque[Poll]] = {}
        self._abandoned = 0

    async def init(self) -> None:
        self._watch = MailWatch(self.node)
        self.node.send_after(SWEEP_EVERY_MS, self.pid, Sweep())

    async def handle_call(self, request: Any, sender: From) -> Reply | NoReply:
        try:
            return self._answer(request, sender)
        except (StreamGone, TooManyStreams) as error:
            self.node.fail(sender, error)
            return NoReply()

    async def handle_cast(self, message: Any) -> None:
        match message:
            case Post(ispb, letters):
                self._put(ispb, letters)
            case _:
                raise UnhandledMessage("handle_cast", type(message).__name__)

    async def handle_info(self, message: Any) -> None:
        match message:
            case PollOver(poll) if self._withdraw(poll):
                self._deliver(poll)
            case PollOver():
                pass
            case Sweep():
                self._sweep()
                self.node.send_after(SWEEP_EVERY_MS, self.pid, Sweep())
            case _:
                await super().handle_info(message)

    def _answer(self, request: object, sender: From) -> Reply | NoReply:
        match request:
            case StartStream(ispb, letters_max, is_connected, channel):
                box = ispb, channel
                stream = self._outbox(box).start(is_connected, self._now_ms())
                return self._deliver_or_hold(Poll(box, stream, sender, letters_max))
            case PullStream(ispb, token, letters_max, is_connected, channel):
                box = ispb, channel
                outbox = self._outbox(box)
                stream, confirmed, is_repeated = outbox.pull(token, is_connected, self._now_ms())
                self._confirm(confirmed)
                if is_repeated:
                    return Reply(outbox.repeat(stream))
                return self._deliver_or_hold(Poll(box, stream, sender, letters_max))
            case CloseStream(ispb, token, channel):
                self._confirm(self._outbox((ispb, channel)).close(token))
                return Reply(None)
            case GetMailStatistics():
                return Reply(self._statistics())
            case _:
                raise UnhandledMessage("handle_call", type(request).__name__)

    def _put(self, ispb: str, letters: tuple[Letter, ...]) -> None:
        self._watch.posted(letters, self._now_ms())
        by_channel: dict[ChannelName, list[Letter]] = {}
        for letter in letters:
            by_channel.setdefault(channel_of(letter.body), []).append(letter)
        for channel, those in by_channel.items():
            self._outbox((ispb, channel)).put(those)
            self._serve((ispb, channel))

    def _deliver_or_hold(self, poll: Poll) -> Reply | NoReply:
        outbox = self._outbox(poll.box)
        self._replace(poll, outbox)
        if len(outbox) or self._settings.long_poll_ms == 0:
            return Reply(self._handed_out(poll))
        poll.stream.has_poll = True
        poll.timer = self.node.send_after(self._settings.long_poll_ms, self.pid, PollOver(poll))
        self._polls.setdefault(poll.box, deque()).append(poll)
        return NoReply()

    def _replace(self, poll: Poll, outbox: Outbox) -> None:
        """Let go of an earlier request on the same stream, whose reader has given up."""
        for earlier in list(self._polls.get(poll.box, ())):
            if earlier.stream is poll.stream and self._withdraw(earlier):
                self.node.reply(earlier.sender, outbox.repeat(earlier.stream))

    def _serve(self, box: Box) -> None:
        outbox = self._outbox(box)
        polls = self._polls.get(box)
        while polls and len(outbox):
            poll = polls[0]
            self._withdraw(poll)
            if poll.stream.is_connected():
                self._deliver(poll)
            else:
                outbox.abandon(poll.stream)
                self._abandoned += 1

    def _deliver(self, poll: Poll) -> None:
        self.node.reply(poll.sender, self._handed_out(poll))

    def _handed_out(self, poll: Poll) -> Delivery:
        now_ms = self._now_ms()
        delivery = self._outbox(poll.box).deliver(poll.stream, poll.letters_max, now_ms)
        self._watch.fetched(poll.box[0], delivery.letters, now_ms)
        return delivery

    def _withdraw(self, poll: Poll) -> bool:
        polls = self._polls.get(poll.box)
        if polls is None or poll not in polls:
            return False
        polls.remove(poll)
        poll.stream.has_poll = False
        if poll.timer is not None:
            self.node.cancel_timer(poll.timer)
        return True

    def _sweep(self) -> None:
        settings, now_ms = self._settings, self._now_ms()
        for box, outbox in self._outboxes.items():
            gone = outbox.sweep(now_ms, settings.stream_grace_ms, settings.stream_idle_ms)
            self._abandoned += gone
            if gone:
                self._serve(box)

    def _confirm(self, letters: tuple[Letter, ...]) -> None:
        if letters:
            self.node.cast(SETTLEMENT, Confirmed(tuple(each.row for each in letters)))

    def _outbox(self, box: Box) -> Outbox:
        outbox = self._outboxes.get(box)
        if outbox is None:
            outbox = Outbox(lambda: self.node.ids.token(TOKEN_LENGTH), self._settings.streams_max)
            self._outboxes[box] = outbox
        return outbox

    def _statistics(self) -> MailStatistics:
        streams: Counter[str] = Counter()
        waiting: Counter[str] = Counter()
        for (ispb, _), outbox in self._outboxes.items():
            streams[ispb] += len(outbox.streams())
            waiting[ispb] += len(outbox)
        return MailStatistics(dict(streams), dict(waiting), self._abandoned)

    def _now_ms(self) -> int:
        return self.node.clock.monotonic_ns() // NS_PER_MS
