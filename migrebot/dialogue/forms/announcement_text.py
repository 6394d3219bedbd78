"""The form that asks the person who runs the bot for the text of an announcement in one language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from migrebot.announcements.announcement import Announcement
from migrebot.announcements.texts import LONGEST, Fault, read
from migrebot.dialogue import announcing, engine
from migrebot.dialogue.form import Choice, Complaint, Form, Rows, Step, View
from migrebot.dialogue.turn import Answer, Turn
from migrebot.i18n import language_name
from storage.changes import SaveAnnouncement

if TYPE_CHECKING:
    from markupsafe import Markup

LANGUAGE = "language"
"""The answer that the form has from the start: the language of the text."""


_LINK = '<a href="https://…">…</a>'


def begin(turn: Turn, language: str) -> Answer:
    """Ask for the text in a language."""
    return engine.begin(FORM, turn, answers={LANGUAGE: language})


def _question(view: View) -> str:
    return view.tr(
        "What shall people who speak %(language)s read? Write it as one message. <b>Bold</b> is written %(bold)s,"
        " <i>italics</i> %(italics)s, a link %(link)s.",
        language=language_name(view.answers[LANGUAGE]),
        bold="<b>…</b>",
        italics="<i>…</i>",
        link=_LINK,
    )


def _choices(view: View) -> Rows:
    """Offer the texts of other languages, and to do without one."""
    prepared = announcing.draft(view.turn)
    texts = prepared.texts if prepared else {}
    own = view.answers[LANGUAGE]
    same = [
        [Choice(view.tr.plain("The same as in %(language)s", language=language_name(other)), {"same": other})]
        for other in texts
        if other != own
    ]
    remove = [[Choice(view.tr.plain("Remove this text"), {})]] if own in texts else []
    return [*same, *remove]


def _parse(view: View, text: str) -> Any | Complaint:
    html = read(text)
    return Complaint(_complaint(view, html)) if isinstance(html, Fault) else {"text": html}


def _complaint(view: View, fault: Fault) -> Markup:
    tr, tag = view.tr, fault.what
    match fault.kind:
        case "empty":
            return tr("There is nothing to read in it.")
        case "long":
            return tr("That is very long. Please keep it within %(limit)s characters.", limit=LONGEST)
        case "unknown":
            return tr("I do not know %(tag)s here. There are %(tags)s.", tag=tag, tags=f"<b>, <i>, {_LINK}")
        case "unclosed":
            return tr("%(tag)s is never closed. Please write %(end)s where it ends.", tag=f"<{tag}>", end=f"</{tag}>")
        case "unopened":
            return tr("%(end)s closes what was not opened last. Please look at the order.", end=f"</{tag}>")


def _finish(view: View) -> Answer:
    turn, own, answer = view.turn, view.answers[LANGUAGE], view.answers["text"]
    prepared = announcing.draft(turn) or Announcement(id=turn.new_id(), created_at=turn.now)
    others = {language: text for language, text in prepared.texts.items() if language != own}
    text = prepared.texts.get(answer["same"]) if "same" in answer else answer.get("text")
    changed = msgspec.structs.replace(prepared, texts=others | ({own: text} if text else {}))
    return Answer(changes=(SaveAnnouncement(changed),)) + announcing.prepare(turn, changed)


FORM = Form(
    name="announcement",
    wire_name="AnnouncementForm",
    wire_steps=("text",),
    steps=(Step(name="text", wire_name="text", question=_question, choices=_choices, parse=_parse),),
    following=lambda view, step: None,  # noqa: ARG005 - there is one step
    finish=_finish,
    abandon=lambda view: Answer(),  # noqa: ARG005 - the draft stays as it was
)
"""The form as the engine conducts it."""
