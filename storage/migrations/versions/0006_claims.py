"""Who is sending a message, and until when that holds, for databases that several processes share."""

from storage.migrations.dialects import execute

revision = "0006"
down_revision = "0005"

_COLUMNS = """
ALTER TABLE outbox ADD COLUMN claimed_by {integer};
ALTER TABLE outbox ADD COLUMN claimed_until {integer};
"""


def upgrade() -> None:
    """Add both."""
    execute(_COLUMNS)
