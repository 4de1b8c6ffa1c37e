"""What the shard store says to PostgreSQL."""

from typing import Final

CREATE_SHARD: Final = """
INSERT INTO shards (id, tenant, owner) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING
"""
TAKE_LEASE: Final = """
UPDATE shards SET epoch = epoch + 1, holder = $4
WHERE id = $1 AND tenant = $2 AND owner = $3 AND ($5 OR holder IS NULL OR holder = $4)
RETURNING epoch, oldest_open_hold, last_timestamp
"""
ASSIGN: Final = """
INSERT INTO shards (id, tenant, owner) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET owner = $3, epoch = shards.epoch + 1, holder = NULL
WHERE shards.tenant = $2
"""
ACCOUNT_FIELDS: Final = (
    "id",
    "tenant",
    "code",
    "branch",
    "number",
    "account_type",
    "name",
    "tax_id",
    "product",
    "flags",
    "ledger",
)
ACCOUNT_COLUMNS: Final = ", ".join(ACCOUNT_FIELDS)
COUNTER_COLUMNS: Final = "debits_pending, debits_posted, credits_pending, credits_posted"
LOAD_ACCOUNTS: Final = (
    f"SELECT {ACCOUNT_COLUMNS}, {COUNTER_COLUMNS}, status FROM accounts WHERE shard = $1"  # noqa: S608 - constants
)
SET_STATUS: Final = "UPDATE accounts SET status = $2 WHERE id = $1"
KEEP_STATUS_CHANGE: Final = """
INSERT INTO account_status_changes (account_id, at, status, reason, made_by)
VALUES ($1, $2, $3, $4, $5)
"""
LOAD_PRODUCTS: Final = """
SELECT DISTINCT ON (code) definition FROM products WHERE shard = $1 ORDER BY code, version DESC
"""
ADD_PRODUCT: Final = """
INSERT INTO products (shard, code, version, definition, at, made_by)
SELECT $1, $2, coalesce(max(version), 0) + 1, $3::jsonb, $4, $5
FROM products WHERE shard = $1 AND code = $2
"""
# What accounts with a product spent since a moment: a hold counts when it is made, and what its end
# releases is given back, unless it was made before.
SPENT_SINCE: Final = """
SELECT made.debit_account_id, sum(CASE
    WHEN made.kind <= 1 THEN made.amount_cents
    WHEN held.timestamp < $2 THEN 0
    WHEN made.kind = 2 THEN made.amount_cents - made.held_cents
    ELSE -made.held_cents END)::bigint
FROM transfers AS made
JOIN accounts ON accounts.id = made.debit_account_id AND accounts.product IS NOT NULL
LEFT JOIN transfers AS held ON held.id = made.pending_id
WHERE made.shard = $1 AND made.timestamp >= $2
GROUP BY made.debit_account_id
"""
# In the order of a `Posting`.
TRANSFER_COLUMNS: Final = """
id, debit_account_id, credit_account_id, amount_cents, code, kind, pending_id,
flags, timeout_seconds, ledger, user_data_128, user_data_64, user_data_32, timestamp, held_cents
"""
# Ids are time-ordered, so the scan starts where the oldest open hold was made: how long the
# history before it is does not matter.
LOAD_HOLDS: Final = f"""
SELECT {TRANSFER_COLUMNS} FROM transfers AS hold
WHERE shard = $1 AND kind = 1 AND id >= $2
    AND NOT EXISTS (SELECT FROM resolutions WHERE resolutions.pending_id = hold.id)
"""  # noqa: S608 - constants
# Joins, not lists of ids: so each id is looked for in its own partition only.
KNOWN_TRANSFERS: Final = f"""
SELECT {TRANSFER_COLUMNS} FROM unnest($1::uuid[]) AS asked (key) JOIN transfers ON id = key
UNION SELECT {TRANSFER_COLUMNS} FROM transfers
    JOIN (SELECT id AS key FROM resolutions WHERE pending_id = ANY($2::uuid[])) AS ends ON id = key
"""  # noqa: S608 - constants
FAILED_IDS: Final = "SELECT id, result FROM failed_transfers WHERE id = ANY($1::uuid[])"
KNOWN_KEYS: Final = """
SELECT key, fingerprint, subject_id FROM idempotency_keys
WHERE tenant = $1 AND key = ANY($2::text[])
"""
COMMIT_ARGUMENTS: Final = 36
COMMIT: Final = f"SELECT ledger_commit({', '.join(f'${n + 1}' for n in range(COMMIT_ARGUMENTS))})"
INSERT_ACCOUNTS: Final = f"""
INSERT INTO accounts (shard, opened_at, {ACCOUNT_COLUMNS})
SELECT $1, $2, * FROM unnest(
    $3::uuid[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::smallint[], $13::integer[])
"""  # noqa: S608 - constants
FENCE: Final = "SELECT epoch FROM shards WHERE id = $1"
LOCK_LEASE: Final = "SELECT epoch FROM shards WHERE id = $1 FOR NO KEY UPDATE"
