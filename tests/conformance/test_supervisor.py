"""Cases 01 to 15: supervisors, as `supervisor_SUITE` of OTP has them."""

import time
from datetime import UTC, datetime

import pytest

from actors import (
    Failed,
    Ignore,
    Killed,
    Node,
    NoProcess,
    Normal,
    Shutdown,
    StartFailed,
    StopInit,
    VirtualClock,
)
from supervisors import (
    AutoShutdown,
    ChildAlreadyPresent,
    ChildAlreadyStarted,
    ChildNotFound,
    ChildRunning,
    ChildSpec,
    ChildState,
    ChildType,
    FailedToStartChild,
    Forever,
    InvalidChildSpec,
    InvalidSupervisor,
    KillAtOnce,
    Restart,
    Strategy,
    Supervisor,
    Within,
    count_children,
    delete_child,
    restart_child,
    start_child,
    supervisor,
    terminate_child,
    which_children,
)
from tests.conformance.probes import BOOM, Bench, Block, Hang

DIE = Failed("die")


async def test_01_children_start_in_order_one_at_a_time(bench: Bench) -> None:
    bench.plans["a"] = [Hang(50)]

    await bench.supervise("abc")

    assert bench.events == ["init a", "ready a", "init b", "init c"]
    assert None not in bench.pids("abc")


async def test_02_children_stop_in_reverse_order(bench: Bench) -> None:
    supervisor_pid = await bench.supervise("abc")
    bench.take_events()

    await bench.node.stop(supervisor_pid, Shutdown())

    assert bench.events == ["term c shutdown", "term b shutdown", "term a shutdown"]


async def test_03_a_failed_start_unwinds(bench: Bench) -> None:
    bench.plans["c"] = [StopInit(Failed("nope"))]

    with pytest.raises(StartFailed) as caught:
        await bench.supervise("abcd")

    assert caught.value.reason == Shutdown(FailedToStartChild("c", Failed("nope")))
    assert bench.events == ["init a", "init b", "init c", "term b shutdown", "term a shutdown"]


async def test_04_child_spec_defaults(bench: Bench) -> None:
    spec = bench.spec("a")
    inner = supervisor("inner", [])

    assert (spec.restart, spec.shutdown) == (Restart.PERMANENT, Within(5_000))
    assert (spec.type, spec.significant) == (ChildType.WORKER, False)
    assert (inner.shutdown, inner.type) == (Forever(), ChildType.SUPERVISOR)


async def test_04_wrong_specs_and_flags_are_errors_that_name_the_field(bench: Bench) -> None:
    start = bench.spec("a").start
    wrong_specs = {
        "id": {"id": "", "start": start},
        "start": {"id": "x", "start": None},
        "shutdown": {"id": "x", "start": start, "shutdown": Within(-1)},
        "restart": {"id": "x", "start": start, "restart": "sometimes"},
    }
    wrong_flags = {
        "strategy": {"strategy": "one_for_some"},
        "max_restarts": {"max_restarts": -1},
        "max_seconds": {"max_seconds": 0},
        "auto_shutdown": {"auto_shutdown": "sometimes"},
    }

    for field, options in wrong_specs.items():
        with pytest.raises(InvalidChildSpec) as wrong_spec:
            ChildSpec(**options)
        assert wrong_spec.value.field == field
    for field, flags in wrong_flags.items():
        with pytest.raises(InvalidSupervisor) as wrong_flag:
            Supervisor([], **flags)
        assert wrong_flag.value.field == field
    with pytest.raises(InvalidChildSpec):
        Supervisor(bench.specs("aa"))
    with pytest.raises(TypeError):
        ChildSpec(id="x", start=start, unknown=1)


async def test_04_a_wrong_spec_does_not_harm_a_running_supervisor(bench: Bench) -> None:
    pid = await bench.supervise("a")
    before = bench.pids("a")

    with pytest.raises(InvalidChildSpec):
        await start_child(bench.node, pid, "no spec")

    assert bench.node.is_alive(pid)
    assert bench.pids("a") == before


@pytest.mark.parametrize(
    "reason",
    [Normal(), Shutdown(), Shutdown("x"), BOOM],
    ids=["normal", "shutdown", "said", "boom"],
)
@pytest.mark.parametrize("restart", list(Restart))
async def test_05_restart_type_matrix(bench: Bench, restart: Restart, reason: object) -> None:
    pid = await bench.supervise([bench.spec("a", restart=restart)])
    before = bench.node.whereis("a")

    await bench.end("a", reason, pid)

    counts = await count_children(bench.node, pid)
    is_restarted = bench.node.whereis("a") not in {None, before}
    if restart is Restart.TEMPORARY:
        assert (counts.specs, counts.active, counts.workers, is_restarted) == (0, 0, 0, False)
        assert await start_child(bench.node, pid, bench.spec("a", restart=restart)) is not None
    elif restart is Restart.TRANSIENT and not reason.is_abnormal:
        assert (counts.specs, counts.active, is_restarted) == (1, 0, False)
    else:
        assert (counts.specs, counts.active, is_restarted) == (1, 1, True)


