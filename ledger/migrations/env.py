"""Run by alembic for each upgrade, by path; `ledger.migration` gives the connection."""  # noqa: INP001

from alembic import context

LOCK = 0x6C6564676572  # "ledger"

connection = context.config.attributes["connection"]
context.configure(connection=connection)
with context.begin_transaction():
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    context.run_migrations()
