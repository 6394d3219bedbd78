"""What the databases call the same thing; revisions are written in these words."""

from __future__ import annotations

_WORDS = {
    "sqlite": {
        "integer": "INTEGER",
        "real": "REAL",
        "blob": "BLOB",
        "serial": "INTEGER PRIMARY KEY AUTOINCREMENT",  # never used again, even when the last row was deleted
        "options": "STRICT",
        "keyed": "STRICT, WITHOUT ROWID",  # one tree instead of two for a table that is found by its key alone
    },
}


def in_words_of(dialect: str, sql: str) -> list[str]:
    """Give the statements (each ends with `;` at the end of a line) as that database writes them."""
    return [statement for part in sql.format(**_WORDS[dialect]).split(";\n") if (statement := part.strip())]
