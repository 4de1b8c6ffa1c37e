"""Partitions: the same key, the same copy."""

import os
import subprocess
import sys

import pytest

from actors import GenServer, Node, Reply
from supervisors import InvalidSupervisor, PartitionSupervisor, partition_of


class Numbered(GenServer):
    def __init__(self, number: int) -> None:
        self.number = number

    async def handle_call(self, _request: object, _sender: object) -> Reply:
        return Reply(self.number)


async def test_a_key_reaches_the_copy_of_its_partition(node: Node) -> None:
    copies = PartitionSupervisor("n", Numbered, 3)
    await node.start(copies)

    for key in (0, -7, 123, "ana", b"ana"):
        assert await node.call(copies.name_for(key), "who?") == partition_of(key, 3)


def test_partitions_are_the_same_in_every_process() -> None:
    code = "from supervisors import partition_of; print(partition_of('ana', 1000))"
    outputs = {
        subprocess.check_output(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2")
    }

    assert outputs == {f"{partition_of('ana', 1000)}\n".encode()}


@pytest.mark.parametrize(("name", "partitions"), [("", 1), ("n", 0), ("n", -1)])
def test_no_name_or_no_partition_is_an_error(name: str, partitions: int) -> None:
    with pytest.raises(InvalidSupervisor):
        PartitionSupervisor(name, Numbered, partitions)
