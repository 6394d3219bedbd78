"""The named SQL as Postgres takes it: numbered placeholders, and forms of it for many rows at once.

For many rows the values travel as one array for each column. So a statement is the same however many rows there are,
and stays prepared; a list of rows would be another statement for each length.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import count
from typing import TYPE_CHECKING

from storage.queries import VALUES, named_sql, only_for_postgres

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLACEHOLDER = re.compile(r"\?")
_COMMA = re.compile(r", *(?![^()]*\))")
_NO_COLUMN = re.compile(r"\b(LIMIT|OFFSET) \?")


@cache
def single(name: str) -> str:
    """Give a block for one row of values."""
    number = count(1)
    return _PLACEHOLDER.sub(lambda _: f"${next(number)}", _block(name))


@cache
def for_rows(name: str, types: tuple[str, ...]) -> str:
    """Give a block for many rows: the one list of placeholders after VALUES becomes a query over arrays."""
    sql = _block(name)
    found = VALUES.findall(sql)
    if len(found) != 1 or found[0].count("?") != sql.count("?"):
        raise ValueError(f"{name} is not made for many rows")
    query = f"SELECT {_named(_from_columns(found[0]))} FROM {_rows(types)}"  # noqa: S608 - all of it is ours
    return VALUES.sub(lambda _: query, sql)


@cache
def for_each(name: str, types: tuple[str, ...]) -> str | None:
    """Give a query for many rows of values: the number of the row stands before what is found for it, from 1.

    What is found for one row stays in its order: each is a query of its own, one after the other. None for a query
    that cannot be asked so: a LIMIT takes no column.
    """
    sql = _block(name)
    if _NO_COLUMN.search(sql):
        return None
    # Without OFFSET 0, Postgres may see through a query that does not sort and join in another order.
    query = f"SELECT * FROM ({_from_columns(sql)}) AS found OFFSET 0"  # noqa: S608 - all of it is ours
    rows = _rows(types, " WITH ORDINALITY", "number")
    return f"SELECT number, answer.* FROM {rows} CROSS JOIN LATERAL ({query}) AS answer"  # noqa: S608 - likewise


def _block(name: str) -> str:
    return only_for_postgres().get(name) or named_sql()[name]


def _from_columns(sql: str) -> str:
    number = count(1)
    return _PLACEHOLDER.sub(lambda _: f"given.v{next(number)}", sql)


def _named(items: str) -> str:
    """Name the items of a list as VALUES does."""
    return ", ".join(f"{item} AS column{number}" for number, item in enumerate(_COMMA.split(items), 1))


def _rows(types: Sequence[str], kind: str = "", *further: str) -> str:
    arrays = ", ".join(f"${number}::{name}[]" for number, name in enumerate(types, 1))
    names = ", ".join([*(f"v{number}" for number in range(1, len(types) + 1)), *further])
    return f"unnest({arrays}){kind} AS given ({names})"
