"""Messages to the person who runs the bot: who wrote which, and what somebody wants of them."""

from alembic import op

from storage.migrations.dialects import in_words_of

revision = "0008"
down_revision = "0007"

_TABLES = """
CREATE TABLE correspondences (
    user_id {integer} PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    agreed_at {integer},
    form_expired_at {integer}
) {options};

CREATE TABLE letters (
    id {integer} PRIMARY KEY,
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    written_at {integer} NOT NULL
) {options};
CREATE INDEX letters_user ON letters (user_id);
CREATE INDEX letters_written ON letters (written_at);

CREATE TABLE letter_copies (
    outbox_id {integer} PRIMARY KEY REFERENCES outbox ON DELETE CASCADE,
    letter_id {integer} NOT NULL REFERENCES letters ON DELETE CASCADE
) {options};
CREATE INDEX letter_copies_letter ON letter_copies (letter_id);
"""


def upgrade() -> None:
    """Add the tables."""
    for statement in in_words_of(op.get_bind().dialect.name, _TABLES):
        op.execute(statement)
