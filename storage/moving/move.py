"""The steps of a move: seal the source, copy, seal the target, compare.

A source that stays as it is for the one attempt there will be is sealed while it is copied.

What was copied is noted in the target together with the rows themselves, so that a move which was killed goes on
where it was. Until it is finished nothing else uses the target: see `storage.migrations.runner.refuse_unfinished`.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from migrebot.errors import UserError
from storage.moving.table import Key, Seal, Sealing, in_order

if TYPE_CHECKING:
    from storage.moving.side import Side
    from storage.moving.table import Table


class Report(Protocol):
    """Is told how far a step has come."""

    def __call__(self, step: str, rows: int, of: int) -> None:
        """Take note that so many rows of all are done."""
        ...


class State(Struct, frozen=True):
    """How far a move has come: the rows of the table `at` up to the key `after`, and of all tables before it.

    `source` and its `seals` tell whether the source is still what it was; `spoilt` that the copy cannot be used.
    """

    source: str
    seals: dict[str, Seal]
    at: str = ""
    after: Key = ()
    rows: int = 0
    spoilt: bool = False


async def move(source: Side, target: Side, report: Report, *, resumable: bool = True) -> str:
    """Copy everything, and compare; returns one line on what was done, raises `UserError`.

    A target that keeps nothing of a move that fails is not `resumable`.
    """
    if source.name == target.name:
        raise UserError(f"source and target are the same database: {source.name}")
    moving = _Move(source, target, report, resumable=resumable)
    try:
        async with source.as_source(), target.as_target():
            return await moving.run()
    except UserError as error:
        if not moving.begun or not resumable:
            raise
        raise UserError(f"{error}; the target is unfinished: give the same command again") from error


async def _found(source: Side, target: Side, tables: list[Table]) -> State | None:
    noted = await target.state()
    if noted is None:
        # The one table that says something about a run, not about people: it is there once the program was started.
        if any([await target.count(table) for table in tables if table.name != "meta"]):
            raise UserError(f"{target.name} holds data already: give an empty database")
        return None
    state = msgspec.json.decode(noted, type=State)
    if state.source != source.name:
        raise UserError(f"{target.name} holds an unfinished copy of {state.source}: finish that, or give another one")
    return state


class _Move:
    """One move; `begun` tells that the target was changed."""

    def __init__(self, source: Side, target: Side, report: Report, *, resumable: bool) -> None:
        self._source = source
        self._target = target
        self._report = report
        self._resumable = resumable
        self._tables: list[Table] = []
        self._all = 0
        self.begun = False

    async def run(self) -> str:
        """Do all steps that are still to be done, between the open sides; returns one line on what was done."""
        self._tables = in_order(await self._source.tables())
        if set(self._tables) != set(await self._target.tables()):
            raise UserError(f"{self._source.name} and {self._target.name} have different tables")
        found = await _found(self._source, self._target, self._tables)
        self._all = sum([await self._source.count(table) for table in self._tables])
        known = await self._seals(self._source, "reading") if self._resumable else {}
        state = await self._begin(found, known)
        copied = await self._copy(state)
        await self._target.settle()
        await self._compare(state if self._resumable else replace(state, seals=copied))
        numbers = {table: await self._source.last_number(table) for table in self._tables if table.counter}
        await self._target.finish(numbers)
        return (
            f"{self._target.name}: {self._all} rows of {len(self._tables)} tables"
            f" were copied from {self._source.name} and compared"
        )

    async def _begin(self, found: State | None, seals: dict[str, Seal]) -> State:
        """Go on from the state that was found, if the source is still what it was, else begin anew."""
        if found is not None and found.seals == seals and not found.spoilt:
            self.begun = True
            return found
        state = State(self._source.name, seals)
        await self._target.begin(self._tables, _written(state))
        self.begun = True
        return state

    async def _seals(self, side: Side, step: str) -> dict[str, Seal]:
        seals, rows = {}, 0
        for table in self._tables:
            sealing = Sealing()
            async with aclosing(side.batches(table)) as batches:
                async for batch in batches:
                    sealing.add(batch)
                    rows += len(batch)
                    self._report(step, rows, self._all)
            seals[table.name] = sealing.seal()
        return seals

    async def _copy(self, state: State) -> dict[str, Seal]:
        """Copy what is not copied yet; gives the seals of that."""
        seals = {}
        names = [table.name for table in self._tables]
        for table in self._tables[names.index(state.at) if state.at else 0 :]:
            sealing = Sealing()
            after = state.after if table.name == state.at else ()
            async with aclosing(self._source.batches(table, after)) as batches:
                async for batch in batches:
                    rows = state.rows + len(batch)
                    state = replace(state, at=table.name, after=table.key_of(batch[-1]), rows=rows)
                    await self._target.write(table, batch, _written(state))
                    if not self._resumable:
                        sealing.add(batch)
                    self._report("copying", rows, self._all)
            seals[table.name] = sealing.seal()
        return seals

    async def _compare(self, state: State) -> None:
        found = await self._seals(self._target, "comparing")
        wrong = [name for name, seal in state.seals.items() if found[name] != seal]
        if wrong:
            await self._target.note(_written(replace(state, spoilt=True)))
            raise UserError(f"{self._target.name}: the copy differs from {self._source.name} in {', '.join(wrong)}")


def _written(state: State) -> str:
    return msgspec.json.encode(state).decode()
