"""Everything that two participants settle between them under DICT's eyes, as rows of one kind."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from bacen.simulator.dict.errors import not_found
from bacen.simulator.dict.office import Office
from bacen.simulator.payments import from_ms, to_ms

D = TypeVar("D", bound=msgspec.Struct)

ASKER = "asker"
ASKED = "asked"
COLUMNS = "id, status, asker, asked, kind, subject, parent, memo, due_ms, document"

encode_document = msgspec.json.Encoder().encode


class Case(msgspec.Struct, Generic[D]):
    """One of them.

    Attributes:
        id: UUID.
        status: Of its state machine.
        asker: ISPB that opened it.
        asked: ISPB that has to answer.
        kind: What lists filter by beside the status.
        subject: What it is about: a key, a transaction, a tax id.
        document: As the API shows it; its `last_modified` is set in saving.
        parent: Id of the funds recovery that it belongs to.
        memo: What DICT remembers and does not show.
        due_ms: When DICT has to look at it again.
    """

    id: UUID
    status: str
    asker: str
    asked: str
    kind: str
    subject: str
    document: D
    parent: str | None = None
    memo: str | None = None
    due_ms: int | None = None


class Cases(Generic[D]):
    """The cases of one family.

    Args:
        office: Of the directory.
        family: Name of the family.
        document: Struct of its documents.
    """

    def __init__(self, office: Office, family: str, document: type[D]) -> None:
        self._office = office
        self._store = office.store
        self._family = family
        self._decode = msgspec.json.Decoder(document).decode

    def save(self, case: Case[D], **changed: Any) -> Case[D]:
        """Write a case with its document changed; gives it as it is now."""
        stamp_ms = self._office.stamp_ms()
        document = msgspec.structs.replace(
            case.document, **changed, last_modified=from_ms(stamp_ms)
        )
        case = msgspec.structs.replace(case, document=document)
        case.status = getattr(document, "status")  # noqa: B009 (every document has one)
        self._store.run(
            "INSERT OR REPLACE INTO cases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._family,
            str(case.id),
            case.status,
            case.asker,
            case.asked,
            case.kind,
            case.subject,
            case.parent,
            case.memo,
            stamp_ms,
            case.due_ms,
            encode_document(document).decode(),
        )
        return case

    def find(self, number: UUID) -> Case[D] | None:
        return next(iter(self._select("id = ?", (str(number),))), None)

    def existing(self, number: UUID) -> Case[D]:
        """Find a case that is there."""
        case = self.find(number)
        assert case is not None  # no case is ever deleted
        return case

    def get(self, number: UUID, by: str) -> Case[D]:
        """Find a case of which `by` is one side.

        Raises:
            DictRefusal: NotFound.
        """
        case = self.find(number)
        is_own = self._office.is_own
        if case is None or not (is_own(by, case.asker) or is_own(by, case.asked)):
            raise not_found()
        return case

    def about(self, subject: str, statuses: Iterable[str] | None = None) -> list[Case[D]]:
        """List the cases about one thing, oldest change first."""
        found = self._select("subject = ? ORDER BY modified_ms", (subject,))
        return [case for case in found if statuses is None or case.status in statuses]

    def of_kind(self, kind: str) -> list[Case[D]]:
        """List the cases of one kind, oldest change first."""
        return self._select("kind = ? ORDER BY modified_ms", (kind,))

    def of_parent(self, parent: UUID) -> list[Case[D]]:
        """List the cases of one funds recovery."""
        return self._select("parent = ? ORDER BY id", (str(parent),))

    def listed(
        self,
        participants: Sequence[str],
        role: str | None,
        filters: Mapping[str, Any],
        limit: int,
    ) -> tuple[list[Case[D]], bool]:
        """List what participants have a side in, oldest change first.

        Args:
            participants: Their ISPBs; none for everybody's, then `filters` has a `subject`.
            role: Only those where they are `ASKER` or `ASKED`.
            filters: `statuses` (a sequence, empty for all), `kind`, `subject`, `memo`, `after_ms`,
                `before_ms`; what is absent or None does not filter.
            limit: Most of them.

        Returns:
            The cases, and whether there are more.
        """
        where, arguments = [], list[object]()
        if participants:
            marks = ", ".join("?" * len(participants))
            sides = [role] if role else [ASKER, ASKED]
            where.append(" OR ".join(f"{side} IN ({marks})" for side in sides))
            arguments += [*participants] * len(sides)
        statuses = filters.get("statuses") or ()
        if statuses:
            where.append(f"status IN ({', '.join('?' * len(statuses))})")
            arguments += statuses
        for condition, name in (
            ("kind = ?", "kind"),
            ("subject = ?", "subject"),
            ("memo = ?", "memo"),
            ("modified_ms > ?", "after_ms"),
            ("modified_ms < ?", "before_ms"),
        ):
            if filters.get(name) is not None:
                where.append(condition)
                arguments.append(filters[name])
        condition = " AND ".join(f"({each})" for each in where)
        found = self._select(f"{condition} ORDER BY modified_ms LIMIT {limit + 1}", arguments)
        return found[:limit], len(found) > limit

    def _select(self, where: str, arguments: Sequence[object]) -> list[Case[D]]:
        # The condition is ours, its values are bound.
        sql = f"SELECT {COLUMNS} FROM cases WHERE family = ? AND {where}"  # noqa: S608
        return [self._case(row) for row in self._store.rows(sql, (self._family, *arguments))]

    def _case(self, row: Sequence[Any]) -> Case[D]:
        number, status, asker, asked, kind, subject, parent, memo, due_ms, document = row
        return Case(
            UUID(number),
            status,
            asker,
            asked,
            kind,
            subject,
            self._decode(document),
            parent,
            memo,
            due_ms,
        )


def filters_of(request: Any, *, kind: str | None = None) -> dict[str, Any]:
    """Take the filters out of a list's request."""
    after, before = request.modified_after, request.modified_before
    return {
        "statuses": request.status,
        "kind": kind,
        "after_ms": None if after is None else to_ms(after),
        "before_ms": None if before is None else to_ms(before),
    }
