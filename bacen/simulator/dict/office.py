"""What every family of operations works with: the store, the clock, who may speak for whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from actors import Node
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.settings import DictSettings
from bacen.simulator.dict.store import DictStore
from bacen.simulator.participants import Participant
from bacen.simulator.payments import from_ms, to_ms

RANDOM_BITS = 128


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        by: ISPB of the client's certificate.
        request: Its struct of `bacen.dict`.
        head: What every answer begins with: `response_time` and `correlation_id`.
        files_url: Where CID files are served to the asker.
    """

    by: str
    request: Any
    head: Mapping[str, Any]
    files_url: str


class Office:
    """Of one directory.

    Args:
        node: Its clock and generator.
        store: Open.
        settings: Of DICT.
        participants: By ISPB.
        connected: ISPBs that speak for themselves; the bank speaks for all others.
    """

    def __init__(
        self,
        node: Node,
        store: DictStore,
        settings: DictSettings,
        participants: Mapping[str, Participant],
        connected: frozenset[str],
    ) -> None:
        self._node = node
        self.store = store
        self.settings = settings
        self._participants = participants
        self.connected = connected
        row = store.row("SELECT max(modified_ms) FROM cases")
        self._stamp_ms: int = (row and row[0]) or 0

    def now(self) -> datetime:
        """Time to the millisecond, as DICT writes it."""
        return from_ms(self.now_ms())

    def now_ms(self) -> int:
        return to_ms(self._node.clock.now())

    def stamp_ms(self) -> int:
        """Time of a change, unlike that of any other: lists are paged by it."""
        self._stamp_ms = max(self.now_ms(), self._stamp_ms + 1)
        return self._stamp_ms

    def new_id(self) -> UUID:
        return self._node.ids.new_id()

    def new_random_id(self) -> UUID:
        """Make a UUID version 4, which tells nothing about when it was made."""
        return UUID(int=self._node.rng.getrandbits(RANDOM_BITS), version=4)

    def new_token(self) -> str:
        """Make a name that cannot be guessed."""
        return self._node.ids.token(32)

    def require_own(self, by: str, participant: str) -> None:
        """Refuse who speaks for another participant than itself or one that it settles for.

        Raises:
            DictRefusal: ParticipantInvalid, Forbidden.
        """
        known = self._participants.get(participant)
        if known is None:
            raise DictRefusal("ParticipantInvalid", "does not take part in Pix", "Participant")
        if by not in (participant, known.settled_by):
            raise DictRefusal("Forbidden", "another participant's")

    def is_own(self, by: str, participant: str) -> bool:
        """Say whether `by` may see and change what is this participant's."""
        known = self._participants.get(participant)
        return by == participant or (known is not None and known.settled_by == by)

    def speaking(self, participant: str, *, include_indirect: bool) -> list[str]:
        """List a participant and, where asked for, those that it settles for."""
        if not include_indirect:
            return [participant]
        indirect = (each.ispb for each in self._participants.values())
        return [participant, *(i for i in indirect if self._settles(participant, i))]

    def is_virtual(self, participant: str) -> bool:
        """Say whether the bank answers for this participant."""
        known = self._participants.get(participant)
        return (known.settled_by if known else participant) not in self.connected

    def _settles(self, participant: str, indirect: str) -> bool:
        return indirect != participant and self._participants[indirect].settled_by == participant
