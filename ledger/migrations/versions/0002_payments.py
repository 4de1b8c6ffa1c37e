"""Payments, the messages that carry them, and the participants they can go to."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# No index on the status: open payments are found from the oldest open hold on (ids are ordered by
# time), so the one update of a payment stays on its page (HOT, hence the fillfactor).
PAYMENTS = """
CREATE TABLE payments (
    payment_id uuid PRIMARY KEY,
    tenant text NOT NULL,
    end_to_end_id text NOT NULL CONSTRAINT payments_end_to_end_id UNIQUE,
    debtor_account_id uuid NOT NULL,
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    status text NOT NULL
        CHECK (status IN ('PROCESSING', 'CONFIRMED', 'REJECTED', 'FAILED')),
    reason text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz CHECK ((finished_at IS NULL) = (status = 'PROCESSING')),
    details bytea NOT NULL
) WITH (fillfactor = 75)
"""

# The signed bytes, 25 kB for ten payments, repeat themselves and compress to a tenth: that is the
# greater part of what a payment writes to the log.
SPI_MESSAGES = """
CREATE TABLE spi_messages (
    id uuid PRIMARY KEY,
    message_id text NOT NULL,
    body bytea NOT NULL,
    end_to_end_ids text[] NOT NULL,
    sent_at timestamptz,
    resource_id text
)
"""

SPI_RECEIVED = """
CREATE TABLE spi_received (
    resource_id text PRIMARY KEY,
    at timestamptz NOT NULL
)
"""
SPI_RECEIVED_AT = "CREATE INDEX spi_received_at ON spi_received (at)"

SPI_QUARANTINE = """
CREATE TABLE spi_quarantine (
    resource_id text NOT NULL,
    problem text NOT NULL,
    body bytea NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (resource_id, problem)
)
"""

PARTICIPANTS = """
CREATE TABLE participants (
    ispb text PRIMARY KEY CHECK (ispb ~ '^[0-9A-Z]{8}$'),
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('DRCT', 'IDRT', 'SPI')),
    is_active boolean NOT NULL DEFAULT true
)
"""

# All records of a batch in one call, in the statement that commits the ledger's own rows.
# Lists of EndToEndIds come as one text each: unnest would flatten an array of arrays.
COMMIT = """
CREATE FUNCTION pix_commit(
    payer text,
    payment_ids uuid[], end_to_end_ids text[], debtor_ids uuid[], amounts bigint[],
    created_times timestamptz[], all_details bytea[],
    ids_of_messages uuid[], message_ids text[], bodies bytea[], carried text[],
    sent_ids uuid[], resource_ids text[], sent_times timestamptz[],
    ended_ids uuid[], statuses text[], reasons text[], ended_times timestamptz[],
    received_ids text[], received_times timestamptz[],
    suspect_ids text[], problems text[], suspect_bodies bytea[], suspect_times timestamptz[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(payment_ids) > 0 THEN
        INSERT INTO payments (payment_id, tenant, end_to_end_id, debtor_account_id, amount_cents,
            status, created_at, details)
        SELECT p.id, payer, p.end_to_end_id, p.debtor_id, p.amount, 'PROCESSING', p.at, p.details
        FROM unnest(payment_ids, end_to_end_ids, debtor_ids, amounts, created_times, all_details)
            AS p (id, end_to_end_id, debtor_id, amount, at, details);
    END IF;
    IF cardinality(ids_of_messages) > 0 THEN
        INSERT INTO spi_messages (id, message_id, body, end_to_end_ids)
        SELECT m.id, m.message_id, m.body, string_to_array(m.carried, ' ')
        FROM unnest(ids_of_messages, message_ids, bodies, carried)
            AS m (id, message_id, body, carried);
    END IF;
    IF cardinality(sent_ids) > 0 THEN
        UPDATE spi_messages SET sent_at = s.at, resource_id = s.resource_id
        FROM unnest(sent_ids, resource_ids, sent_times) AS s (id, resource_id, at)
        WHERE spi_messages.id = s.id;
    END IF;
    IF cardinality(ended_ids) > 0 THEN
        UPDATE payments SET status = e.status, reason = e.reason, finished_at = e.at
        FROM unnest(ended_ids, statuses, reasons, ended_times) AS e (id, status, reason, at)
        WHERE payments.payment_id = e.id;
    END IF;
    IF cardinality(received_ids) > 0 THEN
        INSERT INTO spi_received (resource_id, at)
        SELECT * FROM unnest(received_ids, received_times) ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(suspect_ids) > 0 THEN
        INSERT INTO spi_quarantine (resource_id, problem, body, at)
        SELECT * FROM unnest(suspect_ids, problems, suspect_bodies, suspect_times)
        ON CONFLICT DO NOTHING;
    END IF;
END
$$
"""


def upgrade() -> None:
    for statement in (
        PAYMENTS,
        SPI_MESSAGES,
        SPI_RECEIVED,
        SPI_RECEIVED_AT,
        SPI_QUARANTINE,
        PARTICIPANTS,
        COMMIT,
    ):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("payments are never taken back; restore a backup instead")
