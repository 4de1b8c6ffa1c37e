"""A server program as a child: started, waited for, listened to, stopped, restarted.

The program runs in a session of its own, so that a Ctrl-C at the terminal reaches only us and we
stop it in our order. On Linux it is started through `launcher.py` and dies with us even when we
are killed; elsewhere the pid file finds it at the next start.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from actors import Answer, CallAnswer, ExitReason, GenServer, Reply
from supervisors import pid_file
from supervisors.errors import OsProcessFailed
from supervisors.launch import RunAs, launch_argv
from supervisors.output import OutputLines

_READY_PAUSE_MS: Final = 25
_GONE_PAUSE_MS: Final = 20
_KILL_WAIT_MS: Final = 5_000  # a killed process is gone at once, unless the disk hangs

_log = structlog.get_logger("supervisors")


@dataclass(frozen=True, slots=True)
class GetOsPid:
    """Request: the pid the system gave the program, an int."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OsProcessSpec:
    """How to run one server program.

    Attributes:
        name: For logs and errors.
        argv: Program and arguments; a function is asked at each start.
        env: Its whole environment; None: ours.
        cwd: Working directory; None: ours.
        ready: Whether it answers yet; asked until it does. `OSError` counts as no.
        ready_timeout_ms: Longest start.
        stop_signal: Asks it to stop; on Linux it also gets it when we die.
        stop_timeout_ms: From that signal to `SIGKILL` for its whole process group.
        pid_file: Where its pid is kept, to find what an earlier run left behind.
        run_as: User to run it as when we are root.
        prepare: Done before each start, after a leftover was stopped.
    """

    name: str
    argv: Callable[[], Sequence[str]] | Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    ready: Callable[[], Awaitable[bool]]
    ready_timeout_ms: int = 30_000
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_ms: int = 10_000
    pid_file: Path | None = None
    run_as: RunAs | None = None
    prepare: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class _ProgramEnded:
    exit_code: int


class OsProcess(GenServer):
    """Runs one server program; ends with `Crash(OsProcessFailed)` when the program ends.

    `init` returns when the program is ready. Its output goes to the log line by line. Give its
    child spec a shutdown longer than `stop_timeout_ms`. Answers `GetOsPid`.

    Args:
        spec: How to run it.
    """

    trap_exit = True
    stop_timeout_ms = None  # the spec has one

    def __init__(self, spec: OsProcessSpec) -> None:
        self._spec = spec
        self._transport: asyncio.SubprocessTransport | None = None
        self._ended: asyncio.Future[int]
        self._output: OutputLines
        self._is_stopping = False

    async def init(self) -> None:
        """Stop a leftover, prepare, start, wait until ready."""
        spec = self._spec
        if spec.pid_file is not None:
            await self._stop_leftover(spec.pid_file)
        if spec.prepare is not None:
            await spec.prepare()
        self.node.on_exit(self._kill)
        argv = list(spec.argv() if callable(spec.argv) else spec.argv)
        await self._launch(argv)
        if spec.pid_file is not None:
            pid_file.write(spec.pid_file, self._os_pid(), argv[0])
        await self._wait_ready()
        _log.info("server ready", server=spec.name, os_pid=self._os_pid())

    async def handle_call(self, request: Any, sender: Any) -> CallAnswer:
        """Answer `GetOsPid`."""
        if isinstance(request, GetOsPid):
            return Reply(self._os_pid())
        return await super().handle_call(request, sender)

    async def handle_info(self, message: Any) -> Answer:
        """The program ended by itself."""
        if isinstance(message, _ProgramEnded):
            raise OsProcessFailed(self._spec.name, "ended by itself", message.exit_code)
        return await super().handle_info(message)

    async def terminate(self, reason: ExitReason) -> None:
        """Ask the program to stop, then kill its whole group; returns when it is gone."""
        del reason
        if self._transport is None:
            return
        self._is_stopping = True
        if not self._ended.done():
            self._signal(self._spec.stop_signal)
            if not await self._wait_ended(self._spec.stop_timeout_ms):
                _log.warning("server killed: it did not stop", server=self._spec.name)
        self._kill()
        await self._wait_ended(_KILL_WAIT_MS)
        if self._spec.pid_file is not None:
            pid_file.remove(self._spec.pid_file, self._os_pid())

    async def _launch(self, argv: list[str]) -> None:
        loop, spec = asyncio.get_running_loop(), self._spec
        self._ended = loop.create_future()
        self._output = OutputLines(spec.name, self._note_end)
        self._transport, _ = await loop.subprocess_exec(
            lambda: self._output,
            *launch_argv(argv, spec.run_as, death_signal=spec.stop_signal),
            stdin=asyncio.subprocess.DEVNULL,
            env=spec.env,
            cwd=spec.cwd,
            start_new_session=True,
        )

    async def _wait_ready(self) -> None:
        spec = self._spec
        try:
            async with asyncio.timeout(spec.ready_timeout_ms / 1000):
                while not await self._is_ready():
                    await self.node.clock.sleep_ms(_READY_PAUSE_MS)
        except TimeoutError:
            self._is_stopping = True
            self._kill()
            await self._wait_ended(_KILL_WAIT_MS)  # the next attempt must not meet this one
            problem = f"not ready within {spec.ready_timeout_ms} ms"
            raise OsProcessFailed(spec.name, problem) from None

    async def _is_ready(self) -> bool:
        if self._ended.done():
            problem = f"ended at start: {self._output.last_line or 'it said nothing'}"
            raise OsProcessFailed(self._spec.name, problem, self._ended.result())
        try:
            return await self._spec.ready()
        except OSError:
            return False

    def _note_end(self, exit_code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(exit_code)
        if not self._is_stopping:
            self.node.send(self.pid, _ProgramEnded(exit_code))

    async def _wait_ended(self, timeout_ms: int) -> bool:
        done, _ = await asyncio.wait([self._ended], timeout=timeout_ms / 1000)
        return bool(done)

    def _kill(self) -> None:
        """End the program and whatever it started in its group, now."""
        if self._transport is not None:
            self._signal(signal.SIGKILL)
            self._transport.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._os_pid(), number)

    def _os_pid(self) -> int:
        assert self._transport is not None
        return self._transport.get_pid()

    async def _stop_leftover(self, path: Path) -> None:
        leftover = pid_file.find_leftover(path)
        if leftover is None:
            return
        _log.warning("stopping a leftover server", server=self._spec.name, os_pid=leftover.pid)
        waits = ((self._spec.stop_signal, self._spec.stop_timeout_ms), (signal.SIGKILL, 5_000))
        for number, wait_ms in waits:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(leftover.pid, number)
            for _ in range(wait_ms // _GONE_PAUSE_MS):
                if pid_file.find_leftover(path) is None:
                    return
                await self.node.clock.sleep_ms(_GONE_PAUSE_MS)
        raise OsProcessFailed(self._spec.name, f"leftover process {leftover.pid} does not end")
