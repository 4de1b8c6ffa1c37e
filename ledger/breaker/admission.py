"""One round of the door: holds go to the breaker, what it grants to the writer, and callers hear.

Everything of a round is in memory; what it leaves in doubt is returned, and found again in the
tables after a crash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from actors import ActorError, From, Node, NoProcess, Target
from ledger.breaker.both_store import BothStore
from ledger.breaker.errors import HoldUnknown, NotThisTime
from ledger.breaker.messages import Answer as Grant
from ledger.breaker.messages import CatchUp, Standing, Submit
from ledger.errors import LedgerError, NothingDone, OutcomeUnknown
from ledger.messages import Answer, Commit, Committed, Entry, Refused
from ledger.transfers import Transfer, TransferFlag, TransferResult

SUBMIT_TIMEOUT_MS: Final = 30_000
WRITE_TIMEOUT_MS: Final = 30_000
PENDING: Final = int(TransferFlag.PENDING)
GRANTED: Final = (TransferResult.CREATED, TransferResult.EXISTS)


class Applicant(NamedTuple):
    """Entries that somebody waits for."""

    commit: Commit
    sender: From


class Neighbours(NamedTuple):
    """Names or pids of the processes around a door."""

    writer: Target
    breaker: Target
    follower: Target


@dataclass(slots=True)
class Admission:
    """A round.

    Attributes:
        doubtful: Holds that TigerBeetle may have and PostgreSQL may lack, when it is over.
    """

    node: Node
    to: Neighbours
    store: BothStore
    applicants: list[Applicant]
    doubtful: set[UUID] = field(default_factory=set)

    async def run(self) -> set[UUID]:
        """Answer every applicant; gives the doubtful holds."""
        keys = [key for each in self.applicants for key in keys_of(each.commit)]
        used = await self.store.used_keys(keys)
        await self._know_accounts()
        asked = [
            transfer
            for each in self.applicants
            for entry in each.commit.entries
            if not is_replay(entry, used)
            for transfer in holds_of(entry)
        ]
        grants = await self._ask(asked)
        await self._write(used, grants)
        return self.doubtful

    async def _know_accounts(self) -> None:
        """Turn away who names an account that TigerBeetle does not have yet, and cannot get now."""
        named = {
            account_id: None
            for each in self.applicants
            for hold in holds_in(each.commit)
            for account_id in (hold.debit_account_id, hold.credit_account_id)
        }
        if not await self.store.missing_accounts(named):
            return
        try:
            await self.node.call(self.to.follower, CatchUp(), timeout_ms=SUBMIT_TIMEOUT_MS)
        except ActorError as error:
            self._turn_away(self.applicants, NotThisTime(type(error).__name__))
            return
        lacking = {account.id for account in await self.store.missing_accounts(named)}
        self._turn_away(
            [
                each
                for each in self.applicants
                for hold in holds_in(each.commit)
                if not lacking.isdisjoint((hold.debit_account_id, hold.credit_account_id))
            ],
            NotThisTime("TigerBeetle lacks an account"),
        )

    async def _ask(self, holds: Sequence[Transfer]) -> dict[UUID, Grant]:
        if not holds:
            return {}
        try:
            grants = await self.node.call(
                self.to.breaker,
                Submit(tuple(map(in_tigerbeetle, holds))),
                timeout_ms=SUBMIT_TIMEOUT_MS,
            )
        except (NoProcess, NothingDone) as error:
            self._turn_away(self.applicants, NotThisTime(type(error).__name__))
            return {}
        except (ActorError, OutcomeUnknown) as error:
            self.doubtful.update(hold.id for hold in holds)
            self._turn_away(self.applicants, HoldUnknown(type(error).__name__))
            return {}
        answers = dict(zip([hold.id for hold in holds], grants, strict=True))
        # An id is granted once: what was released since is no hold any more.
        again = [key for key, answer in answers.items() if answer is TransferResult.EXISTS]
        released = await self.store.released(again)
        return answers | dict.fromkeys(released, TransferResult.ID_ALREADY_FAILED)

    async def _write(self, used: set[str], grants: dict[UUID, Grant]) -> None:
        """Have the writer commit what was granted; the callers hear all of it in one answer."""
        verdicts = {id(each): self._verdicts(each, used, grants) for each in self.applicants}
        granted = [
            entry
            for each in self.applicants
            for entry, verdict in zip(each.commit.entries, verdicts[id(each)], strict=False)
            if verdict is None
        ]
        answers: Sequence[Answer] = ()
        if granted:
            try:
                answers = await self.node.call(
                    self.to.writer, Commit(tuple(granted)), timeout_ms=WRITE_TIMEOUT_MS
                )
            except (ActorError, LedgerError) as error:
                self._doubt(granted)
                self._turn_away(self.applicants, as_told(error))
                return
        written = iter(answers)
        for each in self.applicants:
            together = []
            for entry, verdict in zip(each.commit.entries, verdicts[id(each)], strict=True):
                answer = next(written) if verdict is None else verdict
                if verdict is None and not isinstance(answer, Committed):
                    self._doubt([entry])
                together.append(answer)
            self.node.reply(each.sender, tuple(together))

    def _verdicts(
        self, applicant: Applicant, used: set[str], grants: dict[UUID, Grant]
    ) -> list[Refused | None]:
        """None: the writer decides; applicants of whom something is not known are turned away."""
        verdicts: list[Refused | None] = []
        for entry in applicant.commit.entries:
            holds = () if is_replay(entry, used) else holds_of(entry)
            results = {hold.id: grants[hold.id] for hold in holds}
            refused = next((one for one in results.items() if one[1] not in GRANTED), None)
            if refused is None:
                verdicts.append(None)
                continue
            self._doubt([entry])
            transfer_id, result = refused
            if isinstance(result, Standing) or result is TransferResult.ID_ALREADY_FAILED:
                is_unknown = result is Standing.UNKNOWN
                problem = "the breaker does not know" if is_unknown else "the breaker cannot now"
                self._doubt(applicant.commit.entries)
                told = HoldUnknown(problem) if is_unknown else NotThisTime(problem)
                self._turn_away([applicant], told)
                return []
            verdicts.append(Refused(result, transfer_id))
        return verdicts

    def _doubt(self, entries: Iterable[Entry]) -> None:
        self.doubtful.update(hold.id for entry in entries for hold in holds_of(entry))

    def _turn_away(self, applicants: Iterable[Applicant], error: LedgerError) -> None:
        gone = {id(each.sender): each.sender for each in applicants}
        for sender in gone.values():
            self.node.fail(sender, error)
        self.applicants = [each for each in self.applicants if id(each.sender) not in gone]


def as_told(error: ActorError | LedgerError) -> LedgerError:
    """What callers hear of an error of the writer: its own words, if it did nothing."""
    if isinstance(error, NothingDone):
        return error
    problem = type(error).__name__
    return NotThisTime(problem) if isinstance(error, NoProcess) else HoldUnknown(problem)


def holds_of(entry: Entry) -> tuple[Transfer, ...]:
    """The transfers that reserve money."""
    return tuple(each for each in entry.transfers if each.flags & PENDING)


def holds_in(commit: Commit) -> Iterable[Transfer]:
    """All of a request."""
    return (hold for entry in commit.entries for hold in holds_of(entry))


def keys_of(commit: Commit) -> list[str]:
    """Idempotency keys of a request."""
    return [each.idempotency.key for each in commit.entries if each.idempotency is not None]


def is_replay(entry: Entry, used: set[str]) -> bool:
    """Its key is stored: the writer will say so, and no money is needed."""
    return entry.idempotency is not None and entry.idempotency.key in used


def in_tigerbeetle(hold: Transfer) -> Transfer:
    """The hold as the breaker gets it: PostgreSQL's writer ends it when its time is over."""
    return msgspec.structs.replace(hold, timeout_seconds=0) if hold.timeout_seconds else hold
