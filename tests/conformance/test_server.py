"""Cases 18 to 26: servers, as `gen_server_SUITE` of OTP and `gen_server_test.exs` have them."""

import time
from typing import Any

import pytest

from actors import (
    TIMEOUT,
    AlreadyStarted,
    BadReturnValue,
    CalleeDied,
    CallingSelf,
    CallTimeout,
    Continue,
    Crash,
    Failed,
    From,
    GenServer,
    IdleTimeout,
    Ignore,
    Killed,
    Node,
    NoProcess,
    NoReply,
    Normal,
    Pid,
    Reply,
    Shutdown,
    StartFailed,
    StartIgnored,
    Stop,
    StopInit,
)
from tests.conformance.probes import BOOM, Bench, Block, End, Hang, Raise, Raised

LONG_BEFORE_A_TIMEOUT_SECONDS = 2.5
"""Half of what the same test would take if the runtime waited for the timeout of 5 s."""


class Recorder(GenServer):
    """Records what arrives, and through which callback."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.held: From | None = None

    async def handle_call(self, request: Any, sender: From) -> Reply | NoReply:
        self.seen.append(("call", request))
        if request == "hold":
            self.held = sender
            return NoReply()
        return Reply(("reply", request))

    async def handle_cast(self, message: Any) -> None:
        self.seen.append(("cast", message))

    async def handle_info(self, message: Any) -> None:
        self.seen.append(("info", message))


async def test_18_order_and_kinds(node: Node) -> None:
    recorder = Recorder()
    pid = await node.start(recorder)

    node.cast(pid, 1)
    node.send(pid, 2)
    third = await node.call(pid, 3)
    node.cast(pid, 4)
    fifth = await node.call(pid, 5)

    assert recorder.seen == [("cast", 1), ("info", 2), ("call", 3), ("cast", 4), ("call", 5)]
    assert (third, fifth) == (("reply", 3), ("reply", 5))


async def test_18_a_call_may_be_answered_later_by_another_process(node: Node) -> None:
    recorder = Recorder()
    pid = await node.start(recorder)
    answers = []

    async def ask() -> None:
        answers.append(await node.call(pid, "hold"))

    asker = node.spawn(ask)
    await node.clock.sleep_ms(0)
    assert await node.call(pid, "meanwhile") == ("reply", "meanwhile")

    async def answer() -> None:
        node.reply(recorder.held, "at last")
        node.reply(recorder.held, "too often")

    node.spawn(answer)
    await node.join(asker)

    assert answers == ["at last"]


async def test_19_a_timeout_is_the_callers_only(bench: Bench) -> None:
    pid = await bench.node.start(bench.plain("a"), name="a")

    with pytest.raises(CallTimeout) as caught:
        await bench.node.call("a", Block(60), timeout_ms=20)
    await bench.node.clock.sleep_ms(200)

    assert (caught.value.target, caught.value.timeout_ms) == ("a", 20)
    assert caught.value.request == "Block"
    assert bench.events == ["init a", "served a"]
    assert await bench.node.call(pid, "ping") == "pong"


async def test_19_timeout_zero_leaves_the_server_alive(bench: Bench) -> None:
    pid = await bench.node.start(bench.plain("a"))

    with pytest.raises(CallTimeout):
        await bench.node.call(pid, "ping", timeout_ms=0)

    assert await bench.node.call(pid, "ping") == "pong"


async def test_20_calls_nobody_can_serve_fail_at_once(bench: Bench) -> None:
    node = bench.node
    dead = await node.start(bench.plain("a"))
    await node.stop(dead)

    for target in (dead, "nobody"):
        with pytest.raises(NoProcess):
            await node.call(target, "ping")
    before = time.monotonic()
    for target in (dead, "nobody", Pid("elsewhere", 1)):
        node.cast(target, "hello")

    assert time.monotonic() - before < LONG_BEFORE_A_TIMEOUT_SECONDS


async def test_20_calling_oneself_fails_at_once(node: Node) -> None:
    class Narcissus(GenServer):
        async def handle_call(self, _request: Any, _sender: From) -> Reply:
            try:
                return Reply(await self.node.call(self.pid, "me"))
            except CallingSelf as error:
                return Reply(error.target)

    pid = await node.start(Narcissus())

    assert await node.call(pid, "who?") == pid


@pytest.mark.parametrize("how", ["stop", "raise", "kill"])
async def test_21_server_dies_during_a_call(bench: Bench, how: str) -> None:
    node = bench.node
    pid = await node.start(bench.plain("a"))
    request = {"stop": End(Failed("gone")), "raise": Raise(), "kill": Block(5_000)}[how]
    if how == "kill":
        node.send_after(10, await node.start(Killer()), pid)
    before = time.monotonic()

    with pytest.raises(CalleeDied) as caught:
        await node.call(pid, request, timeout_ms=5_000)

    assert time.monotonic() - before < LONG_BEFORE_A_TIMEOUT_SECONDS
    reason = caught.value.reason
    if how == "raise":
        assert isinstance(reason, Crash)
        assert isinstance(reason.error, Raised)
        assert "probes.py" in reason.traceback
    else:
        assert reason == (Failed("gone") if how == "stop" else Killed())


class Killer(GenServer):
    """Kills whom it is told."""

    async def handle_info(self, message: Any) -> None:
        self.node.exit(message, Killed())


class Idler(Recorder):
    """Answers with whatever it is told to answer with."""

    def __init__(self, first: Any = None) -> None:
        super().__init__()
        self.first = first

    async def init(self) -> Any:
        self.node.send(self.pid, "early")
        return self.first

    async def handle_cast(self, message: Any) -> NoReply:
        self.seen.append("cast")
        return NoReply(message)

    async def handle_continue(self, argument: Any) -> NoReply:
        self.seen.append(argument)
        return NoReply(Continue("again") if argument == "setup" else None)


async def test_22_continue_runs_before_what_is_queued(node: Node) -> None:
    idler = Idler(Continue("setup"))

    await node.call(await node.start(idler), 1)

    assert idler.seen == ["setup", "again", ("info", "early"), ("call", 1)]


async def test_22_idle_timeout_zero_waits_for_an_empty_mailbox(node: Node) -> None:
    idler = Idler()
    pid = await node.start(idler)
    await node.call(pid, 0)
    idler.seen.clear()

    node.cast(pid, IdleTimeout(0))
    node.send(pid, "queued")
    await node.call(pid, 1)
    assert idler.seen == ["cast", ("info", "queued"), ("call", 1)]
    idler.seen.clear()
    node.cast(pid, IdleTimeout(0))
    await node.clock.sleep_ms(5)

    assert idler.seen == ["cast", ("info", TIMEOUT)]


async def test_22_any_message_cancels_an_idle_timeout_and_it_fires_once(node: Node) -> None:
    idler = Idler()
    pid = await node.start(idler)
    for _ in range(4):
        node.cast(pid, IdleTimeout(50))
        await node.clock.sleep_ms(20)
    assert ("info", TIMEOUT) not in idler.seen

    await node.clock.sleep_ms(150)

    assert idler.seen.count(("info", TIMEOUT)) == 1


@pytest.mark.parametrize(
    ("step", "error"),
    [(StopInit(Failed("why")), StartFailed), (Raised, StartFailed), (Ignore(), StartIgnored)],
    ids=["error", "raise", "ignore"],
)
async def test_23_init_that_does_not_succeed_frees_the_name_at_once(
    bench: Bench, step: object, error: type[Exception]
) -> None:
    for _ in range(100):
        name = f"n{len(bench.attempts)}"
        bench.plans[name] = [step]
        with pytest.raises(error) as caught:
            await bench.node.start(bench.plain(name), name="N")
        if isinstance(step, StopInit):
            assert caught.value.reason == Failed("why")
        await bench.node.stop(await bench.node.start(bench.plain(name), name="N"))


async def test_23_a_taken_name_runs_no_init(bench: Bench) -> None:
    pid = await bench.node.start(bench.plain("a"), name="N")

    with pytest.raises(AlreadyStarted) as caught:
        await bench.node.start(bench.plain("b"), name="N")

    assert caught.value.pid == pid
    assert bench.events == ["init a"]


async def test_24_init_that_takes_too_long_is_killed(bench: Bench) -> None:
    bench.plans["a"] = [Hang(5_000)]

    before = time.monotonic()
    with pytest.raises(StartFailed) as caught:
        await bench.node.start(bench.plain("a"), name="N", timeout_ms=50)

    assert caught.value.reason == Failed("timeout")
    assert 0.04 < time.monotonic() - before < LONG_BEFORE_A_TIMEOUT_SECONDS
    assert bench.node.whereis("N") is None
    assert bench.node.processes() == []


class Careless(GenServer):
    """Ends in every way there is; says so when `terminate` runs."""

    def __init__(self, said: list[object], *, traps: bool) -> None:
        self.said = said
        self.trap_exit = traps

    async def handle_cast(self, message: Any) -> Any:
        if message is Raise:
            raise Raised
        return message

    async def terminate(self, reason: object) -> None:
        self.said.append(reason)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(Stop(BOOM), BOOM), (Raise, Raised), (42, BadReturnValue)],
    ids=["stop", "raise", "nonsense"],
)
async def test_25_terminate_runs_when_a_callback_ends_it(
    node: Node, answer: object, reason: object
) -> None:
    said: list[Any] = []
    pid = await node.start(Careless(said, traps=False))

    node.cast(pid, answer)
    ended = await node.join(pid)

    assert said == [ended]
    assert ended == reason if reason is BOOM else isinstance(ended.error, reason)


async def test_25_terminate_runs_on_stop_from_outside(node: Node) -> None:
    said: list[object] = []

    await node.stop(await node.start(Careless(said, traps=False)), Shutdown("enough"))

    assert said == [Shutdown("enough")]


@pytest.mark.parametrize(
    ("traps", "signal", "terminates", "ended"),
    [
        (True, Shutdown(), True, Shutdown()),
        (False, Shutdown(), False, Shutdown()),
        (True, Killed(), False, Killed()),
        (False, Killed(), False, Killed()),
        (False, BOOM, False, BOOM),
        (True, Normal(), True, Normal()),
    ],
)
async def test_25_terminate_on_signals_of_the_parent(
    node: Node, *, traps: bool, signal: Any, terminates: bool, ended: object
) -> None:
    said: list[object] = []
    pid = await node.start(Careless(said, traps=traps))

    async def watch() -> object:
        return await node.join(pid)

    watching = node.loop.create_task(watch())
    await node.clock.sleep_ms(0)
    node.exit(pid, signal)

    assert await watching == ended
    assert bool(said) == terminates


async def test_25_an_exit_signal_normal_does_nothing_to_a_plain_worker(node: Node) -> None:
    said: list[object] = []
    pid = await node.start(Careless(said, traps=False))

    node.exit(pid, Normal())
    await node.clock.sleep_ms(0)

    assert node.is_alive(pid)


async def test_25_an_error_in_terminate_is_the_reason_and_the_reply_still_goes_out(
    node: Node,
) -> None:
    class Clumsy(GenServer):
        async def handle_call(self, _request: Any, _sender: From) -> Stop:
            return Stop(Normal(), reply="bye")

        async def terminate(self, _reason: object) -> None:
            raise Raised

    pid = await node.start(Clumsy())
    watching = node.loop.create_task(node.join(pid))

    assert await node.call(pid, "leave") == "bye"
    assert isinstance((await watching).error, Raised)


async def test_26_a_wrong_answer_is_a_crash_that_names_it(node: Node) -> None:
    class Confused(GenServer):
        async def handle_call(self, _request: Any, _sender: From) -> Any:
            return 42

    with pytest.raises(CalleeDied) as caught:
        await node.call(await node.start(Confused()), "what?")

    error = caught.value.reason.error
    assert isinstance(error, BadReturnValue)
    assert (error.callback, error.value) == ("handle_call", 42)


async def test_26_one_crash_report_without_the_message_itself(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    import structlog

    with structlog.testing.capture_logs() as logs:
        await bench.node.start(bench.plain("a"), name="a")
        bench.node.cast("a", Raise())
        await bench.node.join("a")

    (report,) = [entry for entry in logs if entry["event"] == "process crashed"]
    assert (report["process"], report["last_message"]) == ("a", "Raise")
    assert "Raised" in report["reason"]
    assert "probes.py" in report["traceback"]


async def test_26_a_message_nobody_expects_is_dropped_with_a_warning(node: Node) -> None:
    import structlog

    pid = await node.start(GenServer())
    with structlog.testing.capture_logs() as logs:
        node.send(pid, 42)
        await node.clock.sleep_ms(1)

    assert [(entry["log_level"], entry["message"]) for entry in logs] == [("warning", "int")]
    assert node.is_alive(pid)


async def test_26_system_exit_in_a_callback_ends_that_process_only(node: Node) -> None:
    class Quitter(Recorder):
        async def handle_cast(self, _message: Any) -> None:
            raise SystemExit(3)

    pid = await node.start(Quitter())

    node.cast(pid, "go")
    reason = await node.join(pid)

    assert isinstance(reason.error, SystemExit)
