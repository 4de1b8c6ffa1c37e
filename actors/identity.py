"""Who a process is: tuples, because a table lookup hashes one on every message."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from actors.registry import Registry


class Pid(NamedTuple):
    """Identity of one process; never reused, compared by value, safe to pickle.

    Attributes:
        node: Name of the node that runs the process.
        number: Counter of that node, from 1.
    """

    node: str
    number: int

    def __str__(self) -> str:
        return f"<{self.node}.{self.number}>"


class Ref(NamedTuple):
    """Identity of one monitor; never reused, compared by value.

    Attributes:
        node: Name of the node that made it.
        number: Counter of that node, from 1.
    """

    node: str
    number: int


@dataclass(frozen=True, slots=True, repr=False)
class Via:
    """A process by its key in a unique registry: a name to start it under, and to reach it by.

    Its text does not show the key, which may be an account or a person.

    Attributes:
        registry: Which one.
        key: Its key there.
        value: Registered with it when a process is started under this name.
    """

    registry: "Registry"
    key: Hashable
    value: Any = field(default=None, compare=False)

    def whereis(self) -> Pid | None:
        """Who is registered under the key."""
        return self.registry.whereis(self.key)

    def register(self, pid: Pid) -> None:
        """Register a process that is being started."""
        self.registry.add(pid, self.key, self.value)

    def __str__(self) -> str:
        return f"via a {type(self.key).__name__}"  # a key can be an account or a person


Name: TypeAlias = str | Via
"""What a process can be started under: a name of the node, or a key of a registry."""

Target: TypeAlias = Pid | str | Via
"""A process, by identity or by what it is registered under on this node."""
