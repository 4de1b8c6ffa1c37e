"""Outbox relay: payment events from the ledger's outbox to NATS JetStream.

Subject ``pix.payments.<event>``, message id = event id. The relay reads behind the committed
sequence, publishes a batch, waits for the stream to have it, and only then moves its own position;
so an event is published at least once, and the message id makes the stream drop the second copy.
It is a reader of the past: it can lag or fail, and no payment waits for it.

A batch goes out as one atomic publish, which has one answer for the whole batch: a quarter of the
CPU of an answer each (`bench/relay.py`). When the stream refuses a batch because some of it was
published before a crash, that batch goes out message by message.
"""

from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
import msgspec
import nats.errors
import nats.js.errors
from nats.aio.client import Client as Nats

from actors import Continue, GenServer, IdleTimeout, NoReply

STREAM = "PIX"
SUBJECT_PREFIX = "pix.payments."
CONSUMER = "jetstream"
EVENTS_PER_BATCH_MAX = 500  # an atomic publish takes 1,000 at most
POLL_MS = 500
RETRY_MS = 1_000
ANSWER_SECONDS = 5
DUPLICATE_WINDOW_SECONDS = 120

_POSITION = "SELECT sequence FROM outbox_positions WHERE consumer = $1 AND shard = $2"
_MOVE = """
INSERT INTO outbox_positions (consumer, shard, sequence) VALUES ($1, $2, $3)
ON CONFLICT (consumer, shard) DO UPDATE SET sequence = EXCLUDED.sequence
"""
_NEXT = """
SELECT sequence, id, name, payload FROM outbox
WHERE shard = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
"""


class _BatchAnswer(msgspec.Struct):
    seq: int = 0
    count: int = 0
    error: dict[str, Any] | None = None


class OutboxRelay(GenServer):
    """See the module. One relay a shard."""

    def __init__(
        self,
        shard: int,
        pool: Callable[[], "asyncpg.Pool[asyncpg.Record]"],
        connect: Callable[[], Any],
    ) -> None:
        self._shard = shard
        self._pool = pool
        self._connect = connect
        self._nats: Nats | None = None
        self._position = -1

    async def init(self) -> Continue:
        """Connect after the start: NATS may be away."""
        return Continue("relay")

    async def handle_continue(self, argument: object) -> NoReply:
        """Publish what is there; on any trouble with NATS or the database, again a little later."""
        del argument
        try:
            published = await self._relay()
        except (OSError, nats.errors.Error, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self.node.telemetry.execute(
                ("pix", "relay", "failed"), {"count": 1}, {"problem": type(error).__name__}
            )
            await self._disconnect()
            return NoReply(IdleTimeout(RETRY_MS))
        return NoReply(Continue("relay") if published else IdleTimeout(POLL_MS))

    async def handle_info(self, message: object) -> NoReply:
        """Idle: look again."""
        del message
        return NoReply(Continue("relay"))

    async def terminate(self, reason: object) -> None:
        """Close the connection."""
        del reason
        await self._disconnect()

    async def _relay(self) -> bool:
        connection = self._nats or await self._open()
        pool = self._pool()
        if self._position < 0:
            self._position = await pool.fetchval(_POSITION, CONSUMER, self._shard) or 0
        rows = await pool.fetch(_NEXT, self._shard, self._position, EVENTS_PER_BATCH_MAX)
        if not rows:
            return False
        if not await self._publish_batch(connection, rows):
            await self._publish_each(connection, rows)
        self._position = rows[-1]["sequence"]
        await pool.execute(_MOVE, CONSUMER, self._shard, self._position)
        self.node.telemetry.execute(
            ("pix", "relay", "published"),
            {"events": len(rows), "sequence": self._position},
            {"shard": self._shard},
        )
        return len(rows) == EVENTS_PER_BATCH_MAX

    async def _open(self) -> Nats:
        connection: Nats = await self._connect()
        self._nats = connection
        await ensure_stream(connection)
        return connection

    async def _disconnect(self) -> None:
        connection, self._nats = self._nats, None
        if connection is not None:
            await connection.close()

    async def _publish_batch(self, connection: Nats, rows: Sequence[asyncpg.Record]) -> bool:
        """One atomic publish; False when the stream will not take it as a whole."""
        batch = f"{self._shard}-{rows[0]['sequence']}-{self.node.ids.token(8)}"
        *others, last = rows
        frames = [_frame(row, batch, number) for number, row in enumerate(others, start=1)]
        # `publish` checks and encodes constants anew for each message: three quarters of its CPU.
        await connection._send_command(b"".join(frames))  # noqa: SLF001 - see above
        headers = {
            "Nats-Msg-Id": str(last["id"]),
            "Nats-Batch-Id": batch,
            "Nats-Batch-Sequence": str(len(rows)),
            "Nats-Batch-Commit": "1",
        }
        answer = await connection.request(
            SUBJECT_PREFIX + last["name"], last["payload"], headers=headers, timeout=ANSWER_SECONDS
        )
        return msgspec.json.decode(answer.data, type=_BatchAnswer).count == len(rows)

    async def _publish_each(self, connection: Nats, rows: Sequence[asyncpg.Record]) -> None:
        stream = connection.jetstream(timeout=ANSWER_SECONDS)
        for row in rows:
            await stream.publish(
                SUBJECT_PREFIX + row["name"],
                row["payload"],
                headers={"Nats-Msg-Id": str(row["id"])},
            )


def _frame(row: asyncpg.Record, batch: str, number: int) -> bytes:
    """An event within a batch, as HPUB of the NATS client protocol."""
    headers = (
        f"NATS/1.0\r\nNats-Msg-Id: {row['id']}\r\n"
        f"Nats-Batch-Id: {batch}\r\nNats-Batch-Sequence: {number}\r\n\r\n"
    )
    payload: bytes = row["payload"]
    length = len(headers)
    command = f"HPUB {SUBJECT_PREFIX}{row['name']} {length} {length + len(payload)}\r\n{headers}"
    return b"%b%b\r\n" % (command.encode(), payload)


async def ensure_stream(connection: Nats) -> None:
    """Create the stream of payment events where it is missing; an existing one stays as it is."""
    stream = connection.jetstream(timeout=ANSWER_SECONDS)
    try:
        await stream.stream_info(STREAM)
    except nats.js.errors.NotFoundError:
        await stream.add_stream(
            name=STREAM,
            subjects=[SUBJECT_PREFIX + "*"],
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
            allow_atomic=True,
        )
