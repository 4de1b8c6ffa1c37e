"""The process that hands out messages: outboxes, streams and the requests held open for them."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from actors import From, GenServer, NoReply, Reply, TimerRef, UnhandledMessage
from bacen.simulator.errors import StreamGone, TooManyStreams
from bacen.simulator.outbox import Letter, Outbox, Stream
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

SWEEP_EVERY_MS = 250
TOKEN_LENGTH = 22
NS_PER_MS = 1_000_000


@dataclass(eq=False, slots=True)
class Poll:
    """A request that waits for letters."""

    ispb: str
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
        self._outboxes: dict[str, Outbox] = {}
        self._polls: dict[str, deque[Poll]] = {}
        self._abandoned = 0

    async def init(self) -> None:
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
                self._outbox(ispb).put(letters)
                self._serve(ispb)
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
            case StartStream(ispb, letters_max, is_connected):
                stream = self._outbox(ispb).start(is_connected, self._now_ms())
                return self._deliver_or_hold(Poll(ispb, stream, sender, letters_max))
            case PullStream(ispb, token, letters_max, is_connected):
                outbox = self._outbox(ispb)
                stream, confirmed, is_repeated = outbox.pull(token, is_connected, self._now_ms())
                self._confirm(confirmed)
                if is_repeated:
                    return Reply(outbox.repeat(stream))
                return self._deliver_or_hold(Poll(ispb, stream, sender, letters_max))
            case CloseStream(ispb, token):
                self._confirm(self._outbox(ispb).close(token))
                return Reply(None)
            case GetMailStatistics():
                return Reply(self._statistics())
            case _:
                raise UnhandledMessage("handle_call", type(request).__name__)

    def _deliver_or_hold(self, poll: Poll) -> Reply | NoReply:
        outbox = self._outbox(poll.ispb)
        self._replace(poll, outbox)
        if len(outbox) or self._settings.long_poll_ms == 0:
            return Reply(outbox.deliver(poll.stream, poll.letters_max, self._now_ms()))
        poll.stream.has_poll = True
        poll.timer = self.node.send_after(self._settings.long_poll_ms, self.pid, PollOver(poll))
        self._polls.setdefault(poll.ispb, deque()).append(poll)
        return NoReply()

    def _replace(self, poll: Poll, outbox: Outbox) -> None:
        """Let go of an earlier request on the same stream, whose reader has given up."""
        for earlier in list(self._polls.get(poll.ispb, ())):
            if earlier.stream is poll.stream and self._withdraw(earlier):
                self.node.reply(earlier.sender, outbox.repeat(earlier.stream))

    def _serve(self, ispb: str) -> None:
        outbox = self._outbox(ispb)
        polls = self._polls.get(ispb)
        while polls and len(outbox):
            poll = polls[0]
            self._withdraw(poll)
            if poll.stream.is_connected():
                self._deliver(poll)
            else:
                outbox.abandon(poll.stream)
                self._abandoned += 1

    def _deliver(self, poll: Poll) -> None:
        outbox = self._outbox(poll.ispb)
        self.node.reply(poll.sender, outbox.deliver(poll.stream, poll.letters_max, self._now_ms()))

    def _withdraw(self, poll: Poll) -> bool:
        polls = self._polls.get(poll.ispb)
        if polls is None or poll not in polls:
            return False
        polls.remove(poll)
        poll.stream.has_poll = False
        if poll.timer is not None:
            self.node.cancel_timer(poll.timer)
        return True

    def _sweep(self) -> None:
        settings, now_ms = self._settings, self._now_ms()
        for ispb, outbox in self._outboxes.items():
            gone = outbox.sweep(now_ms, settings.stream_grace_ms, settings.stream_idle_ms)
            self._abandoned += gone
            if gone:
                self._serve(ispb)

    def _confirm(self, letters: tuple[Letter, ...]) -> None:
        if letters:
            self.node.cast(SETTLEMENT, Confirmed(tuple(each.row for each in letters)))

    def _outbox(self, ispb: str) -> Outbox:
        outbox = self._outboxes.get(ispb)
        if outbox is None:
            outbox = Outbox(lambda: self.node.ids.token(TOKEN_LENGTH), self._settings.streams_max)
            self._outboxes[ispb] = outbox
        return outbox

    def _statistics(self) -> MailStatistics:
        return MailStatistics(
            streams={ispb: len(each.streams()) for ispb, each in self._outboxes.items()},
            waiting={ispb: len(each) for ispb, each in self._outboxes.items()},
            abandoned=self._abandoned,
        )

    def _now_ms(self) -> int:
        return self.node.clock.monotonic_ns() // NS_PER_MS
