"""A connection to Postgres that is opened when it is needed, and anew when it was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import postgres_server
from storage.postgres_errors import DRIVER, is_lost, unavailable
from storage.postgres_statements import ParameterTypes, PostgresStatements

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrebot.errors import StorageUnavailable
    from storage.postgres_server import Connection

LOCKED_S = 3
STATEMENT_S = 8
IDLE_IN_TRANSACTION_S = 10
ANSWER_S = 10
"""Seconds: for a lock, which the server gives up first; for a statement; for whoever began a transaction and does not
go on, so that a process that hangs or is cut off does not keep its locks; for an answer of whatever there is in
between, the network included."""

CLOSING_S = 1
"""Seconds that a server has for a goodbye."""

SETTINGS = {
    "lock_timeout": f"{LOCKED_S}s",
    "statement_timeout": f"{STATEMENT_S}s",
    "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_S}s",
    # What "durable" means, whatever the role has as its own.
    "synchronous_commit": "on",
    # What the plans are for does not change, and a plan costs as much as what it is for.
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}


class Link:
    """One connection of the budget. `notice` is told of every failure to get or keep it, and of every success."""

    def __init__(self, url: str, types: ParameterTypes, notice: Callable[[StorageUnavailable | None], None]) -> None:
        self._url = url
        self._types = types
        self._notice = notice
        self._connection: Connection | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether there is a connection that is not known to be lost."""
        return self._connection is not None and not self._connection.is_closed()

    async def connection(self) -> Connection:
        """Give the connection; raises `StorageUnavailable`."""
        if self._connection is not None and self._connection.is_closed():
            self.drop()
        if self._connection is None:
            try:
                self._connection = await postgres_server.connect(self._url, SETTINGS, answer_within_s=ANSWER_S)
            except DRIVER as error:
                raise self.unavailable(error) from error
        return self._connection

    def statements(self, connection: Connection) -> PostgresStatements:
        """Give what executes named SQL on it."""
        return PostgresStatements(connection, self._types)

    def unavailable(self, error: BaseException) -> StorageUnavailable:
        """Translate the error and let go of a connection that it spoils; what is the program's fault is raised."""
        if is_lost(error):
            self.drop()
        found = unavailable(error)
        if found is None:
            raise error
        self._notice(found)
        return found

    def works(self) -> None:
        """Note that the server did what it was asked for."""
        self._notice(None)

    def drop(self) -> None:
        """Let go of the connection without a word to the server; what it had not committed is taken back."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Close it, at once if the server does not answer: the program has to end."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                await connection.close(timeout=CLOSING_S)
            except DRIVER:
                connection.terminate()
