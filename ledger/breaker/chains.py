"""Linked transfers: they succeed or fail together, so they are never cut. No I/O."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from ledger.transfers import Transfer, TransferFlag

T = TypeVar("T")

LINKED: Final = int(TransferFlag.LINKED)
CHAIN_MAX: Final = 100
"""Transfers of a chain; far less than TigerBeetle takes in one request."""

CHUNK: Final = 1_000


def chains(things: Iterable[T], transfer_of: Callable[[T], Transfer]) -> Iterator[list[T]]:
    """Each transfer with all it is linked to; most are alone."""
    chain: list[T] = []
    for thing in things:
        chain.append(thing)
        if not transfer_of(thing).flags & LINKED:
            yield chain
            chain = []
    assert not chain, "an open chain is refused before"


def chunks(things: Iterable[T], transfer_of: Callable[[T], Transfer]) -> Iterator[list[T]]:
    """Parts of a size that one request takes; no chain is cut."""
    chunk: list[T] = []
    for chain in chains(things, transfer_of):
        if chunk and len(chunk) + len(chain) > CHUNK:
            yield chunk
            chunk = []
        chunk += chain
    if chunk:
        yield chunk
