"""Settings: language and time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from babel import Locale

from migrebot.dialogue.forms import zone
from migrebot.dialogue.home import moved_to
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.languages import LANGUAGES
from migrebot.messages import Button
from migrebot.zones import describe_zone

if TYPE_CHECKING:
    from collections.abc import Sequence


def settings(turn: Turn, said: str = "") -> Answer:
    """Show what is set, with a button for each."""
    tr = turn.tr
    text = tr(
        "<b>Settings</b>\nLanguage: %(language)s\nTime zone: %(zone)s, it is %(clock)s there now",
        language=language_name(turn.user.language),
        zone=describe_zone(turn.timezone, turn.now),
        clock=tr.time(turn.local_now),
    )
    keyboard = (
        (Button("🌐 " + tr.plain("Language"), "s:language"),),
        (Button("🕑 " + tr.plain("Time zone"), "s:zone"),),
    )
    return say(f"{said}\n\n{text}" if said else text, keyboard, in_place=True)


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on a button of the settings; None if there is no such button."""
    match action:
        case "language":
            return _choose_language(turn)
        case "set-language" if arguments and arguments[0] in LANGUAGES:
            user = msgspec.structs.replace(turn.user, language=arguments[0])
            after = turn.after(Answer(user=user))
            return settings(after, after.tr("From now on I speak English.")) + Answer(user=user)
        case "zone":
            return zone.begin(turn)
        case "zone-right":
            said = turn.tr("Good. You can change it any time in /settings.")
            return say(said, in_place=True) + moved_to(turn, turn.timezone)
        case "show":
            return settings(turn)
        case _:
            return None


def language_name(language: str) -> str:
    """Name a language in itself: "Français"."""
    name: str = Locale.parse(language).get_display_name(language) or language
    return name[:1].upper() + name[1:]


def _choose_language(turn: Turn) -> Answer:
    rows = tuple((Button(language_name(language), f"s:set-language:{language}"),) for language in LANGUAGES)
    back = (Button("‹ " + turn.tr.plain("Back"), "s:show"),)
    return say(turn.tr("Which language shall I speak?"), (*rows, back), in_place=True)
