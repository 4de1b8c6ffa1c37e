"""Who a process is: tuples, because a table lookup hashes one on every message."""

from typing import NamedTuple, TypeAlias


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


Target: TypeAlias = Pid | str
"""A process, by identity or by the name it is registered under on this node."""
