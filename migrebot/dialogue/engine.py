"""How a form is conducted: asking, taking an answer, back, skip, save now, cancel, leaving.

The state of a form is its `Session`; everything here is a function from one to the next. A question's buttons carry
its token, so that a press on an older question is known for what it is. What a question offered is kept with it: a
press, a typed label and a typed number mean the same on every channel, whatever has changed since.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from migrebot.dialogue import controls
from migrebot.dialogue.controls import Control
from migrebot.dialogue.form import Choice, Complaint, Form, Step, View
from migrebot.dialogue.turn import Answer, Reply, Turn
from migrebot.diary.parsing import parse_yes_no
from migrebot.messages import INERT, Button, Keyboard
from migrebot.typed import folded
from storage.records import Frame, Offer, Session

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_OWN_WORDS = 12
"""How many choices a step with several answers takes."""

MAX_OWN_WORD = 60
"""How long, in characters, an own word may be."""

MAX_HISTORY = 50
"""How many steps one can go back."""

SELECTED = "✅ "

_STEERING: tuple[tuple[Control, ...], ...] = (("next",), ("skip", "save"), ("back", "cancel"))
"""The controls by rows, below the choices."""


def begin(
    form: Form,
    turn: Turn,
    *,
    step: str | None = None,
    answers: dict[str, Any] | None = None,
    history: tuple[Frame, ...] = (),
    said: str = "",
    loop: int = 0,
) -> Answer:
    """Open a form at its first or the given step and round.

    `said` (HTML) goes above the question, `history` lies behind it.
    """
    session = _replace(fresh(form, turn, step or form.steps[0].name, answers or {}), history=history, loop=loop)
    return _ask_anew(form, turn, session, said)


def fresh(form: Form, turn: Turn, step: str, answers: dict[str, Any]) -> Session:
    """Give a form's session before anything was asked."""
    return Session(
        user_id=turn.user.id,
        form=form.name,
        step=step,
        state=form.state(step),
        token="",
        address=turn.conversation.identity.address,
        started_at=turn.now,
        updated_at=turn.now,
        expires_at=turn.now,
        answers=answers,
    )


def hear(form: Form, turn: Turn, session: Session, text: str) -> Answer:
    """Take a typed answer: a control, one of the offers, or whatever the step can parse."""
    step, view = form.step(session.step), View(turn, session)
    if control := controls.spoken(text):
        if control in _offered_controls(step, view):
            return steer(form, turn, session, control)
        return ask(form, turn, session, said=turn.tr("That does not work at this question."))
    word = folded(text)
    for offer in session.offers if not _is_outdated(step, view) else ():
        if folded(offer.label) == word and not (step.many and offer.turns_page):
            return choose(form, turn, session, offer)
    if step.many and parse_yes_no(text) is False:
        return steer(form, turn, session, "next")
    if step.many and text.isdigit():
        return ask(form, turn, session, said=turn.tr("There is no choice with that number."))
    if step.many:
        return _add_own_words(form, turn, session, text)
    value = step.parse(view, text)
    if isinstance(value, Complaint):
        return ask(form, turn, session, said=value.text)
    return _advance(form, turn, session, value)


def press(form: Form, turn: Turn, session: Session, code: str) -> Answer | None:
    """Take a press on the open question; `code` is what its button carried. None if it never had such a button."""
    step = form.step(session.step)
    for control in _offered_controls(step, View(turn, session)):
        if code == control:
            return steer(form, turn, session, control)
    if code.isascii() and code.isdigit() and len(code) < 4 and int(code) < len(session.offers):
        return choose(form, turn, session, session.offers[int(code)])
    return None


def steer(form: Form, turn: Turn, session: Session, control: Control) -> Answer:
    """Do what a control says."""
    match control:
        case "cancel":
            return Answer(session=None) + form.cancel(View(turn, session))
        case "back":
            *before, last = session.history
            earlier = _replace(session, step=last.step, loop=last.loop, history=tuple(before), page="")
            return _ask_anew(form, turn, earlier)
        case "skip":
            return _advance(form, turn, session, None)
        case "next":
            chosen = session.answers.get(session.step) or []
            return _advance(form, turn, session, chosen)
        case "save":
            return _finish(form, turn, session)


def choose(form: Form, turn: Turn, session: Session, offer: Offer) -> Answer:
    """Take one of the offers: show its page, toggle it, or go on with it."""
    if _is_outdated(form.step(session.step), View(turn, session)):
        said = turn.tr("A new day has begun since I asked, so please choose again.")
        return ask(form, turn, _replace(session, page=""), said=said)
    if offer.turns_page:
        return ask(form, turn, _replace(session, page=offer.value))
    if form.step(session.step).many:
        return _toggle(form, turn, session, [offer.value])
    return _advance(form, turn, session, offer.value)


def take(form: Form, turn: Turn, session: Session, value: Any) -> Answer:
    """Take an answer that came neither typed nor by a button."""
    return _advance(form, turn, session, value)


