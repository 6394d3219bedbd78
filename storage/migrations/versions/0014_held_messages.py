"""What people write while the bot is being maintained: kept as it came until it is handled."""

from storage.migrations.dialects import execute

revision = "0014"
down_revision = "0013"

_TABLES = """
CREATE TABLE held_messages (
    id {serial},
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    key TEXT NOT NULL,
    message TEXT NOT NULL,
    is_first {integer} NOT NULL
) {options};

CREATE INDEX held_messages_address ON held_messages (channel, address);
CREATE INDEX held_messages_user ON held_messages (user_id);
"""


def upgrade() -> None:
    """Add the table."""
    execute(_TABLES)
