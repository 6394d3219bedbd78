"""Announcements, the owner's alone: texts by language, a preview, who gets it, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import msgspec
from markupsafe import Markup

from migrebot.announcements.announcement import Announcement, Audience, Counts
from migrebot.announcements.recipients import FIRST_HOUR, LAST_HOUR
from migrebot.announcements.texts import message, missing, source
from migrebot.dialogue import announcing
from migrebot.dialogue.forms import announcement_text
from migrebot.dialogue.turn import Answer, Turn, pressed, say
from migrebot.i18n import N_, language_name
from migrebot.languages import LANGUAGES
from migrebot.messages import Button, Press
from migrebot.reports.daily import LATELY
from migrebot.typed import parse_id
from storage.changes import DropAnnouncement, StartAnnouncement, SteerAnnouncement
from storage.facts import AnnouncementCounts, AudienceSizes, OpenAnnouncements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.announcements.announcement import Sizes
    from migrebot.messages import Address, Keyboard

_AUDIENCES: dict[Audience, str] = {
    "all": N_("Everybody (%(n)s)"),
    "active": N_("With an entry (%(n)s)"),
    "super-active": N_("With an entry in the last 31 days (%(n)s)"),
}

_STEERED: dict[str, Literal["sending", "paused", "cancelled"]] = {
    "pause": "paused",
    "stop": "paused",
    "resume": "sending",
    "cancel": "cancelled",
}


def announcement(turn: Turn) -> Answer:
    """Show how far the announcement under way is, or what is prepared."""
    under_way = _under_way(turn)
    return _show(turn, under_way) if under_way else announcing.prepare(turn, announcing.draft(turn))


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on a button of announcements; None if there is no such button any more."""
    if action in _STEERED:
        return _steer(turn, action, arguments)
    if _under_way(turn) is not None:
        return announcement(turn) if action == "show" else None
    match action, *arguments:
        case ["show"]:
            return announcement(turn)
        case ["write", language] if language in LANGUAGES:
            return announcement_text.begin(turn, language)
        case ["drop", id_]:
            return _drop(turn, id_)
        case _:
            draft = announcing.draft(turn)
            return _press_draft(turn, draft, action, arguments) if draft else None


def _press_draft(turn: Turn, draft: Announcement, action: str, arguments: Sequence[str]) -> Answer | None:
    match action, *arguments:
        case ["preview"]:
            return say(turn.tr("As which people see it?"), _preview_buttons(turn, draft), in_place=True)
        case ["see", language] if source(draft.texts, language) and language in LANGUAGES:
            return _preview(turn, draft, language)
        case ["to"] if not missing(draft.texts):
            return _choose(turn)
        case ["to", "all" | "active" | "super-active" as audience] if not missing(draft.texts):
            return _confirm(turn, draft, audience)
        case ["go", "all" | "active" | "super-active" as audience, id_] if parse_id(id_) == draft.id:
            return _start(turn, draft, audience) if not missing(draft.texts) else None
        case _:
            return None


def _drop(turn: Turn, id_: str) -> Answer | None:
    draft = announcing.draft(turn)
    if draft is None or parse_id(id_) != draft.id:
        return None
    return Answer(changes=(DropAnnouncement(draft.id),)) + announcing.prepare(turn, None, turn.tr("Deleted."))


# --- the preview -------------------------------------------------------------------------------------------------


def _preview_buttons(turn: Turn, draft: Announcement) -> Keyboard:
    seen = [
        Button("👁 " + language_name(one), f"an:see:{one}") for one in LANGUAGES if source(draft.texts, one) is not None
    ]
    rows = tuple(tuple(seen[i : i + 2]) for i in range(0, len(seen), 2))
    return (*rows, (Button("‹ " + turn.tr.plain("Back"), "an:show"),))


