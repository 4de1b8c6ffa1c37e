"""Tables: patterns, pages, rows that expire, sizes. Kinds and owners: see the conformance cases."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors import (
    ANY,
    Access,
    GenServer,
    InvalidTable,
    Killed,
    Node,
    NotOwner,
    Pid,
    StartFailed,
    Table,
    TableGone,
    TableKind,
    Var,
    VirtualClock,
    WrongTableKind,
)
from actors.table import SWEEP_KEYS_MAX

BAGS = [TableKind.BAG, TableKind.DUPLICATE_BAG]
UNORDERED = [TableKind.SET, *BAGS]


class Owner(GenServer):
    def __init__(self, *options: Any, **more: Any) -> None:
        self.options = options
        self.more = {"access": Access.PUBLIC, **more}

    async def init(self) -> None:
        self.table = Table(self.node, *self.options, **self.more)


class Tables:
    """Tables on a node whose clock a test moves."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.node = Node("test", clock=self.clock)

    async def make(self, *options: Any, **more: Any) -> Table:
        owner = Owner(*options, **more)
        await self.node.start(owner)
        return owner.table

    def waiting(self) -> int:
        """Timers that will fire."""
        return sum(timer.action is not None for timer in self.clock._timers)


@pytest.fixture
async def tables() -> AsyncIterator[Tables]:
    tables = Tables()
    yield tables
    await tables.node.shutdown()
    assert tables.waiting() == 0


# Patterns


async def test_names_of_a_pattern_are_bound_and_the_wildcard_is_not(tables: Tables) -> None:
    table = await tables.make()
    table.insert((1, "open", 10), (2, "done", 20), (3, "open", 30), (4, "open"))

    assert table.match((Var("id"), "open", ANY)) == [{"id": 1}, {"id": 3}]
    assert table.match((ANY, "done", Var("amount"))) == [{"amount": 20}]
    assert table.match((9, ANY, ANY)) == []
    assert len(table.match(ANY)) == 4


async def test_a_name_twice_must_mean_the_same(tables: Tables) -> None:
    table = await tables.make()
    table.insert((1, "a", "a"), (2, "a", "b"), (3, 1, 1.0), (4, 1, True))

    assert table.match((Var("id"), Var("x"), Var("x"))) == [{"id": 1, "x": "a"}]
    table.insert((5, (1, "x"), (1.0, "x")), (6, (1, "x"), (1, "x")))
    assert table.match((Var("id"), Var("x"), Var("x")))[1:] == [{"id": 6, "x": (1, "x")}]


async def test_patterns_reach_into_tuples(tables: Tables) -> None:
    table = await tables.make()
    table.insert((("ana", 1), (7, (8, 9))), (("ana", 2), (7, (0, 9))), (("bia", 1), 7))

    assert table.match((("ana", Var("n")), (ANY, (Var("x"), 9)))) == [
        {"n": 1, "x": 8},
        {"n": 2, "x": 0},
    ]
    assert table.select((("bia", 1), ANY)).rows == [(("bia", 1), 7)]


async def test_values_of_a_pattern_compare_strictly(tables: Tables) -> None:
    table = await tables.make()
    table.insert((1, 1), (2, 1.0), (3, True), (1.0, "float key"))

    assert table.match((Var("id"), 1)) == [{"id": 1}]
    assert table.match((Var("id"), 1.0)) == [{"id": 2}]
    assert table.select((1.0, ANY)).rows == [(1.0, "float key")]


async def test_the_key_of_a_pattern_compares_as_the_table_does(tables: Tables) -> None:
    table = await tables.make(TableKind.ORDERED_SET)
    table.insert((1, "a"))

    assert table.select((1.0, ANY)).rows == [(1, "a")]


async def test_a_key_in_the_pattern_finds_its_rows_without_a_walk(tables: Tables) -> None:
    class Unequal:
        __hash__ = object.__hash__

        def __eq__(self, other: object) -> bool:
            raise AssertionError("another row was looked at")

    table = await tables.make(TableKind.BAG)
    table.insert((1, Unequal()), (2, "x"))

    assert table.select((2, "x")).rows == [(2, "x")]


# Pages


@pytest.mark.parametrize("kind", TableKind)
async def test_pages_hold_at_most_their_limit_and_give_all(tables: Tables, kind: TableKind) -> None:
    table = await tables.make(kind)
    table.insert(*((number % 4, number) for number in range(10)))
    pages = [table.select(limit=3)]
    while pages[-1].more is not None:
        pages.append(table.select_more(pages[-1].more))

    assert all(len(page.rows) == 3 for page in pages[:-1])
    assert [row for page in pages for row in page.rows] == list(table.rows())


