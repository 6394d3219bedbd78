"""What the parts of the program know of themselves, put together when somebody asks: nothing is counted for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot import __version__
from migrebot.errors import StorageUnavailable
from migrebot.reminders.lateness import BOUNDS
from migrebot.reports.backups import Figures
from migrebot.reports.status import ActorStatus, ChannelStatus, ReminderStatus, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from actors.delivery import ChannelStatistics
    from actors.supervisor import ActorState
    from migrebot.clock import Clock
    from migrebot.messages import Channel
    from migrebot.reminders.lateness import Lateness
    from storage.interface import Storage


class Overview:
    """Tells how everything fares.

    Each part is asked by a function; `jobs` gives, for what is done from time to time, when it was done last. `kind`
    names the storage.
    """

    def __init__(
        self,
        *,
        actors: Callable[[], Mapping[str, ActorState]],
        channels: Callable[[], Mapping[Channel, ChannelStatistics]],
        lateness: Callable[[], Lateness],
        redis: Callable[[], bool | None],
        jobs: Mapping[str, Callable[[], datetime | None]],
        backup: Callable[[], Figures] = Figures,
        storage: Storage,
        kind: str,
        clock: Clock,
    ) -> None:
        self._actors = actors
        self._channels = channels
        self._lateness = lateness
        self._redis = redis
        self._jobs = jobs
        self._backup = backup
        self._storage = storage
        self._kind = kind
        self._clock = clock
        self._started = clock.now()

    async def status(self) -> Status:
        """Tell how everything fares now."""
        return Status(
            version=__version__,
            now=self._clock.now(),
            started=self._started,
            storage=self._kind,
            storage_trouble=self._storage.trouble,
            redis=self._redis(),
            actors=tuple(_actor(name, state) for name, state in self._actors().items()),
            channels=tuple(_channel(name, statistics) for name, statistics in self._channels().items()),
            reminders=await self._reminders(),
            jobs={name: last() for name, last in self._jobs.items()},
            backup=self._backup(),
        )

    async def _reminders(self) -> ReminderStatus:
        lateness = self._lateness()
        return ReminderStatus(
            pending=await self._pending(),
            fired=lateness.fired,
            punctual=lateness.punctual,
            bounds=BOUNDS,
            late=tuple(lateness.counts),
            late_seconds=lateness.seconds,
        )

    async def _pending(self) -> int | None:
        try:
            return await self._storage.pending_reminders()
        except StorageUnavailable:
            return None


def _actor(name: str, state: ActorState) -> ActorStatus:
    return ActorStatus(
        name=name,
        state=state.state,
        serving=state.serving,
        detail=state.detail,
        since=state.since,
        restarts=state.restarts,
        messages=state.mailbox.total,
        set_aside=state.set_aside,
        mailbox=state.mailbox.depth,
        mailbox_peak=state.mailbox.peak,
        mailbox_size=state.mailbox.size,
    )


def _channel(name: str, statistics: ChannelStatistics) -> ChannelStatus:
    return ChannelStatus(
        name=name,
        sent=statistics.sent,
        failures={str(why): count for why, count in statistics.failures.items()},
        postponements={str(why): count for why, count in statistics.postponements.items()},
        waiting=statistics.waiting,
        oldest_seconds=statistics.oldest_seconds,
    )
