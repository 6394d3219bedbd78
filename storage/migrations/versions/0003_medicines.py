"""Medicines of one's own list can be brought back after a deletion; the notice on frequent medicine, told or off."""

from alembic import op

from storage.migrations.dialects import in_words_of

revision = "0003"
down_revision = "0002"

_CHANGES = """
ALTER TABLE drugs ADD COLUMN deleted_at {integer};
CREATE INDEX drugs_deleted ON drugs (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE overuse_notices (
    user_id {integer} PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    is_off {integer} NOT NULL,
    told_at {integer}
) {options};
"""


def upgrade() -> None:
    """Add both."""
    for statement in in_words_of(op.get_bind().dialect.name, _CHANGES):
        op.execute(statement)
