"""Reminders, their firings, and what a bare number means: the last list."""

from storage.migrations.dialects import execute

revision = "0005"
down_revision = "0004"

_TABLES = """
CREATE TABLE reminders (
    id {integer} PRIMARY KEY,
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    code TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    task TEXT NOT NULL,
    schedule TEXT NOT NULL,
    created_at {integer} NOT NULL,
    next_at {integer},
    fired {integer} NOT NULL,
    paused_at {integer},
    medicine TEXT,
    nagging TEXT,
    deleted_at {integer},
    UNIQUE (user_id, code)
) {options};
-- Millions may wait: the scheduler reads the next few of them, the purge those that have ended.
CREATE INDEX reminders_next ON reminders (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX reminders_resting ON reminders (id) WHERE next_at IS NULL;

CREATE TABLE occurrences (
    id {integer} PRIMARY KEY,
    reminder_id {integer} NOT NULL REFERENCES reminders ON DELETE CASCADE,
    user_id {integer} NOT NULL,
    due_at {integer} NOT NULL,
    fired_at {integer} NOT NULL,
    missed {integer} NOT NULL,
    answer TEXT,
    answered_at {integer},
    nagged {integer} NOT NULL,
    again_at {integer},
    UNIQUE (reminder_id, due_at)
) {options};
CREATE INDEX occurrences_again ON occurrences (again_at) WHERE again_at IS NOT NULL;
CREATE INDEX occurrences_fired ON occurrences (fired_at);

CREATE TABLE last_lists (
    user_id {integer} PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    codes TEXT NOT NULL
) {options};
"""


def upgrade() -> None:
    """Add the tables."""
    execute(_TABLES)
