"""A participant beside the bank, in the same process: what ICOM does, without HTTP and TLS.

For benchmarks and simulations. Messages are signed and verified as ever.
"""

from actors import Node
from bacen.simulator.outbox import Delivery
from bacen.simulator.requests import (
    MAILROOM,
    SETTLEMENT,
    CloseStream,
    PullStream,
    Receive,
    StartStream,
)

MESSAGES_MAX = 10
TIMEOUT_MS = 60_000


class ParticipantBeside:
    """Posts messages and reads one stream, on the primary channel.

    Args:
        node: Where the bank runs.
        ispb: Whom it plays; a connected participant.
    """

    def __init__(self, node: Node, ispb: str) -> None:
        self._node = node
        self._ispb = ispb
        self._token: str | None = None

    async def post(self, bodies: tuple[bytes, ...]) -> tuple[str, ...]:
        """Hand in signed messages; gives their PI-ResourceIds once they are stored.

        Raises:
            CallTimeout: They may be stored; sending the same bytes again is safe.
            NoProcess: The bank starts again; the same holds.
        """
        asked = Receive(self._ispb, bodies)
        resource_ids: tuple[str, ...] = await self._node.call(
            SETTLEMENT, asked, timeout_ms=TIMEOUT_MS
        )
        return resource_ids

    async def read(self) -> tuple[bytes, ...]:
        """Confirm what was read last, and wait for more: up to ten messages, or none for a while.

        Raises:
            TooManyStreams: All streams of the participant are taken.
            StreamGone: The bank has started again: `close`, then read on.
        """
        asked: object
        if self._token is None:
            asked = StartStream(self._ispb, MESSAGES_MAX, is_here)
        else:
            asked = PullStream(self._ispb, self._token, MESSAGES_MAX, is_here)
        delivery: Delivery = await self._node.call(MAILROOM, asked, timeout_ms=TIMEOUT_MS)
        self._token = delivery.token
        return tuple(each.body for each in delivery.letters)

    async def close(self) -> None:
        """Confirm what was read last, and end the stream.

        Raises:
            StreamGone: It has ended already.
        """
        token, self._token = self._token, None
        if token is not None:
            asked = CloseStream(self._ispb, token)
            await self._node.call(MAILROOM, asked, timeout_ms=TIMEOUT_MS)


def is_here() -> bool:
    return True
