"""The regular question whether the head hurt, and the answers to it.

Each button carries the days it is about, so that an answer to an old question is about its own days.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from migrebot.dialogue.forms import pain
from migrebot.dialogue.home import question_key
from migrebot.dialogue.month import FIRST_DAY
from migrebot.dialogue.turn import Answer, Reply, Turn, say
from migrebot.messages import Button, Keyboard, Priority
from migrebot.reminders.questions import MOST_DAYS, asked, days_asked, postponed, scheduled
from storage.changes import CancelQueued, MarkFree, SaveAsking, UnmarkFree
from storage.facts import AskingOf, MarksBetween

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from markupsafe import Markup

SOURCE = "question"
"""What a day recorded as free by an answer says of where that comes from."""


def ask_regularly(turn: Turn, due_at: datetime) -> Answer:
    """Put the question that is due at this instant, unless it is off by now, a form is open, or all days are known."""
    asking = turn.facts(AskingOf(turn.user.id))
    zone = turn.user.timezone
    if asking.next_at != due_at:
        return Answer()
    if zone is None:
        return Answer(changes=(SaveAsking(scheduled(asking, None, turn.now)),))
    if turn.session is not None:
        return Answer(changes=(SaveAsking(postponed(asking, turn.now)),))
    noted = Answer(changes=(SaveAsking(asked(asking, zone, turn.now)),))
    days = days_asked(asking, zone, turn.now)
    must_agree = turn.setup.require_consent and turn.user.agreed_at is None
    if must_agree or not _unknown(turn, days):
        return noted
    # One that still waits to be sent is about fewer days.
    key = question_key(turn.user.id)
    question = Reply(text=_wording(turn, days), keyboard=_keyboard(turn, days), priority=Priority.QUESTION, key=key)
    return noted + Answer(changes=(CancelQueued(key),), replies=(question,))


def ask_now(turn: Turn) -> Answer:
    """Put the question now, as it would come if it were due; when it comes by itself stays as it is."""
    return say(*_put(turn, days_asked(turn.facts(AskingOf(turn.user.id)), turn.timezone, turn.now)))


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on a button of a question; None if there is no such button."""
    if action == "day" and len(arguments) == 1:
        day = _date(arguments[0])
        return pain.begin_on(turn, day) if day and day <= turn.today else None
    days = _days(arguments[:2])
    if not days or days[-1] > turn.today:
        return None
    if action == "undo" and len(arguments) == 3:
        return _undo(turn, days, arguments[2])
    if len(arguments) != 2:
        return None
    match action:
        case "yes":
            return pain.begin_on(turn, days[0]) if len(days) == 1 else _which_day(turn, days)
        case "no":
            return _none(turn, days)
        case "known":
            return say(turn.tr("Good, then your diary is up to date."), in_place=True)
        case "again":
            return _question(turn, days)
        case _:
            return None


def _question(turn: Turn, days: Sequence[date]) -> Answer:
    return say(*_put(turn, days), in_place=True)


def _put(turn: Turn, days: Sequence[date]) -> tuple[Markup, Keyboard]:
    return _wording(turn, days), _keyboard(turn, days)


def _keyboard(turn: Turn, days: Sequence[date]) -> Keyboard:
    tr = turn.tr
    return (
        (_button(tr.plain("Yes"), "yes", days), _button(tr.plain("No"), "no", days)),
        (_button(tr.plain("Already recorded"), "known", days),),
    )


def _wording(turn: Turn, days: Sequence[date]) -> Markup:
    """Ask about the days by their dates: a message may be read days later."""
    tr = turn.tr
    if len(days) > 1:
        return tr.n(
            "Did you have a headache in the last %(n)s day (%(first)s – %(last)s)?",
            "Did you have a headache in the last %(n)s days (%(first)s – %(last)s)?",
            len(days),
            first=tr.day(days[0], turn.today),
            last=tr.day(days[-1], turn.today),
        )
    day = tr.long_date(days[0], turn.today)
    if days[0] == turn.today:
        return tr("Did you have a headache today? (%(day)s)", day=day)
    return tr("Did you have a headache yesterday? (%(day)s)", day=day)


def _which_day(turn: Turn, days: Sequence[date]) -> Answer:
    tr = turn.tr
    buttons = [Button(tr.short_date(day), f"ask:day:{day}") for day in reversed(days)]
    rows = tuple(tuple(buttons[i : i + 2]) for i in range(0, len(buttons), 2))
    back = (_button("‹ " + tr.plain("Back"), "again", days),)
    return say(tr("On which day? If there were several, one after the other."), (*rows, back), in_place=True)


def _none(turn: Turn, days: Sequence[date]) -> Answer:
    tr, unknown = turn.tr, _unknown(turn, days)
    if not unknown:
        return say(tr("That is recorded already, so nothing was changed."), in_place=True)
    mask = sum(1 << n for n, day in enumerate(days) if day in unknown)
    undo = Button(tr.plain("Undo"), f"ask:undo:{days[-1]}:{len(days)}:{mask:x}")
    return Answer(changes=(MarkFree(turn.user.id, unknown, SOURCE),)) + say(
        _noted(turn, unknown), ((undo,),), in_place=True
    )


def _noted(turn: Turn, days: Sequence[date]) -> Markup:
    tr = turn.tr
    if len(days) == 1:
        return tr("Good to hear! Noted without headache: %(day)s.", day=tr.long_date(days[0], turn.today))
    return tr(
        "Good to hear! Noted without headache: %(days)s.", days=tr.list([tr.day(day, turn.today) for day in days])
    )


def _undo(turn: Turn, days: Sequence[date], mask: str) -> Answer | None:
    """Take back what an answer recorded: the days whose bits are set."""
    try:
        bits = int(mask, 16)
    except ValueError:
        return None
    taken_back = [day for n, day in enumerate(days) if bits >> n & 1]
    return Answer(changes=tuple(UnmarkFree(turn.user.id, day) for day in taken_back)) + _question(turn, days)


def _unknown(turn: Turn, days: Sequence[date]) -> tuple[date, ...]:
    marks = turn.facts(MarksBetween(turn.user.id, days[0], days[-1]))
    return tuple(day for day in days if day not in marks.headache and day not in marks.free)


def _button(label: str, action: str, days: Sequence[date]) -> Button:
    return Button(label, f"ask:{action}:{days[-1]}:{len(days)}")


def _days(arguments: Sequence[str]) -> tuple[date, ...]:
    """Read the days a button is about: the last one and how many; empty if it is none of ours."""
    last = _date(arguments[0]) if len(arguments) == 2 else None
    if last is None or arguments[1] not in _COUNTS:
        return ()
    return tuple(last - timedelta(days=n) for n in range(int(arguments[1]) - 1, -1, -1))


_COUNTS = frozenset(str(n) for n in range(1, MOST_DAYS + 1))


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day >= FIRST_DAY + timedelta(days=MOST_DAYS) else None
