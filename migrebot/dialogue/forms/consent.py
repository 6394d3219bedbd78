"""The form that holds the first entry until the person agreed to what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from migrebot.dialogue.form import Choice, Form, Rows, Step, View, keep
from migrebot.dialogue.forms.medicines import parse_yes_or_no
from migrebot.dialogue.menus import welcome
from migrebot.dialogue.turn import Answer, Turn, say

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = "command"
"""The answer that the form has from the start: the command to go on with, as it was written."""


def make(go_on: Callable[[Turn, str], Answer]) -> Form:
    """Make the form; `go_on` answers the command that waited, once the person agreed."""

    def finish(view: View) -> Answer:
        if not view.answers["agree"]:
            return refused(view)
        turn = view.turn
        user = msgspec.structs.replace(welcome.greeted(turn), agreed_at=turn.now)
        yes = Answer(user=user)
        return yes + go_on(turn.after(yes), view.answers[COMMAND])

    return Form(
        name="consent",
        wire_name="ConsentForm",
        wire_steps=("agree",),
        steps=(STEP,),
        following=lambda view, step: None,  # noqa: ARG005 - there is one step
        finish=finish,
        abandon=lambda view: Answer(),  # noqa: ARG005 - nothing was agreed to
        cancel=refused,
    )


def refused(view: View) -> Answer:
    """Accept that the person does not agree."""
    said = view.tr("That is fine, nothing is stored. Write /pain whenever you change your mind.")
    return say(said, in_place=True)


def _choices(view: View) -> Rows:
    return [[Choice(view.tr.plain("I agree"), value=True)], [Choice(view.tr.plain("Not now"), value=False)]]


def _question(view: View) -> str:
    return Markup("\n\n").join((view.tr("Before your first entry:"), welcome.storage_notice(view.turn)))


STEP = Step(name="agree", wire_name="agree", question=_question, choices=_choices, parse=parse_yes_or_no, store=keep)
"""The one question."""
