"""Load generator: a program of its own that knows the platform by its HTTP interface only.

Import from here; the modules behind it may move.
"""

from loadtest.client import (
    ConnectionCut,
    LoadConnection,
    NotLoopback,
    get_request,
    post_request,
)
from loadtest.closed_loop import ClosedLoop, LoadResult, run_closed_loop
from loadtest.machine import machine_line

__all__ = [
    "ClosedLoop",
    "ConnectionCut",
    "LoadConnection",
    "LoadResult",
    "NotLoopback",
    "get_request",
    "machine_line",
    "post_request",
    "run_closed_loop",
]
