"""Where log lines go and what they look like: one JSON object a line."""

import contextlib
import io
import logging
import sys
from pathlib import Path
from typing import TextIO

import structlog


class LogFile(io.TextIOWrapper):
    """A log that may lose lines, and fails nobody: on a full disk the work itself may go on.

    A supervisor that cannot say that a child ended must still start it again.
    """

    def write(self, text: str, /) -> int:
        """Write, or lose the text."""
        with contextlib.suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Write what waits, or lose it."""
        with contextlib.suppress(OSError):
            super().flush()


def configure_log(level: str, path: Path | None) -> TextIO:
    """Send the log of this process to `path`, or to standard error without one.

    Args:
        level: Least severe level that is written.
        path: File to append to; its folder is made.

    Returns:
        The open stream.
    """
    if path is None:
        stream: TextIO = sys.stderr
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = LogFile(path.open("ab", buffering=0), encoding="utf-8", write_through=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=stream, format="%(message)s", force=True)
    logging.getLogger("aiohttp.server").addFilter(is_ours)
    return stream


def is_ours(record: logging.LogRecord) -> bool:
    """Whether a record is of our own making: bytes that are no HTTP are answered 400, not logged.

    A stranger could fill the disk with tracebacks.
    """
    error = record.exc_info[1] if record.exc_info else None
    return type(error).__module__ != "aiohttp.http_exceptions"
