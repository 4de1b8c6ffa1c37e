"""A node whose messages take time, and still keep the order between each two processes.

What one process sends to another never overtakes what it sent before, whatever kind it is. A
message under way is therefore handed over at once before its sender replies, signals, or ends:
its end is known to others only then. A call is put off as a whole, as if its task had been.
Messages to the dead vanish on arrival.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

from actors.current import current_process
from actors.errors import CallTimeout
from actors.gen_server import GenServer
from actors.identity import Pid, Target
from actors.node import CALL_TIMEOUT_MS, Node
from actors.process import From, Process
from actors.reason import ExitReason, Normal
from actors.simulation.choices import Chooser
from actors.simulation.clock import SimulatedClock
from actors.simulation.loop import Turn

_NS_PER_MS = 1_000_000


@dataclass(slots=True)
class Letter:
    """A message under way."""

    receiver: Process
    kind: int
    message: object
    timer: Turn


class DelayingNode(Node):
    """Holds messages back for as long as the schedule says.

    Args:
        name: Of the node.
        clock: Of the simulation.
        seed: Of its ids.
        delays: Chooses for each message.
        delay_ms: At most.
    """

    def __init__(
        self, name: str, clock: SimulatedClock, seed: int, delays: Chooser, delay_ms: int
    ) -> None:
        super().__init__(name, clock=clock, seed=seed)
        self._simulated = clock.loop
        self._delays = delays
        self._delay_ms = delay_ms
        self._under_way: dict[tuple[Pid | None, Pid], deque[Letter]] = {}

    async def start(self, server: GenServer, **options: Any) -> Pid:
        """As `Node.start`; what the new process sent its starter is there first."""
        pid = await super().start(server, **options)
        self._hand_over(pid, _pid_of_caller())
        return pid

    async def call(
        self,
        target: Target,
        request: object,
        *,
        timeout_ms: int | None = CALL_TIMEOUT_MS,
        must_run: bool = False,
    ) -> Any:
        """As `Node.call`; request and answer travel, and the deadline runs meanwhile.

        An answer can come too late, when the request was carried out long ago.
        """
        process = self._find(target)
        if process is None:
            return await super().call(target, request, timeout_ms=timeout_ms, must_run=must_run)
        caller = _pid_of_caller()
        end_ns = None
        if timeout_ms is not None:
            end_ns = self._simulated.now_ns + timeout_ms * _NS_PER_MS
        await self._travel(f"{type(request).__name__} to {process.label}", end_ns)
        self._hand_over(caller, process.pid)
        left_ms = None if end_ns is None else self._left_ms(end_ns)
        answer = None
        try:
            answer = await super().call(target, request, timeout_ms=left_ms, must_run=must_run)
            is_in_time = await self._travel(f"answer of {process.label}", end_ns)
        except CallTimeout:
            if end_ns is None or self._left_ms(end_ns) > 0:
                raise  # the callee's own, handed on
            is_in_time = False
        finally:
            self._hand_over(process.pid, caller)
        if not is_in_time:
            raise CallTimeout(process.label, type(request).__name__, timeout_ms or 0)
        return answer

    def reply(self, sender: From, value: object) -> None:
        """As `Node.reply`, after what the answering process sent before."""
        self._hand_over(_pid_of_caller(), sender.caller)
        super().reply(sender, value)

    def exit(self, pid: Pid, reason: ExitReason) -> None:
        """As `Node.exit`, after what the caller sent before."""
        self._hand_over(_pid_of_caller(), pid)
        super().exit(pid, reason)

    async def stop(
        self, target: Target, reason: ExitReason | None = None, *, timeout_ms: int | None = None
    ) -> None:
        """As `Node.stop`, after what the caller sent before."""
        process = self._find(target)
        if process is not None:
            self._hand_over(_pid_of_caller(), process.pid)
        await super().stop(target, reason or Normal(), timeout_ms=timeout_ms)

    def forget(self, process: Process) -> None:
        """As `Node.forget`; what the process sent arrives before the news of its end."""
        for route in [route for route in self._under_way if route[0] == process.pid]:
            self._hand_over(*route)
        super().forget(process)

    def notify(self, target: Target, message: object) -> None:
        """As `Node.notify`, after what the caller sent before."""
        process = self._find(target)
        if process is not None:
            self._hand_over(_pid_of_caller(), process.pid)
        super().notify(target, message)

    def _post(self, process: Process, kind: int, message: object) -> None:
        route = (_pid_of_caller(), process.pid)
        letters = self._under_way.get(route)
        late_ms = self._delays.choose(self._delay_ms + 1)
        if letters is None and not late_ms:
            super()._post(process, kind, message)
            return
        if late_ms:
            self._note(f"{type(message).__name__} to {process.label}", late_ms)
        loop = self._simulated
        due_ns = loop.now_ns + late_ms * _NS_PER_MS
        if letters is None:
            letters = self._under_way[route] = deque()
        else:
            due_ns = max(due_ns, letters[-1].timer.due_ns)
        timer = loop.start_timer(due_ns, self._arrive, route, exact=True)
        letters.append(Letter(process, kind, message, timer))

    def _arrive(self, sender: Pid | None, receiver: Pid) -> None:
        letters = self._under_way[sender, receiver]
        letter = letters.popleft()
        if not letters:
            del self._under_way[sender, receiver]
        if letter.receiver.alive:
            super()._post(letter.receiver, letter.kind, letter.message)

    def _hand_over(self, sender: Pid | None, receiver: Pid | None) -> None:
        """What is under way between these two arrives now."""
        for letter in self._under_way.pop((sender, receiver), ()):  # type: ignore[arg-type] # nobody sends to None
            letter.timer.cancel()
            if letter.receiver.alive:
                super()._post(letter.receiver, letter.kind, letter.message)

    async def _travel(self, what: str, end_ns: int | None) -> bool:
        """Wait as long as a message of a call takes; False when the deadline came first."""
        late_ms = self._delays.choose(self._delay_ms + 1)
        if not late_ms:
            return True
        left_ms = late_ms + 1 if end_ns is None else self._left_ms(end_ns)
        self._note(what, late_ms)
        await self.clock.sleep_ms(min(late_ms, left_ms))
        return late_ms < left_ms

    def _left_ms(self, end_ns: int) -> int:
        return (end_ns - self._simulated.now_ns) // _NS_PER_MS

    def _note(self, what: str, late_ms: int) -> None:
        trace = self._simulated.trace
        if trace is not None:
            sender = current_process.get()
            who = str(sender.label) if sender is not None else "main"
            trace.add(who, f"{what} takes {late_ms} ms")


def _pid_of_caller() -> Pid | None:
    process = current_process.get()
    return process.pid if process is not None else None
