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
# each with the table it touches and which of its values tell what it touches there.
_TOUCHES = {
    "save_user": ("users", slice(0, 1)),
    "save_identity": ("identities", slice(0, 2)),
    "save_headache": ("headaches", slice(0, 1)),
    "clear_intakes": ("intakes", slice(1, 2)),  # any of the user's
    "save_intake": ("intakes", slice(1, 2)),
    "save_pressure": ("pressures", slice(0, 1)),
    "save_drug": ("drugs", slice(0, 1)),
    "save_session": ("sessions", slice(0, 1)),
    "end_session": ("sessions", slice(0, 1)),
    "enqueue": ("outbox", slice(6, 7)),  # its key
}
IN_ORDER = tuple(_TOUCHES)
_RANK = {name: rank for rank, name in enumerate(_TOUCHES)}
_NO_KEY = (None,)


def runs(units: Iterable[PreparedUnit]) -> Iterator[list[PreparedUnit]]:
    """Split units into runs of such as can be executed together; a run of one is executed by itself."""
    run: list[PreparedUnit] = []
    touched: set[tuple[str, Row]] = set()
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


def _touches(unit: PreparedUnit) -> set[tuple[str, Row]] | None:
    """Tell the rows a unit touches; None if it has to be executed by itself, its own steps in their own order."""
    touches: set[tuple[str, Row]] = set()
    if unit.receive is not None:
        touches.add(("inbox", unit.receive.values[:2]))
    rank = 0
    for step in unit.steps:
        statement = step.add if isinstance(step, Posting) else step
        if statement.sql not in _TOUCHES or _RANK[statement.sql] < rank:
            return None
        rank = _RANK[statement.sql]
        table, place = _TOUCHES[statement.sql]
        thing = statement.values[place]
        if table != "outbox":
            touches.add((table, thing))
        elif thing != _NO_KEY:
            return None  # it may not be added, and then has no ticket
    return touches
