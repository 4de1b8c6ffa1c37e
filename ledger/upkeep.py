"""What the ledger needs once a day: months ahead, a look at odd ids, the balances of a month's end.

Nothing waits for it, and it can be late: every step finds out by itself what there is to do.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import structlog

from actors import Continue, GenServer, NoReply
from ledger.days import business_day, day_start
from ledger.partitions import CANNOT_PARTITION, count_odd, make_partitions
from ledger.snapshots import take_snapshot

CONNECT_TIMEOUT_SECONDS: Final = 5
STEP_TIMEOUT_SECONDS: Final = 3_600
DAY_MS: Final = 24 * 3_600_000
AGAIN_MS: Final = 10 * 60_000
"""After a failure; most are a server that restarts."""

WORK: Final = "work"
SHARDS: Final = "SELECT id FROM shards ORDER BY id"

_log = structlog.get_logger("ledger")


class LedgerUpkeep(GenServer):
    """Works at its start and once a day; after a failure, again in ten minutes.

    - Makes the partitions of this month and the next three.
    - Counts the transfers that lie in no month: telemetry ``("ledger", "partitions", "odd")``, and
      an error in the log when there are any.
    - Keeps the balances of every shard as of the end of last month (Brasília).

    Args:
        dsn: PostgreSQL with the ledger's tables.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def init(self) -> Continue:
        """Start at once; the work follows."""
        return Continue(WORK)

    async def handle_continue(self, argument: Any) -> NoReply:
        """Work, and come back."""
        del argument
        try:
            await self._work()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("the ledger's upkeep failed", error=type(error).__name__)
            self.node.send_after(AGAIN_MS, self.pid, WORK)
        else:
            self.node.send_after(DAY_MS, self.pid, WORK)
        return NoReply()

    async def handle_info(self, message: Any) -> NoReply:
        """It is time again."""
        if message == WORK:
            return NoReply(Continue(WORK))
        return await super().handle_info(message)  # type: ignore[return-value] # raises

    async def _work(self) -> None:
        now = self.node.clock.now()
        connection = await asyncpg.connect(
            self._dsn, timeout=CONNECT_TIMEOUT_SECONDS, command_timeout=STEP_TIMEOUT_SECONDS
        )
        try:
            await self._count_odd(connection)
            for row in await connection.fetch(SHARDS):
                made = await take_snapshot(connection, row["id"], now=now, until=month_end(now))
                if made is not None:
                    _log.info("balances kept", shard=made.shard_id, accounts=made.accounts)
            # Last, for it may have to be tried again.
            await self._make_partitions(connection, now)
        finally:
            connection.terminate()

    async def _make_partitions(self, connection: Any, now: datetime) -> None:
        try:
            made = await make_partitions(connection, now)
        except CANNOT_PARTITION as error:
            _log.error("no partition for a month", error=str(error))
            raise
        if made:
            _log.info("partitions made", names=made)

    async def _count_odd(self, connection: Any) -> None:
        odd = await count_odd(connection)
        self.node.telemetry.execute(("ledger", "partitions", "odd"), {"transfers": odd}, {})
        if odd:
            _log.error("transfers in no month's partition", transfers=odd)


def month_end(now: datetime) -> datetime:
    """The last instant of the month before, in Brasília."""
    first = business_day(now).replace(day=1)
    return day_start(first) - timedelta(microseconds=1)
