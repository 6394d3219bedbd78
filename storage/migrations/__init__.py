"""The schema and how it came about: Alembic revisions of plain SQL, and what brings a database up to date."""

from storage.migrations.runner import NEWEST, bring_up_to_date, migrate, probe

__all__ = ["NEWEST", "bring_up_to_date", "migrate", "probe"]
