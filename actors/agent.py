"""The smallest owner of a value: functions come to the value and run in its process.

What it adds to a server of one's own: nothing to write, and a typed way to ask. Functions run one
at a time and must be quick; a longer computation, or a request with a name, is a server's business.
They cannot leave the node.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from actors.gen_server import CallAnswer, GenServer, Reply
from actors.identity import Target
from actors.node import Node
from actors.process import From

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Apply:
    """A function from the value to an answer and the next value."""

    function: Callable[[Any], tuple[Any, Any]]


class AgentServer(GenServer, Generic[T]):
    """The process of an agent; on its own for a supervisor's children.

    A function that raises ends it, as any callback does: the value is not trusted any more.

    Args:
        make: Makes the first value, in the agent's process, anew for each start.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make

    async def init(self) -> None:
        """Make the value."""
        self._value = self._make()

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        """Apply a function."""
        if not isinstance(request, _Apply):
            return await super().handle_call(request, sender)
        answer, self._value = request.function(self._value)
        return Reply(answer)


class Agent(Generic[T]):
    """How to ask an agent. Each request may fail as a call does; see `Node.call`.

    A function that raises ends the agent: the caller gets `CalleeDied(Crash(error))`.

    Args:
        node: Where it runs.
        target: Its name or pid; by name it is found again after a restart.
    """

    __slots__ = ("_node", "target")

    def __init__(self, node: Node, target: Target) -> None:
        self._node = node
        self.target = target

    async def get(self, function: Callable[[T], R], *, timeout_ms: int | None = 5_000) -> R:
        """What the function says of the value; it must not change it."""
        return await self.get_and_update(
            lambda value: (function(value), value), timeout_ms=timeout_ms
        )

    async def update(self, function: Callable[[T], T], *, timeout_ms: int | None = 5_000) -> None:
        """Put the function's answer in place of the value."""
        await self.get_and_update(lambda value: (None, function(value)), timeout_ms=timeout_ms)

    async def get_and_update(
        self, function: Callable[[T], tuple[R, T]], *, timeout_ms: int | None = 5_000
    ) -> R:
        """Both at once: an answer, and what is put in place of the value."""
        answer = await self._node.call(self.target, _Apply(function), timeout_ms=timeout_ms)
        return cast("R", answer)


async def start_agent(
    node: Node, make: Callable[[], T], *, name: str | None = None, link: bool | None = None
) -> Agent[T]:
    """Start an agent with the value that `make` gives; raises what `Node.start` raises."""
    pid = await node.start(AgentServer(make), name=name, link=link)
    return Agent(node, name or pid)
