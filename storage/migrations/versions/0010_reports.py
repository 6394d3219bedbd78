"""What the daily report is made of: closed days, and who left since the last one."""

from storage.migrations.dialects import execute

revision = "0010"
down_revision = "0009"

_TABLES = """
CREATE TABLE day_reports (
    day TEXT PRIMARY KEY,
    new_users {integer} NOT NULL,
    deleted_users {integer} NOT NULL,
    active_users {integer} NOT NULL,
    notified_users {integer} NOT NULL,
    headaches {integer} NOT NULL,
    intakes {integer} NOT NULL,
    pressures {integer} NOT NULL,
    drugs {integer} NOT NULL
) {keyed};

-- Of people who asked to be forgotten: an id and counts, until the day is closed.
CREATE TABLE departures (
    user_id {integer} NOT NULL,
    left_at {integer} NOT NULL,
    headaches {integer} NOT NULL,
    intakes {integer} NOT NULL,
    pressures {integer} NOT NULL,
    drugs {integer} NOT NULL,
    PRIMARY KEY (left_at, user_id)
) {keyed};

CREATE INDEX headaches_created ON headaches (created_at);
CREATE INDEX intakes_created ON intakes (created_at);
CREATE INDEX pressures_created ON pressures (created_at);
CREATE INDEX drugs_created ON drugs (created_at);
CREATE INDEX users_created ON users (created_at);
"""


def upgrade() -> None:
    """Add the tables, and ways to find what was recorded lately."""
    execute(_TABLES)
