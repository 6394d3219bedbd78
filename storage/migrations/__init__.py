"""The schema and how it came about: Alembic revisions of plain SQL, and what brings a database up to date."""

from storage.migrations.runner import NEWEST

__all__ = ["NEWEST"]