def _preview(turn: Turn, draft: Announcement, language: str) -> Answer:
    """Show the message as it will be sent, a message of its own, and then go on."""
    seen = say(message(draft.texts, language))
    said = turn.tr("Above is what people who speak %(language)s will see.", language=language_name(language))
    return seen + say(said, _preview_buttons(turn, draft))


# --- who gets it -------------------------------------------------------------------------------------------------


def _sizes(turn: Turn) -> Sizes:
    return turn.facts(AudienceSizes(turn.user.id, turn.now - LATELY))


def _choose(turn: Turn) -> Answer:
    tr, sizes = turn.tr, _sizes(turn)
    audiences: tuple[Audience, ...] = get_args(Audience)
    rows = [(Button(tr.plain(_AUDIENCES[one], n=sizes.of(one)), f"an:to:{one}"),) for one in audiences]
    question = [tr("Who shall get it?")]
    if sizes.off:
        question.append(tr("Announcements turned off: %(n)s", n=sizes.off))
    back = (Button("‹ " + tr.plain("Back"), "an:show"),)
    return say(Markup("\n").join(question), (*rows, back), in_place=True)


def _confirm(turn: Turn, draft: Announcement, audience: Audience) -> Answer:
    tr, number = turn.tr, _sizes(turn).of(audience)
    if not number:
        return Answer(toast=tr.plain("There is nobody among them."))
    question = tr.n(
        "Send it to %(n)s person? It goes between %(first)s and %(last)s h of their own day, after replies and"
        " reminders, and you can pause and cancel it.",
        "Send it to %(n)s people? It goes between %(first)s and %(last)s h of their own day, after replies and"
        " reminders, and you can pause and cancel it.",
        number,
        first=FIRST_HOUR,
        last=LAST_HOUR,
    )
    keyboard = (
        (Button("📣 " + tr.plain("Send it"), f"an:go:{audience}:{draft.id}"),),
        (Button("‹ " + tr.plain("Back"), "an:to"),),
    )
    return say(question, keyboard, in_place=True)


# --- what is under way -------------------------------------------------------------------------------------------


def _under_way(turn: Turn) -> Announcement | None:
    found = turn.facts(OpenAnnouncements(turn.user.id))
    return next((one for one in found if one.state in ("sending", "paused")), None)


def _card(turn: Turn) -> tuple[Address, str]:
    """Tell where the owner looks on: the message whose button was pressed is the one that is kept up to date."""
    message_id = turn.content.message_id if isinstance(turn.content, Press) and pressed(turn) else ""
    return turn.conversation.identity.address, message_id


def _start(turn: Turn, draft: Announcement, audience: Audience) -> Answer:
    sizes = _sizes(turn)
    card, card_id = _card(turn)
    start = StartAnnouncement(id=draft.id, audience=audience, lately=turn.now - LATELY, card=card, card_id=card_id)
    number = sizes.of(audience)
    begun = msgspec.structs.replace(draft, state="sending", audience=audience, chosen=number)
    return Answer(changes=(start,)) + _shown(turn, begun, Counts(waiting=number))


def _steer(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    under_way = _under_way(turn)
    if under_way is None or len(arguments) != 1 or parse_id(arguments[0]) != under_way.id:
        return None
    card, card_id = _card(turn)
    steer = SteerAnnouncement(id=under_way.id, state=_STEERED[action], card=card, card_id=card_id)
    changed = msgspec.structs.replace(under_way, state=steer.state)
    said = turn.tr("Paused. Shall the rest get nothing?") if action == "stop" else ""
    return Answer(changes=(steer,)) + _show(turn, changed, said)


def _show(turn: Turn, under_way: Announcement, said: str = "") -> Answer:
    return _shown(turn, under_way, turn.facts(AnnouncementCounts(turn.user.id, under_way.id)), said)


def _shown(turn: Turn, under_way: Announcement, counts: Counts, said: str = "") -> Answer:
    text = announcing.progress(under_way, counts, turn.tr)
    shown = f"{said}\n\n{text}" if said else text
    return say(shown, announcing.controls(under_way, turn.tr), in_place=True)
