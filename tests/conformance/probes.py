"""Workers that tell the test what happens to them, in order, and do what their plan says."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from actors import (
    CallAnswer,
    ExitReason,
    Failed,
    From,
    GenServer,
    Ignore,
    Node,
    Pid,
    Reply,
    Shutdown,
    Stop,
    StopInit,
)
from supervisors import (
    ChildSpec,
    Strategy,
    Supervisor,
    which_children,
    worker,
)

BOOM = Failed("boom")


class Raised(Exception):
    """What a probe raises when told to."""


@dataclass(frozen=True, slots=True)
class End:
    """Stop with this reason, from a callback."""

    reason: ExitReason


@dataclass(frozen=True, slots=True)
class Raise:
    """Raise in the callback."""


@dataclass(frozen=True, slots=True)
class Block:
    """Be busy and deaf for a while."""

    ms: int


@dataclass(frozen=True, slots=True)
class Hang:
    """In a plan: take this long to start."""

    ms: int


class Bench:
    """What the probes of one test share: the record of events and the start plans."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.events: list[str] = []
        self.plans: dict[str, list[object]] = {}
        self.attempts: Counter[str] = Counter()

    def probe(self, name: str) -> "Probe":
        return Probe(self, name)

    def plain(self, name: str) -> "Plain":
        return Plain(self, name)

    def spec(self, name: str, **options: Any) -> ChildSpec:
        return worker(name, lambda: Probe(self, name), name=name, **options)

    def specs(self, names: str, **options: Any) -> list[ChildSpec]:
        return [self.spec(name, **options) for name in names]

    async def supervise(self, children: list[ChildSpec] | str, **options: Any) -> Pid:
        specs = self.specs(children) if isinstance(children, str) else children
        if isinstance(options.get("strategy"), str):
            options["strategy"] = Strategy(options["strategy"])
        return await self.node.start(Supervisor(specs, **options))

    def pids(self, names: str) -> list[Pid | None]:
        return [self.node.whereis(name) for name in names]

    async def end(self, name: str, reason: ExitReason, supervisor: Pid | None = None) -> None:
        """Have a worker end, and wait until its supervisor has dealt with it or has ended."""
        pid = self.node.whereis(name)
        assert pid is not None
        self.node.cast(pid, End(reason))
        await self.node.join(pid)
        if supervisor is not None:
            await self.settle(supervisor)

    async def settle(self, supervisor: Pid) -> None:
        """Wait until a supervisor has handled what is in its mailbox now."""
        from actors import ActorError

        try:
            await which_children(self.node, supervisor)
        except ActorError:
            await self.node.join(supervisor)

    def take_events(self) -> list[str]:
        events, self.events = self.events, []
        return events


class Plain(GenServer):
    """A worker that does not trap exits."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.bench = bench
        self.name = name

    async def init(self) -> Ignore | StopInit | None:
        self.bench.attempts[self.name] += 1
        attempt = self.bench.attempts[self.name]
        self.bench.events.append(f"init {self.name}")
        plan = self.bench.plans.get(self.name, [])
        step = plan[attempt - 1] if attempt <= len(plan) else None
        if isinstance(step, Hang):
            await self.node.clock.sleep_ms(step.ms)
            self.bench.events.append(f"ready {self.name}")
        elif isinstance(step, Ignore | StopInit):
            return step
        elif step is Raised:
            raise Raised
        return None

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        if request == "ping":
            return Reply("pong")
        if isinstance(request, End):
            return Stop(request.reason)
        if isinstance(request, Raise):
            raise Raised
        if isinstance(request, Block):
            await self.node.clock.sleep_ms(request.ms)
            self.bench.events.append(f"served {self.name}")
            return Reply("late")
        return await super().handle_call(request, sender)

    async def handle_cast(self, message: Any) -> Stop | None:
        if isinstance(message, End):
            return Stop(message.reason)
        if isinstance(message, Raise):
            raise Raised
        if isinstance(message, Block):
            await self.node.clock.sleep_ms(message.ms)
        elif callable(message):
            message(self)
        return None

    async def handle_info(self, message: Any) -> None:
        self.bench.events.append(f"{self.name} got {describe(message)}")

    async def terminate(self, reason: ExitReason) -> None:
        self.bench.events.append(f"term {self.name} {describe(reason)}")


class Probe(Plain):
    """A worker that traps exits."""

    trap_exit = True


def describe(thing: object) -> str:
    """One word for a reason or message."""
    if thing == Shutdown():
        return "shutdown"
    if isinstance(thing, Failed):
        return str(thing.detail)
    if hasattr(thing, "reason"):
        return f"{type(thing).__name__} {describe(thing.reason)}"
    return thing if isinstance(thing, str) else type(thing).__name__.lower()
