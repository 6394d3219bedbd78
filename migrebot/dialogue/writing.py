"""What the person who runs the bot writes to somebody of their own accord, and the way back.

It goes to where that person wrote last. No text is kept: it is in the outbox until it is sent.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup

from migrebot.dialogue import engine, letters, numbered
from migrebot.dialogue.form import Form, Step
from migrebot.dialogue.turn import Answer, say
from migrebot.i18n import translator
from migrebot.messages import Button
from storage.changes import Enqueue
from storage.facts import IdentitiesOf, UserAt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.dialogue.form import View
    from migrebot.dialogue.turn import Turn
    from migrebot.messages import Keyboard
    from storage.records import Identity

TEXT = "text"

_TO = re.compile(r"#?([-−–]?\d{1,18})(?:\s+|$)")
"""The number of a person, as letters and reports show it."""

_WINDOW = timedelta(hours=24)
"""How long after a person's last message WhatsApp takes ours."""


def write(turn: Turn, arguments: str) -> Answer:
    """Answer `/write 8 text`: send the text to the person with this number."""
    tr = turn.tr
    to = _TO.match(arguments)
    text = arguments[to.end() :].strip() if to else ""
    if to is None or not text:
        return say(
            tr(
                "Write it like this: <b>/write 8 Hello!</b> The number stands beside the name in messages and in"
                " reports (id)."
            )
        )
    user_id = int(to[1].replace("−", "-").replace("–", "-"))
    identities = turn.facts(IdentitiesOf(user_id))
    if not identities:
        return say(tr("I know nobody with the id %(id)s. Nothing was sent.", id=user_id))
    reachable = next((identity for identity in identities if identity.muted_at is None), None)
    if reachable is None:
        return say(tr("That person has blocked the bot, or their account is gone. Nothing was sent."))
    return _sent(turn, reachable, text)


def _sent(turn: Turn, to: Identity, text: str) -> Answer:
    reader = turn.facts(UserAt(turn.user.id, to.address))
    tr = translator(reader.language if reader else "en")
    body = Markup("{}\n{}").format(tr("✉️ The person who runs this bot writes to you:"), text)
    keyboard: Keyboard = ((Button(tr.plain("Answer"), "w:answer"),),)
    if to.address.channel in numbered.CHANNELS:
        # Its number would mean something else there while a question is open.
        body, keyboard = Markup("{}\n\n{}").format(body, tr("To answer, write here while no question is open.")), ()
    messages = letters.posted(to.address, body, keyboard, to.user_id)
    waits = to.address.channel == "whatsapp" and turn.now - to.seen_at > _WINDOW
    said = (
        turn.tr(
            "It waits: that person last wrote more than a day ago, and until they write again WhatsApp lets nothing"
            " through. Then they get it."
        )
        if waits
        else turn.tr("Your message is on its way.")
    )
    return Answer(changes=tuple(map(Enqueue, messages))) + say(said)


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on the button of such a message; None if there is no such button."""
    return engine.begin(BACK, turn) if action == "answer" and not arguments else None


def _passed_on(view: View) -> Answer:
    return letters.send(view.turn, view.answers[TEXT])


BACK = Form(
    name="back",
    wire_name="WriteBackForm",
    wire_steps=(TEXT,),
    steps=(
        Step(
            name=TEXT,
            wire_name=TEXT,
            question=lambda view: view.tr(
                "What shall I pass on? The person who runs this bot sees your name beside it, and may read it later."
            ),
            parse=lambda view, text: text,  # noqa: ARG005 - any text will do
        ),
    ),
    following=lambda view, step: None,  # noqa: ARG005 - there is one step
    finish=_passed_on,
    abandon=lambda view: Answer(),  # noqa: ARG005 - nothing is known before the end
)
"""Asks somebody for the answer to the person who runs the bot."""
