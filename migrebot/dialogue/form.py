"""A form is a value: steps, their questions, choices and parsers. The engine alone knows how it is conducted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migrebot.dialogue.turn import Answer, say

if TYPE_CHECKING:
    from datetime import date

    from migrebot.dialogue.turn import Facts, Turn
    from migrebot.i18n import Translator
    from storage.records import Session


ENTRY = "entry"
"""The answer that every form may have from the start: the id of the stored record it changes."""

ONLY = "only"
"""Likewise: the form asks for one field of that record and is done."""


class View(Struct, frozen=True):
    """What a step may look at: the turn and the form as answered so far."""

    turn: Turn
    session: Session

    @property
    def tr(self) -> Translator:
        """The translator of the user's language."""
        return self.turn.tr

    @property
    def answers(self) -> dict[str, Any]:
        """The answers so far, by step name."""
        return self.session.answers

    @property
    def facts(self) -> Facts:
        """What is known from the storage."""
        return self.turn.facts

    @property
    def today(self) -> date:
        """The present date in the user's zone."""
        return self.turn.today

    @property
    def user_id(self) -> int:
        """Whose form it is."""
        return self.session.user_id

    @property
    def changes_record(self) -> bool:
        """Tell whether the form changes a stored record: what is skipped then stays as it is stored."""
        return ENTRY in self.answers

    @property
    def asks_one_field(self) -> bool:
        """Tell whether the form asks for one field alone."""
        return ONLY in self.answers


class Choice(Struct, frozen=True):
    """An answer on offer: its plain label and its value (JSON); with `turns_page` the value is a page to show."""

    label: str
    value: Any
    turns_page: bool = False


class Complaint(Struct, frozen=True):
    """Why a typed answer cannot be taken and what would do: one kind sentence, HTML."""

    text: str


Rows = Sequence[Sequence[Choice]]


def no_choices(view: View) -> Rows:  # noqa: ARG001 - the signature of `Step.choices`
    """Offer nothing: the answer is typed."""
    return ()


def keep(view: View, value: Any) -> dict[str, Any]:
    """Store an answer under the name of its step."""
    return {**view.answers, view.session.step: value}


class Step(Struct, frozen=True, kw_only=True):
    """One question.

    `wire_name` is its name for outside listeners. `parse` turns typed text into a value or a complaint. `optional`
    steps can be skipped: the answer is None then, unknown. `saveable` ones offer to save the form as it is. `many`
    steps take several choices, and own words, until "Next". What a `daily` step offers is right on the day it was asked
    only: on another day it asks again. A number typed at a `by_value` step is the answer, never the number of a choice.
    `store` puts an answer among the others.
    """

    name: str
    wire_name: str
    question: Callable[[View], str]
    parse: Callable[[View, str], Any | Complaint]
    choices: Callable[[View], Rows] = no_choices
    optional: bool = False
    saveable: bool = False
    many: bool = False
    daily: bool = False
    by_value: bool = False
    store: Callable[[View, Any], dict[str, Any]] = keep


def nothing_saved(view: View) -> Answer:
    """Say that the form was cancelled and left no trace."""
    return say(view.tr("Cancelled, nothing was saved."), in_place=True)


class Form(Struct, frozen=True, kw_only=True):
    """A form: `wire_steps` are its step names as outside listeners number them, from 0.

    `following` names the next step after an answer and its round (None: finished). `finish` is called with all
    answers; `abandon` when the user leaves by a new command or is away too long; `cancel` when the user takes it back.
    All three end the form.
    """

    name: str
    wire_name: str
    wire_steps: tuple[str, ...]
    steps: tuple[Step, ...]
    following: Callable[[View, str], tuple[str, int] | None]
    finish: Callable[[View], Answer]
    abandon: Callable[[View], Answer]
    cancel: Callable[[View], Answer] = nothing_saved

    def step(self, name: str) -> Step:
        """Find a step by its name; raises `KeyError`."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def state(self, step: str) -> str:
        """Name the state for outside listeners: `Form:number:step`."""
        wire = self.step(step).wire_name
        return f"{self.wire_name}:{self.wire_steps.index(wire)}:{wire}"

    def states(self) -> tuple[str, ...]:
        """Name all states of the form for outside listeners."""
        return tuple(f"{self.wire_name}:{number}:{name}" for number, name in enumerate(self.wire_steps))
