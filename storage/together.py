"""Which units can be executed together: the same change of all of them by one statement with many rows.

A statement costs the same however little it does: on SQLite the thread gives up the interpreter for each, and a busy
event loop gives it back late; on Postgres each is a way to the server and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.applying import Posting, PreparedUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from storage.columns import Row

# The changes that can be, in an order in which they may always be executed (a row comes after those it refers to),
# each with the places among its values where it says whose row it is and which address it is about.
_USER_AND_ADDRESS = {
    "save_user": (0, None),
    "save_identity": (2, 0),
    "save_headache": (1, None),
    "clear_free": (0, None),
    "clear_intakes": (1, None),
    "save_intake": (1, None),
    "save_pressure": (1, None),
    "save_drug": (1, None),
    "save_overuse_notice": (0, None),
    "save_session": (0, None),
    "end_session": (0, None),
    "offer_keyboard": (None, 0),
    "enqueue": (None, 0),
}
IN_ORDER = tuple(_USER_AND_ADDRESS)
_RANK = {name: rank for rank, name in enumerate(IN_ORDER)}
_KEY = 6
"""The place of the key among the values of `enqueue`."""


def runs(units: Iterable[PreparedUnit]) -> Iterator[list[PreparedUnit]]:
    """Split units into runs of such as can be executed together, being about different people and addresses.

    A run of one is executed by itself.
    """
    run: list[PreparedUnit] = []
    touched: set[Row | int] = set()
    for unit in units:
        touches = _touches(unit)
        if run and (touches is None or not touched.isdisjoint(touches)):
            yield run
            run, touched = [], set()
        run.append(unit)
        if touches is None:
            yield run
            run = []
        else:
            touched |= touches
    if run:
        yield run


def _touches(unit: PreparedUnit) -> set[Row | int] | None:
    """Tell the users and addresses a unit is about; None if it has to be executed by itself, in its own order."""
    touches: set[Row | int] = set()
    rank = 0
    for step in unit.steps:
        statement = step.add if isinstance(step, Posting) else step
        name, values = statement.sql, statement.values
        if name not in _RANK or _RANK[name] < rank:
            return None
        if name == "enqueue" and values[_KEY] is not None:
            return None  # if the key waits already, this one is not added and has no ticket
        rank = _RANK[name]
        user, address = _USER_AND_ADDRESS[name]
        if user is not None:
            touches.add(values[user])
        if address is not None:
            touches.add(values[address : address + 2])
    return touches
