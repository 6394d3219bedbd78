"""Days recorded as free of headache, and on which day an attack ended."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy
from alembic import op

from migrebot.diary.entries import Headache, last_day
from storage.migrations.dialects import in_words_of

revision = "0002"
down_revision = "0001"

_TABLES = """
CREATE TABLE free_days (
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    day TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (user_id, day)
) {keyed};

ALTER TABLE headaches ADD COLUMN last_day TEXT NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    """Add the table, and the last day of each attack there is."""
    connection = op.get_bind()
    for statement in in_words_of(connection.dialect.name, _TABLES):
        op.execute(statement)
    attacks = connection.execute(
        sqlalchemy.text("SELECT id, day, timezone, onset_at, end_at, duration_h FROM headaches")
    ).fetchall()
    for row in attacks:
        connection.execute(
            sqlalchemy.text("UPDATE headaches SET last_day = :last_day WHERE id = :id"),
            {"id": row.id, "last_day": last_day(_attack(row)).isoformat()},
        )


def _attack(row: sqlalchemy.Row[Any]) -> Headache:
    return Headache(
        id=row.id,
        user_id=0,
        day=date.fromisoformat(row.day),
        timezone=row.timezone,
        created_at=_EPOCH,
        onset=_instant(row.onset_at),
        end=_instant(row.end_at),
        duration_h=row.duration_h,
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)