async def test_06_one_for_one_isolates(bench: Bench) -> None:
    pid = await bench.supervise("ab")
    a, b = bench.pids("ab")
    bench.take_events()

    await bench.end("a", BOOM, pid)

    assert bench.node.whereis("a") not in {None, a}
    assert bench.node.whereis("b") == b
    assert bench.events == ["term a boom", "init a"]


async def test_07_one_for_all_restarts_all_in_order(bench: Bench) -> None:
    pid = await bench.supervise("abc", strategy="one_for_all")
    before = bench.pids("abc")
    bench.take_events()

    await bench.end("b", DIE, pid)

    assert bench.events == [
        *("term b die", "term c shutdown", "term a shutdown"),
        *("init a", "init b", "init c"),
    ]
    assert not set(bench.pids("abc")) & {None, *before}


async def test_08_rest_for_one_restarts_the_later_ones(bench: Bench) -> None:
    pid = await bench.supervise("abcde", strategy="rest_for_one")
    before = bench.pids("abcde")
    bench.take_events()

    await bench.end("c", DIE, pid)

    assert bench.events == [
        *("term c die", "term e shutdown", "term d shutdown"),
        *("init c", "init d", "init e"),
    ]
    assert bench.pids("ab") == before[:2]
    assert not set(bench.pids("cde")) & {None, *before}


async def test_09_one_restart_too_many_ends_the_supervisor(bench: Bench) -> None:
    pid = await bench.supervise("ab", max_restarts=2, max_seconds=60)
    for _ in range(2):
        await bench.end("a", BOOM, pid)
        assert bench.node.whereis("a") is not None
    bench.take_events()

    await bench.end("a", BOOM)

    assert await bench.node.join(pid) in {Shutdown(), NoProcess()}
    assert bench.events == ["term a boom", "term b shutdown"]


async def test_09_no_restart_allowed_means_the_first_one_ends_it(bench: Bench) -> None:
    pid = await bench.supervise("a", max_restarts=0)

    await bench.end("a", BOOM)

    assert await bench.node.join(pid) in {Shutdown(), NoProcess()}


async def test_10_the_window_slides_and_ignores_the_wall_clock() -> None:
    clock = VirtualClock(datetime(2026, 3, 1, tzinfo=UTC))
    node = Node("virtual", clock=clock)
    bench = Bench(node)
    pid = await bench.supervise("a", max_restarts=1, max_seconds=1)
    for hour in (5, 3, 4, 0):
        await bench.end("a", BOOM, pid)
        assert node.is_alive(pid)
        await clock.advance(2_100)
        clock.set_wall(datetime(2026, 3, 1, hour, tzinfo=UTC))

    await bench.end("a", BOOM, pid)
    await clock.advance(1_000)  # a restart exactly as old as the window still counts
    await bench.end("a", BOOM, pid)

    assert not node.is_alive(pid)
    await node.shutdown()


async def test_11_a_group_restart_counts_once(bench: Bench) -> None:
    pid = await bench.supervise("abc", strategy="one_for_all", max_restarts=2, max_seconds=60)

    await bench.end("b", DIE, pid)
    await bench.end("b", DIE, pid)
    assert bench.node.is_alive(pid)
    await bench.end("b", DIE, pid)

    assert not bench.node.is_alive(pid)


async def test_12_shutdown_limit_and_brutal_kill(bench: Bench) -> None:
    a, b = bench.specs("ab", shutdown=Within(200))
    pid = await bench.supervise([a, b, bench.spec("c", shutdown=KillAtOnce())])
    bench.node.cast("b", Block(5_000))
    await bench.node.clock.sleep_ms(5)
    watched = dict.fromkeys("abc")

    async def watch(name: str) -> None:
        watched[name] = await bench.node.join(name)

    for name in "abc":
        bench.node.spawn(lambda name=name: watch(name))
    await bench.node.clock.sleep_ms(0)
    bench.take_events()
    before = time.monotonic()
    await bench.node.stop(pid, Shutdown())
    took = time.monotonic() - before

    assert watched == {"a": Shutdown(), "b": Killed(), "c": Killed()}
    assert bench.events == ["term a shutdown"]
    assert 0.2 <= took < 0.4


