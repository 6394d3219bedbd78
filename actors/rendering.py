"""Documents on demand: a recipe and a user's data become bytes, in a worker thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread

from migrebot.errors import Refused
from migrebot.reports.export import export_json
from storage.facts import AllOf

if TYPE_CHECKING:
    from migrebot.messages import Document
    from storage.interface import Storage


class Renderer:
    """Renders the documents that the outbox names."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def __call__(self, document: Document, user_id: int) -> bytes:
        """Render the document from what is stored now; raises `Refused` for a recipe there is none for."""
        if document.recipe != "export-json":
            raise Refused(f"no recipe {document.recipe!r}")
        fact = AllOf(user_id)
        everything = (await self._storage.load([fact]))[fact]
        return await anyio.to_thread.run_sync(export_json, everything)
