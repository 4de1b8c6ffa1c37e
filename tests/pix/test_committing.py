"""Waiting for a writer whose disk is full."""

from typing import Any

from actors import From, GenServer, Node, NoReply, Reply, VirtualClock
from ledger import Commit, Entry, OutOfSpace
from pix.committing import SPACE_WAIT_MS, commit

ENTRY = Entry(record="a message")


class FullDisk(GenServer):
    """A writer that has no space for the first two times."""

    def __init__(self) -> None:
        self.asked: list[Commit] = []

    async def handle_call(self, request: Any, sender: From) -> Reply | NoReply:
        self.asked.append(request)
        if len(self.asked) <= 2:
            self.node.fail(sender, OutOfSpace(1))
            return NoReply()
        return Reply(("done",))


async def test_same_entries_are_asked_again_until_there_is_space() -> None:
    clock = VirtualClock()
    node = Node(clock=clock)
    writer = FullDisk()
    pid = await node.start(writer)
    answers: list[object] = []

    async def ask() -> None:
        answers.extend(await commit(node, pid, ENTRY))

    asking = node.spawn(ask)
    await clock.advance(SPACE_WAIT_MS - 1)
    assert len(writer.asked) == 1
    await clock.advance(1 + SPACE_WAIT_MS)
    await node.join(asking)

    assert answers == ["done"]
    assert writer.asked == [Commit((ENTRY,))] * 3
    await node.shutdown()
