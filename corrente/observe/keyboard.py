"""Single keys from a terminal, and the terminal as it was afterwards, whatever ends the program."""

import contextlib
import os
import re
import select
import signal
import termios
import tty
from enum import Enum
from types import FrameType, TracebackType
from typing import Any, Self

READ_BYTES = 256
ENDING = (signal.SIGTERM, signal.SIGHUP)


class Key(Enum):
    """Keys that mean something here, and what a terminal sends for them."""

    UP = ("\x1b[A", "\x1bOA")
    DOWN = ("\x1b[B", "\x1bOB")
    PAGE_UP = ("\x1b[5~",)
    PAGE_DOWN = ("\x1b[6~",)
    ENTER = ("\r", "\n")
    BACK = ("\x1b", "\x7f", "\x08")
    KILL = ("k", "K")
    SORT = ("s", "S")
    YES = ("y", "Y")
    NO = ("n", "N")
    QUIT = ("q", "Q")


_BY_TEXT = {text: key for key in Key for text in key.value}
_STROKE = re.compile(r"\x1b\[[0-9;]*[~A-Za-z]|\x1bO[A-Za-z]|.", re.DOTALL)


def parse_keys(text: str) -> list[Key]:
    """The keys in what a terminal has sent; what means nothing is left out."""
    strokes = _STROKE.findall(text)
    return [_BY_TEXT[stroke] for stroke in strokes if stroke in _BY_TEXT]


class Keyboard:
    """Keys one by one while the block lasts.

    SIGTERM and SIGHUP end the block like an exit of the program, with status 128 + number, so that
    the terminal is restored. Ctrl-C raises KeyboardInterrupt as ever; Ctrl-Z does nothing.

    Args:
        descriptor: The terminal.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._saved: list[Any] = []
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._saved = termios.tcgetattr(self._descriptor)
        self._handlers = {number: signal.signal(number, _end) for number in ENDING}
        # A stopped program would leave the shell a terminal without echo.
        self._handlers[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        try:
            tty.setcbreak(self._descriptor, termios.TCSADRAIN)
        except BaseException:
            self._restore()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()

    def read(self, seconds: float) -> list[Key]:
        """Keys that were pressed; waits at most so long for the first.

        Raises:
            EOFError: The terminal is gone.
        """
        ready, _, _ = select.select([self._descriptor], [], [], max(0.0, seconds))
        if not ready:
            return []
        try:
            text = os.read(self._descriptor, READ_BYTES)
        except OSError as error:
            raise EOFError from error
        if not text:
            raise EOFError
        return parse_keys(text.decode(errors="replace"))

    def _restore(self) -> None:
        with contextlib.suppress(termios.error):  # the terminal itself may be gone
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._saved)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    del frame
    raise SystemExit(128 + number)
