"""Choices without buttons: how a keyboard is written as numbered lines, and which button a typed answer means.

Choices are numbered from 1 as they stand. Where the choices are numbers themselves (a pain of 1 to 10, the days of a
month) each is its own number and nothing else has one, so that a number never means two things. 0 goes on: "Next", or
else "Skip". The other words that steer a form are written, since a slip of the thumb must not end it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrebot.messages import INERT, Button, Keyboard
from migrebot.typed import folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHANNELS = frozenset({"whatsapp"})
"""The channels that show no buttons."""

LONGEST = 20
"""Choices listed at once; more are a page of their own."""

MORE = "m:more"
"""What the button carries that shows the rest of a long list."""

SHORTEST_PREFIX = 3
"""Letters that make the beginning of a label clear, if no other one begins like it."""

_NUMBER = re.compile(r"#?(\d{1,3})[.)]?")
_SEVERAL = re.compile(r"\d{1,3}(?:[\s,;+&.]+\d{1,3})+")
_IS_NUMBER = re.compile(r"\W*([0-9]{1,3})\W*")
_FORWARD = ("next", "skip")


def is_question(keyboard: Keyboard) -> bool:
    """Tell whether these are the buttons of a form's question."""
    return any(button.data.startswith("q:") for row in keyboard for button in row)


def lines(keyboard: Keyboard) -> str:
    """Write the buttons as lines of plain text; empty without any."""
    listed = _Listed(keyboard)
    written = [*listed.headings]
    if listed.numbers:
        written.append(_in_ranges(sorted(listed.numbers)))
    numbered = [f"{code}. {button.label}" for code, button in listed.ordinals.items()]
    written += [*numbered, *(f"• {button.label}" for button in listed.words)]
    if listed.forward:
        written.append(f"0. {listed.forward.label}")
    if listed.steering:
        written.append(" · ".join(button.label for button in listed.steering))
    return "\n".join(written)


def meant(keyboard: Keyboard, text: str, *, by_number: bool) -> tuple[Button, ...]:
    """Find the button a typed text means: its label, or `by_number` also its number or a clear beginning of its label.

    Several numbers mean several buttons, where several can be chosen. Empty if it means none.
    """
    listed = _Listed(keyboard)
    word = folded(text)
    for button in listed.all:
        if folded(button.label) == word:
            return (button,)
    if not by_number:
        return ()
    if found := _NUMBER.fullmatch(text.strip()):
        button_or_none = listed.numbered(int(found[1]))
        return (button_or_none,) if button_or_none else ()
    if listed.takes_several and _SEVERAL.fullmatch(text.strip()):
        several = [listed.ordinals.get(int(number)) for number in re.findall(r"\d+", text)]
        return tuple(button for button in several if button) if all(several) else ()
    beginning = [button for button in listed.choices if folded(button.label).startswith(word)]
    return (beginning[0],) if len(beginning) == 1 and len(word) >= SHORTEST_PREFIX else ()


def in_pages(keyboard: Keyboard, more: str) -> Keyboard:
    """Put a button labelled `more` where a list is too long, unless it is one of numbers."""
    listed = _Listed(keyboard)
    if len(listed.ordinals) <= LONGEST:
        return keyboard
    *_, last = list(listed.ordinals.values())[: LONGEST - 1]
    rows: list[tuple[Button, ...]] = []
    for row in keyboard:
        if last in row:
            place = row.index(last) + 1
            rows += [row[:place], (Button(more, MORE),), row[place:]]
        else:
            rows.append(row)
    return tuple(row for row in rows if row)


def rest(keyboard: Keyboard) -> Keyboard:
    """Give what a list in pages did not show yet, and all that steers; empty if it was complete."""
    rows = list(keyboard)
    for place, row in enumerate(rows):
        if any(button.data == MORE for button in row):
            return tuple(rows[place + 1 :])
    return ()


class _Listed:
    """The buttons of a keyboard by the way they are written; what stands behind "more" is left out."""

    def __init__(self, keyboard: Keyboard) -> None:
        shown = list(_shown(keyboard))
        controls = {name: button for button in shown if (name := _control(button))}
        self.choices = [button for button in shown if not _control(button)]
        self.headings = [row[0].label for row in keyboard if len(row) == 1 and row[0].data == INERT]
        forward = next((name for name in _FORWARD if name in controls), None)
        self.numbers = {number: one for one in self.choices if (number := _number(one.label)) is not None}
        self.forward = controls[forward] if forward and 0 not in self.numbers else None
        self.steering = [button for button in controls.values() if button is not self.forward]
        self.words = [one for one in self.choices if _number(one.label) is None] if self.numbers else []
        self.ordinals = {} if self.numbers else dict(enumerate(self.choices, start=1))
        self.takes_several = "next" in controls
        self.all = [*self.choices, *controls.values()]

    def numbered(self, number: int) -> Button | None:
        """Give the button with this number."""
        if number == 0 and self.forward:
            return self.forward
        return self.numbers.get(number) or self.ordinals.get(number)


def _shown(keyboard: Keyboard) -> Iterator[Button]:
    hidden = False
    for row in keyboard:
        for button in row:
            if button.data != INERT and (not hidden or _control(button)):
                yield button
            hidden = hidden or button.data == MORE


def _control(button: Button) -> str:
    """Name what a button of a question steers; empty for a choice."""
    kind, *parts = button.data.split(":")
    return parts[1] if kind == "q" and len(parts) == 2 and not parts[1].isdigit() else ""


def _number(label: str) -> int | None:
    """Read a label that is a number, perhaps with a mark beside it."""
    found = _IS_NUMBER.fullmatch(label)
    return int(found[1]) if found else None


def _in_ranges(numbers: Sequence[int]) -> str:
    """Write numbers in rising order, three and more in a row as a range."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return " · ".join(
        f"{part[0]}–{part[-1]}" if len(part) > 2 else " · ".join(str(number) for number in part) for part in parts
    )
