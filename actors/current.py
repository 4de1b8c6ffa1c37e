"""Which process is running: what `self()` is elsewhere.

A context variable set once for each process task; tasks that library code starts from a process
inherit it and act in its name.
"""

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.process import Process

current_process: ContextVar["Process | None"] = ContextVar("current_process", default=None)
