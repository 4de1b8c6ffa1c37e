"""A process that polls one list of DICT, for DICT never calls.

Each item is handled at least once, in the order of the list; the position is kept after it. An
error of the handler ends the process, and its successor begins at the position that was kept.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol

import structlog

from actors import Answer, GenServer
from bacen import DictTooEarly, DictUnavailable
from bacen.dict.listing import Listing, Position, T, walk
from bacen.dict.operation import Q, R
from bacen.dict.typed_calls import TypedCalls

_log = structlog.get_logger(__name__)
_LOOK = "look"


class PositionStore(Protocol):
    """Where the position of a watch is kept: best in the transaction of what was handled."""

    async def load(self) -> Position | None:
        """Give what was kept last; None the first time."""

    async def save(self, position: Position) -> None:
        """Keep it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """How often a watch looks.

    Attributes:
        every_ms: Pause after a look that succeeded; the policy of a list with role gives 40
            looks a minute to the whole participant.
        pause_ms: Pause after one that failed; doubled with each further one.
        pause_ms_max: At most.
    """

    every_ms: int = 5_000
    pause_ms: int = 1_000
    pause_ms_max: int = 60_000


class DictWatch(GenServer, Generic[Q, R, T]):
    """Polls one list and hands on what is new.

    A look that is refused for now (a bucket is empty) or that gets no usable answer is made again
    later, from the position that was kept; so is one whose handler asks DICT and fails that way.
    Any other refusal, or error of the handler, ends the process.

    Args:
        client: Who asks.
        listing: What to read.
        request: Filters, such as the role that makes it cheap.
        handle: Called with each new item; may see one again after a crash.
        store: Of the position.
        settings: How often.
    """

    def __init__(
        self,
        client: TypedCalls,
        listing: Listing[Q, R, T],
        request: Q,
        handle: Callable[[T], Awaitable[None]],
        store: PositionStore,
        settings: WatchSettings | None = None,
    ) -> None:
        self._client = client
        self._listing = listing
        self._request = request
        self._handle = handle
        self._store = store
        self._settings = WatchSettings() if settings is None else settings
        self._position = Position()
        self._failures = 0

    async def init(self) -> None:
        """Take up the position that was kept, and look at once."""
        self._position = await self._store.load() or Position()
        self.node.send_after(0, self.pid, _LOOK)

    async def handle_info(self, message: object) -> Answer:
        """Look, and plan the next look."""
        if message != _LOOK:
            return await super().handle_info(message)
        pause_ms = await self._look()
        self.node.send_after(pause_ms, self.pid, _LOOK)
        return None

    async def _look(self) -> int:
        """Read what is new; tell how long to wait."""
        try:
            async for page in walk(self._client, self._listing, self._request, self._position):
                for item in page.items:
                    await self._handle(item)
                if page.position != self._position:
                    await self._store.save(page.position)
                    self._position = page.position
        except (DictTooEarly, DictUnavailable) as error:
            settings = self._settings
            pause_ms = min(settings.pause_ms << self._failures, settings.pause_ms_max)
            self._failures = min(self._failures + 1, settings.pause_ms_max.bit_length())
            wait_ms = getattr(error, "retry_after_ms", None) or pause_ms
            _log.warning(
                "dict_list_not_read",
                operation=self._listing.operation.name,
                error=type(error).__name__,
                wait_ms=wait_ms,
            )
            return int(wait_ms)
        self._failures = 0
        return self._settings.every_ms
