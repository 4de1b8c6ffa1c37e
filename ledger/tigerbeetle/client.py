"""What the back end needs of a client, and how it gets the official one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

import tigerbeetle

BATCH_MAX: Final = 8_189
"""Events of one request, and of its answer, on a server as it is released."""

DEVELOPMENT_BATCH_MAX: Final = 253
"""The same on a server that runs with `--development`."""


class Client(Protocol):
    """The part of `tigerbeetle.ClientAsync` that is used.

    None of these coroutines may be cancelled: the request would go on, and `close` fail.
    """

    async def create_accounts(
        self, accounts: list[tigerbeetle.Account]
    ) -> list[tigerbeetle.CreateAccountResult]:
        """Open accounts; one result each."""

    async def create_transfers(
        self, transfers: list[tigerbeetle.Transfer]
    ) -> list[tigerbeetle.CreateTransferResult]:
        """Carry out transfers; one result each."""

    async def lookup_accounts(self, accounts: list[int]) -> list[tigerbeetle.Account]:
        """Those that are there."""

    async def lookup_transfers(self, transfers: list[int]) -> list[tigerbeetle.Transfer]:
        """Those that are there."""

    async def close(self) -> None:
        """End it; whoever waits gets `ClientClosedError`."""


Connect: TypeAlias = Callable[[], Client]
"""Makes a client; does not wait for the server."""


@dataclass(frozen=True, slots=True)
class BackendSettings:
    """How the back end behaves.

    Attributes:
        deadline_ms: Longest wait for the answer to a request; its outcome is unknown then.
        batch_max: Events of one request; less when the server says so.
        retired_max: Replaced clients that are kept open; each is a session on the server.
    """

    deadline_ms: int = 2_000
    batch_max: int = BATCH_MAX
    retired_max: int = 4


def connect(cluster_id: int, addresses: str) -> Connect:
    """Make clients of a cluster.

    Args:
        cluster_id: As the data files were formatted with.
        addresses: Of all replicas: `3000` or `10.0.0.1:3000,10.0.0.2:3000`.
    """

    def make() -> Any:  # `ClientAsync` gets its methods from a mixin without our annotations
        return tigerbeetle.ClientAsync(cluster_id, addresses)

    return make
