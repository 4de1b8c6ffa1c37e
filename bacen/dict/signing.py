"""Who signs the writes of a client of DICT: a key in this process, or the pool of the platform."""

from collections.abc import Awaitable, Callable

from actors import Node, Target
from bacen import WireError
from bacen.signing import DictDocument, sign
from bacen.wire import Signer, sign_dict

Sign = Callable[[bytes], Awaitable[bytes]]
"""Turns XML into signed XML; may wait for a token or a pool of threads."""


def sign_with(signer: Signer) -> Sign:
    """Sign with a key in the memory of this process, at once."""

    async def signed(xml: bytes) -> bytes:
        return sign_dict(xml, signer)

    return signed


def sign_in_pool(node: Node, pool: Target) -> Sign:
    """Sign in a pool of `bacen.signing.signer_pool`; raises what `bacen.signing.sign` does."""

    async def signed(xml: bytes) -> bytes:
        (answer,) = await sign(node, pool, [DictDocument(xml)])
        if isinstance(answer, WireError):
            raise answer
        return answer

    return signed
