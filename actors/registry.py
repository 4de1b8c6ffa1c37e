"""Processes found by any key, with a value that travels with the entry.

An entry goes when its process ends, before anybody hears of the end, so a lookup never finds the
dead. Keys compare strictly: `1` and `1.0` are two keys (docs/actors.md).
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from actors.errors import AlreadyRegistered, AmbiguousName, NotAProcess
from actors.identity import Pid, Target, Via
from actors.keys import strict
from actors.node import Node


@dataclass(frozen=True, slots=True)
class Registered:
    """To a registry's listeners: a process registered.

    Attributes:
        registry: Where.
        key: Under which key.
        pid: Who.
        value: With which value.
    """

    registry: "Registry"
    key: Hashable
    pid: Pid
    value: Any


@dataclass(frozen=True, slots=True)
class Unregistered:
    """To a registry's listeners: an entry is gone, taken away or with its process.

    Attributes:
        registry: Where.
        key: Under which key.
        pid: Whose it was.
    """

    registry: "Registry"
    key: Hashable
    pid: Pid


class Registry:
    """Entries of one node.

    Args:
        node: Whose processes register.
        unique: One process for each key; False allows many, and one process several times.
        listeners: Who is told of each entry that comes (`Registered`) and goes (`Unregistered`).
    """

    def __init__(
        self, node: Node, *, unique: bool = True, listeners: Sequence[Target] = ()
    ) -> None:
        self._node = node
        self._is_unique = unique
        self._listeners = tuple(listeners)
        self._entries: dict[Hashable, list[tuple[Pid, Any]]] = {}
        self._keys: dict[Pid, dict[Hashable, Hashable]] = {}  # strict key to key, of each process

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def register(self, key: Hashable, value: Any = None) -> None:
        """Register the calling process.

        Raises:
            AlreadyRegistered: The key is taken, by this process or another.
            NotAProcess: There is no calling process.
        """
        self.add(self._caller("register"), key, value)

    def unregister(self, key: Hashable) -> None:
        """Take all entries of the calling process under a key away."""
        pid = self._caller("unregister")
        if self._keys.get(pid, {}).pop(strict(key), None) is not None:
            self._drop(key, pid)

    def update(self, key: Hashable, value: Any) -> bool:
        """Change the value of the calling process's entries; False when it has none."""
        pid = self._caller("update")
        entries = self._entries.get(strict(key), [])
        if all(who != pid for who, _ in entries):
            return False
        self._entries[strict(key)] = [(who, value if who == pid else old) for who, old in entries]
        return True

    def lookup(self, key: Hashable) -> list[tuple[Pid, Any]]:
        """All entries under a key, oldest first."""
        entries = self._entries.get(strict(key), ())
        return [entry for entry in entries if self._node.is_alive(entry[0])]

    def keys(self, pid: Pid) -> list[Hashable]:
        """Keys a process is registered under, oldest first."""
        return list(self._keys.get(pid, {}).values())

    def whereis(self, key: Hashable) -> Pid | None:
        """The oldest process under a key."""
        entries = self.lookup(key)
        return entries[0][0] if entries else None

    def via(self, key: Hashable, value: Any = None) -> Via:
        """The name of whoever is under a key: to start a server under it, and to reach it.

        Args:
            key: Which key.
            value: Registered with a server that is started under this name.

        Raises:
            AmbiguousName: Many processes may be under one key here.
        """
        if not self._is_unique:
            raise AmbiguousName(type(key).__name__)
        return Via(self, key, value)

    def dispatch(self, key: Hashable, action: Callable[[list[tuple[Pid, Any]]], None]) -> None:
        """Call `action` with the entries of a key, in the caller; with none, do nothing."""
        entries = self.lookup(key)
        if entries:
            action(entries)

    def add(self, pid: Pid, key: Hashable, value: Any) -> None:
        """Register a process; for `Node.start`, everybody else registers only itself."""
        if self._is_unique:
            taken = self.whereis(key)
            if taken is not None:
                raise AlreadyRegistered(taken)
        if pid not in self._keys:
            self._keys[pid] = {}
            self._node.on_exit(lambda: self._forget(pid), pid=pid)
        self._keys[pid][strict(key)] = key
        self._entries.setdefault(strict(key), []).append((pid, value))
        self._tell(Registered(self, key, pid, value))

    def _caller(self, operation: str) -> Pid:
        pid = self._node.current_pid()
        if pid is None:
            raise NotAProcess(operation)
        return pid

    def _forget(self, pid: Pid) -> None:
        for key in self._keys.pop(pid, {}).values():
            self._drop(key, pid)

    def _drop(self, key: Hashable, pid: Pid) -> None:
        kept = [entry for entry in self._entries[strict(key)] if entry[0] != pid]
        if kept:
            self._entries[strict(key)] = kept
        else:
            del self._entries[strict(key)]
        self._tell(Unregistered(self, key, pid))

    def _tell(self, notice: Registered | Unregistered) -> None:
        for listener in self._listeners:
            self._node.notify(listener, notice)
