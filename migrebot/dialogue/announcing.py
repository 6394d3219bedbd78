"""How an announcement looks to the person who runs the bot: what is prepared, how far it is, the final report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from migrebot.announcements.recipients import FIRST_HOUR, LAST_HOUR
from migrebot.announcements.texts import missing, source
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.i18n import N_, language_name
from migrebot.languages import LANGUAGES
from migrebot.messages import Button
from storage.facts import OpenAnnouncements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrebot.announcements.announcement import Announcement, Counts
    from migrebot.i18n import Translator
    from migrebot.messages import Keyboard

_HEADINGS = {
    "sending": N_("📣 <b>The announcement is on its way</b>"),
    "paused": N_("⏸ <b>The announcement is paused</b>"),
    "cancelled": N_("✕ <b>The announcement was cancelled</b>"),
    "done": N_("✅ <b>The announcement is finished</b>"),
}

_NOT_SENT = {
    "blocked": N_("Blocked the bot: %(n)s"),
    "outside": N_("WhatsApp, silent for a day: %(n)s"),
    "off": N_("Announcements turned off: %(n)s"),
    "unknown": N_("Arrived or not, the connection broke: %(n)s"),
    "failed": N_("Failed: %(n)s"),
}


def draft(turn: Turn) -> Announcement | None:
    """Give the announcement that is being prepared."""
    found = turn.facts(OpenAnnouncements(turn.user.id))
    return next((one for one in found if one.state == "draft"), None)


def prepare(turn: Turn, announcement: Announcement | None, said: str = "") -> Answer:
    """Show which texts there are, with what can be done next; `said` (HTML) goes above."""
    tr = turn.tr
    texts = announcement.texts if announcement else {}
    lines = [
        tr("📣 <b>A message to everybody who uses this bot</b>"),
        *(Markup("{}: {}").format(language_name(one), _state(texts, one, tr)) for one in LANGUAGES),
    ]
    write = [Button("✎ " + language_name(language), f"an:write:{language}") for language in LANGUAGES]
    rows = [tuple(write[:2]), tuple(write[2:])]
    if announcement and texts:
        rows.append((Button("👁 " + tr.plain("Preview"), "an:preview"),))
        if not missing(texts):
            rows.append((Button("› " + tr.plain("Choose who gets it"), "an:to"),))
        rows.append((Button("🗑 " + tr.plain("Delete the draft"), f"an:drop:{announcement.id}"),))
    text = Markup("\n").join(lines)
    return say(f"{said}\n\n{text}" if said else text, tuple(rows), in_place=True)


def _state(texts: Mapping[str, str], language: str, tr: Translator) -> str:
    found = source(texts, language)
    if found is None:
        return tr.plain("no text yet")
    return tr.plain("ready") if found == language else tr.plain("get the text in %(other)s", other=language_name(found))


def progress(announcement: Announcement, counts: Counts, tr: Translator) -> Markup:
    """Write how far an announcement is, or what became of it."""
    heard = announcement.chosen - counts.off
    lines = [tr(_HEADINGS[announcement.state]), tr("Sent: %(n)s of %(all)s", n=counts.sent, all=heard)]
    if announcement.state in ("sending", "paused"):
        lines.append(
            tr(
                "Still to come, between %(first)s and %(last)s h of their day: %(n)s",
                n=counts.waiting + counts.queued,
                first=FIRST_HOUR,
                last=LAST_HOUR,
            )
        )
    elif counts.waiting:
        lines.append(tr("Not sent: %(n)s", n=counts.waiting))
    if announcement.state == "done" and counts.queued:
        lines.append(tr("Waits in a local chat until it is opened: %(n)s", n=counts.queued))
    lines += [tr(text, n=number) for name, text in _NOT_SENT.items() if (number := getattr(counts, name))]
    if gone := announcement.chosen - counts.total:
        lines.append(tr("Left meanwhile: %(n)s", n=gone))
    return Markup("\n").join(lines)


def controls(announcement: Announcement, tr: Translator) -> Keyboard:
    """Give the buttons by which it is steered."""
    match announcement.state:
        case "sending":
            pause = Button("⏸ " + tr.plain("Pause"), f"an:pause:{announcement.id}")
            return ((pause, Button("✕ " + tr.plain("Cancel"), f"an:stop:{announcement.id}")),)
        case "paused":
            resume = Button("▶ " + tr.plain("Go on"), f"an:resume:{announcement.id}")
            return ((resume, Button("✕ " + tr.plain("Cancel the rest"), f"an:cancel:{announcement.id}")),)
        case _:
            return ()
