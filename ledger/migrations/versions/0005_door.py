"""What both ledgers need of each other: how far TigerBeetle follows, and what operators ordered."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Everything of the shard up to this transfer is in the breaker's journal as well.
FOLLOWED = """
CREATE TABLE breaker_follows (
    tenant text NOT NULL,
    shard integer NOT NULL REFERENCES shards (id),
    sequence bigint NOT NULL CHECK (sequence >= 0),
    timestamp bigint NOT NULL CHECK (timestamp >= 0),
    PRIMARY KEY (tenant, shard)
) WITH (fillfactor = 10)
"""

# An id whose fate was unknown may be burned in TigerBeetle: the transfer then has another one there.
ALIASES = """
CREATE TABLE breaker_aliases (
    tenant text NOT NULL,
    transfer_id uuid NOT NULL,
    attempt integer NOT NULL CHECK (attempt > 0),
    used_id uuid NOT NULL,
    PRIMARY KEY (tenant, transfer_id),
    UNIQUE (tenant, used_id)
)
"""

# A row an order, whatever became of it; rows are added, never changed.
ORDERS = """
CREATE TABLE breaker_orders (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    at timestamptz NOT NULL,
    position text NOT NULL CHECK (position IN ('closed', 'open')),
    reason text NOT NULL,
    made_by text NOT NULL
)
"""

# Orders go to the breaker itself now, over the gateway.
NO_WISHES = "DROP TABLE breaker_wishes"

# When the breaker ends a hold by itself, in nanoseconds since 1970; 0: never.
EXPIRY = """
ALTER TABLE breaker_journal ADD COLUMN expires_at bigint NOT NULL DEFAULT 0 CHECK (expires_at >= 0)
"""

# Accounts that PostgreSQL opened while TigerBeetle did not answer: it gets them on the way back.
LACKING = "ALTER TABLE breaker_accounts ADD COLUMN is_there boolean NOT NULL DEFAULT true"


def upgrade() -> None:
    for statement in (FOLLOWED, ALIASES, ORDERS, NO_WISHES, EXPIRY, LACKING):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a journal is never taken back; restore a backup instead")
