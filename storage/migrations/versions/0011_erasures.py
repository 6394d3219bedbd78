"""Who asked to be forgotten: a keyed hash of each address and when, so that a restored backup forgets them again."""

from storage.migrations.dialects import execute

revision = "0011"
down_revision = "0010"

_TABLES = """
CREATE TABLE erasures (
    hash TEXT PRIMARY KEY,
    erased_at {integer} NOT NULL
) {keyed};
"""


def upgrade() -> None:
    """Add the table."""
    execute(_TABLES)
