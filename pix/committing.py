"""How senders and receivers have the shard's writer commit."""

from typing import Final

from actors import Node, Target
from ledger import Answer, Commit, Entry, OutOfSpace

COMMIT_TIMEOUT_MS: Final = 30_000
SPACE_WAIT_MS: Final = 1_000


async def commit(node: Node, writer: Target, *entries: Entry) -> tuple[Answer, ...]:
    """Have the writer commit entries; none at all is answered when its shard is loaded.

    While its disk is full nothing is done, so the same is asked again: what waits here is not lost,
    and ending for it would only make the supervisor give up.

    Raises:
        ActorError, LedgerError: As the writer answers; the outcome may be unknown.
    """
    while True:
        try:
            answers: tuple[Answer, ...] = await node.call(
                writer, Commit(entries), timeout_ms=COMMIT_TIMEOUT_MS
            )
        except OutOfSpace:
            await node.clock.sleep_ms(SPACE_WAIT_MS)
        else:
            return answers
