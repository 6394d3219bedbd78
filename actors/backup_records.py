"""What the backup actor keeps in the database: how backups fare, what the owner asked for, the token of the Disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actors.waking import wake
from migrebot import logs
from migrebot.i18n import translator
from migrebot.messages import Outgoing, Profile, Say
from migrebot.reports.backups import Figures, remembered
from storage.changes import DropWish, Enqueue, Note, NoteInstant, Unit
from storage.facts import Noted, NotedInstant, Wishes
from storage.names import BACKUP_FIGURES, DISK_ACCESS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from actors.actor import Mailbox
    from migrebot.clock import Clock
    from migrebot.i18n import Translator
    from migrebot.messages import ToDelivery
    from storage.changes import Change
    from storage.interface import Storage
    from storage.records import Wish

BACKED_UP = "backed up at"
"""The name of the instant at which the last backup was begun."""

log = logs.get_logger("backup")


class Records:
    """Reads and writes them; every method may raise `StorageUnavailable`. `figures` are those read or written last."""

    def __init__(self, storage: Storage, delivery: Mailbox[ToDelivery], clock: Clock) -> None:
        self._storage = storage
        self._delivery = delivery
        self._clock = clock
        self._known = False
        self.figures = Figures()

    async def recall(self) -> Figures:
        """Read how the backups fare."""
        if not self._known:
            fact = Noted(0, BACKUP_FIGURES)
            text = (await self._storage.load([fact]))[fact]
            self.figures = remembered(text)
            self._known = True
        return self.figures

    async def note(self, figures: Figures, *also: Change) -> None:
        """Write how the backups fare now, and `also` that."""
        text = msgspec.json.encode(figures).decode()
        await self._storage.commit([Unit(changes=(Note(BACKUP_FIGURES, text), *also))], self._clock.now())
        self.figures = figures

    async def last_time(self) -> datetime:
        """Tell when the last backup was begun; before the first one, when the program ran first."""
        fact = NotedInstant(0, BACKED_UP)
        last: datetime | None = (await self._storage.load([fact]))[fact]
        if last is None:
            last = self._clock.now()
            await self._storage.commit([Unit(changes=(NoteInstant(BACKED_UP, last),))], last)
        return last

    async def token(self) -> str:
        """Read the token that the owner sent; empty if there is none. From now on no log shows it."""
        fact = Noted(0, DISK_ACCESS)
        token: str = (await self._storage.load([fact]))[fact]
        logs.hide(token)
        return token

    async def wishes(self) -> tuple[Wish, ...]:
        """Read what the owner asked for; no log shows a token that is among it."""
        fact = Wishes(0)
        wishes: tuple[Wish, ...] = (await self._storage.load([fact]))[fact]
        for wish in wishes:
            logs.hide(wish.token)
        return wishes

    async def settle(self, wish: Wish, tell: Callable[[Translator], str], *also: Change) -> None:
        """Answer a wish, and do `also` that; nothing happens if it was taken back or replaced meanwhile."""
        now = self._clock.now()
        [known] = await self._storage.who([(wish.address, Profile())], now)
        text = str(tell(translator(known.user.language)))
        message = Outgoing(address=wish.address, body=Say(text), user_id=wish.user_id)
        unit = Unit(changes=(DropWish(wish.user_id, wish.id), *also, Enqueue(message)))
        [result] = await self._storage.commit([unit], now)
        if result.outcome == "failed":
            log.info("wish_gone", kind=wish.kind)
        await wake(self._delivery, result.tickets)
