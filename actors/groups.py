"""Named groups of processes, as `pg` has them: joined often, left as often, empty ones vanish."""

from dataclasses import dataclass

from actors.errors import NotAProcess, NotJoined
from actors.identity import Pid, Ref
from actors.node import Node


@dataclass(frozen=True, slots=True)
class GroupJoined:
    """To a group's monitors: a process joined.

    Attributes:
        ref: The monitor.
        group: Which group.
        pid: Who.
    """

    ref: Ref
    group: str
    pid: Pid


@dataclass(frozen=True, slots=True)
class GroupLeft:
    """To a group's monitors: a process left or ended; once for each time it had joined.

    Attributes:
        ref: The monitor.
        group: Which group.
        pid: Who.
    """

    ref: Ref
    group: str
    pid: Pid


class Groups:
    """Groups of one node; several are independent scopes."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._members: dict[str, list[Pid]] = {}
        self._known: set[Pid] = set()
        self._monitors: dict[Ref, tuple[str, Pid]] = {}
        self._monitors_made = 0

    def join(self, group: str, pid: Pid) -> None:
        """Add a process of this node once more.

        Raises:
            NoProcess: It is not alive on this node.
        """
        self._watch(pid)
        self._members.setdefault(group, []).append(pid)
        for ref in self._refs(group):
            self._node.notify(self._monitors[ref][1], GroupJoined(ref, group, pid))

    def leave(self, group: str, pid: Pid) -> None:
        """Take one membership away.

        Raises:
            NotJoined: It has none.
        """
        members = self._members.get(group, [])
        if pid not in members:
            raise NotJoined(group, pid)
        members.remove(pid)
        if not members:
            del self._members[group]
        for ref in self._refs(group):
            self._node.notify(self._monitors[ref][1], GroupLeft(ref, group, pid))

    def members(self, group: str) -> list[Pid]:
        """Memberships, oldest first; a process counts as often as it joined."""
        return list(self._members.get(group, ()))

    def groups(self) -> list[str]:
        """Groups that have members."""
        return list(self._members)

    def monitor(self, group: str) -> tuple[Ref, list[Pid]]:
        """Members now, and from now on each change as `GroupJoined` or `GroupLeft`, no gap between.

        Raises:
            NotAProcess: There is no calling process to tell.
        """
        watcher = self._node.current_pid()
        if watcher is None:
            raise NotAProcess("monitor")
        self._watch(watcher)
        self._monitors_made += 1
        ref = Ref(f"{self._node.name}/groups", self._monitors_made)
        self._monitors[ref] = (group, watcher)
        return ref, self.members(group)

    def demonitor(self, ref: Ref) -> None:
        """Forget a monitor."""
        self._monitors.pop(ref, None)

    def _watch(self, pid: Pid) -> None:
        if pid not in self._known:
            self._node.on_exit(lambda: self._forget(pid), pid=pid)
            self._known.add(pid)

    def _forget(self, pid: Pid) -> None:
        self._known.discard(pid)
        for ref, (_, watcher) in list(self._monitors.items()):
            if watcher == pid:
                del self._monitors[ref]
        for group, members in list(self._members.items()):
            for _ in range(members.count(pid)):
                self.leave(group, pid)

    def _refs(self, group: str) -> list[Ref]:
        return [ref for ref, (watched, _) in self._monitors.items() if watched == group]
