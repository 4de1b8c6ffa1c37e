"""Processes that start, watch and restart other processes.

Import from here; the modules behind it may move. The promises are those of OTP (docs/actors.md).
"""

from supervisors.application import (
    APPLICATIONS,
    Application,
    ApplicationEnded,
    ApplicationInfo,
    Applications,
    ApplicationType,
    run_applications,
    start_application,
    stop_application,
    which_applications,
)
from supervisors.child_spec import (
    ChildSpec,
    ChildType,
    Forever,
    KillAtOnce,
    Restart,
    ShutdownPolicy,
    Within,
    worker,
)
from supervisors.children import ChildCounts, ChildInfo, ChildState, FailedToStartChild
from supervisors.dynamic import DynamicSupervisor
from supervisors.errors import (
    ApplicationFailed,
    ApplicationNotRunning,
    ChildAlreadyPresent,
    ChildAlreadyStarted,
    ChildNotFound,
    ChildRestarting,
    ChildRunning,
    InvalidApplication,
    InvalidChildSpec,
    InvalidSupervisor,
    OsProcessFailed,
    SupervisorError,
    TooManyChildren,
)
from supervisors.launch import RunAs, launch_argv
from supervisors.os_process import GetOsPid, OsProcess, OsProcessSpec
from supervisors.partition import PartitionSupervisor, partition_of
from supervisors.requests import (
    count_children,
    delete_child,
    restart_child,
    start_child,
    terminate_child,
    which_children,
)
from supervisors.supervisor import AutoShutdown, Strategy, Supervisor, supervisor
from supervisors.tasks import TIMED_OUT, TaskSupervisor, start_supervised_task, stream
from supervisors.tree import TreeRow, process_tree

__all__ = [
    "APPLICATIONS",
    "TIMED_OUT",
    "Application",
    "ApplicationEnded",
    "ApplicationFailed",
    "ApplicationInfo",
    "ApplicationNotRunning",
    "ApplicationType",
    "Applications",
    "AutoShutdown",
    "ChildAlreadyPresent",
    "ChildAlreadyStarted",
    "ChildCounts",
    "ChildInfo",
    "ChildNotFound",
    "ChildRestarting",
    "ChildRunning",
    "ChildSpec",
    "ChildState",
    "ChildType",
    "DynamicSupervisor",
    "FailedToStartChild",
    "Forever",
    "GetOsPid",
    "InvalidApplication",
    "InvalidChildSpec",
    "InvalidSupervisor",
    "KillAtOnce",
    "OsProcess",
    "OsProcessFailed",
    "OsProcessSpec",
    "PartitionSupervisor",
    "Restart",
    "RunAs",
    "ShutdownPolicy",
    "Strategy",
    "Supervisor",
    "SupervisorError",
    "TaskSupervisor",
    "TooManyChildren",
    "TreeRow",
    "Within",
    "count_children",
    "delete_child",
    "launch_argv",
    "partition_of",
    "process_tree",
    "restart_child",
    "run_applications",
    "start_application",
    "start_child",
    "start_supervised_task",
    "stop_application",
    "stream",
    "supervisor",
    "terminate_child",
    "which_applications",
    "which_children",
    "worker",
]
