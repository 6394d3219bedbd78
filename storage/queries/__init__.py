"""The named SQL: blocks in `*.sql` files, each headed by `-- name: what it does`.

Written for SQLite and Postgres alike: parameters are `?` in order (never numbered: some versions of Python 3.12 take
numbered ones for named), instants are integers, JSON is text, truth is 0 or 1. Postgres has to know the type of each
parameter: where no column beside it tells, it says `CAST(? AS BIGINT)`. The few blocks that Postgres cannot share stand
once more, with the same name and parameters, in `postgres/`.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

VALUES = re.compile(r"VALUES \(((?:[^()]|\([^()]*\))*)\)")
"""The list of placeholders after VALUES; they may stand in casts."""

_HEADING = re.compile(r"^-- (\w+): .+\.\n", re.MULTILINE)


@cache
def named_sql() -> dict[str, str]:
    """Read all blocks: their SQL by their names, as SQLite takes it."""
    return _read(files(__package__))


@cache
def only_for_postgres() -> dict[str, str]:
    """Read the blocks that stand in for those of the same name on Postgres."""
    return _read(files(__package__) / "postgres")


def _read(directory: Traversable) -> dict[str, str]:
    blocks: dict[str, str] = {}
    for name, sql in _blocks(directory):
        if name in blocks:
            raise ValueError(f"two blocks are named {name}")
        blocks[name] = sql.strip().removesuffix(";")
    return blocks


def _blocks(directory: Traversable) -> Iterator[tuple[str, str]]:
    for file in sorted(directory.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            _, *parts = _HEADING.split(file.read_text(encoding="utf-8"))
            yield from zip(parts[::2], parts[1::2], strict=True)


@cache
def for_rows(name: str, count: int) -> str:
    """Give a block for so many rows: its one list of placeholders after VALUES is repeated."""
    sql, lists = VALUES.subn(lambda found: "VALUES " + ", ".join([f"({found[1]})"] * count), named_sql()[name])
    if lists != 1:
        raise ValueError(f"{name} is not made for many rows")
    return sql
