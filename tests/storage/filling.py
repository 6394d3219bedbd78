"""Fills any schema with rows that it takes: what others add to it is filled too, without a word here.

Rows are made up at random from what the columns are called and what is allowed in them; those that the database does
not take are made up anew. A new column that holds something special may need a line in `SPECIAL`.
"""

from __future__ import annotations

import random
import re
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from storage.moving.sqlite_side import tables_of
from storage.moving.table import in_order
from storage.sqlite_file import connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRIES = 300
"""How often a row is made up anew before its table counts as full."""

TEXTS = ("", "x", "ünïcödé 🙂 слово", "two\nlines\tand a tab", "'quoted\" 100% :it $1", "[]", "{}", " ")
TAME = (0, 1, 2, 9, 120)
WILD = (-1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63))
REALS = (0.5, 1.0, 2.25, 30.0)
WILD_REALS = (0.1, -0.0, 1e300, 5e-324, float("inf"), float("-inf"))

_IN_LIST = re.compile(r"(\w+) IN \(\s*('[^)]*')\s*\)")


class Column(Struct, frozen=True):
    """A column: its kind as SQLite calls it, and the only texts that are allowed in it, if there are such."""

    name: str
    kind: str
    nullable: bool
    allowed: tuple[str, ...]


def fill(path: Path, *, rows: int = 30, wild: bool = False, seed: int = 1) -> None:
    """Add some rows to every table of a SQLite file; `wild` values are allowed, but no program would make sense of."""
    chance = random.Random(seed)
    with closing(connect(path)) as database:
        database.execute("BEGIN")
        for name in tables(database):
            assert _fill(database, name, rows, chance, wild=wild), f"no row could be made up that {name} takes"
        database.execute("COMMIT")


def tables(database: sqlite3.Connection) -> list[str]:
    """List the tables, those that others refer to first."""
    return [table.name for table in in_order(tables_of(database))]


def content(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Give all rows of all tables."""
    with closing(sqlite3.connect(path)) as database:
        return {name: rows_of(database, name) for name in tables(database)}


def rows_of(database: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """Give the rows of a table, in a fixed order."""
    found = database.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in found.description]
    return sorted((dict(zip(names, row, strict=True)) for row in found), key=repr)


def _fill(database: sqlite3.Connection, table: str, rows: int, chance: random.Random, *, wild: bool) -> int:
    """Add that many rows, or as many as can be made up; returns how many."""
    columns, references = _columns(database, table), _references(database, table)
    names = ", ".join(column.name for column in columns)
    insert = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"
    added = tries = 0
    while added < rows and tries < TRIES:
        row = {column.name: _value(column, chance, wild=wild) for column in columns}
        for own, others in references:
            if len(own) == 1 or chance.random() < 0.7:
                row.update(zip(own, chance.choice(others), strict=True))
        try:
            database.execute(insert, tuple(row.values()))
        except sqlite3.IntegrityError:
            tries += 1
        else:
            added, tries = added + 1, 0
    return added


def _columns(database: sqlite3.Connection, table: str) -> list[Column]:
    [(sql,)] = database.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    allowed = {name: tuple(re.findall("'([^']*)'", values)) for name, values in _IN_LIST.findall(sql)}
    counted = "AUTOINCREMENT" in sql
    return [
        Column(name, kind, not (required or key), allowed.get(name, ()))
        for _, name, kind, required, _, key in database.execute(f"PRAGMA table_info({table})")
        if not (counted and key)
    ]


def _references(database: sqlite3.Connection, table: str) -> list[tuple[list[str], list[tuple[Any, ...]]]]:
    """Give the columns that refer to other rows, and those that there are; keys of several columns last."""
    keys: dict[int, list[tuple[str, str, str]]] = {}
    for number, place, other, own, their, *_ in database.execute(f"PRAGMA foreign_key_list({table})"):
        keys.setdefault(number, []).append((other, own, their or _key(database, other)[place]))
    return [
        (
            [own for _, own, _ in parts],
            database.execute(f"SELECT {', '.join(their for *_, their in parts)} FROM {parts[0][0]}").fetchall(),
        )
        for parts in sorted(keys.values(), key=len)
    ]


def _key(database: sqlite3.Connection, table: str) -> tuple[str, ...]:
    [key] = [other.key for other in tables_of(database) if other.name == table]
    return key


def _value(column: Column, chance: random.Random, *, wild: bool) -> Any:
    if column.nullable and chance.random() < 0.3:
        return None
    if column.allowed:
        return chance.choice(column.allowed)
    for pattern, make in SPECIAL.items():
        if re.search(pattern, column.name):
            return make(chance)
    match column.kind:
        case "INTEGER":
            return chance.choice((*TAME, chance.getrandbits(52), *(WILD if wild else ())))
        case "REAL":
            return chance.choice(REALS + (WILD_REALS if wild else ()))
        case "BLOB":
            return chance.randbytes(chance.choice((0, 1, 100)))
        case _:
            return chance.choice((*TEXTS, f"text {chance.getrandbits(30)}"))


def _day(chance: random.Random) -> str:
    return (date(2020, 1, 1) + timedelta(days=chance.randrange(4000))).isoformat()


def _instant(chance: random.Random) -> int:
    return chance.randrange(4_000_000_000_000_000)


def _zone(chance: random.Random) -> str:
    return chance.choice(("UTC", "Europe/Paris", "Asia/Kolkata"))


SPECIAL: dict[str, Callable[[random.Random], Any]] = {
    r"(^|_)day$": _day,
    r"_at$": _instant,
    r"(^|_)timezone$": _zone,
}
"""What columns hold that have such a name."""
