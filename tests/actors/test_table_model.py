"""Every kind of table behaves as a plain model of it, whatever is done in whatever order."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import ANY, Access, GenServer, Node, Row, Table, TableKind, Var, VirtualClock

TTL_MS = 50

KEYS = st.sampled_from([0, 1, 2, 3, 1.0, 2.5])
ROWS = st.tuples(KEYS, st.integers(0, 2))
LISTS = st.lists(ROWS, max_size=3)
CHANGES = st.one_of(
    st.tuples(st.just("insert"), LISTS),
    st.tuples(st.just("insert_new"), LISTS),
    st.tuples(st.just("delete"), KEYS),
)
PASSING = st.tuples(st.just("wait"), st.integers(1, TTL_MS))


class Model:
    """What a table is: rows in order, and when their keys go."""

    def __init__(self, kind: TableKind, ttl_ms: int | None) -> None:
        self.kind = kind
        self.ttl_ms = ttl_ms
        self.now_ms = 0
        self.rows: dict[Any, list[Row]] = {}
        self.ends_ms: dict[Any, float] = {}

    def key(self, key: Any) -> Any:
        return key if self.kind is TableKind.ORDERED_SET else (type(key), key)

    def insert(self, rows: list[Row]) -> None:
        for row in rows:
            key = self.key(row[0])
            known = self.rows.setdefault(key, [])
            if self.kind in {TableKind.SET, TableKind.ORDERED_SET}:
                known.clear()
            if self.kind is not TableKind.BAG or row not in known:
                known.append(row)
            self.ends_ms[key] = self.now_ms + (self.ttl_ms or float("inf"))

    def insert_new(self, rows: list[Row]) -> bool:
        if any(self.key(row[0]) in self.rows for row in rows):
            return False
        self.insert(rows)
        return True

    def delete(self, key: Any) -> None:
        self.rows.pop(self.key(key), None)

    def wait(self, ms: int) -> None:
        self.now_ms += ms
        for key in [key for key in self.rows if self.ends_ms[key] <= self.now_ms]:
            del self.rows[key]

    def all(self) -> list[Row]:
        keys = sorted(self.rows) if self.kind is TableKind.ORDERED_SET else list(self.rows)
        return [row for key in keys for row in self.rows[key]]


class Owner(GenServer):
    def __init__(self, *options: Any, **more: Any) -> None:
        self.options, self.more = options, more

    async def init(self) -> None:
        self.table = Table(self.node, *self.options, access=Access.PUBLIC, **self.more)


def with_table(
    body: Callable[[Table, VirtualClock], Awaitable[None]], kind: TableKind, **options: Any
) -> None:
    """Run a body with a new table on a new event loop."""

    async def main() -> None:
        clock = VirtualClock()
        node = Node("test", clock=clock)
        owner = Owner(kind, **options)
        await node.start(owner)
        await body(owner.table, clock)
        await node.shutdown()

    asyncio.run(main())


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same types: `1` is not `1.0`."""
    return repr(left) == repr(right)


@pytest.mark.parametrize("ttl_ms", [None, TTL_MS])
@pytest.mark.parametrize("kind", TableKind)
def test_a_table_is_its_model(kind: TableKind, ttl_ms: int | None) -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.one_of(CHANGES, PASSING) if ttl_ms else CHANGES, max_size=20))
    def check(steps: list[tuple[str, Any]]) -> None:
        model = Model(kind, ttl_ms)

        async def body(table: Table, clock: VirtualClock) -> None:
            for step, argument in steps:
                if step == "wait":
                    await clock.advance(argument)
                    model.wait(argument)
                elif step == "delete":
                    table.delete(argument)
                    model.delete(argument)
                else:
                    done = getattr(table, step)(*argument)
                    assert done == getattr(model, step)(argument)
                compare(table, model)

        with_table(body, kind, ttl_ms=ttl_ms)

    check()


def compare(table: Table, model: Model) -> None:
    rows = model.all()
    assert same(list(table.rows()), rows)
    assert same(table.select().rows, rows)
    assert len(table) == len(rows)
    for key in (0, 1, 1.0, 2.5):
        expected = model.rows.get(model.key(key), [])
        assert same(table.lookup(key), expected)
        assert same(table.get(key), expected[0] if expected else None)
        assert same(table.select((key, ANY)).rows, expected)
        found = [{"key": row[0]} for row in rows if row[1] == 1]
        assert same(table.match((Var("key"), 1)), found)


@pytest.mark.parametrize("kind", TableKind)
def test_pages_give_what_stays_once_while_rows_come_and_go(kind: TableKind) -> None:
    @settings(max_examples=100, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=30),
        st.integers(1, 4),
        st.lists(st.lists(CHANGES, max_size=3), max_size=30),
    )
    def check(rows: list[Row], limit: int, changes: list[list[tuple[str, Any]]]) -> None:
        async def body(table: Table, _: VirtualClock) -> None:
            table.insert(*rows)
            # A row stays when its key was never deleted nor, in a set, written again.
            stays = [row for row in table.rows() if row[0] not in touched(changes)]
            page = table.select(limit=limit)
            seen = page.rows
            for steps in [*changes, *[[]] * len(rows) * 3]:
                for step, argument in steps:
                    getattr(table, step)(*argument if isinstance(argument, list) else [argument])
                if page.more is None:
                    break
                page = table.select_more(page.more)
                assert len(page.rows) <= limit
                seen.extend(page.rows)

            assert page.more is None
            kept = [row for row in seen if row in stays]
            assert sorted(kept) == sorted(stays)

        with_table(body, kind)

    check()


def touched(changes: list[list[tuple[str, Any]]]) -> set[Any]:
    """Keys whose rows may not exist throughout, or may be joined by equal ones."""
    keys: set[Any] = set()
    for steps in changes:
        for step, argument in steps:
            keys.update([argument] if step == "delete" else (row[0] for row in argument))
    return keys
