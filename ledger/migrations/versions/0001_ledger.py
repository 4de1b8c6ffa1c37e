"""Accounts, transfers, idempotency keys, outbox, and the function that commits a batch."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# One row a shard, written by every batch: many versions of one row must fit its page (HOT).
SHARDS = """
CREATE TABLE shards (
    id integer PRIMARY KEY,
    tenant text NOT NULL,
    owner text NOT NULL,
    holder text,
    epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    committed_batches bigint NOT NULL DEFAULT 0,
    transfer_sequence bigint NOT NULL DEFAULT 0,
    outbox_sequence bigint NOT NULL DEFAULT 0,
    last_timestamp bigint NOT NULL DEFAULT 0,
    oldest_open_hold uuid
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0)
"""

# No foreign keys from transfers: they would lock account rows once a transfer. The writer checks
# accounts, the verification replays them.
ACCOUNTS = """
CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    shard integer NOT NULL REFERENCES shards (id),
    tenant text NOT NULL,
    code smallint NOT NULL CHECK (code > 0),
    flags smallint NOT NULL CHECK (flags & 6 <> 6),
    ledger integer NOT NULL CHECK (ledger > 0),
    branch text,
    number text,
    account_type text,
    name text,
    tax_id text,
    status smallint NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 2),
    opened_at timestamptz NOT NULL,
    debits_pending bigint NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),
    debits_posted bigint NOT NULL DEFAULT 0 CHECK (debits_posted >= 0),
    credits_pending bigint NOT NULL DEFAULT 0 CHECK (credits_pending >= 0),
    credits_posted bigint NOT NULL DEFAULT 0 CHECK (credits_posted >= 0),
    CONSTRAINT accounts_debits_limit
        CHECK (flags & 2 = 0 OR debits_pending + debits_posted <= credits_posted),
    CONSTRAINT accounts_credits_limit
        CHECK (flags & 4 = 0 OR credits_pending + credits_posted <= debits_posted)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)
"""

STATUS_CHANGES = """
CREATE TABLE account_status_changes (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id),
    at timestamptz NOT NULL,
    status smallint NOT NULL,
    reason smallint NOT NULL,
    made_by text NOT NULL
)
"""

ACCOUNT_NUMBERS = """
CREATE UNIQUE INDEX accounts_number ON accounts (tenant, branch, number) NULLS NOT DISTINCT
    WHERE number IS NOT NULL
