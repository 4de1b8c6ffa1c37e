"""Messages are written and signed in a thread: RSA alone takes longer than the rest of a payment.

The signature lets go of the interpreter's lock, so the event loop works on meanwhile.
"""

from collections.abc import Sequence

from actors import BlockingActor
from bacen.wire import Pacs008, Signer, WireError, encode


class MessageSigner(BlockingActor):
    """Asked with messages, answers their bytes, or why one cannot be written, in order."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def handle_call(self, request: Sequence[Pacs008]) -> tuple[bytes | WireError, ...]:
        """Write and sign messages."""
        return tuple(self._signed(message) for message in request)

    def _signed(self, message: Pacs008) -> bytes | WireError:
        try:
            return encode(message, self._signer)
        except WireError as error:
            return error
