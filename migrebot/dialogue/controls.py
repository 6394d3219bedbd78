"""The words that steer any form, on buttons and typed, in all five languages at once."""

from __future__ import annotations

from functools import cache
from typing import Literal

from migrebot.i18n import N_, Translator, translators
from migrebot.typed import folded

Control = Literal["back", "cancel", "skip", "next", "save"]

LABELS: dict[Control, str] = {
    "back": N_("Back"),
    "cancel": N_("Cancel"),
    "skip": N_("Skip"),
    "next": N_("Next"),
    "save": N_("Save now"),
}
_MARKS: dict[Control, str] = {"back": "‹", "cancel": "✕", "skip": "»", "next": "›", "save": "✓"}


@cache
def label(control: Control, tr: Translator) -> str:
    """Write the button of a control: a mark and the word."""
    return f"{_MARKS[control]} {tr.plain(LABELS[control])}"


def spoken(text: str) -> Control | None:
    """Tell which control a typed text names, in any language."""
    return _words().get(folded(text))


@cache
def _words() -> dict[str, Control]:
    return {folded(tr.plain(message)): control for control, message in LABELS.items() for tr in translators()}
