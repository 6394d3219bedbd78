"""Donations: the bills that people asked for, and what was paid, of which the amount stays when a person is erased."""

from storage.migrations.dialects import execute

revision = "0015"
down_revision = "0014"

_TABLES = """
CREATE TABLE bills (
    id {integer} PRIMARY KEY,
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    currency TEXT NOT NULL,
    amount {integer} NOT NULL,
    made_at {integer} NOT NULL
) {options};
CREATE INDEX bills_user ON bills (user_id);
CREATE INDEX bills_made ON bills (made_at);

CREATE TABLE payments (
    charge_id TEXT PRIMARY KEY,
    user_id {integer} REFERENCES users ON DELETE SET NULL,
    bill_id {integer},
    currency TEXT NOT NULL,
    amount {integer} NOT NULL,
    paid_at {integer} NOT NULL,
    refunded_at {integer}
) {keyed};
CREATE INDEX payments_user ON payments (user_id);
CREATE INDEX payments_bill ON payments (bill_id);
"""


def upgrade() -> None:
    """Add the tables."""
    execute(_TABLES)
