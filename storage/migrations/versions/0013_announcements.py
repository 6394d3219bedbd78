"""Announcements of the person who runs the bot, who gets them, and who wants none."""

from storage.migrations.dialects import execute

revision = "0013"
down_revision = "0012"

_TABLES = """
CREATE TABLE announcements (
    id {integer} PRIMARY KEY,
    created_at {integer} NOT NULL,
    texts TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'sending', 'paused', 'cancelled', 'done')),
    audience TEXT NOT NULL CHECK (audience IN ('all', 'active', 'super-active')),
    chosen {integer} NOT NULL,
    channel TEXT,
    address TEXT,
    message_id TEXT NOT NULL,
    ended_at {integer}
) {options};
CREATE INDEX announcements_ended ON announcements (ended_at);

CREATE TABLE announcement_recipients (
    announcement_id {integer} NOT NULL REFERENCES announcements ON DELETE CASCADE,
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    outcome TEXT NOT NULL
        CHECK (outcome IN ('waiting', 'queued', 'sent', 'blocked', 'outside', 'off', 'unknown', 'failed')),
    outbox_id {integer} REFERENCES outbox ON DELETE CASCADE,
    PRIMARY KEY (announcement_id, user_id)
) {options};
CREATE INDEX announcement_recipients_outcome ON announcement_recipients (announcement_id, outcome, user_id);
CREATE INDEX announcement_recipients_user ON announcement_recipients (user_id);
CREATE INDEX announcement_recipients_outbox ON announcement_recipients (outbox_id) WHERE outbox_id IS NOT NULL;

CREATE TABLE announcement_wishes (
    user_id {integer} PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    is_off {integer} NOT NULL
) {options};
"""


def upgrade() -> None:
    """Add the tables."""
    execute(_TABLES)
