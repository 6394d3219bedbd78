"""One diary on several messengers: codes to join them, and the guesses at codes."""

from alembic import op

from storage.migrations.dialects import in_words_of

revision = "0009"
down_revision = "0008"

# `merging` holds rows within a transaction alone: which attack an intake belongs to while both change hands.
_TABLES = """
CREATE TABLE link_codes (
    user_id {integer} PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    hash TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    expires_at {integer} NOT NULL,
    claimed_channel TEXT,
    claimed_address TEXT
) {options};
CREATE INDEX link_codes_hash ON link_codes (hash);
CREATE INDEX link_codes_expires ON link_codes (expires_at);

CREATE TABLE link_tries (
    id {integer} PRIMARY KEY,
    user_id {integer} REFERENCES users ON DELETE SET NULL,
    tried_at {integer} NOT NULL
) {options};
CREATE INDEX link_tries_user ON link_tries (user_id);
CREATE INDEX link_tries_tried ON link_tries (tried_at);

CREATE TABLE merging (
    intake_id {integer} PRIMARY KEY,
    headache_id {integer} NOT NULL
) {options};
"""


def upgrade() -> None:
    """Add the tables."""
    for statement in in_words_of(op.get_bind().dialect.name, _TABLES):
        op.execute(statement)