"""

# One table a month, so that what is written is small and a closed month can be kept elsewhere.
# A balancing transfer may come to nothing. What few transfers have is NULL in all others: the flags
# are then those of the kind, the ledger is the account's, and nothing was given by the user.
TRANSFERS = """
CREATE TABLE transfers (
    id uuid PRIMARY KEY,
    shard integer NOT NULL,
    sequence bigint NOT NULL,
    debit_account_id uuid NOT NULL,
    credit_account_id uuid NOT NULL CHECK (credit_account_id <> debit_account_id),
    amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
    code integer NOT NULL CHECK (code > 0),
    kind smallint NOT NULL CHECK (kind BETWEEN 0 AND 4),
    pending_id uuid CHECK ((pending_id IS NOT NULL) = (kind >= 2)),
    at timestamptz NOT NULL,
    timestamp bigint NOT NULL,
    held_cents bigint CHECK ((held_cents >= amount_cents) = (kind >= 2)),
    flags smallint,
    timeout_seconds bigint,
    ledger integer,
    user_data_128 uuid,
    user_data_64 bigint,
    user_data_32 bigint
) PARTITION BY RANGE (id)
"""

# Ids begin with their time: `ledger.partitions` makes a partition a month. Somebody who chooses an id
# gives it no time, which is the first millisecond of 1970.
TIMELESS_TRANSFERS = """
CREATE TABLE transfers_timeless PARTITION OF transfers
FOR VALUES FROM (MINVALUE) TO ('00000000-0001-0000-0000-000000000000')
"""

# The others: there should be none.
OTHER_TRANSFERS = "CREATE TABLE transfers_default PARTITION OF transfers DEFAULT"

# A few kilobytes, and next to nothing to write: from which moment to which the rows of each megabyte
# are. Reports find a period by it, and what follows a snapshot.
TRANSFER_TIMES = """
CREATE INDEX transfers_times ON transfers USING brin (timestamp, at) WITH (autosummarize = on)
"""

# The counters of every account after the transfer `sequence` of its shard: a row for an account
# that has moved since the snapshot before; the others have an older one, or none. No earlier
# transfer has a later `at` than `last_at`. Rows are added, never changed.
SNAPSHOTS = """
CREATE TABLE snapshots (
    shard integer NOT NULL REFERENCES shards (id),
    sequence bigint NOT NULL,
    timestamp bigint NOT NULL,
    last_at timestamptz NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (shard, sequence)
)
"""

SNAPSHOT_BALANCES = """
CREATE TABLE snapshot_balances (
    account_id uuid NOT NULL REFERENCES accounts (id),
    sequence bigint NOT NULL,
    debits_pending bigint NOT NULL CHECK (debits_pending >= 0),
    debits_posted bigint NOT NULL CHECK (debits_posted >= 0),
    credits_pending bigint NOT NULL CHECK (credits_pending >= 0),
    credits_posted bigint NOT NULL CHECK (credits_posted >= 0),
    PRIMARY KEY (account_id, sequence)
)
"""

# Ids whose transfer was refused for a reason that another moment might change.
FAILED_TRANSFERS = """
CREATE TABLE failed_transfers (
    id uuid PRIMARY KEY,
    shard integer NOT NULL,
    result integer NOT NULL,
    at timestamptz NOT NULL
)
"""

# A hold is resolved at most once, whatever a writer believes: `id` is what ended it. A table of its
# own, for a unique index of a partitioned table must contain what it is partitioned by.
RESOLUTIONS = """
CREATE TABLE resolutions (
    pending_id uuid CONSTRAINT transfers_pending_id PRIMARY KEY,
    id uuid NOT NULL
)
"""

IDEMPOTENCY_KEYS = """
CREATE TABLE idempotency_keys (
    tenant text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    subject_id uuid NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant, key)
)
"""

# The payload is bytes: it goes to consumers as it came, and the database need not parse it.
OUTBOX = """
CREATE TABLE outbox (
    shard integer NOT NULL,
    sequence bigint NOT NULL,
    id uuid NOT NULL,
    subject_id uuid NOT NULL,
    name text NOT NULL,
    at timestamptz NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (shard, sequence)
)
"""

OUTBOX_SUBJECTS = "CREATE INDEX outbox_subject ON outbox (subject_id)"

OUTBOX_POSITIONS = """
CREATE TABLE outbox_positions (
    consumer text NOT NULL,
    shard integer NOT NULL REFERENCES shards (id),
    sequence bigint NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    PRIMARY KEY (consumer, shard)
) WITH (fillfactor = 10)
"""

# One round trip for all tables of the ledger. The lease is checked first: the row lock then keeps
# a younger writer waiting until this transaction ends. Plans are cached while tables are small and
# kept when they are large, hence no hash joins: accounts are found by their key.
COMMIT_BATCH = """
CREATE FUNCTION ledger_commit(
    lease_shard integer, lease_epoch bigint, batch_at timestamptz, first_open_hold uuid,
    transfer_ids uuid[], debit_ids uuid[], credit_ids uuid[], amounts bigint[],
    codes integer[], kinds smallint[], pending_ids uuid[],
    keys text[], fingerprints bytea[], key_subjects uuid[],
    event_ids uuid[], event_subjects uuid[], event_names text[], event_times timestamptz[],
    payloads bytea[],
    account_ids uuid[], new_debits_pending bigint[], new_debits_posted bigint[],
    new_credits_pending bigint[], new_credits_posted bigint[],
    first_timestamp bigint,
    held bigint[], flags smallint[], timeouts bigint[], ledgers integer[],
    users_128 uuid[], users_64 bigint[], users_32 bigint[],
    flagged_ids uuid[], new_flags smallint[],
    failed_ids uuid[], failed_results integer[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    lease shards%ROWTYPE;
BEGIN
    UPDATE shards SET
        committed_batches = committed_batches + 1,
        oldest_open_hold = first_open_hold,
        transfer_sequence = transfer_sequence + cardinality(transfer_ids),
        last_timestamp = first_timestamp + cardinality(transfer_ids),
        outbox_sequence = outbox_sequence + cardinality(event_ids)
    WHERE id = lease_shard AND epoch = lease_epoch
    RETURNING * INTO lease;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'epoch % of shard % is over', lease_epoch, lease_shard
            USING ERRCODE = 'CL001';
    END IF;
    IF cardinality(transfer_ids) > 0 THEN
        INSERT INTO transfers
        SELECT t.id, lease_shard,
            lease.transfer_sequence - cardinality(transfer_ids) + t.n,
            t.debit, t.credit, t.amount, t.code, t.kind, t.pending, batch_at,
            first_timestamp + t.n - 1,
            CASE WHEN t.kind >= 2 THEN coalesce(t.held, t.amount) END,
            t.flags, t.timeout, t.ledger, t.user_128, t.user_64, t.user_32
        FROM unnest(transfer_ids, debit_ids, credit_ids, amounts, codes, kinds, pending_ids,
                held, flags, timeouts, ledgers, users_128, users_64, users_32)
            WITH ORDINALITY AS t (id, debit, credit, amount, code, kind, pending,
                held, flags, timeout, ledger, user_128, user_64, user_32, n);
        IF 2 <= ANY (kinds) THEN
            INSERT INTO resolutions
            SELECT t.pending, t.id FROM unnest(transfer_ids, pending_ids) AS t (id, pending)
            WHERE t.pending IS NOT NULL;
        END IF;
        UPDATE accounts SET
            debits_pending = a.dp, debits_posted = a.d,
            credits_pending = a.cp, credits_posted = a.c
        FROM unnest(account_ids, new_debits_pending, new_debits_posted,
            new_credits_pending, new_credits_posted) AS a (id, dp, d, cp, c)
        WHERE accounts.id = a.id;
        IF EXISTS (SELECT FROM failed_transfers WHERE id = ANY (transfer_ids)) THEN
            RAISE EXCEPTION 'a transfer id has failed before' USING ERRCODE = 'CL002';
        END IF;
    END IF;
    IF cardinality(flagged_ids) > 0 THEN
        UPDATE accounts SET flags = a.flags
        FROM unnest(flagged_ids, new_flags) AS a (id, flags) WHERE accounts.id = a.id;
    END IF;
    IF cardinality(failed_ids) > 0 THEN
        INSERT INTO failed_transfers
        SELECT f.id, lease_shard, f.result, batch_at
        FROM unnest(failed_ids, failed_results) AS f (id, result);
    END IF;
    IF cardinality(keys) > 0 THEN
        INSERT INTO idempotency_keys
        SELECT lease.tenant, k.key, k.fingerprint, k.subject, batch_at
        FROM unnest(keys, fingerprints, key_subjects) AS k (key, fingerprint, subject);
    END IF;
    IF cardinality(event_ids) > 0 THEN
        INSERT INTO outbox
        SELECT lease_shard, lease.outbox_sequence - cardinality(event_ids) + e.n,
            e.id, e.subject, e.name, e.at, e.payload
        FROM unnest(event_ids, event_subjects, event_names, event_times, payloads)
            WITH ORDINALITY AS e (id, subject, name, at, payload, n);
    END IF;
    RETURN lease.outbox_sequence;
END
$$
"""


def upgrade() -> None:
    for statement in (
        SHARDS,
        ACCOUNTS,
        ACCOUNT_NUMBERS,
        STATUS_CHANGES,
        TRANSFERS,
        TIMELESS_TRANSFERS,
        OTHER_TRANSFERS,
        TRANSFER_TIMES,
        SNAPSHOTS,
        SNAPSHOT_BALANCES,
        FAILED_TRANSFERS,
        RESOLUTIONS,
        IDEMPOTENCY_KEYS,
        OUTBOX,
        OUTBOX_SUBJECTS,
        OUTBOX_POSITIONS,
        COMMIT_BATCH,
    ):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back; restore a backup instead")
