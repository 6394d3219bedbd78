"""What a move needs of the database on either side of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from contextlib import AbstractAsyncContextManager

    from storage.moving.table import Key, Row, Table

BATCH = 1_000
"""Rows that are read, written and noted as moved together: at most some MB, even of the largest rows."""

PATIENCE_S = 2
"""Seconds to wait for another process that may be about to end, such as a move that was killed a moment ago."""


class Side(Protocol):
    """A database that is moved from or to.

    It is used inside of one of its two contexts, which keep every other process of the program away from it. Every
    method raises `UserError` for what the operator can mend.
    """

    @property
    def name(self) -> str:
        """What the database is called, without a password; two sides of the same name are the same database."""
        ...

    def as_source(self) -> AbstractAsyncContextManager[None]:
        """Open a database that is there and has the newest schema."""
        ...

    def as_target(self) -> AbstractAsyncContextManager[None]:
        """Open a database, and make it and its schema if need be."""
        ...

    async def tables(self) -> list[Table]:
        """List the tables there are to be moved."""
        ...

    async def count(self, table: Table) -> int:
        """Count the rows of a table."""
        ...

    def batches(self, table: Table, after: Key = ()) -> AsyncGenerator[Sequence[Row], None]:
        """Give the rows of a table in the order of their keys, those behind a key or all."""
        ...

    async def last_number(self, table: Table) -> int:
        """Tell the highest number that the table's counter ever gave out, 0 if it gave none."""
        ...

    async def state(self) -> str | None:
        """Give what was noted last of an unfinished move to this database; None if there is none."""
        ...

    async def begin(self, tables: Sequence[Table], state: str) -> None:
        """Delete all rows and note that a move began."""
        ...

    async def write(self, table: Table, rows: Sequence[Row], state: str) -> None:
        """Add rows and note the state, both or nothing; a crash may take back the last of these, never one before."""
        ...

    async def settle(self) -> None:
        """Do what waited until all rows are there: from now on nothing is taken back."""
        ...

    async def note(self, state: str) -> None:
        """Note the state alone."""
        ...

    async def finish(self, numbers: dict[Table, int]) -> None:
        """Let the counters go on behind these numbers, and note that the move is finished, both or nothing."""
        ...