def leave(form: Form, turn: Turn, session: Session) -> Answer:
    """End the form because the user went elsewhere or stayed away, saving what the form thinks worth it."""
    return Answer(session=None) + form.abandon(View(turn, session))


def ask(form: Form, turn: Turn, session: Session, *, said: str = "") -> Answer:
    """Put the open question, again or for the first time; `said` (HTML) goes above it."""
    view, step = View(turn, session), form.step(session.step)
    rows = [row for row in step.choices(view) if row]
    if step.many:
        rows = _with_own_words(rows, session)
    question = step.question(view)
    asked = _replace(
        session,
        offers=tuple(Offer(choice.label, choice.value, choice.turns_page) for row in rows for choice in row),
        state=form.state(session.step),
        updated_at=turn.now,
        expires_at=turn.now + timedelta(hours=turn.setup.form_hours),
    )
    reply = Reply(
        text=f"{said}\n\n{question}" if said else question,
        keyboard=_keyboard(rows, step, asked, turn),
        in_place=True,
    )
    return Answer(replies=(reply,), session=asked)


def _ask_anew(form: Form, turn: Turn, session: Session, said: str = "") -> Answer:
    return ask(form, turn, _replace(session, token=_token(turn)), said=said)


def _token(turn: Turn) -> str:
    return f"{turn.new_id() & 0xFFFFFFFF:x}"


def _advance(form: Form, turn: Turn, session: Session, value: Any) -> Answer:
    step = form.step(session.step)
    answered = _replace(session, answers=step.store(View(turn, session), value))
    following = form.following(View(turn, answered), step.name)
    if following is None:
        return _finish(form, turn, answered)
    here = (session.step, session.loop)
    history = session.history if following == here else (*session.history, Frame(*here))[-MAX_HISTORY:]
    further = _replace(answered, step=following[0], loop=following[1], page="", history=history)
    return _ask_anew(form, turn, further)


def _finish(form: Form, turn: Turn, session: Session) -> Answer:
    # In this order: what finishes a form may begin another one.
    return Answer(session=None) + form.finish(View(turn, session))


def _is_outdated(step: Step, view: View) -> bool:
    asked = view.session.updated_at.astimezone(ZoneInfo(view.turn.timezone)).date()
    return step.daily and asked != view.today


def _toggle(form: Form, turn: Turn, session: Session, values: Sequence[Any]) -> Answer:
    chosen = list(session.answers.get(session.step) or [])
    for value in values:
        if value in chosen:
            chosen.remove(value)
        else:
            chosen.append(value)
    if len(chosen) > MAX_OWN_WORDS:
        return ask(form, turn, session, said=turn.tr("That is as many as fit here. Please take one away first."))
    return ask(form, turn, _replace(session, answers={**session.answers, session.step: chosen}))


def _add_own_words(form: Form, turn: Turn, session: Session, text: str) -> Answer:
    known = {folded(offer.label): offer.value for offer in session.offers}
    chosen = list(session.answers.get(session.step) or [])
    added: list[Any] = []
    for word in (part.strip() for part in text.replace("\n", ",").split(",")):
        value = known.get(folded(word), word)
        if len(word) > MAX_OWN_WORD:
            said = turn.tr("Please keep each one within %(limit)s characters.", limit=MAX_OWN_WORD)
            return ask(form, turn, session, said=said)
        if word and value not in chosen and value not in added:
            added.append(value)
    return _toggle(form, turn, session, added)


def _with_own_words(rows: Sequence[Sequence[Choice]], session: Session) -> list[Sequence[Choice]]:
    chosen = session.answers.get(session.step) or []
    offered = {choice.value for row in rows for choice in row}
    own = [[Choice(str(value), value)] for value in chosen if value not in offered]
    return [*rows, *own]


def _offered_controls(step: Step, view: View) -> tuple[Control, ...]:
    offered: list[Control] = []
    if step.many:
        offered.append("next")
    if step.optional:
        offered.append("skip")
    if step.saveable and not view.asks_one_field:
        offered.append("save")
    if view.session.history:
        offered.append("back")
    return (*offered, "cancel")


def _keyboard(rows: Sequence[Sequence[Choice]], step: Step, session: Session, turn: Turn) -> Keyboard:
    chosen = session.answers.get(session.step) or [] if step.many else []
    keyboard: list[tuple[Button, ...]] = []
    number = 0
    for row in rows:
        buttons = []
        for choice in row:
            mark = SELECTED if choice.value in chosen else ""
            # A page that is on show already: the heading of a calendar, its weekdays, its empty days.
            is_here = choice.turns_page and choice.value == session.page
            buttons.append(Button(mark + choice.label, INERT if is_here else f"q:{session.token}:{number}"))
            number += 1
        keyboard.append(tuple(buttons))
    offered = _offered_controls(step, View(turn, session))
    steering = [
        tuple(
            Button(controls.label(control, turn.tr), f"q:{session.token}:{control}")
            for control in together
            if control in offered
        )
        for together in _STEERING
    ]
    return tuple(row for row in (*keyboard, *steering) if row)


def _replace(session: Session, **changes: Any) -> Session:
    return msgspec.structs.replace(session, **changes)
