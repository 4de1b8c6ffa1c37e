"""A server whose answer to an event depends on the state it is in.

Rules are those of `gen_statem` with one function for each state (docs/state-machines.md). A state
is a method, not a name: a misspelt one is an error before the program runs. Five things differ.
Data is the attributes of the instance. A call whose deadline passed while it was postponed is
dropped, as one in the mailbox is. Events kept back are bounded. An event that no `case` takes ends
the machine whatever it is, a stray message included. And an enter call that no `case` takes is
fine: nobody sent it.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, final

from actors.errors import BadReturnValue
from actors.gen_server import Continue, GenServer, Ignore, InitAnswer, NoReply, Stop, StopInit
from actors.process import MAILBOX_MAX, From
from actors.state_engine import StateEngine, name_of
from actors.transitions import Call, Cast, NextState


class GenStateMachine(GenServer):
    """A state machine: subclass, write `begin` and one method for each state.

    A state method takes an event (`Call`, `Cast`, `Info`, a timeout, `Internal`, `Enter`) and
    answers `NextState`, `KeepState`, `RepeatState`, `Stop` or `StopAndReply`. None, as when no
    `case` matched, ends the machine with `UnhandledEvent`. `terminate` is that of `GenServer`.

    Attributes:
        enter_calls: Tell each state that it begins, with an `Enter` event. It may answer
            `KeepState` with replies and timeouts, or end the machine.
        postponed_max: Events kept back at most. One more from outside is refused: a call fails
            with `Overloaded`, anything else is dropped and counted by an event.
    """

    enter_calls: ClassVar[bool] = False
    postponed_max: ClassVar[int] = MAILBOX_MAX

    async def begin(self) -> NextState | Ignore | StopInit:
        """Prepare the data and say which state is the first. The starter waits for it."""
        raise NotImplementedError

    @property
    def state(self) -> str:
        """Name of the state."""
        return name_of(self._engine.state)

    def format_status(self) -> Mapping[str, str]:
        """The state by its name, how much waits, and the data as for every server."""
        shown = dict(super().format_status())
        is_begun = shown.pop("_engine", None) is not None
        return {**self._engine.waiting(), **shown} if is_begun else shown

    @final
    async def init(self) -> InitAnswer:
        """Begin; the first enter call runs after the starter was told, before any message."""
        first = await self.begin()
        if isinstance(first, Ignore | StopInit):
            return first
        if type(first) is not NextState:
            raise BadReturnValue("begin", first)
        self._engine = StateEngine(self, first)
        return Continue(first)

    @final
    async def handle_call(self, request: Any, sender: From) -> NoReply | Stop:
        """Hand a call to the state."""
        return await self._engine.handle(Call(request, sender))

    @final
    async def handle_cast(self, message: Any) -> NoReply | Stop:
        """Hand a cast to the state."""
        return await self._engine.handle(Cast(message))

    @final
    async def handle_info(self, message: Any) -> NoReply | Stop:
        """Hand a message, or a timeout that is still wanted, to the state."""
        return await self._engine.hear(message)

    @final
    async def handle_continue(self, argument: Any) -> NoReply | Stop:
        """Hand on the next event of the machine's own queue."""
        if type(argument) is NextState:
            return await self._engine.begin(argument)
        return await self._engine.handle(argument)
