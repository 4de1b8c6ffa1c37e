"""The journal of the circuit breaker, its mirror of TigerBeetle, and TigerBeetle's ledger numbers."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A number is part of every account of TigerBeetle: never changed, never given twice. 0 means none.
LEDGERS = """
CREATE TABLE tigerbeetle_ledgers (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    currency integer NOT NULL CHECK (currency BETWEEN 1 AND 999),
    UNIQUE (tenant, currency)
)
"""

BREAKERS = """
CREATE TABLE breakers (
    tenant text PRIMARY KEY,
    epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    position text NOT NULL DEFAULT 'closed' CHECK (position IN ('closed', 'open')),
    is_held boolean NOT NULL DEFAULT false,
    reason text NOT NULL DEFAULT ''
) WITH (fillfactor = 10)
"""

AUDIT = """
CREATE TABLE breaker_events (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL REFERENCES breakers (tenant),
    at timestamptz NOT NULL,
    epoch bigint NOT NULL,
    position text NOT NULL,
    is_held boolean NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL
)
"""

# The limits are TigerBeetle's to keep while the breaker is closed; here they are the last line.
BALANCES = """
CREATE TABLE breaker_accounts (
    tenant text NOT NULL REFERENCES breakers (tenant),
    id uuid NOT NULL,
    code integer NOT NULL CHECK (code > 0),
    flags integer NOT NULL,
    ledger integer NOT NULL CHECK (ledger > 0),
    debits_pending bigint NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),
    debits_posted bigint NOT NULL DEFAULT 0 CHECK (debits_posted >= 0),
    credits_pending bigint NOT NULL DEFAULT 0 CHECK (credits_pending >= 0),
    credits_posted bigint NOT NULL DEFAULT 0 CHECK (credits_posted >= 0),
    PRIMARY KEY (tenant, id),
    CHECK (flags & 2 = 0 OR debits_pending + debits_posted <= credits_posted),
    CHECK (flags & 4 = 0 OR credits_pending + credits_posted <= debits_posted)
) WITH (fillfactor = 50)
"""

JOURNAL = """
CREATE TABLE breaker_journal (
    tenant text NOT NULL REFERENCES breakers (tenant),
    id uuid NOT NULL,
    sequence bigint NOT NULL,
    content bytea NOT NULL,
    content_hash bytea NOT NULL CHECK (length(content_hash) = 32),
    debit_account_id uuid NOT NULL,
    credit_account_id uuid NOT NULL,
    amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
    pending_id uuid,
    is_hold boolean NOT NULL,
    epoch bigint NOT NULL,
    route text NOT NULL CHECK (route IN ('tb', 'pg')),
    state text NOT NULL CHECK (state IN ('new', 'sent', 'done', 'failed', 'unknown')),
    result bigint NOT NULL CHECK ((result = 0) = (state IN ('sent', 'unknown'))),
    is_verified boolean NOT NULL,
    PRIMARY KEY (tenant, id)
)
"""

JOURNAL_SEQUENCE = """
CREATE UNIQUE INDEX breaker_journal_sequence ON breaker_journal (tenant, sequence)
"""

# A hold is ended at most once, whatever a breaker believes.
JOURNAL_HOLDS = """
CREATE UNIQUE INDEX breaker_journal_pending_id ON breaker_journal (tenant, pending_id)
    WHERE pending_id IS NOT NULL AND state IN ('new', 'done')
"""

JOURNAL_UNSETTLED = """
CREATE INDEX breaker_journal_unsettled ON breaker_journal (tenant, sequence)
    WHERE NOT is_verified OR state = 'sent'
"""

JOURNAL_OPEN_HOLDS = """
CREATE INDEX breaker_journal_holds ON breaker_journal (tenant, sequence)
    WHERE is_hold AND state IN ('new', 'done')
"""
# What operators want of a breaker; it takes them one by one.
WISHES = """
CREATE TABLE breaker_wishes (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    at timestamptz NOT NULL,
    position text NOT NULL CHECK (position IN ('closed', 'open')),
    reason text NOT NULL,
    made_by text NOT NULL,
    taken_at timestamptz
)
"""

WISHES_OPEN = """
CREATE INDEX breaker_wishes_open ON breaker_wishes (tenant, number) WHERE taken_at IS NULL
"""


def upgrade() -> None:
    for statement in (
        LEDGERS,
        BREAKERS,
        AUDIT,
        BALANCES,
        JOURNAL,
        JOURNAL_SEQUENCE,
        JOURNAL_HOLDS,
        JOURNAL_UNSETTLED,
        JOURNAL_OPEN_HOLDS,
        WISHES,
        WISHES_OPEN,
    ):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a journal is never taken back; restore a backup instead")
