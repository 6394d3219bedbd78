"""What the migrations of both databases share: the newest revision, and what is to be said of others."""

from __future__ import annotations

from pathlib import Path

from migrebot.errors import UserError

NEWEST = "0007"
"""The revision this program needs; a test compares it with Alembic's head."""

SCRIPTS = Path(__file__).parent


def refuse_newer(place: str, stored: str | None, newest: str, scripts: Path) -> None:
    """Raise `UserError` if the revision stored at the place is none that this program knows."""
    if stored not in {None, newest} and not any((scripts / "versions").glob(f"{stored}_*.py")):
        raise UserError(
            f"{place} was written by a newer version of this program: its schema is {stored}, known here is {newest}"
        )


def outcome(place: str, before: str | None) -> str:
    """Tell in one line what a migration did; `before` is what the revision was, None without a schema."""
    if before == NEWEST:
        return f"{place}: the schema is {NEWEST} already"
    return f"{place}: the schema is {NEWEST} now, it was {before or 'empty'}"
