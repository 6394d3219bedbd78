"""Documents on demand: a recipe and a user's data become bytes, in a worker thread.

The libraries that write them are imported there too: that takes longer than the event loop may be held.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import anyio.to_thread

from migrebot.diary.summary import Window
from migrebot.errors import Refused
from migrebot.i18n import translator
from storage.facts import AllOf, EntriesBetween, OwnDrugs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.diary.entries import Drug
    from migrebot.messages import Document
    from storage.facts import Entries, Everything
    from storage.interface import Storage


class Renderer:
    """Renders the documents that the outbox names.

    `export` takes a `format` and a `language`; `statistics` a `kind`, the `first` and `last` day, and a `language`.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def __call__(self, document: Document, user_id: int) -> bytes:
        """Render the document from what is stored now; raises `Refused` for a recipe there is none for."""
        match document.recipe, document.arguments:
            case "export", {"format": form, "language": language}:
                return await self._export(user_id, form, language)
            case "statistics", {"kind": kind, "first": first, "last": last, "language": language}:
                window = Window(date.fromisoformat(first), date.fromisoformat(last))
                return await self._statistics(user_id, window, kind, language)
            case _:
                raise Refused(f"no recipe {document.recipe!r}")

    async def _export(self, user_id: int, form: str, language: str) -> bytes:
        fact = AllOf(user_id)
        everything = (await self._storage.load([fact]))[fact]
        return await anyio.to_thread.run_sync(_export, everything, form, language)

    async def _statistics(self, user_id: int, window: Window, kind: str, language: str) -> bytes:
        entries, own = EntriesBetween(user_id, window.first, window.last), OwnDrugs(user_id)
        found = await self._storage.load([entries, own])
        return await anyio.to_thread.run_sync(_statistics, found[entries], found[own], window, kind, language)


def _export(everything: Everything, form: str, language: str) -> bytes:
    from migrebot.reports.export import export

    return export(everything, form, translator(language))


def _statistics(entries: Entries, own: Sequence[Drug], window: Window, kind: str, language: str) -> bytes:
    from migrebot.reports.statistics import statistics_workbook

    return statistics_workbook(entries, own, window, kind, translator(language))
