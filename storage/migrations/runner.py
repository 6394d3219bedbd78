"""What the migrations of both databases share: the newest revision, and what is to be said of others."""

from __future__ import annotations

from pathlib import Path

from migrebot.errors import UserError

NEWEST = "0015"
"""The revision this program needs; a test compares it with Alembic's head."""

SCRIPTS = Path(__file__).parent

UNFINISHED = "moving"
"""The table that is there while a move to the database is not finished: see `storage.moving`."""


def refuse_newer(place: str, stored: str | None, newest: str, scripts: Path) -> None:
    """Raise `UserError` if the revision stored at the place is none that this program knows."""
    if stored not in {None, newest} and not any((scripts / "versions").glob(f"{stored}_*.py")):
        raise UserError(
            f"{place} was written by a newer version of this program: its schema is {stored}, known here is {newest}"
        )


def refuse_unfinished(place: str) -> None:
    """Raise `UserError`: the place is the target of a move that did not come to its end."""
    raise UserError(f"{place} is an unfinished copy: give the same `migrebot move` command again")


def insist_on_newest(place: str, stored: str | None) -> None:
    """Raise `UserError` unless the place has the newest schema."""
    if stored is None:
        raise UserError(f"{place} holds no data of this program")
    if stored != NEWEST:
        raise UserError(f"{place} has the schema {stored}, not {NEWEST}: run `migrebot migrate` on it first")


def outcome(place: str, before: str | None) -> str:
    """Tell in one line what a migration did; `before` is what the revision was, None without a schema."""
    if before == NEWEST:
        return f"{place}: the schema is {NEWEST} already"
    return f"{place}: the schema is {NEWEST} now, it was {before or 'empty'}"
