"""Random trees of supervisors keep the restart rules of OTP whatever is killed, and whenever."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest

from actors import GenServer, Node, Pid, ProcessInfo
from actors.simulation import Faults, Simulation, explore
from supervisors import (
    ChildSpec,
    ChildState,
    Strategy,
    Supervisor,
    supervisor,
    which_children,
    worker,
)

SEEDS = range(400)
MAX_RESTARTS = 10
WINDOW_MS = 100


@dataclass
class Branch:
    """A supervisor, or a worker when it has no children."""

    name: str
    strategy: Strategy | None = None
    children: list["Branch"] = field(default_factory=list)

    def leaves(self) -> Iterator[str]:
        """Names of the workers, in the order they start."""
        if self.strategy is None:
            yield self.name
        for child in self.children:
            yield from child.leaves()

    def all(self) -> Iterator["Branch"]:
        yield self
        for child in self.children:
            yield from child.all()

    def restarted_with(self, victim: str) -> list["Branch"]:
        """Which children start again when one of them was killed, in order."""
        names = [child.name for child in self.children]
        first = names.index(victim)
        match self.strategy:
            case Strategy.ONE_FOR_ONE:
                return [self.children[first]]
            case Strategy.REST_FOR_ONE:
                return self.children[first:]
        return self.children


class Life:
    """What happened in one run, and who may be killed in it.

    Not a supervisor of supervisors: those below it hear of its end by a message, and keep their
    names until they have read it. As in OTP, each start again that finds a name taken counts.
    """

    mortal: set[str]
    started: list[str]

    def begin(self, tree: Branch) -> None:
        """A new run; the filter keeps hold of this one object."""
        self.started = []
        self.mortal = {
            branch.name
            for branch in tree.all()
            if branch is not tree and all(child.strategy is None for child in branch.children)
        }

    def may_crash(self, info: ProcessInfo) -> bool:
        return info.name in self.mortal


class Leaf(GenServer):
    """Writes down that it started, which may take a while."""

    def __init__(self, name: str, life: Life) -> None:
        self.name = name
        self.life = life

    async def init(self) -> None:
        if self.node.rng.random() < 0.3:
            await self.node.clock.sleep_ms(1)
        self.life.started.append(self.name)


def grow(rng: Random, name: str, depth: int) -> Branch:
    """A random tree."""
    branch = Branch(name, rng.choice(list(Strategy)))
    for number in range(rng.randint(1, 3)):
        child = f"{name}.{number}"
        is_worker = depth == 0 or rng.random() < 0.6
        branch.children.append(Branch(child) if is_worker else grow(rng, child, depth - 1))
    return branch


def specify(branch: Branch, life: Life) -> ChildSpec:
    if branch.strategy is None:
        return worker(branch.name, lambda: Leaf(branch.name, life), name=branch.name)
    children = [specify(child, life) for child in branch.children]
    return supervisor(
        branch.name,
        children,
        strategy=branch.strategy,
        max_restarts=MAX_RESTARTS,
        name=branch.name,
    )


async def plant(simulation: Simulation, life: Life) -> Branch:
    """Start a random tree from the seed."""
    node = simulation.node
    tree = grow(node.rng, "root", 2)
    life.begin(tree)
    simulation.may_kill = False
    assert tree.strategy is not None
    children = [specify(child, life) for child in tree.children]
    root = Supervisor(children, strategy=tree.strategy, max_restarts=MAX_RESTARTS)
    await node.start(root, name="root")
    assert life.started == [*tree.leaves()]
    simulation.may_kill = True
    return tree


async def check_whole(node: Node, tree: Branch) -> None:
    """Every child runs, under its id, in its place."""
    for branch in tree.all():
        if branch.strategy is not None:
            infos = await which_children(node, branch.name)
            assert [info.id for info in infos] == [child.name for child in branch.children]
            assert all(info.state is ChildState.RUNNING for info in infos)
            assert [info.pid for info in infos] == [node.whereis(info.id) for info in infos]


def pids(node: Node, tree: Branch) -> dict[str, Pid | None]:
    return {branch.name: node.whereis(branch.name) for branch in tree.all()}


def parent_of(tree: Branch, name: str) -> Branch:
    return next(b for b in tree.all() if name in [child.name for child in b.children])


def test_one_kill_restarts_exactly_whom_the_strategy_says_in_their_order() -> None:
    killed = set()

    async def program(simulation: Simulation) -> None:
        node = simulation.node
        tree = await plant(simulation, life)
        before = pids(node, tree)
        life.started.clear()
        for _ in range(50):
            await node.clock.sleep_ms(1)
        simulation.may_kill = False
        await node.clock.sleep_ms(20)
        await check_whole(node, tree)
        after = pids(node, tree)
        restarted = [name for name in before if before[name] != after[name]]
        if not simulation.killed:
            assert restarted == []
            return
        victim = str(simulation.killed[0][1])
        killed.add(victim)
        group = parent_of(tree, victim).restarted_with(victim)
        assert sorted(restarted) == sorted(each.name for one in group for each in one.all())
        assert life.started == [leaf for one in group for leaf in one.leaves()]

    life = Life()
    report = explore(program, seeds=SEEDS, faults=Faults(crashes=1, may_crash=life.may_crash))

    assert report is None, str(report)
    assert len(killed) > 10


@pytest.mark.parametrize("delay_ms", [0, 3])
def test_tree_is_whole_again_after_many_kills_at_any_moment(delay_ms: int) -> None:
    most = 0

    async def program(simulation: Simulation) -> None:
        nonlocal most
        node = simulation.node
        tree = await plant(simulation, life)
        for _ in range(30):
            await node.clock.sleep_ms(1)
        simulation.may_kill = False
        await node.clock.sleep_ms(20)
        await check_whole(node, tree)
        most = max(most, len(simulation.killed))

    life = Life()
    faults = Faults(crashes=4, may_crash=life.may_crash, delay_ms=delay_ms, jitter_ms=2)
    report = explore(program, seeds=SEEDS, faults=faults)

    assert report is None, str(report)
    assert most >= 4


def test_supervisor_gives_up_exactly_when_its_intensity_is_passed() -> None:
    outcomes = set()

    async def program(simulation: Simulation) -> None:
        node = simulation.node
        names = ["a", "b", "c"]
        life.begin(Branch("root", None, [Branch(name) for name in names]))
        simulation.may_kill = False
        specs = [worker(name, lambda: Leaf("leaf", life), name=name) for name in names]
        limit = node.rng.randint(0, 2)
        root = Supervisor(specs, max_restarts=limit, max_seconds=WINDOW_MS / 1000)
        pid = await node.start(root, name="root")
        simulation.may_kill = True
        for _ in range(60):
            await node.clock.sleep_ms(node.rng.choice((1, 10)))
        simulation.may_kill = False
        await node.clock.sleep_ms(20)
        times = [at_ns for at_ns, _ in simulation.killed]
        windows = zip(times, itertools.islice(times, limit, None), strict=False)
        must_give_up = any(last - first <= WINDOW_MS * 1_000_000 for first, last in windows)
        outcomes.add((limit, must_give_up))

        assert node.is_alive(pid) is not must_give_up
        assert [node.whereis(name) is not None for name in names] == [not must_give_up] * 3

    life = Life()
    report = explore(program, seeds=SEEDS, faults=Faults(crashes=4, may_crash=life.may_crash))

    assert report is None, str(report)
    assert outcomes == set(itertools.product(range(3), (False, True)))
