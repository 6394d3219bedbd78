"""Somebody who tries everything: every command, every button that comes, and where there is none to choose, a text."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from migrebot.flood import FloodGate
from migrebot.messages import INERT, Button, Document, Edit, Invoice, Press, Say, Toast
from tests.talk import Person, plain

if TYPE_CHECKING:
    from tests.talk import House, Shown

TYPED = ("Zomig 2,5", "tomorrow 9:00", "Berlin", "120/80 65", "2", "Zolmitriptan")
"""Tried one after the other where a question has nothing to press."""

NO_FLOOD = FloodGate(burst=1_000_000)


class Walker(Person):
    """Presses on each message the button that was pressed least so far; remembers all that was said and offered.

    Buttons whose data begins like one of `avoids` are left alone.
    """

    def __init__(self, *arguments: Any, avoids: tuple[str, ...] = ()) -> None:
        super().__init__(*arguments)
        self.avoids = avoids
        self.said: list[str] = []
        self.bodies: list[Say | Edit | Toast | Document] = []
        self.offered: set[str] = set()
        self._pressed: Counter[tuple[str, str]] = Counter()

    @classmethod
    def enters(cls, house: House, number: int, *, avoids: tuple[str, ...] = (), **profile: Any) -> Walker:
        """Come into a house."""
        person = house.person(number, **profile)
        walker = cls(house, person.address, person.profile, avoids=avoids)
        house._people[person.address] = walker
        return walker

    def takes_in(self, row_id: int, body: Any) -> None:
        super().takes_in(row_id, body)
        self.bodies.append(body)
        self.said += texts_of(body)
        self.offered |= {button.data for button in buttons_of(body)}

    async def sends(self, content: Any, *, key: str = "") -> Any:
        stored = await super().sends(content, key=key)
        assert stored.outcome == "done", content
        return stored

    async def walks(self, command: str, presses: int) -> None:
        """Give a command and press on, until nothing is left to press, or so many times."""
        await self.says(command)
        shown = self._with_buttons()
        typed = 0
        for _ in range(presses):
            if shown is None:
                return
            button = self._next(shown)
            before = shown.text
            seen = len(self.bodies)
            if button is not None and (choices(shown) or typed >= len(TYPED)):
                await self._presses(shown, button)
                typed = 0
            elif typed < len(TYPED):
                await self.says(TYPED[typed])
                typed += 1
            else:
                return
            if len(self.bodies) > seen:
                shown = self._with_buttons() if self.last is not shown else shown
            if shown is not None and shown.text != before:
                typed = 0
            if shown is not None and not shown.keyboard:
                shown = self._with_buttons()

    async def presses_data(self, data: str) -> None:
        """Press the button that carries this."""
        shown = next(one for one in reversed(self.chat) if data in {button.data for button in buttons_in(one)})
        await self._presses(shown, next(button for button in buttons_in(shown) if button.data == data))

    def _with_buttons(self) -> Shown | None:
        return next((shown for shown in reversed(self.chat[-3:]) if shown.keyboard), None)

    async def _presses(self, shown: Shown, button: Button) -> None:
        self._pressed[kind(shown, button)] += 1
        if self.address.channel == "whatsapp":
            await self.says(button.label)
        else:
            await self.sends(Press(button.data, shown.id, "callback"))

    def _next(self, shown: Shown) -> Button | None:
        buttons = [
            button
            for button in buttons_in(shown)
            if button.data != INERT and not button.data.startswith(self.avoids or ("\0",))
        ]
        # What steers comes last, so that a question is answered before it is left.
        return min(buttons, key=lambda one: (self._pressed[kind(shown, one)], steers(one)), default=None)


def kind(shown: Shown, button: Button) -> tuple[str, str]:
    """Name a button so that those that differ in a number alone are one."""
    return re.sub(r"\d+", "#", shown.text)[-80:], re.sub(r"\d+", "#", button.label)


def steers(button: Button) -> bool:
    """Tell whether it is one of "back", "cancel" and so on."""
    first, *_, last = button.data.split(":")
    return first == "q" and not last.isdigit()


def choices(shown: Shown) -> list[Button]:
    """List what there is to choose."""
    return [button for button in buttons_in(shown) if button.data != INERT and not steers(button)]


def buttons_of(body: Any) -> list[Button]:
    """List the buttons of a message that is sent."""
    return buttons_in(body) if isinstance(body, Say | Edit) else []


def buttons_in(shown: Shown | Say | Edit) -> list[Button]:
    """List the buttons of a message."""
    return [button for row in shown.keyboard for button in row]


def texts_of(body: Any) -> list[str]:
    """List what a person reads of a message."""
    match body:
        case Say(text) | Edit(text=text):
            return [plain(text), *(button.label for button in buttons_of(body))]
        case Toast(text):
            return [text]
        case Document():
            return [plain(body.caption)]
        case Invoice():
            return [body.title, body.description, plain(body.instead)]
        case _:
            return []
