"""Processes that hold state, answer messages and die loudly.

Import from here; the modules behind it may move. The promises are those of OTP (docs/actors.md).
"""

from actors.clock import Clock, TimerHandle, VirtualClock
from actors.errors import (
    ActorError,
    AlreadyRegistered,
    AlreadyStarted,
    BadReturnValue,
    CalleeDied,
    CallerError,
    CallingSelf,
    CallTimeout,
    Draining,
    NodeLost,
    NoProcess,
    NotAProcess,
    NotJoined,
    NotOwner,
    Overloaded,
    Refused,
    StartFailed,
    StartIgnored,
    TableGone,
    UnhandledMessage,
    Unknown,
)
from actors.gen_server import (
    Answer,
    CallAnswer,
    Continue,
    GenServer,
    IdleTimeout,
    Ignore,
    InitAnswer,
    NoReply,
    Reply,
    Stop,
    StopInit,
)
from actors.groups import GroupJoined, GroupLeft, Groups
from actors.identity import Pid, Ref, Target
from actors.ids import IdGenerator
from actors.inspection import NodeStatistics, ProcessInfo
from actors.messages import TIMEOUT, Down, Exit, Timeout
from actors.node import Node
from actors.process import From
from actors.reason import (
    Crash,
    ExitReason,
    Failed,
    Killed,
    NoConnection,
    Normal,
    Shutdown,
)
from actors.registry import Registry
from actors.table import Access, Row, Table, TableKind, TableTransfer
from actors.tasks import Done, Task, start_task
from actors.telemetry import Event, Handler, Telemetry
from actors.timers import TimerRef

__all__ = [
    "TIMEOUT",
    "Access",
    "ActorError",
    "AlreadyRegistered",
    "AlreadyStarted",
    "Answer",
    "BadReturnValue",
    "CallAnswer",
    "CallTimeout",
    "CalleeDied",
    "CallerError",
    "CallingSelf",
    "Clock",
    "Continue",
    "Crash",
    "Done",
    "Down",
    "Draining",
    "Event",
    "Exit",
    "ExitReason",
    "Failed",
    "From",
    "GenServer",
    "GroupJoined",
    "GroupLeft",
    "Groups",
    "Handler",
    "IdGenerator",
    "IdleTimeout",
    "Ignore",
    "InitAnswer",
    "Killed",
    "NoConnection",
    "NoProcess",
    "NoReply",
    "Node",
    "NodeLost",
    "NodeStatistics",
    "Normal",
    "NotAProcess",
    "NotJoined",
    "NotOwner",
    "Overloaded",
    "Pid",
    "ProcessInfo",
    "Ref",
    "Refused",
    "Registry",
    "Reply",
    "Row",
    "Shutdown",
    "StartFailed",
    "StartIgnored",
    "Stop",
    "StopInit",
    "Table",
    "TableGone",
    "TableKind",
    "TableTransfer",
    "Target",
    "Task",
    "Telemetry",
    "Timeout",
    "TimerHandle",
    "TimerRef",
    "UnhandledMessage",
    "Unknown",
    "VirtualClock",
    "start_task",
]