async def test_13_child_administration(bench: Bench) -> None:
    node, spec = bench.node, bench.spec("a")
    pid = await bench.supervise([spec])

    with pytest.raises(ChildAlreadyStarted) as started:
        await start_child(node, pid, spec)
    assert started.value.pid == node.whereis("a")
    for request in (delete_child, restart_child):
        with pytest.raises(ChildRunning):
            await request(node, pid, "a")
    for request in (terminate_child, delete_child, restart_child):
        with pytest.raises(ChildNotFound):
            await request(node, pid, "zz")
    await terminate_child(node, pid, "a")
    counts = await count_children(node, pid)
    assert (counts.specs, counts.active) == (1, 0)
    await terminate_child(node, pid, "a")
    with pytest.raises(ChildAlreadyPresent):
        await start_child(node, pid, spec)
    assert await restart_child(node, pid, "a") != started.value.pid
    await terminate_child(node, pid, "a")
    await delete_child(node, pid, "a")
    with pytest.raises(ChildNotFound):
        await restart_child(node, pid, "a")
    counts = await count_children(node, pid)
    assert (counts.specs, counts.active, counts.supervisors, counts.workers) == (0, 0, 0, 0)
    with pytest.raises(NoProcess):
        await which_children(node, "nobody")


async def test_14_ignore_keeps_the_spec_unless_temporary(bench: Bench) -> None:
    bench.plans |= {"b": [Ignore()], "t": [Ignore()]}

    pid = await bench.supervise([*bench.specs("ab"), bench.spec("t", restart=Restart.TEMPORARY)])

    children = await which_children(bench.node, pid)
    assert [(child.id, child.pid) for child in children] == [
        ("a", bench.node.whereis("a")),
        ("b", None),
    ]
    counts = await count_children(bench.node, pid)
    assert (counts.specs, counts.active, counts.workers) == (2, 1, 2)
    assert await restart_child(bench.node, pid, "b") is not None


async def significant_trio(bench: Bench, auto_shutdown: AutoShutdown) -> object:
    significant = bench.specs("bc", significant=True, restart=Restart.TRANSIENT)
    pid = await bench.supervise([bench.spec("a"), *significant], auto_shutdown=auto_shutdown)
    bench.take_events()
    return pid


async def test_15_any_significant_child_that_ends_ends_the_supervisor(bench: Bench) -> None:
    pid = await significant_trio(bench, AutoShutdown.ANY_SIGNIFICANT)

    await bench.end("b", Normal())

    assert await bench.node.join(pid) in {Shutdown(), NoProcess()}
    assert bench.events == ["term b normal", "term c shutdown", "term a shutdown"]


async def test_15_a_significant_child_that_is_restarted_ends_nothing(bench: Bench) -> None:
    pid = await significant_trio(bench, AutoShutdown.ANY_SIGNIFICANT)

    await bench.end("b", BOOM, pid)

    assert bench.events == ["term b boom", "init b"]


async def test_15_all_significant_waits_for_the_last_one(bench: Bench) -> None:
    pid = await significant_trio(bench, AutoShutdown.ALL_SIGNIFICANT)

    await bench.end("b", Normal(), pid)
    assert bench.node.is_alive(pid)
    await bench.end("c", Normal())

    assert await bench.node.join(pid) in {Shutdown(), NoProcess()}


async def test_15_significant_children_that_mean_nothing_are_rejected(bench: Bench) -> None:
    with pytest.raises(InvalidChildSpec):
        bench.spec("a", significant=True)
    with pytest.raises(InvalidChildSpec):
        Supervisor([bench.spec("a", significant=True, restart=Restart.TEMPORARY)])


@pytest.mark.parametrize("strategy", list(Strategy))
async def test_restart_that_fails_is_tried_again_while_calls_are_answered(
    bench: Bench, strategy: Strategy
) -> None:
    bench.plans["b"] = [None, StopInit(Failed("first")), StopInit(Failed("second"))]
    pid = await bench.supervise("abc", strategy=strategy, max_restarts=5)
    before = bench.node.whereis("b")

    await bench.end("b", BOOM, pid)

    states = [child.state for child in await which_children(bench.node, pid)]
    while ChildState.RESTARTING in states:
        states = [child.state for child in await which_children(bench.node, pid)]
    assert states == [ChildState.RUNNING] * 3
    assert bench.node.whereis("b") != before
    assert bench.attempts["b"] == 4
