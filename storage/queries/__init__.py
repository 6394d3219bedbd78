"""The named SQL: blocks in `*.sql` files, each headed by `-- name: what it does`.

Written for SQLite and Postgres alike: parameters are `?` in order (never numbered: some versions of Python 3.12 take
numbered ones for named), instants are integers, JSON is text, truth is 0 or 1.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_VALUES = re.compile(r"VALUES (\([^()]*\))")
_HEADING = re.compile(r"^-- (\w+): .+\.\n", re.MULTILINE)


@cache
def named_sql() -> dict[str, str]:
    """Read all blocks: their SQL by their names."""
    blocks: dict[str, str] = {}
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            _, *parts = _HEADING.split(file.read_text(encoding="utf-8"))
            for name, sql in zip(parts[::2], parts[1::2], strict=True):
                if name in blocks:
                    raise ValueError(f"two blocks are named {name}")
                blocks[name] = sql.strip().removesuffix(";")
    return blocks


@cache
def for_rows(name: str, count: int) -> str:
    """Give a block for so many rows: its one list of placeholders after VALUES is repeated."""
    sql, lists = _VALUES.subn(lambda found: "VALUES " + ", ".join([found[1]] * count), named_sql()[name])
    if lists != 1:
        raise ValueError(f"{name} is not made for many rows")
    return sql
