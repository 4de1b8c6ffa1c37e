"""The tables of the directory.

`entries` and `transactions` are asked in many ways and have columns; everything that two
participants settle between them under DICT's eyes (claims, reports, refunds, recoveries, markers)
is one row of `cases`: who asks whom, about what, until when, and the document itself.
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY,
    key_type TEXT NOT NULL,
    participant TEXT NOT NULL,
    account TEXT NOT NULL,
    tax_id TEXT NOT NULL,
    cid TEXT NOT NULL UNIQUE,
    request_id TEXT NOT NULL,
    entry BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_account ON entries (account);
CREATE INDEX IF NOT EXISTS entries_tax_id ON entries (tax_id);
CREATE INDEX IF NOT EXISTS entries_participant ON entries (participant, key_type);
CREATE TABLE IF NOT EXISTS holders (
    key TEXT NOT NULL, account TEXT NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER,
    PRIMARY KEY (key, account, since_ms)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    participant TEXT NOT NULL, request_id TEXT NOT NULL, what TEXT NOT NULL, made TEXT NOT NULL,
    PRIMARY KEY (participant, request_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cid_events (
    number INTEGER PRIMARY KEY,
    participant TEXT NOT NULL,
    key_type TEXT NOT NULL,
    kind TEXT NOT NULL,
    cid TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS cid_events_of ON cid_events (participant, key_type, number);
CREATE TABLE IF NOT EXISTS cid_files (
    number INTEGER PRIMARY KEY,
    participant TEXT NOT NULL,
    key_type TEXT NOT NULL,
    status TEXT NOT NULL,
    requested_ms INTEGER NOT NULL,
    created_ms INTEGER,
    due_ms INTEGER,
    token TEXT NOT NULL,
    sha256 TEXT,
    content BLOB
);
CREATE INDEX IF NOT EXISTS cid_files_due ON cid_files (due_ms) WHERE due_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS cases (
    family TEXT NOT NULL,
    id TEXT NOT NULL,
    status TEXT NOT NULL,
    asker TEXT NOT NULL,
    asked TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    parent TEXT,
    memo TEXT,
    modified_ms INTEGER NOT NULL,
    due_ms INTEGER,
    document TEXT NOT NULL,
    PRIMARY KEY (family, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cases_asker ON cases (family, asker, modified_ms);
CREATE INDEX IF NOT EXISTS cases_asked ON cases (family, asked, modified_ms);
CREATE INDEX IF NOT EXISTS cases_subject ON cases (family, subject, modified_ms);
CREATE INDEX IF NOT EXISTS cases_kind ON cases (family, kind, modified_ms);
CREATE INDEX IF NOT EXISTS cases_parent ON cases (parent) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS cases_paid ON cases (document ->> '$.refund_transaction_id')
WHERE family = 'refund';
CREATE INDEX IF NOT EXISTS cases_due ON cases (due_ms) WHERE due_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS notifications (
    number INTEGER PRIMARY KEY,
    participant TEXT NOT NULL,
    event TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS notifications_of ON notifications (participant, number);
CREATE TABLE IF NOT EXISTS transactions (
    id TEXT PRIMARY KEY,
    original_id TEXT,
    settled_ms INTEGER NOT NULL,
    amount_cents INTEGER NOT NULL,
    local_instrument TEXT NOT NULL,
    debtor_ispb TEXT NOT NULL,
    debtor_account TEXT NOT NULL,
    debtor_tax_id TEXT NOT NULL,
    creditor_ispb TEXT NOT NULL,
    creditor_account TEXT NOT NULL,
    creditor_tax_id TEXT NOT NULL,
    creditor_key TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS transactions_debtor ON transactions (debtor_account, settled_ms);
CREATE INDEX IF NOT EXISTS transactions_settled ON transactions (settled_ms);
CREATE INDEX IF NOT EXISTS transactions_original ON transactions (original_id)
WHERE original_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS settlements (
    subject TEXT NOT NULL, day INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (subject, day)
) WITHOUT ROWID;
"""
