"""Where log lines go and what they look like: one JSON object a line."""

import logging
import sys
from pathlib import Path
from typing import TextIO

import structlog


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
        stream = path.open("a", encoding="utf-8", buffering=1)
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
    return stream
