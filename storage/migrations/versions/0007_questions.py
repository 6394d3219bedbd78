"""How people are asked whether the head hurt."""

from alembic import op

from storage.migrations.dialects import in_words_of

revision = "0007"
down_revision = "0006"

_TABLES = """
CREATE TABLE questions (
    user_id {integer} PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    every_days {integer} NOT NULL,
    local_time TEXT NOT NULL,
    asked_on TEXT,
    next_at {integer}
) {options};
CREATE INDEX questions_next ON questions (next_at) WHERE next_at IS NOT NULL;
"""


def upgrade() -> None:
    """Add the table."""
    for statement in in_words_of(op.get_bind().dialect.name, _TABLES):
        op.execute(statement)
