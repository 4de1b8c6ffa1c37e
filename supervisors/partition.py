"""Copies of one server, so that it is no bottleneck; a key always reaches the same copy."""

import functools
import zlib
from collections.abc import Callable

from actors import GenServer
from supervisors.child_spec import worker
from supervisors.errors import InvalidSupervisor
from supervisors.supervisor import MAX_RESTARTS, MAX_SECONDS, Supervisor


def partition_of(key: int | str | bytes, partitions: int) -> int:
    """Number of the partition of a key: the same in every process and on every node.

    An integer goes by its absolute value. Never Python's `hash`: it is salted in each process.
    """
    if isinstance(key, int):
        return abs(key) % partitions
    return zlib.crc32(key.encode() if isinstance(key, str) else key) % partitions


class PartitionSupervisor(Supervisor):
    """Supervises `partitions` copies of a server, one for one.

    Args:
        name: The copies are registered as `name.0`, `name.1`, …
        factory: Makes the copy of this number.
        partitions: How many; usually one for each core.
        max_restarts: Restarts of all copies survived within `max_seconds`.
        max_seconds: Length of the sliding window.

    Raises:
        InvalidSupervisor: There is no name, or no partition.
    """

    def __init__(
        self,
        name: str,
        factory: Callable[[int], GenServer],
        partitions: int,
        *,
        max_restarts: int = MAX_RESTARTS,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        if not name:
            raise InvalidSupervisor("name", "must not be empty")
        if partitions <= 0:
            raise InvalidSupervisor("partitions", "must be more than 0")
        self._name = name
        self._partitions = partitions
        copies = [
            worker(str(number), functools.partial(factory, number), name=f"{name}.{number}")
            for number in range(partitions)
        ]
        super().__init__(copies, max_restarts=max_restarts, max_seconds=max_seconds)

    def name_for(self, key: int | str | bytes) -> str:
        """Registered name of the copy that a key belongs to."""
        return f"{self._name}.{partition_of(key, self._partitions)}"
