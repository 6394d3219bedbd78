"""What there is to be moved, as both kinds of database tell it: nothing here knows a single table by its name."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

from storage.migrations.runner import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row: TypeAlias = "tuple[Any, ...]"
"""Integers, floats, texts, bytes and None, in the order of the table's columns."""

Key: TypeAlias = "tuple[int | str, ...]"
"""The values of a row's primary key."""

NOTED = "backup_content"
"""The table in which a backup tells what it holds: see `storage.backups`."""

NOT_MOVED = frozenset({"alembic_version", UNFINISHED, NOTED})
"""What each database has for itself."""

_MODULUS = 1 << 128
_encode = msgspec.msgpack.Encoder().encode
_ZEROS = _encode(-0.0), _encode(0.0)
"""SQLite knows no negative zero. Bytes that only look like one are taken for another in both databases alike."""


class Table(Struct, frozen=True):
    """A table: its columns in alphabetical order, its primary key, the tables it refers to.

    `counter` is the column whose values the database gives out, each only once; None without one.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    refers_to: frozenset[str]
    counter: str | None = None

    def key_of(self, row: Row) -> Key:
        """Give the row's key."""
        return tuple(row[self.columns.index(column)] for column in self.key)


class Seal(Struct, frozen=True):
    """How many rows a table has, and a sum over their content that does not depend on their order."""

    rows: int
    content: str


class Sealing:
    """Makes a seal, row by row."""

    def __init__(self) -> None:
        self._rows = 0
        self._content = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Count these rows in."""
        for row in rows:
            written = _encode(row).replace(*_ZEROS)
            self._content += int.from_bytes(blake2b(written, digest_size=16).digest())
        self._rows += len(rows)

    def seal(self) -> Seal:
        """Give the seal of all that were added."""
        return Seal(self._rows, f"{self._content % _MODULUS:032x}")


def quoted(*names: str) -> str:
    """List names as SQL has them."""
    return ", ".join(f'"{name}"' for name in names)


def in_order(tables: Iterable[Table]) -> list[Table]:
    """Sort the tables: those that others refer to come first. Raises `ValueError` if there is no such order."""
    by_name = {table.name: table for table in sorted(tables, key=lambda table: table.name)}
    try:
        names = list(
            TopologicalSorter({name: sorted(table.refers_to) for name, table in by_name.items()}).static_order()
        )
    except CycleError as error:
        raise ValueError(f"these tables refer to each other: {error.args[1]}") from error
    return [by_name[name] for name in names]
