"""Random trees with random crashes keep the rules, whatever order things happen in.

A model of the rules stands beside each tree: after every crash it says who must still be the same
process, who must be a new one, who must be down, and which supervisors must have given up.
"""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from actors import (
    ExitReason,
    Failed,
    GenServer,
    Killed,
    Node,
    Normal,
    Pid,
    Shutdown,
    Stop,
    VirtualClock,
)
from supervisors import ChildSpec, Restart, Strategy, supervisor, worker

WINDOW_SECONDS = 10
REASONS: tuple[ExitReason, ...] = (Normal(), Shutdown(), Shutdown("done"), Failed("x"), Killed())


class Leaf(GenServer):
    async def handle_cast(self, message: ExitReason) -> Stop:
        return Stop(message)


@dataclass
class Member:
    """One child of the model: a worker, or a supervisor with children of its own."""

    name: str
    restart: Restart
    children: list["Member"] = field(default_factory=list)
    is_supervisor: bool = False
    strategy: Strategy = Strategy.ONE_FOR_ONE
    restarts_max: int = 0
    life: int = 0  # how often it was started
    is_up: bool = False
    is_known: bool = True
    restarted_ms: list[int] = field(default_factory=list)

    def walk(self) -> Iterator["Member"]:
        yield self
        for child in self.children:
            yield from child.walk()

    def spec(self) -> ChildSpec:
        if not self.is_supervisor:
            return worker(self.name, Leaf, name=self.name, restart=self.restart)
        return supervisor(
            self.name,
            [child.spec() for child in self.children],
            strategy=self.strategy,
            max_restarts=self.restarts_max,
            max_seconds=WINDOW_SECONDS,
            name=self.name,
            restart=self.restart,
        )


class Model:
    """What OTP's rules say must happen."""

    def __init__(self, root: Member) -> None:
        self.root = root
        self.parents = {child.name: one for one in root.walk() for child in one.children}
        self.start(root)

    def start(self, member: Member) -> None:
        """Start a member with everything it was made with, forgotten children included."""
        member.is_up = member.is_known = True
        member.life += 1
        member.restarted_ms.clear()
        for child in member.children:
            self.start(child)

    def stop(self, member: Member) -> None:
        for one in member.walk():
            one.is_up = False

    def end(self, member: Member, reason: ExitReason, now_ms: int) -> None:
        """A member ended by itself: its supervisor does what the table says."""
        self.stop(member)
        parent = self.parents.get(member.name)
        if parent is None:
            return
        abnormal = reason.is_abnormal
        if member.restart is Restart.PERMANENT or (
            member.restart is Restart.TRANSIENT and abnormal
        ):
            self.act(parent, member, now_ms)
        elif member.restart is Restart.TEMPORARY:
            member.is_known = False

    def act(self, parent: Member, member: Member, now_ms: int) -> None:
        recent = [at for at in parent.restarted_ms if at >= now_ms - WINDOW_SECONDS * 1000]
        parent.restarted_ms = [*recent, now_ms]
        if len(parent.restarted_ms) > parent.restarts_max:
            self.end(parent, Shutdown(), now_ms)
            return
        known = [child for child in parent.children if child.is_known]
        index = known.index(member)
        group = {
            Strategy.ONE_FOR_ONE: [member],
            Strategy.ONE_FOR_ALL: known,
            Strategy.REST_FOR_ONE: known[index:],
        }[parent.strategy]
        for child in group:
            self.stop(child)
            if child is not member and child.restart is Restart.TEMPORARY:
                child.is_known = False
        for child in group:
            if child.is_known:
                self.start(child)


NAMES = "abcdefghijklmnopqrstuvwxyz"


@st.composite
def trees(draw: st.DrawFn) -> Member:
    names = (f"{letter}{number}" for number in itertools.count() for letter in NAMES)

    def member(depth: int) -> Member:
        restart = draw(st.sampled_from(Restart))
        if depth == 0 or draw(st.booleans()):
            return Member(next(names), restart)
        return tree(depth, restart)

    def tree(depth: int, restart: Restart) -> Member:
        made = Member(next(names), restart, is_supervisor=True)
        made.strategy = draw(st.sampled_from(Strategy))
        made.restarts_max = draw(st.integers(0, 3))
        made.children = [member(depth - 1) for _ in range(draw(st.integers(1, 4)))]
        return made

    return tree(draw(st.integers(1, 3)), Restart.PERMANENT)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 100), st.sampled_from(REASONS), st.sampled_from([0, 1, 6_000, 11_000])
    ),
    min_size=1,
    max_size=12,
)


def seen(node: Node, tree: Member) -> dict[str, Pid | None]:
    return {member.name: node.whereis(member.name) for member in tree.walk()}


async def settle(node: Node) -> None:
    """Let everything run until nobody has anything to do."""
    quiet = 0
    while quiet < 30:
        before = node.statistics().started_total, node.statistics().processes
        await asyncio.sleep(0)
        quiet = quiet + 1 if before == (*_totals(node),) else 0


def _totals(node: Node) -> tuple[int, int]:
    statistics = node.statistics()
    return statistics.started_total, statistics.processes


async def play(tree: Member, steps: list[tuple[int, ExitReason, int]], *, park: bool) -> None:
    clock = VirtualClock()
    node = Node("random", clock=clock, seed=1)
    root_spec = tree.spec()
    await root_spec.start(node)
    model = Model(tree)
    lives = {member.name: (member.life, node.whereis(member.name)) for member in tree.walk()}
    for number, reason, wait_ms in steps:
        await clock.advance(wait_ms)
        up = [member for member in tree.walk() if member.is_up and not member.is_supervisor]
        if not up:
            break
        victim = up[number % len(up)]
        pid = node.whereis(victim.name)
        assert pid is not None
        if park:
            for _ in range(2):
                node.parking.look(node.loop)
                await settle(node)
            node.parking.cancel()
        if isinstance(reason, Killed):
            node.exit(pid, reason)
        else:
            node.cast(pid, reason)
        await settle(node)
        model.end(victim, reason, clock.monotonic_ns() // 1_000_000)
        now = seen(node, tree)
        for member in tree.walk():
            life, was = lives[member.name]
            pid_now = now[member.name]
            assert (pid_now is not None) == member.is_up, member.name
            if member.is_up and member.life == life:
                assert pid_now == was, f"{member.name} must be the same process"
            elif member.is_up:
                assert pid_now != was, f"{member.name} must be a new process"
            lives[member.name] = (member.life, pid_now)
        assert node.statistics().processes == sum(member.is_up for member in tree.walk())
    await node.shutdown()
    assert node.processes() == []
    assert node.statistics().timers == 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=trees(), steps=STEPS, park=st.booleans())
def test_every_random_tree_keeps_the_restart_rules(
    *, tree: Member, steps: list[tuple[int, ExitReason, int]], park: bool
) -> None:
    with capture_logs():
        asyncio.run(play(tree, steps, park=park))
