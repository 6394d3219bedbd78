"""How the program fares at one moment, as metrics, the owner's page and `/api/status` tell it: no names, no ids."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from migrebot.reports.backups import Figures


class ActorStatus(Struct, frozen=True, kw_only=True):
    """How an actor fares: its state, and counts since the program started; `since` is when the state began.

    `detail` is "ok", or what limits it. `mailbox` holds so many messages now, at most `mailbox_peak` until now, and
    `mailbox_size` at all.
    """

    name: str
    state: str
    serving: bool
    detail: str
    since: datetime
    restarts: int
    messages: int
    set_aside: int
    mailbox: int
    mailbox_peak: int
    mailbox_size: int


class ChannelStatus(Struct, frozen=True, kw_only=True):
    """How sending by a channel fares: counts since the program started, and what waits in the outbox now.

    `failures` and `postponements` are counts by their reason.
    """

    name: str
    sent: int
    failures: dict[str, int]
    postponements: dict[str, int]
    waiting: int
    oldest_seconds: float


class ReminderStatus(Struct, frozen=True, kw_only=True):
    """How reminders fare: still to fire (None while the storage cannot tell), and fired since the program started.

    `punctual` fired within a second. `late` counts firings by the class of their lateness, whose upper bounds in
    seconds are `bounds`, the last class having none; `late_seconds` is the sum.
    """

    pending: int | None
    fired: int
    punctual: int
    bounds: tuple[float, ...]
    late: tuple[int, ...]
    late_seconds: float


class Status(Struct, frozen=True, kw_only=True):
    """How everything fares. `redis` is None where none is configured; `jobs` tells when each last succeeded, if it did.

    `backup` tells more of the last backup.
    """

    version: str
    now: datetime
    started: datetime
    storage: str
    storage_trouble: str
    redis: bool | None
    actors: tuple[ActorStatus, ...]
    channels: tuple[ChannelStatus, ...]
    reminders: ReminderStatus
    jobs: dict[str, datetime | None]
    backup: Figures = Figures()
