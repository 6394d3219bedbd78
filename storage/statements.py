"""What a driver gives those who work with the database: named SQL to be executed, within its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from migrebot.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from storage.columns import Row

T = TypeVar("T")


class NeedsSavepoints(Exception):
    """Raised by work of which a part failed that has to be taken back alone: all is done again, with savepoints.

    A savepoint for every unit makes SQLite copy every page that the unit is about to change: measured, a third of the
    time of a unit, for something that hardly ever happens. To Postgres it is two more ways to the server and back.
    """


class Statements(Protocol):
    """Executes named SQL; each may be executed once more when its turn comes, so nothing else may be changed by it.

    SQLite never lets the work wait (its driver counts on that): work may await nothing but these.
    """

    with_savepoints: bool
    """Whether work is to guard its parts against each other."""

    unstorable: tuple[type[Exception], ...]
    """What a value raises that the schema does not take; it speaks of one unit alone, not of the database."""

    def told(self, error: Exception) -> str:
        """Say what such an error is about, without a word of the values."""
        ...

    async def fetch(self, name: str, values: Row = ()) -> Sequence[Row]:
        """Execute and give what was found."""
        ...

    async def execute(self, name: str, values: Row = ()) -> int:
        """Execute and tell how many rows were touched."""
        ...

    async def fetch_each(self, name: str, values: Sequence[Row]) -> list[list[Row]]:
        """Give what is found for each of these values, in their order."""
        ...

    async def fetch_many(self, name: str, values: Sequence[Row]) -> Sequence[Row]:
        """Execute SQL that has one list of placeholders after VALUES for many rows; give what was found in all."""
        ...

    async def execute_many(self, name: str, values: Sequence[Row]) -> int:
        """Do so and tell how many rows were touched."""
        ...

    async def insert(self, name: str, values: Sequence[Row]) -> list[int]:
        """Add rows to a table that numbers them, and give their ids; of several, all have to be new.

        One alone that conflicts with another gives none.
        """
        ...

    async def plain(self, sql: str) -> None:
        """Execute SQL that has no name: what steers transactions."""
        ...


class Work(Generic[T]):
    """Something to be done with the database; `committed` is called with its result once it is durable.

    `run` may be called again, after what it did before was taken back. `users` are those whose data it changes: where
    several processes write, others have to wait for them. Work that reads by `several` statements has them all see the
    same moment. `unheard` is called with the result if it turns out that the work was stored though its caller had to
    be told that it was not.
    """

    def __init__(
        self,
        run: Callable[[Statements], Coroutine[Any, Any, T]],
        *,
        writes: bool,
        several: bool = False,
        users: Iterable[int] = (),
        committed: Callable[[T], object] | None = None,
        unheard: Callable[[T], object] | None = None,
    ) -> None:
        self.run = run
        self.writes = writes
        self.several = several
        self.users = users
        self.unheard = unheard
        self.done = False
        self._committed = committed
        self._result: Any = None
        self._error: BaseException | None = None

    def succeed(self, result: T) -> None:
        """Note the result, which is durable."""
        self._result = result
        self.done = True

    def follow(self) -> None:
        """Let those who keep a copy of what is stored follow."""
        if self._committed is not None:
            self._committed(self._result)

    def fail(self, error: BaseException) -> None:
        """Note that nothing came of it."""
        self._error = error
        self.done = True

    @property
    def result(self) -> T:
        """Give the result, or raise the error."""
        if isinstance(self._error, StorageUnavailable):
            raise StorageUnavailable(str(self._error))  # its own for everyone who shared the transaction
        if self._error is not None:
            raise RuntimeError("the storage met a fault of the program") from self._error
        result: T = self._result
        return result
