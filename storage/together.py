"""Which units can be executed together: the same change of all of them by one statement with many rows.

A statement costs the same however little it does: on SQLite the thread gives up the interpreter for each, and a busy
event loop gives it back late; on Postgres each is a way to the server and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from storage.applying import Posting, PreparedUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from storage.columns import Row

# The changes that can be, in an order in which they may always be executed (a row comes after those it refers to),
# each with the places among its values where it says what it changes, by kind: whose row it is, which address,
# which reminder, which firing of one.
_CHANGED: dict[str, dict[str, int]] = {
    "save_user": {"user": 0},
    "save_identity": {"user": 2, "address": 0},
    "save_asking": {"user": 0},
    "save_correspondence": {"user": 0},
    "save_headache": {"user": 1},
    "clear_free": {"user": 0},
    "clear_intakes": {"user": 1},
    "save_intake": {"user": 1},
    "save_pressure": {"user": 1},
    "save_drug": {"user": 1},
    "save_overuse_notice": {"user": 0},
    "save_announcement_wish": {"user": 0},
    "save_reminder": {"user": 1, "reminder": 0},
    "save_next_firing": {"reminder": 2},
    "save_occurrence": {"reminder": 1, "firing": 0},
    "save_next_repeat": {"firing": 2},
    "save_last_list": {"user": 0},
    "save_session": {"user": 0},
    "end_session": {"user": 0},
    "offer_keyboard": {"address": 0},
    "enqueue": {},
}
IN_ORDER = tuple(_CHANGED)
_RANK = {name: rank for rank, name in enumerate(IN_ORDER)}
_Thing: TypeAlias = "tuple[str, Row | int]"
_About: TypeAlias = "tuple[set[_Thing], set[_Thing]]"
_KEY = 6
"""The place of the key among the values of `enqueue`."""


def runs(units: Iterable[PreparedUnit]) -> Iterator[list[PreparedUnit]]:
    """Split units into runs of such as can be executed together, since none changes what another one is about.

    A run of one is executed by itself.
    """
    run: list[PreparedUnit] = []
    changed: set[_Thing] = set()
    used: set[_Thing] = set()
    for unit in units:
        about = _about(unit)
        if run and (about is None or _clash(about, (changed, used))):
            yield run
            run, changed, used = [], set(), set()
        run.append(unit)
        if about is None:
            yield run
            run = []
        else:
            changed |= about[0]
            used |= about[1]
    if run:
        yield run


def _clash(about: _About, before: _About) -> bool:
    changed, used = about
    return not (changed.isdisjoint(before[0]) and changed.isdisjoint(before[1]) and used.isdisjoint(before[0]))


def _about(unit: PreparedUnit) -> _About | None:
    """Tell what a unit changes and what it relies on; None if it has to be executed by itself, in its own order."""
    changed: set[_Thing] = set()
    used: set[_Thing] = set()
    rank = 0
    for step in unit.steps:
        statement = step.add if isinstance(step, Posting) else step
        name, values = statement.sql, statement.values
        if name not in _RANK or _RANK[name] < rank:
            return None
        if name == "enqueue" and values[_KEY] is not None:
            return None  # if the key waits already, this one is not added and has no ticket
        rank = _RANK[name]
        if name == "enqueue":
            used.add(("address", values[:2]))
        for kind, place in _CHANGED[name].items():
            changed.add((kind, values[place : place + 2] if kind == "address" else values[place]))
    return changed, used
