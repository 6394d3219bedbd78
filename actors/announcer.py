"""The announcer: it owns how announcements get to people.

It reads who waits for an announcement, by pages, and puts a page into the outbox once most of the one before is gone,
each message in one unit with the note that this person has it: whatever kills the process, nobody gets two. So little
of it waits in the outbox that pausing, cancelling and the end of a person's day take effect at once, by taking that
back. It receives word that an announcement was started, paused, resumed or cancelled; delivery is told of each page,
and the owner how far it is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import anyio
import msgspec

from actors.actor import Actor, Health, MailboxClosed
from actors.waking import wake
from migrebot.announcements.recipients import is_open, place
from migrebot.announcements.texts import message
from migrebot.dialogue.announcing import controls, progress
from migrebot.errors import StorageUnavailable
from migrebot.i18n import translator
from migrebot.logs import get_logger
from migrebot.messages import (
    Address,
    AnnouncementSteered,
    Edit,
    Outgoing,
    Priority,
    Profile,
    Say,
)
from storage.changes import CancelQueued, EndAnnouncement, Enqueue, SkipRecipient, TakeRecipient, Unit
from storage.facts import AnnouncementCounts, IdentitiesOf, OpenAnnouncements

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actors.actor import Mailbox
    from migrebot.announcements.announcement import Announcement, Counts, Outcome
    from migrebot.clock import Clock
    from migrebot.messages import ToDelivery
    from storage.changes import Change
    from storage.interface import Storage
    from storage.records import Recipient

PAGE = 100
"""Messages that wait in the outbox at most: three seconds of what Telegram takes."""

LOOK_S = 0.5
"""Seconds until it is looked again how much of a page is gone."""

REST_S = 30.0
"""Seconds until it is looked again whether somebody's day has begun, or the clock was set."""

TELL_S = 3.0
"""Seconds between two changes of the message that shows the owner how far it is."""

NO_EDITS = frozenset({"whatsapp"})
"""Channels that cannot change a message: there the owner gets the final report alone."""

log = get_logger("announcer")


