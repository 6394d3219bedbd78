"""The form that asks at which hour the regular question shall come."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import msgspec

from migrebot.dialogue.form import Choice, Complaint, Form, Rows, Step, View
from migrebot.dialogue.home import ask_from_now_on, when_asked
from migrebot.dialogue.turn import Answer, say
from migrebot.diary.hours import parse_hour
from migrebot.messages import Button
from storage.facts import AskingOf

if TYPE_CHECKING:
    from collections.abc import Sequence

_HOURS: Sequence[Sequence[int]] = ((8, 9, 12), (18, 19, 20), (21, 22, 23))


def _choices(view: View) -> Rows:  # noqa: ARG001 - the signature of `Step.choices`
    return [[Choice(f"{time(hour):%H:%M}", f"{time(hour):%H:%M}") for hour in row] for row in _HOURS]


def _parse(view: View, text: str) -> str | Complaint:
    at = parse_hour(text)
    if at is None:
        return Complaint(
            view.tr("I did not understand that time. Please write it like this: %(example)s.", example="20:30")
        )
    return f"{at:%H:%M}"


def _finish(view: View) -> Answer:
    turn = view.turn
    before = turn.facts(AskingOf(turn.user.id))
    asking = msgspec.structs.replace(before, at=time.fromisoformat(view.answers["time"]))
    said = view.tr("I will ask: %(when)s.", when=when_asked(turn, asking))
    keyboard = ((Button("‹ " + view.tr.plain("Settings"), "s:show"),),)
    return ask_from_now_on(turn, asking) + say(said, keyboard, in_place=True)


FORM = Form(
    name="asking",
    wire_name="QuestionTimeForm",
    wire_steps=("time",),
    steps=(
        Step(
            name="time",
            wire_name="time",
            question=lambda view: view.tr("At what time shall I ask? Choose, or write any time, for example 20:30."),
            choices=_choices,
            parse=_parse,
        ),
    ),
    following=lambda view, step: None,  # noqa: ARG005 - there is one step
    finish=_finish,
    abandon=lambda view: Answer(),  # noqa: ARG005 - nothing is known before the end
)
"""The form as the engine conducts it."""
