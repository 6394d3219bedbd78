"""A person in a conversation with the real dialogue actor over a real storage; only the messenger is left out.

What the outbox would send is applied to a list of messages as a messenger would show them.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from html import unescape
from itertools import count
from re import sub
from typing import TYPE_CHECKING, Any

import anyio
from msgspec import Struct

from actors.actor import Mailbox
from actors.dialogue import Dialogue
from actors.listeners import Listeners
from actors.scheduler import Keeping, Scheduler
from migrebot.dialogue.turn import Setup
from migrebot.flood import FloodGate
from migrebot.ids import id_source
from migrebot.messages import (
    Address,
    Alert,
    Content,
    Document,
    Edit,
    Inbound,
    Invoice,
    Keyboard,
    Leave,
    OutboxFilled,
    Press,
    Priority,
    Profile,
    Say,
    Stored,
    Text,
    Ticket,
    Toast,
)
from migrebot.typed import folded
from storage.interface import Sent
from storage.records import Conversation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from storage.interface import Storage
    from storage.records import Session
    from tests.clock import FakeClock


class Shown(Struct):
    """A message as the messenger shows it now; `text` is plain, without tags."""

    id: str
    text: str
    keyboard: Keyboard = ()
    edited: bool = False
    document: Document | None = None
    invoice: Invoice | None = None

    @property
    def labels(self) -> list[str]:
        """All labels of its buttons."""
        return [button.label for row in self.keyboard for button in row]


class Person:
    """Somebody who writes on one channel; `chat` is what they see, `toasts` what was shown for a moment."""

    def __init__(self, house: House, address: Address, profile: Profile) -> None:
        self._house = house
        self.address = address
        self.profile = profile
        self.chat: list[Shown] = []
        self.toasts: list[str] = []
        self.left = False

    @property
    def last(self) -> Shown:
        """The newest message that was written or edited."""
        return self.chat[-1]

    @property
    def question(self) -> Shown:
        """The newest message that has buttons."""
        return next(shown for shown in reversed(self.chat) if shown.keyboard)

    async def says(self, text: str) -> str:
        """Write a text; returns the text of the newest message then."""
        await self.sends(Text(text))
        return self.last.text

    async def presses(self, label: str) -> str:
        """Press the button with this label, marks aside, on the newest message that has it; returns its text then."""
        wanted = folded(label)
        for shown in reversed(self.chat):
            for row in shown.keyboard:
                for button in row:
                    if folded(button.label) == wanted:
                        await self.sends(Press(button.data, shown.id, "callback"))
                        return shown.text
        raise AssertionError(f"no button {label!r} among {[shown.labels for shown in self.chat]}")

    async def sends(self, content: Content, *, key: str = "") -> Stored:
        """Hand something in and take in what the outbox holds for this person then."""
        return await self._house.hand_in(self, content, key)

    async def session(self) -> Session | None:
        """Look up the form in progress."""
        return (await self.known()).session

    async def known(self) -> Conversation:
        """Look up what is stored about this person."""
        return (await self._house.storage.who([(self.address, self.profile)], self._house.clock.now()))[0]

    def takes_in(self, row_id: int, body: Any) -> None:
        """Show a message as a messenger would."""
        match body:
            case Say(text, keyboard):
                self.chat.append(Shown(str(row_id), plain(text), keyboard))
            case Edit(message_id, text, keyboard):
                shown = next(shown for shown in self.chat if shown.id == message_id)
                shown.text, shown.keyboard, shown.edited = plain(text), keyboard, True
            case Toast(text):
                self.toasts.append(text)
            case Document():
                self.chat.append(Shown(str(row_id), plain(body.caption), document=body))
            case Invoice():
                self.chat.append(Shown(str(row_id), body.description, invoice=body))
            case Leave():
                self.left = True
            case _:
                raise TypeError(type(body))


class House:
    """The dialogue actor with its storage, and the people who write to it."""

    def __init__(
        self,
        *,
        storage: Storage,
        clock: FakeClock,
        setup: Setup | None = None,
        flood: FloodGate | None = None,
        mirror_size: int = 10_000,
    ) -> None:
        self.storage = storage
        self.clock = clock
        self.alerts: list[Alert] = []
        self.held_back: list[Ticket] = []
        self.has_page = True
        self.delivery: Mailbox[Any] = Mailbox(10_000)
        self.mailbox: Mailbox[Any] = Mailbox()
        self.scheduler: Mailbox[Any] = Mailbox(10_000)
        self.mirror: Mailbox[Any] = Mailbox(mirror_size)
        self.dialogue = Dialogue(
            mailbox=self.mailbox,
            storage=storage,
            delivery=self.delivery,
            clock=clock,
            setup=setup or Setup(),
            new_id=id_source(clock),
            on_alert=self.alerts.append,
            flood=flood,
            listeners=Listeners(scheduler=self.scheduler, mirror=self.mirror),
            login_link=lambda is_here: "https://bot.example/login?code=x" if self.has_page or is_here else "",
        )
        self._people: dict[Address, Person] = {}
        self._keys = count(1)

    def person(
        self, number: int = 7001, *, language: str = "en", channel: Any = "telegram", value: str = "", **profile: str
    ) -> Person:
        """Let somebody come."""
        address = Address(channel, value or str(number))
        person = Person(self, address, Profile(language_code=language, **profile))
        self._people[address] = person
        return person

    async def hand_in(
        self, person: Person, content: Content, key: str = "", written_at: datetime | None = None
    ) -> Stored:
        """Ask the dialogue actor, then deliver all that is due."""
        inbound = Inbound(
            address=person.address,
            key=key or str(next(self._keys)),
            content=content,
            received_at=self.clock.now(),
            written_at=written_at,
            profile=person.profile,
            raw=b"raw",
        )
        stored: Stored = await self.mailbox.ask(inbound)
        await self.deliver()
        return stored

    async def deliver(self) -> None:
        """Show everybody what waits for them and is due."""
        tickets = [*self.held_back]
        for envelope in self.delivery.take(10_000):
            if isinstance(envelope.message, OutboxFilled):
                tickets.extend(envelope.message.tickets)
        now = self.clock.now()
        self.held_back = [ticket for ticket in tickets if ticket.not_before and ticket.not_before > now]
        due = sorted(ticket.id for ticket in tickets if ticket not in self.held_back)
        for row in sorted(await self.storage.claim(due, now), key=lambda row: (row.priority, row.id)):
            self._people[row.address].takes_in(row.id, row.body)
            offered = row.body.keyboard if isinstance(row.body, Say) and row.priority != Priority.REPLY else ()
            await self.storage.settle([Sent(row.id, str(row.id), offered)], now)


@asynccontextmanager
async def open_house(
    storage: Storage,
    clock: FakeClock,
    setup: Setup | None = None,
    *,
    flood: FloodGate | None = None,
    mirror_size: int = 10_000,
) -> AsyncIterator[House]:
    """Run the dialogue actor for a test; `mirror` is a mailbox that nobody reads."""
    house = House(storage=storage, clock=clock, setup=setup, flood=flood, mirror_size=mirror_size)
    async with anyio.create_task_group() as tasks, AsyncExitStack() as resources:
        await house.dialogue.start(resources)
        tasks.start_soon(house.dialogue.run)
        yield house
        await house.dialogue.stop()


def make_scheduler(house: House, *, zone_rules: int = 1) -> Scheduler:
    """Make the scheduler that belongs to a house, not running yet; `zone_rules` stand for those of the machine."""
    return Scheduler(
        mailbox=house.scheduler,
        delivery=house.delivery,
        dialogue=house.mailbox,
        storage=house.storage,
        clock=house.clock,
        keeping=Keeping(),
        new_id=id_source(house.clock),
        on_alert=house.alerts.append,
        zone_rules=lambda: zone_rules,
    )


def plain(html: str) -> str:
    """Give what is seen of a message."""
    return unescape(sub(r"<[^>]+>", "", html))
