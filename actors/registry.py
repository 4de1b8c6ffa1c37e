"""Processes found by any key, with a value that travels with the entry.

An entry goes when its process ends, before anybody hears of the end, so a lookup never finds the
dead. Keys compare strictly: `1` and `1.0` are two keys (otp.md section 7).
"""

from collections.abc import Callable, Hashable
from typing import Any

from actors.errors import AlreadyRegistered, NotAProcess
from actors.identity import Pid
from actors.keys import strict
from actors.node import Node


class Registry:
    """Entries of one node.

    Args:
        node: Whose processes register.
        unique: One process for each key; False allows many, and one process several times.
    """

    def __init__(self, node: Node, *, unique: bool = True) -> None:
        self._node = node
        self._is_unique = unique
        self._entries: dict[Hashable, list[tuple[Pid, Any]]] = {}
        self._keys: dict[Pid, set[Hashable]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def register(self, key: Hashable, value: Any = None) -> None:
        """Register the calling process.

        Raises:
            AlreadyRegistered: The key is taken, by this process or another.
            NotAProcess: There is no calling process.
        """
        pid = self._caller("register")
        entries = self._entries.setdefault(strict(key), [])
        if self._is_unique and entries:
            raise AlreadyRegistered(entries[0][0])
        entries.append((pid, value))
        if pid not in self._keys:
            self._keys[pid] = set()
            self._node.on_exit(lambda: self._forget(pid))
        self._keys[pid].add(strict(key))

    def unregister(self, key: Hashable) -> None:
        """Take all entries of the calling process under a key away."""
        pid = self._caller("unregister")
        if strict(key) in self._keys.get(pid, ()):
            self._keys[pid].discard(strict(key))
            self._drop(strict(key), pid)

    def update(self, key: Hashable, value: Any) -> bool:
        """Change the value of the calling process's entries; False when it has none."""
        pid = self._caller("update")
        entries = self._entries.get(strict(key), [])
        self._entries_set(key, [(who, value if who == pid else old) for who, old in entries])
        return any(who == pid for who, _ in entries)

    def lookup(self, key: Hashable) -> list[tuple[Pid, Any]]:
        """All entries under a key, oldest first."""
        return list(self._entries.get(strict(key), ()))

    def whereis(self, key: Hashable) -> Pid | None:
        """The oldest process under a key."""
        entries = self._entries.get(strict(key))
        return entries[0][0] if entries else None

    def dispatch(self, key: Hashable, action: Callable[[list[tuple[Pid, Any]]], None]) -> None:
        """Call `action` with the entries of a key, in the caller; with none, do nothing."""
        entries = self.lookup(key)
        if entries:
            action(entries)

    def _caller(self, operation: str) -> Pid:
        pid = self._node.current_pid()
        if pid is None:
            raise NotAProcess(operation)
        return pid

    def _forget(self, pid: Pid) -> None:
        for key in self._keys.pop(pid, ()):
            self._drop(key, pid)

    def _drop(self, key: Hashable, pid: Pid) -> None:
        kept = [entry for entry in self._entries[key] if entry[0] != pid]
        if kept:
            self._entries[key] = kept
        else:
            del self._entries[key]

    def _entries_set(self, key: Hashable, entries: list[tuple[Pid, Any]]) -> None:
        if entries:
            self._entries[strict(key)] = entries
