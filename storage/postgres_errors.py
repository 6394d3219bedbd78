"""The one place that knows the errors of asyncpg and of the way to a Postgres server."""

from __future__ import annotations

import ssl

import asyncpg
from asyncpg import exceptions as pg

from migrebot.errors import StorageUnavailable

# What may pass by itself, or once the operator did something about the server: nothing that a statement is to blame
# for. The class of a SQLSTATE is its first two characters (Postgres manual, appendix A).
_CLASSES = {
    "08": "the connection to the database was lost",
    "25": "the database takes no changes now",
    "40": "the transaction collided with another one",
    "53": "the database server lacks resources",
    "55": "the database is locked by another process",
    "57": "the database server is stopping or starting, or took too long",
    "58": "the database server has a problem with its system",
    "XX": "the database server has a fault",
}

_STATES = {
    "28P01": "the database server refused the password",
    "28000": "the database server refused the login",
    "3D000": "there is no such database",
    "42501": "the database server refused permission",
    "53100": "the disk of the database server is full",
    "53200": "the database server is out of memory",
    "53300": "the database server takes no more connections",
    "25006": "the database is read-only",
    "57014": "the database took too long",
}


def reason(error: BaseException) -> str | None:
    """Say in words why the database could not do its work; None for what is not its fault but the program's.

    The words of the server are left out: they may quote what was to be stored.
    """
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return _STATES.get(state) or _CLASSES.get(state[:2])
    if isinstance(error, pg.ClientConfigurationError):
        return "the address of the database cannot be understood"
    if isinstance(error, TimeoutError):
        return "the database server did not answer in time"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection to the database server: {error.reason or 'TLS failed'}"
    if isinstance(error, ConnectionRefusedError):
        return "the database server refused the connection"
    if isinstance(error, OSError):
        return f"the database server cannot be reached: {error.strerror or type(error).__name__}"
    if isinstance(error, asyncpg.InterfaceError) and "closed" in str(error):
        return _CLASSES["08"]
    return None


def unavailable(error: BaseException) -> StorageUnavailable | None:
    """Translate an error that may pass; None for one that cannot."""
    words = reason(error)
    return None if words is None else StorageUnavailable(words)


UNSTORABLE: tuple[type[Exception], ...] = (
    pg.IntegrityConstraintViolationError,
    pg.DataError,
    pg.CardinalityViolationError,
    pg.ProgramLimitExceededError,
)
"""What a value raises that the schema does not take, or a row that a statement for many would change twice; it speaks
of one unit alone, not of the database."""

DRIVER = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""All that asyncpg raises; its time-outs are OSErrors."""

# The server ends the connection (57P01 to 57P05), or it became a standby, which takes no changes.
_ENDED = {"57P01", "57P02", "57P03", "57P04", "57P05", "25006"}


def is_lost(error: BaseException) -> bool:
    """Tell whether the connection that raised this is of no more use."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state in _ENDED or state.startswith("08")
    return isinstance(error, DRIVER) and not isinstance(error, UNSTORABLE)


def may_succeed_at_once(error: BaseException) -> bool:
    """Tell whether a transaction that failed so, and was taken back, may be tried again now.

    So it is with a connection that was lost while nobody used it, with two transactions that waited for each other,
    and with a statement that was prepared for a table as it was before.
    """
    if isinstance(error, TimeoutError):
        return False
    collided = isinstance(error, pg.TransactionRollbackError | pg.InvalidCachedStatementError)
    return collided or is_lost(error)