class Announcer(Actor[AnnouncementSteered]):
    """Sends announcements; see the module. `timezone` is the hour of people whose own is not known."""

    name: ClassVar[str] = "announcer"

    def __init__(
        self,
        *,
        mailbox: Mailbox[AnnouncementSteered],
        storage: Storage,
        owner: Callable[[], Awaitable[Address | None]],
        delivery: Mailbox[ToDelivery],
        clock: Clock,
        timezone: str,
    ) -> None:
        super().__init__(mailbox)
        self._storage = storage
        self._owner = owner
        self._delivery = delivery
        self._clock = clock
        self._timezone = timezone
        self._zones: tuple[str, ...] = ()
        self._zones_until = -math.inf
        self._open: frozenset[str] = frozenset()
        self._told: tuple[Announcement, Counts] | None = None
        self._tell_at = -math.inf

    async def run(self) -> None:
        """Send until the mailbox is closed."""
        while True:
            try:
                seconds = await self._work()
                self.health = Health()
            except StorageUnavailable as error:
                self.health = Health(detail=f"storage: {error}")
                seconds = REST_S
            try:
                await self._wait(seconds)
            except MailboxClosed:
                return

    async def _wait(self, seconds: float) -> None:
        """Wait for so long, or until something was steered."""
        if math.isinf(seconds):
            await self.mailbox.get()
            self._zones = ()
            return
        with self._clock.move_on_after(seconds):
            await self.mailbox.get()
            self._zones = ()

    async def _under_way(self) -> list[Announcement]:
        fact = OpenAnnouncements(0)
        found = (await self._storage.load([fact]))[fact]
        return [announcement for announcement in found if announcement.state != "draft"]

    async def _work(self) -> float:
        """Do what can be done now; tells after how many seconds to look again."""
        seconds = math.inf
        for announcement in await self._under_way():
            seconds = min(seconds, await self._advance(announcement))
        return seconds

    async def _advance(self, announcement: Announcement) -> float:
        in_flight = await self._storage.settle_announcement(announcement.id)
        went = 0
        if announcement.state == "sending":
            if await self._day_ended(announcement):
                await self._storage.withdraw_announcement(announcement.id, self._clock.now())
            elif in_flight <= PAGE // 2:
                went = await self._send_page(announcement, PAGE - in_flight)
        fact = AnnouncementCounts(0, announcement.id)
        counts = (await self._storage.load([fact]))[fact]
        is_over = announcement.state == "cancelled" or (announcement.state == "sending" and not counts.waiting)
        if is_over and not in_flight and not went:
            await self._end(announcement, counts)
            return math.inf
        await self._tell(announcement, counts)
        return LOOK_S if in_flight or went or self._told != (announcement, counts) else REST_S

    # --- to people -----------------------------------------------------------------------------------------------

    async def _day_ended(self, announcement: Announcement) -> bool:
        """Look where it is day; tell whether it ended somewhere since the last look."""
        now = self._clock.now()
        if self._clock.monotonic() >= self._zones_until or not self._zones:
            self._zones = tuple(await self._storage.recipient_zones(announcement.id))
            self._zones_until = self._clock.monotonic() + REST_S
        before = self._open
        self._open = frozenset(zone for zone in self._zones if is_open(zone or self._timezone, now))
        return not before <= self._open

    async def _send_page(self, announcement: Announcement, limit: int) -> int:
        """Put messages for some people into the outbox; tells for how many people something was noted."""
        if not self._open:
            return 0
        now = self._clock.now()
        recipients = await self._storage.waiting_recipients(announcement.id, sorted(self._open), limit)
        facts = [IdentitiesOf(recipient.user_id) for recipient in recipients]
        identities = await self._storage.load(facts)
        units = [
            _unit(announcement, recipient, place(identities[fact], now))
            for recipient, fact in zip(recipients, facts, strict=True)
        ]
        # What is stored has to become known to delivery, even if this actor is being restarted.
        with anyio.CancelScope(shield=True):
            results = await self._storage.commit(units, now) if units else []
            await wake(self._delivery, [ticket for result in results for ticket in result.tickets])
        return sum(result.outcome == "done" for result in results)

    # --- to the owner --------------------------------------------------------------------------------------------

    async def _tell(self, announcement: Announcement, counts: Counts) -> None:
        """Show the owner how far it is, not too often, and only if that changed."""
        now = self._clock.monotonic()
        if now < self._tell_at or (announcement, counts) == self._told:
            return
        card = await self._card(announcement, counts)
        if card is not None:
            results = await self._storage.commit([Unit(changes=(card,))], self._clock.now())
            await wake(self._delivery, results[0].tickets)
        self._told, self._tell_at = (announcement, counts), now + TELL_S

    async def _card(self, announcement: Announcement, counts: Counts) -> Enqueue | None:
        """Give the change of the message that shows how far it is; None if there is none that can be changed."""
        card = announcement.card
        if card is None or not announcement.card_id or card.channel in NO_EDITS:
            return None
        known = (await self._storage.who([(card, Profile())], self._clock.now()))[0]
        tr = translator(known.user.language)
        edit = Edit(announcement.card_id, str(progress(announcement, counts, tr)), controls(announcement, tr))
        user_id = None if known.is_new else known.user.id
        return Enqueue(Outgoing(address=card, body=edit, user_id=user_id, key=_card_key(announcement)))

    async def _end(self, announcement: Announcement, counts: Counts) -> None:
        """Note that it is over, with the report to the owner, in one unit."""
        ended = announcement
        if announcement.state == "sending":
            ended = msgspec.structs.replace(announcement, state="done")
        changes: list[Change] = [EndAnnouncement(announcement.id), CancelQueued(_card_key(announcement))]
        card = await self._card(ended, counts)
        if card is not None:
            changes.append(card)
        to = announcement.card or await self._owner()
        if to is not None:
            known = (await self._storage.who([(to, Profile())], self._clock.now()))[0]
            text = progress(ended, counts, translator(known.user.language))
            user_id = None if known.is_new else known.user.id
            changes.append(Enqueue(Outgoing(address=to, body=Say(str(text)), user_id=user_id)))
        result = (await self._storage.commit([Unit(changes=tuple(changes))], self._clock.now()))[0]
        log.info("announcement_ended", outcome=result.outcome, state=ended.state, **msgspec.structs.asdict(counts))
        await wake(self._delivery, result.tickets)


def _unit(announcement: Announcement, recipient: Recipient, to: Address | Outcome) -> Unit:
    """Give what is stored for one person: the message and the note that it is theirs, or why there is none."""
    user_id = recipient.user_id
    if recipient.is_off:
        to = "off"
    if not isinstance(to, Address):
        return Unit(changes=(SkipRecipient(announcement.id, user_id, to),), user_id=user_id)
    key = f"announcement:{announcement.id}:{user_id}"
    text = message(announcement.texts, recipient.language)
    outgoing = Outgoing(address=to, body=Say(text), user_id=user_id, priority=Priority.ANNOUNCEMENT, key=key)
    return Unit(changes=(Enqueue(outgoing), TakeRecipient(announcement.id, user_id, key)), user_id=user_id)


def _card_key(announcement: Announcement) -> str:
    return f"announcement:{announcement.id}"
