"""What Alembic runs: it is given an open connection and keeps each revision in a transaction of its own."""

from alembic import context

given = context.config.attributes
context.configure(
    connection=given["connection"],
    version_table_schema=given["schema"],
    # Alembic thinks SQLite could not take back a CREATE TABLE; it can.
    transactional_ddl=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
