"""The daily work on the ledger, done at any time, finds out by itself what there is to do."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from actors import Node
from ledger import LedgerUpkeep, verify
from ledger.partitions import first_id
from ledger.upkeep import month_end
from tests.ledger.bank import Bank
from tests.ledger.history import History, stored

ODD = ("ledger", "partitions", "odd")
LONG_AGO = datetime(2026, 1, 15, tzinfo=UTC)


async def worked(node: Node, dsn: str) -> list[dict[str, Any]]:
    """What one upkeep reports; it is stopped when it has worked."""
    reports: list[dict[str, Any]] = []
    handler = node.telemetry.attach(ODD, lambda _, measured, __: reports.append(dict(measured)))
    upkeep = await node.start(LedgerUpkeep(dsn))
    await node.stop(upkeep)  # answered when the work that was begun is done
    node.telemetry.detach(handler)
    return reports


async def test_last_months_balances_are_kept_once(node: Node, migrated_dsn: str) -> None:
    history = History()
    history.move(history.own, history.ana, 100, LONG_AGO)
    history.move(history.own, history.ana, 50, datetime.now(UTC))
    connection = await stored(history, migrated_dsn)
    for _ in range(2):
        await worked(node, migrated_dsn)

    kept = await connection.fetch(
        "SELECT account_id, sequence, credits_posted FROM snapshot_balances"
    )
    await connection.close()
    assert [tuple(row) for row in kept if row["credits_posted"]] == [(history.ana, 1, 100)]
    assert len(kept) == 2


async def test_months_ahead_are_made_without_a_writer(node: Node, migrated_dsn: str) -> None:
    await worked(node, migrated_dsn)

    connection = await asyncpg.connect(migrated_dsn)
    months = await connection.fetchval(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'transfers'::regclass"
    )
    await connection.close()
    assert months == 6


async def test_transfers_in_no_month_are_an_alarm(bank: Bank) -> None:
    assert await worked(bank.node, bank.dsn) == [{"transfers": 0}]
    await bank.commit_transfers(bank.hold_of(1))
    connection = await asyncpg.connect(bank.dsn)
    await connection.execute(
        "UPDATE transfers SET id = $1 WHERE kind = 1", UUID(int=first_id(2031, 1).int + 1)
    )
    await connection.close()

    with structlog.testing.capture_logs() as log:
        reports = await worked(bank.node, bank.dsn)

    assert reports == [{"transfers": 1}]
    assert "transfers in no month's partition" in [line["event"] for line in log]


async def test_database_that_is_away_is_no_crash_and_asked_again(
    node: Node, tmp_path: object
) -> None:
    with structlog.testing.capture_logs() as log:
        upkeep = await node.start(LedgerUpkeep(f"postgresql://x@/x?host={tmp_path}"))
        while not log:
            await node.clock.sleep_ms(5)
        assert node.is_alive(upkeep)
        await node.stop(upkeep)

    assert [line["event"] for line in log] == ["the ledger's upkeep failed"]


def test_month_ends_in_brasilia() -> None:
    first_hours_of_march_in_utc = datetime(2026, 3, 1, 2, 59, tzinfo=UTC)

    assert month_end(first_hours_of_march_in_utc) == datetime(
        2026, 2, 1, 2, 59, 59, 999_999, tzinfo=UTC
    )


async def test_upkeep_beside_a_busy_writer_leaves_books_that_add_up(bank: Bank) -> None:
    for _ in range(5):
        await bank.commit_transfers(bank.hold_of(1))
        await worked(bank.node, bank.dsn)

    assert (await verify(bank.dsn)).ok
