"""DICT without a network or process, and somebody who asks at random: repeatable by its seed."""

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actors import Node, VirtualClock
from bacen.dict import OPERATIONS
from bacen.simulator import DictSettings, load_participants
from bacen.simulator.dict import Asked, DictRefusal
from bacen.simulator.dict.families import Families
from bacen.simulator.dict.office import Office
from bacen.simulator.dict.store import DictStore
from bacen.simulator.participants import with_connected
from bacen.simulator.store import Store
from tests.bacen.simulator.desk import CONNECTED, PAYER

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
A_DAY_MS = 86_400_000


class World:
    """One of them; close it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.clock = VirtualClock(START)
        self.spi = Store(folder / "bank.sqlite3")
        self.store = DictStore(folder / "dict.sqlite3")
        connected = (PAYER, CONNECTED)
        self.office = Office(
            Node("test", clock=self.clock, seed=seed),
            self.store,
            DictSettings(),
            with_connected(load_participants(), connected),
            frozenset(connected),
        )
        self.families = Families(self.office, folder / "bank.sqlite3")
        self.outcomes: dict[str, int] = {}

    def close(self) -> None:
        self.families.transactions.close()
        self.store.close()
        self.spi.close()

    def ask(self, by: str, name: str, request: Any) -> Any:
        """Ask as the process would; gives the answer, or None for a refusal."""
        assert isinstance(request, OPERATIONS[name].request)
        head = {"response_time": self.office.now(), "correlation_id": "0" * 32}
        self.store.begin()
        self.families.read_on()
        answer: Any = None
        try:
            with self.store.step():
                answer = self.families.answer(name, Asked(by, request, head, ""))
            self.count(name)
        except DictRefusal as refusal:
            self.count(refusal.type)
        self.store.commit()
        return answer

    async def wait(self, *lengths_ms: int) -> None:
        """Let one of the times pass, and do what falls due."""
        await self.clock.advance(self.random.choice(lengths_ms))
        self.store.begin()
        while (due := self.families.due_next()) and due.due_ms <= self.office.now_ms():
            with self.store.step():
                self.families.advance(due)
        self.store.commit()

    def count(self, outcome: str) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
