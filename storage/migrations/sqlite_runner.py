"""Brings a SQLite file to the newest schema, before anybody uses it.

Alembic (and SQLAlchemy with it) takes half a second and 50 MB to import: only a schema that is not current does.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NoReturn

from migrebot.errors import UserError
from migrebot.logs import get_logger
from storage import sqlite_errors
from storage.migrations.runner import NEWEST, SCRIPTS, UNFINISHED, outcome, refuse_newer, refuse_unfinished
from storage.sqlite_file import BUSY_TIMEOUT_S, ProcessLock, address_of, connect, create_if_missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = get_logger("storage")


def migrate(path: Path) -> str:
    """Bring the schema of the file to the newest revision; returns one line on what was done, raises `UserError`."""
    lock = ProcessLock(path)
    try:
        before = bring_up_to_date(path, locked=lock.acquire())
    finally:
        lock.release()
    return outcome(str(path), before)


def probe(path: Path) -> str:
    """Tell in one line whether the file could be used, without changing it; raises `UserError`."""
    library = f"SQLite {sqlite3.sqlite_version}"
    if not path.exists():
        place = next(parent for parent in path.absolute().parents if parent.exists())
        if not os.access(place, os.W_OK | os.X_OK):
            raise UserError(f"{path} cannot be made: {place} may not be written")
        return f"{library}, {path} will be made"
    stored = known_revision(path)
    try:
        with closing(sqlite3.connect(address_of(path), uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
            connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        give_up(path, error)
    return f"{library}, {path}, schema {stored or 'empty'}" + (f", will be {NEWEST}" if stored != NEWEST else "")


def bring_up_to_date(path: Path, *, locked: bool, newest: str = NEWEST, scripts: Path = SCRIPTS) -> str | None:
    """Do so and tell what the revision was before (None: there was no schema); raises `UserError`.

    Without the process lock (`locked`) it is only made sure that there is nothing to do.
    """
    create_if_missing(path)
    stored = known_revision(path, newest, scripts)
    if stored == newest:
        return stored
    if not locked:
        raise UserError(f"{path} needs a new schema but is in use by another process: stop that one first")
    if stored is not None:
        copy = _keep_copy(path, newest)
        log.info("schema_copy_kept", file=copy.name)
    _upgrade(path, scripts)
    log.info("schema_migrated", before=stored or "none", now=newest)
    return stored


def make_empty(path: Path) -> None:
    """Make a new file with the newest schema and nothing in it; raises `UserError`."""
    create_if_missing(path)
    _upgrade(path, SCRIPTS)


def known_revision(
    path: Path, newest: str = NEWEST, scripts: Path = SCRIPTS, *, unfinished: bool = False
) -> str | None:
    """Tell the revision of the file's schema, None for an empty file; raises `UserError`.

    A copy that a move left unfinished is refused, unless just that is expected.
    """
    stored = _stored_revision(path)
    if not unfinished and is_unfinished(path):
        refuse_unfinished(str(path))
    refuse_newer(str(path), stored, newest, scripts)
    return stored


def _stored_revision(path: Path) -> str | None:
    with _untouched(path) as connection:
        tables = _tables(connection)
        if not tables:
            return None
        if "alembic_version" not in tables or "users" not in tables:
            raise UserError(f"{path} is a database of another program")
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def is_unfinished(path: Path) -> bool:
    """Tell whether a move to the file was begun and not finished; raises `UserError`."""
    with _untouched(path) as connection:
        return UNFINISHED in _tables(connection)


@contextmanager
def _untouched(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        # Without our settings: a file that turns out not to be ours is left as it is.
        with closing(sqlite3.connect(address_of(path), uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
            yield connection
    except sqlite3.Error as error:
        give_up(path, error)


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _keep_copy(path: Path, revision: str) -> Path:
    copy = path.with_name(f"{path.name}.before-{revision}")
    part = copy.with_name(copy.name + ".part")
    part.unlink(missing_ok=True)
    create_if_missing(part)
    try:
        with closing(connect(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        part.unlink(missing_ok=True)
        give_up(path, error)
    part.replace(copy)
    return copy


def _upgrade(path: Path, scripts: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, event, exc
    from sqlalchemy.pool import NullPool

    engine = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)
    # The driver does not begin transactions by itself (`connect` sees to that), so SQLAlchemy has to say it.
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    config = Config(attributes={"schema": None})
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except exc.DBAPIError as error:
        if not isinstance(error.orig, sqlite3.Error):
            raise
        give_up(path, error.orig)


def give_up(path: Path, error: sqlite3.Error) -> NoReturn:
    """Raise `UserError` with the reason; an error of the program is raised as it is."""
    words = sqlite_errors.reason(error)
    if words is None:
        raise error
    raise UserError(f"{path} cannot be opened: {words}") from error
