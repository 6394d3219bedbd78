"""Settings: language, time zone, and the regular question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from migrebot.dialogue import announcement_switch, engine, overuse
from migrebot.dialogue.forms import asking, zone
from migrebot.dialogue.home import ask_from_now_on, first_words, moved_to, when_asked
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.i18n import language_name
from migrebot.languages import LANGUAGES
from migrebot.messages import Button
from migrebot.reminders.questions import FREQUENCIES, OFF, Asking
from migrebot.zones import describe_zone
from storage.facts import AskingOf

if TYPE_CHECKING:
    from collections.abc import Sequence


_FREQUENCIES = frozenset(str(days) for days in (OFF, *FREQUENCIES))


def settings(turn: Turn, said: str = "", asked: Asking | None = None) -> Answer:
    """Show what is set, with a button for each; `asked` is how the person is asked if that changes just now."""
    tr = turn.tr
    text = Markup("\n").join(
        (
            tr(
                "<b>Settings</b>\nLanguage: %(language)s\nTime zone: %(zone)s, it is %(clock)s there now",
                language=language_name(turn.user.language),
                zone=describe_zone(turn.timezone, turn.now),
                clock=tr.time(turn.local_now),
            ),
            tr("Question whether your head hurt: %(when)s", when=_when(turn, asked)),
        )
    )
    keyboard = (
        (Button("🌐 " + tr.plain("Language"), "s:language"),),
        (Button("🕑 " + tr.plain("Time zone"), "s:zone"),),
        (Button("🔔 " + tr.plain("How often to ask"), "s:often"), Button("⏰ " + tr.plain("When to ask"), "s:time")),
        (overuse.setting(turn),),
        (announcement_switch.setting(turn),),
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
            return _keep_zone(turn)
        case "often":
            return _choose_frequency(turn) if turn.user.timezone else _zone_first(turn)
        case "time":
            return engine.begin(asking.FORM, turn) if turn.user.timezone else _zone_first(turn)
        case "set-often" if arguments and arguments[0] in _FREQUENCIES:
            return _set_frequency(turn, int(arguments[0]))
        case "show":
            return settings(turn)
        case _:
            return None


def _when(turn: Turn, asked: Asking | None) -> str:
    if turn.user.timezone is None:
        return turn.tr.plain("once I know your time zone")
    return when_asked(turn, asked or turn.facts(AskingOf(turn.user.id)))


def _keep_zone(turn: Turn) -> Answer:
    said = turn.tr("Good. You can change it any time in /settings.")
    words = [said, *filter(None, [first_words(turn)])]
    return say(Markup("\n\n").join(words), in_place=True) + moved_to(turn, turn.timezone)


def _zone_first(turn: Turn) -> Answer:
    return zone.begin(turn, turn.tr("So that I ask at your hour, I have to know your time zone first."))


def _choose_frequency(turn: Turn) -> Answer:
    tr = turn.tr
    labels = [
        tr.plain("Daily") if days == 1 else str(tr.n("Every %(n)s day", "Every %(n)s days", days))
        for days in FREQUENCIES
    ]
    buttons = [Button(label, f"s:set-often:{days}") for label, days in zip(labels, FREQUENCIES, strict=True)]
    rows = tuple(tuple(buttons[i : i + 2]) for i in range(0, len(buttons), 2))
    never, back = Button(tr.plain("Never"), f"s:set-often:{OFF}"), Button("‹ " + tr.plain("Back"), "s:show")
    question = tr("How often shall I ask whether your head hurt?")
    return say(question, (*rows, (never,), (back,)), in_place=True)


def _set_frequency(turn: Turn, every: int) -> Answer:
    chosen = msgspec.structs.replace(turn.facts(AskingOf(turn.user.id)), every=every)
    return ask_from_now_on(turn, chosen) + settings(turn, turn.tr("Changed."), chosen)


def _choose_language(turn: Turn) -> Answer:
    rows = tuple((Button(language_name(language), f"s:set-language:{language}"),) for language in LANGUAGES)
    back = (Button("‹ " + turn.tr.plain("Back"), "s:show"),)
    return say(turn.tr("Which language shall I speak?"), (*rows, back), in_place=True)
