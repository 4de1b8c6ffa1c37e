"""What a server program prints, line by line into our log."""

import asyncio
from collections.abc import Callable
from typing import cast

import structlog

_LINE_BYTES_MAX = 8_192  # a longer line is logged in pieces

_log = structlog.get_logger("supervisors")


class OutputLines(asyncio.SubprocessProtocol):
    """Logs both outputs of a program and tells when it has ended.

    Not a pair of stream readers: they would be two more tasks, and fail on a long line.

    Attributes:
        last_line: What it printed last; says why when it ends too early.
    """

    def __init__(self, name: str, ended: Callable[[int], None]) -> None:
        self._name = name
        self._ended = ended
        self._partial: dict[int, bytes] = {}
        self._transport: asyncio.SubprocessTransport | None = None
        self.last_line = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to ask for the exit status."""
        # uvloop's transports are of classes of their own.
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Log what is whole; keep the rest."""
        *lines, rest = (self._partial.get(fd, b"") + data).split(b"\n")
        while len(rest) > _LINE_BYTES_MAX:
            lines.append(rest[:_LINE_BYTES_MAX])
            rest = rest[_LINE_BYTES_MAX:]
        self._partial[fd] = rest
        for line in lines:
            self._write(line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Log a last line without an end."""
        del exc
        self._write(self._partial.pop(fd, b""))

    def process_exited(self) -> None:
        """Tell the exit status; negative for a signal."""
        assert self._transport is not None
        self._ended(self._transport.get_returncode() or 0)

    def _write(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if text:
            self.last_line = text
            _log.info("server output", server=self._name, line=text)