async def test_pages_count_only_rows_that_fit(tables: Tables) -> None:
    table = await tables.make()
    table.insert(*((number, number % 2) for number in range(10)))
    page = table.select((Var("id"), 1), limit=4)
    assert page.more is not None

    assert page.rows == [(1, 1), (3, 1), (5, 1), (7, 1)]
    assert table.select_more(page.more) == ([(9, 1)], None)


async def test_a_continuation_can_be_used_twice(tables: Tables) -> None:
    table = await tables.make()
    table.insert((1,), (2,), (3,))
    more = table.select(limit=1).more
    assert more is not None

    assert table.select_more(more) == table.select_more(more)


async def test_pages_of_an_ordered_set_go_on_after_the_last_key(tables: Tables) -> None:
    table = await tables.make(TableKind.ORDERED_SET)
    table.insert((10,), (20,), (30,))
    page = table.select(limit=2)
    assert page.more is not None

    table.delete(20)
    table.insert((15,), (25,), (5,))

    assert table.select_more(page.more).rows == [(25,), (30,)]


@pytest.mark.parametrize("kind", BAGS)
async def test_a_page_may_end_among_the_rows_of_a_key(tables: Tables, kind: TableKind) -> None:
    table = await tables.make(kind)
    table.insert(("k", 1), ("k", 2), ("k", 3))
    page = table.select(limit=2)
    assert page.more is not None

    table.insert(("k", 4), ("new", 5))

    assert table.select_more(page.more).rows == [("k", 3), ("k", 4)]


@pytest.mark.parametrize("kind", BAGS)
async def test_rows_that_went_and_came_back_are_not_taken_for_the_rest_of_a_page(
    tables: Tables, kind: TableKind
) -> None:
    table = await tables.make(kind)
    table.insert(("k", 1), ("k", 2), ("l", 3))
    page = table.select(limit=1)
    assert page.more is not None

    table.delete("k")
    table.insert(("k", 8), ("k", 9))

    assert table.select_more(page.more).rows == [("l", 3)]


async def test_a_table_that_ended_gives_no_next_page(tables: Tables) -> None:
    table = await tables.make()
    table.insert((1,), (2,))
    more = table.select(limit=1).more
    assert more is not None
    assert table.owner is not None

    tables.node.exit(table.owner, Killed())

    with pytest.raises(TableGone):
        table.select_more(more)


# Expiry


@pytest.mark.parametrize("kind", TableKind)
async def test_a_row_is_there_until_its_time_and_not_after(tables: Tables, kind: TableKind) -> None:
    table = await tables.make(kind, ttl_ms=500)
    table.insert((1, "a"))

    await tables.clock.advance(499)
    assert table.get(1) == (1, "a")
    await tables.clock.advance(1)

    assert table.get(1) is None
    assert table.lookup(1) == []
    assert len(table) == 0


async def test_nobody_sees_an_expired_row_before_the_sweep(tables: Tables) -> None:
    table = await tables.make(TableKind.ORDERED_SET, ttl_ms=500)
    table.insert((1,))
    tables.clock._elapsed_ns += 500_000_000  # time has passed, and no timer has run yet

    assert table.first() is None
    table.insert((2,))
    tables.clock._elapsed_ns += 500_000_000
    assert list(table.rows()) == []
    table.insert((3,))
    tables.clock._elapsed_ns += 500_000_000
    assert table.select().rows == []
    assert table.insert_new((3,)) is True


async def test_a_write_renews_the_rows_of_its_key_only(tables: Tables) -> None:
    table = await tables.make(TableKind.BAG, ttl_ms=500)
    table.insert((1, "a"), (2, "a"))
    await tables.clock.advance(400)
    table.insert((1, "b"))
    await tables.clock.advance(100)

    assert len(table) == 2
    assert list(table.rows()) == [(1, "a"), (1, "b")]


async def test_an_expired_bag_does_not_come_back_with_its_next_row(tables: Tables) -> None:
    table = await tables.make(TableKind.BAG, ttl_ms=500)
    table.insert((1, "old"))
    tables.clock._elapsed_ns += 500_000_000

    table.insert((1, "new"))

    assert table.lookup(1) == [(1, "new")]


