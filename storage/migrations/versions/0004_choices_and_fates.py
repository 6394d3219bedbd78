"""What a typed number means at an address, and how a sent message fares at the messenger."""

from storage.migrations.dialects import execute

revision = "0004"
down_revision = "0003"

_TABLES = """
CREATE TABLE keyboards (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    keyboard TEXT NOT NULL,
    PRIMARY KEY (channel, address),
    FOREIGN KEY (channel, address) REFERENCES identities ON DELETE CASCADE
) {keyed};

ALTER TABLE outbox ADD COLUMN fate TEXT;
ALTER TABLE outbox ADD COLUMN fate_rank {integer} NOT NULL DEFAULT 0;
-- Of the other channels nobody tells how a sent message fares, so theirs need not be found.
CREATE INDEX outbox_message ON outbox (message_id) WHERE channel = 'whatsapp' AND message_id IS NOT NULL;
"""


def upgrade() -> None:
    """Add the table, the columns and the index."""
    execute(_TABLES)
