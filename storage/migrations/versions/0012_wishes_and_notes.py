"""What the owner asked of the backups, and what the program remembers of them, the token of the Disk included."""

from storage.migrations.dialects import execute

revision = "0012"
down_revision = "0011"

_TABLES = """
CREATE TABLE wishes (
    kind TEXT PRIMARY KEY,
    id {integer} NOT NULL,
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    asked_at {integer} NOT NULL,
    token TEXT NOT NULL
) {keyed};
CREATE INDEX wishes_user ON wishes (user_id);

CREATE TABLE program_notes (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) {keyed};
"""


def upgrade() -> None:
    """Add the tables."""
    execute(_TABLES)