async def test_an_expired_counter_begins_again(tables: Tables) -> None:
    table = await tables.make(ttl_ms=500)
    assert table.add_to_counter("k", 5) == 5
    await tables.clock.advance(500)

    assert table.add_to_counter("k", 2) == 2


async def test_expired_rows_leave_memory_though_nobody_looks(tables: Tables) -> None:
    table = await tables.make(ttl_ms=500)
    table.insert(*((number,) for number in range(100)))

    await tables.clock.advance(600)

    assert table._by_key == {}
    assert tables.waiting() == 0


async def test_a_sweep_is_bounded_and_goes_on_in_the_next_turn(tables: Tables) -> None:
    table = await tables.make(ttl_ms=500)
    table.insert(*((number,) for number in range(SWEEP_KEYS_MAX + 1)))
    tables.clock._elapsed_ns += 500_000_000

    table._sweep()

    assert len(table._by_key) == 1
    await tables.clock.advance(0)
    assert table._by_key == {}


async def test_a_table_that_ends_leaves_no_timer(tables: Tables) -> None:
    table = await tables.make(name="t", ttl_ms=500)
    table.insert((1,))
    assert tables.waiting() == 2
    assert table.owner is not None

    await tables.node.stop(table.owner)

    assert tables.waiting() == 0


# Size


async def test_the_size_is_reported_at_most_once_a_second_and_only_after_a_change(
    tables: Tables,
) -> None:
    sizes: list[Any] = []
    tables.node.telemetry.attach(
        ("table", "size"),
        lambda _, sizes_now, seen: sizes.append((seen["table"], *sizes_now.values())),
    )
    table = await tables.make(TableKind.BAG, name="rates")
    for number in range(10):
        table.insert((number % 2, number))
    await tables.clock.advance(1_000)
    assert sizes == [("rates", 10, 2)]
    await tables.clock.advance(10_000)
    assert len(sizes) == 1
    table.delete(0)
    await tables.clock.advance(1_000)
    assert sizes[1:] == [("rates", 5, 1)]
    assert table.owner is not None

    await tables.node.stop(table.owner)

    assert sizes[2:] == [("rates", 0, 0)]


async def test_a_table_without_a_name_reports_nothing(tables: Tables) -> None:
    table = await tables.make()
    table.insert((1,))

    assert tables.waiting() == 0


async def test_the_size_counts_rows_of_every_kind(tables: Tables) -> None:
    for kind, rows in zip(TableKind, (1, 1, 2, 3), strict=True):
        table = await tables.make(kind)
        table.insert((1, "a"), (1, "a"), (1, "b"))
        assert len(table) == rows
        table.delete(1)
        assert len(table) == 0


# Refusals


@pytest.mark.parametrize("kind", UNORDERED)
async def test_a_table_without_order_has_no_first(tables: Tables, kind: TableKind) -> None:
    table = await tables.make(kind)

    with pytest.raises(WrongTableKind):
        table.first()
    with pytest.raises(WrongTableKind):
        table.next(1)


@pytest.mark.parametrize("kind", BAGS)
async def test_a_bag_has_no_counters(tables: Tables, kind: TableKind) -> None:
    table = await tables.make(kind)

    with pytest.raises(WrongTableKind):
        table.add_to_counter("k", 1)


async def test_options_that_mean_nothing_are_errors(tables: Tables) -> None:
    table = await tables.make()

    with pytest.raises(InvalidTable):
        table.select(limit=0)
    with pytest.raises(StartFailed, match="InvalidTable"), capture_logs():
        await tables.make(ttl_ms=0)


async def test_a_private_table_is_read_by_its_owner_alone_in_every_way(tables: Tables) -> None:
    table = await tables.make(TableKind.ORDERED_SET, access=Access.PRIVATE)
    reads = (
        lambda: table.get(1),
        lambda: table.lookup(1),
        table.select,
        lambda: table.match(ANY),
        table.first,
        lambda: list(table.rows()),
        lambda: len(table),
    )

    for read in reads:
        with pytest.raises(NotOwner):
            read()


async def test_an_heir_inherits_rows_their_time_and_the_right_to_read(tables: Tables) -> None:
    class Heir(GenServer):
        async def handle_info(self, message: object) -> None:
            del message

    heir: Pid = await tables.node.start(Heir())
    table = await tables.make(ttl_ms=500, heir=heir)
    table.insert((1,))
    assert table.owner is not None

    await tables.node.stop(table.owner)

    assert table.owner == heir
    assert table.get(1) == (1,)
    await tables.clock.advance(500)
    assert table.get(1) is None
