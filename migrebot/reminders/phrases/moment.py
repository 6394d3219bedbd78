"""The person for whom a phrase is read, and what reading may come to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from migrebot.reminders.phrases.answers import Asked, Assumed, Reason
from migrebot.reminders.phrases.pieces import Piece
from migrebot.reminders.schedule import Schedule


class Here(Struct, frozen=True):
    """When and where a phrase is said: `now` in UTC."""

    now: datetime
    timezone: str
    language: str

    @property
    def wall(self) -> datetime:
        """The local wall time."""
        return self.now.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None, fold=0)

    @property
    def today(self) -> date:
        """The local date."""
        return self.wall.date()

    def date_of(self, instant: datetime) -> date:
        """Give the local date of an instant."""
        return instant.astimezone(ZoneInfo(self.timezone)).date()

    def after(self, length: timedelta) -> tuple[datetime, str]:
        """Give the wall time after a length of elapsed time, and its zone: UTC where the clocks show it again."""
        instant = self.now + length
        wall = instant.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)
        if wall.fold:
            return instant.astimezone(UTC).replace(tzinfo=None), "UTC"
        return wall, self.timezone


class Candidate(Struct, frozen=True):
    """One thing that a phrase may mean; `asked` is what sets it apart from the others."""

    schedule: Schedule
    assumed: tuple[Assumed, ...] = ()
    asked: Asked = Asked.WHICH_TIME


class Refused(Exception):
    """A phrase whose pieces do not make a time: the reason, and the piece or the instant that is to blame."""

    def __init__(self, reason: Reason, piece: Piece | None = None, instant: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.piece = piece
        self.instant = instant
