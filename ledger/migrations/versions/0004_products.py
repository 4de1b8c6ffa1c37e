"""Products, and which of them an account was opened under."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A change is a row of its own: what a product once allowed and cost stays on record.
PRODUCTS = """
CREATE TABLE products (
    shard integer NOT NULL REFERENCES shards (id),
    code text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    definition jsonb NOT NULL,
    at timestamptz NOT NULL,
    made_by text NOT NULL,
    PRIMARY KEY (shard, code, version)
)
"""

# No foreign key: an account names a product, not one of its versions. The writer checks.
ACCOUNT_PRODUCT = "ALTER TABLE accounts ADD COLUMN product text"


def upgrade() -> None:
    for statement in (PRODUCTS, ACCOUNT_PRODUCT):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back; restore a backup instead")
