"""How a value looks in a column: instants are microseconds since the epoch, truth is 0 or 1, lists are JSON text.

Shared by the drivers. Text a database cannot hold (NUL on Postgres, lone surrogates on both) is stored with U+FFFD
in its place: a note with a broken character in it is still a note, and whoever wrote it does not know why it should
be refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec

Row: TypeAlias = "tuple[Any, ...]"
"""A row of a result, or the values of a statement."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
BEGINNING = -(2**62)
"""Microseconds before any instant there is."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_encode = msgspec.json.Encoder().encode
_strings = msgspec.json.Decoder(tuple[str, ...]).decode


def micros(instant: datetime) -> int:
    """Give the microseconds since the epoch."""
    return (instant - _EPOCH) // _MICROSECOND


def maybe_micros(instant: datetime | None) -> int | None:
    """Do so, if there is an instant."""
    return None if instant is None else micros(instant)


def instant(value: int) -> datetime:
    """Read an instant, in UTC."""
    return _EPOCH + value * _MICROSECOND


def maybe_instant(value: int | None) -> datetime | None:
    """Read an instant, if there is one."""
    return None if value is None else instant(value)


def truth(value: int | None) -> bool | None:
    """Read yes, no or unknown."""
    return None if value is None else bool(value)


def clean(text: str) -> str:
    """Replace what no database holds by U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text  # three times as fast, and most are
    return _UNSTORABLE.sub("\ufffd", text)


def maybe_clean(text: str | None) -> str | None:
    """Do so, if there is a text."""
    return None if text is None else clean(text)


def to_json(value: Any) -> str:
    """Give the JSON of a value or record, clean."""
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return _encode(_clean_all(msgspec.to_builtins(value))).decode()


def _clean_all(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case list():
            return [_clean_all(item) for item in value]
        case dict():
            return {_clean_all(key): _clean_all(item) for key, item in value.items()}
        case _:
            return value


def maybe_json(value: tuple[str, ...] | None) -> str | None:
    """Give the JSON of a list of strings, if there is one."""
    return None if value is None else to_json(value)


def strings(text: str) -> tuple[str, ...]:
    """Read a JSON list of strings."""
    return _strings(text)


def maybe_strings(text: str | None) -> tuple[str, ...] | None:
    """Read a JSON list of strings, if there is one."""
    return None if text is None else _strings(text)
