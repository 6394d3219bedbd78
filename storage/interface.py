"""The storage interface: what a driver promises, in the docstrings.

Every method may raise `StorageUnavailable`: then nothing of that call was stored, and it may be called again. A call
that returns is durable: it survives `kill -9` and a power cut. Calls may be made concurrently; a driver merges
concurrent writes into one transaction where it can. Cancelling a call does not take back what it began.

Text that a database cannot hold (NUL, lone surrogates) is stored with U+FFFD in its place, wherever people or
messengers may have written it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from msgspec import Struct

from migrebot.messages import Address, Channel, FormExpired, Keyboard, Profile, QuestionDue, Ticket

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from migrebot.reminders.questions import Asking
    from migrebot.reminders.reminder import Reminder
    from migrebot.reminders.timers import Timer
    from migrebot.reports.daily import Day, Span, Totals
    from storage.changes import Unit
    from storage.facts import Fact
    from storage.records import Conversation, Due, InboxKey, OutboxRow, Recipient


class Result(Struct, frozen=True, kw_only=True, gc=False):
    """What became of a unit.

    `done`: stored. `repeated`: its key was handled before, nothing was stored. `failed`: it alone was rolled back,
    for the reason `error`. `tickets` are those of the outbox rows it added.
    """

    outcome: Literal["done", "repeated", "failed"]
    tickets: tuple[Ticket, ...] = ()
    error: str = ""


class Sent(Struct, frozen=True):
    """Row `id` was taken by the messenger, which calls it `message_id`; its text is cleared.

    `keyboard`, if not empty, is on offer at its address from now on, as by `OfferKeyboard`.
    """

    id: int
    message_id: str = ""
    keyboard: Keyboard = ()


class Postponed(Struct, frozen=True, kw_only=True):
    """Row `id` waits again, until `not_before`; `reached` tells that the attempt may have reached the messenger."""

    id: int
    not_before: datetime
    reason: str
    reached: bool


class GivenUp(Struct, frozen=True, kw_only=True):
    """Row `id` will not be sent; its text is cleared. `mute` tells that its address can never be reached."""

    id: int
    reason: str
    mute: bool = False


Settlement = Sent | Postponed | GivenUp


class Settled(Struct, frozen=True):
    """What settling changed besides.

    `muted` addresses can never be reached; what `rerouted` lists goes to another address instead; `arrived` are the
    rows that were to be given up and that the messenger was found to have (see `Storage.confirm`): they count as sent.
    """

    muted: list[Address]
    rerouted: list[Ticket]
    arrived: list[int]


class Retention(Struct, frozen=True, kw_only=True):
    """Rows older than these instants go: see `Storage.purge`."""

    forms: datetime
    quarantine: datetime
    settled: datetime
    inbox: datetime
    deleted: datetime


class Storage(Protocol):
    """What is remembered. A driver is opened once, used by all actors, and closed at the end."""

    async def probe(self) -> str:
        """Tell in one line whether the database could be used, without opening or changing it; raises `UserError`."""
        ...

    async def open(self) -> None:
        """Bring the schema up to date and get ready.

        Raises `UserError` if the database is newer than the program, in use by another one, or cannot be opened.
        """
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of the database; called once, also after a failed `open`."""
        ...

    @property
    def trouble(self) -> str:
        """Why the database cannot be used now, as far as is known without asking it; empty if all seems well."""
        ...

    async def begin_run(self) -> bool:
        """Note that the program runs; tell whether the run before ended cleanly (a first run did)."""
        ...

    async def end_run(self) -> None:
        """Note that the run ended cleanly."""
        ...

    async def who(self, addresses: Sequence[tuple[Address, Profile]], now: datetime) -> list[Conversation]:
        """Find who writes from each address, in order.

        An unknown address yields a new user (`is_new`), not yet stored: language from the profile, id as promised by
        `User.id` (negative if another address has the Telegram id already). Two calls for the same unknown address
        may yield different users until one is stored.
        """
        ...

    async def holder(self, user_id: int) -> Conversation | None:
        """Find a user's open form and the identity it is held at; None without an open form."""
        ...

    async def handled(self, keys: Sequence[InboxKey]) -> set[InboxKey]:
        """Tell which of these were handled or set aside before."""
        ...

    async def attempt(self, key: InboxKey, now: datetime) -> int:
        """Count an attempt at handling this message durably, before it is handled; returns the count, from 1."""
        ...

    async def load(self, facts: Iterable[Fact[Any]]) -> dict[Fact[Any], Any]:
        """Answer each question."""
        ...

    async def commit(self, units: Sequence[Unit], now: datetime) -> list[Result]:
        """Store the units in one transaction, each all or nothing, in order; one result each."""
        ...

    async def recover(self, now: datetime) -> list[Ticket]:
        """Called before the first claim of a run: list all waiting messages.

        Messages left in the middle of sending by an unclean stop are settled first by the at-most-twice rule: those
        that may have reached the messenger once wait again, those twice, or announcements once, are given up.
        Repeatable bodies (an edit, a toast) have more attempts: up to `REPEATABLE_ATTEMPTS`. What waits of
        announcements is taken back, since it may be night by now where it would go: its people wait for it again.
        """
        ...

    async def claim(self, ids: Sequence[int], now: datetime) -> list[OutboxRow]:
        """Mark these waiting messages as being sent and give them, in any order.

        Those that no longer wait are left out; those for a muted address are given up and left out.
        """
        ...

    async def settle(self, settlements: Sequence[Settlement], now: datetime) -> Settled:
        """Note what became of claimed messages.

        Reminders and questions that an address is muted for go to another address of their user, if there is one.
        """
        ...

    async def confirm(self, row_id: int, address: Address, message_id: str, now: datetime) -> None:
        """Note that the messenger has the message of a row, for that address, which it calls `message_id`.

        One that waits to be sent once more, since nobody knew, is over; one that is being sent is not sent again,
        whatever becomes of this attempt. What is settled or was never tried stays as it is.
        """
        ...

    async def latest_address(self, channel: Channel) -> Address | None:
        """Tell the address of a channel that was seen last; None if nobody ever wrote there."""
        ...

    async def timers(self, until: datetime, limit: int) -> list[Timer]:
        """List the reminders that are due, and the firings to be repeated, up to an instant: the `limit` earliest."""
        ...

    async def due(self, timers: Sequence[Timer]) -> list[Due]:
        """Give those of them that still hold: neither answered, moved, paused nor deleted meanwhile; in any order."""
        ...

    async def planned_reminders(self, at: datetime, beyond: int, limit: int) -> list[Reminder]:
        """List the reminders that are still to fire, everybody's, in order of time and id, beyond that time and id."""
        ...

    async def planned_questions(self, at: datetime, beyond: int, limit: int) -> list[tuple[Asking, str]]:
        """List the regular questions that are planned, with the time zone of each, beyond that time and user."""
        ...

    async def pending_reminders(self) -> int:
        """Count the reminders that are still to fire, everybody's; paused ones are left out."""
        ...

    async def next_expiry(self) -> datetime | None:
        """Tell when the first open form expires; None without open forms."""
        ...

    async def expired(self, now: datetime, limit: int) -> list[FormExpired]:
        """List up to `limit` forms that have expired, the oldest first."""
        ...

    async def active_forms(self, since: datetime) -> list[tuple[int, str, datetime]]:
        """List the forms touched after `since`, the longest idle first: whose, the state's wire name, and when."""
        ...

    async def reachable(self, user_id: int) -> Conversation | None:
        """Find a user at the address seen last of those that can be written to; None without one."""
        ...

    async def next_question(self) -> datetime | None:
        """Tell when the first regular question is due to somebody who can be written to; None if there is none."""
        ...

    async def due_questions(self, now: datetime, limit: int) -> list[QuestionDue]:
        """List up to `limit` regular questions that are due to people who can be written to, the oldest first."""
        ...

    async def settle_announcement(self, announcement_id: int) -> int:
        """Note what became of what was sent of an announcement; tells how much of it waits, local chats left out."""
        ...

    async def withdraw_announcement(self, announcement_id: int, now: datetime) -> None:
        """Take back what of an announcement waits to be sent: its people wait for it again."""
        ...

    async def recipient_zones(self, announcement_id: int) -> list[str]:
        """List the time zones of those who have yet to get an announcement; empty stands for the program's default."""
        ...

    async def waiting_recipients(self, announcement_id: int, zones: Sequence[str], limit: int) -> list[Recipient]:
        """List some who wait for an announcement in these zones, up to `limit` (100 at most)."""
        ...

    async def span(self, since: datetime, until: datetime) -> Span:
        """Tell what was recorded, who came and who left from `since` up to, but not with, `until`."""
        ...

    async def totals(self, lately: datetime) -> Totals:
        """Tell how many people and entries there are; super-active are people with an entry recorded since `lately`."""
        ...

    async def closed_days(self, first: date, last: date) -> list[Day]:
        """List the closed days of a span, both ends included, in order."""
        ...

    async def purge(self, retention: Retention) -> None:
        """Delete what is no longer needed.

        Forms left before `forms`, set-aside input received before `quarantine`, settled messages before `settled`,
        inbox keys handled before `inbox`, entries and reminders deleted before `deleted`. Firings before `settled`,
        with the reminders that have ended. Bills made before `settled`; payments stay.
        """
        ...


MAX_ATTEMPTS = 2
"""How often a message may reach the messenger: once, and once more if the first outcome is unknown."""

REPEATABLE_ATTEMPTS = 10
"""How often an edit, a toast or a withdrawal may be tried: repeating it changes nothing."""

WAITS_FOR_PERSON = "window"
"""The reason of a postponed message that cannot be sent before the person writes again."""
