"""A phrase read in one language: which of its words say when, and what is left for the task."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from migrebot.reminders.phrases import grammar, once, repeated, task
from migrebot.reminders.phrases.answers import Answer, Asked, NotUnderstood, Question, Reason, Understood
from migrebot.reminders.phrases.choosing import (
    MOST_ALTERNATIVES,
    alternatives,
    checked,
    distinct,
    either,
    is_as_sure,
    perhaps,
)
from migrebot.reminders.phrases.leftovers import Doubt, doubt
from migrebot.reminders.phrases.lexing import Lexeme, lexemes
from migrebot.reminders.phrases.moment import Candidate, Here, Refused
from migrebot.reminders.phrases.pieces import (
    EachLength,
    EveryOtherDayPerhaps,
    For,
    Hours,
    MonthDay,
    NextUnit,
    Offset,
    OnDate,
    Part,
    Piece,
    TimesADay,
    Until,
    Zone,
)
from migrebot.reminders.phrases.places import zones_of_place
from migrebot.reminders.phrases.slots import Slots, slots

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


_INTRO = frozenset("I")
_CONTIGUOUS = frozenset("cpI")
_TELLING = frozenset("DPbXERGWZAdgjoULl%eFNVYOCHKTQ")
_LONGEST_PLACE = 4
_BLAMED: defaultdict[Reason, tuple[type, ...]] = defaultdict(
    tuple,
    {
        Reason.UNKNOWN_ZONE: (Zone,),
        Reason.NO_SUCH_DAY: (OnDate, MonthDay),
        Reason.CONTRADICTION: (OnDate, NextUnit, Hours),
        Reason.LEFT_OVER: (NextUnit,),
        Reason.TOO_OFTEN: (EachLength, Hours),
        Reason.NO_HOUR: (TimesADay, Part, Offset),
        Reason.NEVER: (Until, For),
    },
)
"""Which piece a refusal is about, where it does not say."""


class Reading:
    """One text in one language."""

    def __init__(self, text: str, here: Here) -> None:
        self.text = text
        self.here = here
        self.lexemes: list[Lexeme] = lexemes(text, here.language)
        self.kinds = "".join(lexeme.kind for lexeme in self.lexemes)
        self.wrong: grammar.Wrong | None = None
        try:
            self.pieces = grammar.pieces(self.lexemes)
        except grammar.Wrong as wrong:
            self.pieces = []
            self.wrong = wrong

    @property
    def explained(self) -> int:
        """Tell how many characters of the text are of time in this language."""
        places = {at for piece in self.pieces for at in range(piece.start, piece.end)}
        if self.wrong is not None:
            places.update(range(*self.wrong.args[:2]))
        spans = {
            (each.start, each.end)
            for at, each in enumerate(self.lexemes)
            # A known phrase of other words explains too: "birthday" in two words has a day in it.
            if at in places or each.kind in _TELLING or (each.kind == "w" and " " in self.text[each.start : each.end])
        }
        return sum(end - start for start, end in spans)

    def answer(self) -> Answer:
        """Tell what the text means."""
        pieces = self.pieces
        if self.wrong is not None:
            return self._wrong(self.wrong)
        if not pieces:
            return NotUnderstood(reason=Reason.NO_TIME)
        whole = self._read(pieces, set())
        optional = self._optional(pieces)
        if isinstance(whole, Understood | Question):
            others = [self._read_without(piece, pieces) for piece, is_open in optional if is_open]
            return self._with_zone(either(whole, [other for other in others if is_as_sure(other, whole)]), pieces)
        return self._with_zone(self._rescued(whole, pieces, optional), pieces)

    def _wrong(self, wrong: grammar.Wrong) -> NotUnderstood:
        start, end, name = wrong.args
        reason = Reason.NO_SUCH_TIME if "hours" in name else Reason.NO_SUCH_DAY
        return NotUnderstood(reason=reason, part=self._text(start, end))

    def _text(self, start: int, end: int) -> str:
        return self.text[self.lexemes[start].start : self.lexemes[end - 1].end]

    def _rescued(self, whole: Answer, pieces: list[Piece], optional: list[tuple[Piece, bool]]) -> Answer:
        """Ask whether a piece is the task's own, where all of them together make no sense."""
        if not isinstance(whole, NotUnderstood) or whole.reason is not Reason.CONTRADICTION:
            return whole
        answers = [self._read_without(piece, pieces) for piece, _ in optional]
        found = distinct([each for answer in answers for each in alternatives(answer)])
        if not found:
            return whole
        return Question(asked=Asked.WHICH_TASK, alternatives=tuple(found[:MOST_ALTERNATIVES]), part=whole.part)

    def _read_without(self, dropped: Piece, pieces: list[Piece]) -> Answer:
        kept = [piece for piece in pieces if piece is not dropped]
        exempt = set(range(dropped.start, dropped.end))
        return self._read(kept, exempt) if kept else NotUnderstood(reason=Reason.NO_TIME)

    def _optional(self, pieces: list[Piece]) -> list[tuple[Piece, bool]]:
        """List the pieces that may be the task's own; with True for those that are asked about in any case."""
        found = [(piece, not _is_led(self.kinds, piece)) for piece in pieces if piece.soft]
        groups = self._groups(pieces)
        if len(groups) > 1:
            inner = [group for group in groups if not self._at_an_end(group)]
            found += [(group[0], True) for group in inner if len(group) == 1 and not group[0].soft]
        return found[:4]

    def _groups(self, pieces: list[Piece]) -> list[list[Piece]]:
        """Group the pieces that stand side by side."""
        groups: list[list[Piece]] = []
        for piece in pieces:
            if groups and set(self.kinds[groups[-1][-1].end : piece.start]) <= _CONTIGUOUS:
                groups[-1].append(piece)
            else:
                groups.append([piece])
        return groups

    def _at_an_end(self, group: list[Piece]) -> bool:
        before, after = self.kinds[: group[0].start], self.kinds[group[-1].end :]
        return set(before) <= _CONTIGUOUS or set(after) <= _CONTIGUOUS

    # --- one choice of pieces ---------------------------------------------------------------------------------------

    def _read(self, pieces: list[Piece], exempt: AbstractSet[int]) -> Answer:
        """Read the text with some of its pieces; `exempt` are lexemes given back to the task."""
        try:
            said, kept, given_back = self._slots(pieces)
            found = self._candidates(said)
        except Refused as refused:
            return self._refused(refused, pieces)
        used = {at for piece in kept for at in range(piece.start, piece.end)}
        used |= self._around(used)
        uncertain, part = doubt(self.text, self.lexemes, used | exempt | given_back, self.here.language)
        if any(self.lexemes[at].weak and self.kinds[at] == "C" for at in used):
            uncertain = max(uncertain, Doubt.MAYBE)
        if uncertain is Doubt.SURELY:
            return NotUnderstood(reason=Reason.LEFT_OVER, part=part)
        return self._understood(found, task.task(self.text, self.lexemes, used), uncertain, part)

    def _slots(self, pieces: list[Piece]) -> tuple[Slots, list[Piece], set[int]]:
        """Sort the pieces; hours and minutes of doing something are the task's own."""
        said = slots(pieces)
        if said.lasting is None or said.lasting.length.days or said.lasting.length.months:
            return said, pieces, set()
        if isinstance(said.each, EachLength):
            return said, pieces, set()
        kept = [piece for piece in pieces if not isinstance(piece.meaning, For)]
        lasting = {at for piece in pieces if piece not in kept for at in range(piece.start, piece.end)}
        return slots(kept), kept, lasting

    def _candidates(self, said: Slots) -> list[Candidate]:
        here = self._there(said.zone)
        if isinstance(said.length, EveryOtherDayPerhaps):
            return perhaps(said, here)
        return repeated.candidates(said, here) if said.repeats else once.candidates(said, here)

    def _there(self, zone: Zone | None) -> Here:
        if zone is None:
            return self.here
        if zone.name is None:
            raise Refused(Reason.UNKNOWN_ZONE)
        return msgspec.structs.replace(self.here, timezone=zone.name)

    def _refused(self, refused: Refused, pieces: list[Piece]) -> NotUnderstood:
        blamed = (refused.piece, *(piece for piece in pieces if isinstance(piece.meaning, _BLAMED[refused.reason])))
        piece = next((each for each in blamed if each is not None), None)
        part = self._text(piece.start, piece.end) if piece and refused.reason is not Reason.PAST else ""
        return NotUnderstood(reason=refused.reason, part=part, instant=refused.instant)

    def _around(self, used: AbstractSet[int]) -> set[int]:
        """Find what belongs to the times: "remind me to" before or behind them, "please", commas between them."""
        found: set[int] = set()
        for order in (range(len(self.kinds)), reversed(range(len(self.kinds)))):
            for at in order:
                if self.kinds[at] in _CONTIGUOUS:
                    found.add(at)
                elif at not in used:
                    break
        intros = {at for at in found if self.kinds[at] in _INTRO}
        near = {at + by for at in used | intros for by in (-1, 1)}
        return intros | {at for at in found if at in near}

    def _understood(self, found: list[Candidate], said: str, uncertain: Doubt, part: str) -> Answer:
        ready = [checked(candidate, said, self.here.now) for candidate in found]
        good = distinct([each for each in ready if isinstance(each, Understood)])
        if not good:
            return ready[0]
        if len(good) == 1 and uncertain is Doubt.NONE:
            return good[0]
        asked = found[0].asked if uncertain is Doubt.NONE else Asked.WHICH_TASK
        return Question(asked=asked, alternatives=tuple(good[:MOST_ALTERNATIVES]), part=part)

    # --- a place at the end -----------------------------------------------------------------------------------------

    def _with_zone(self, answer: Answer, pieces: list[Piece]) -> Answer:
        """Ask whether a place right behind the time is where something happens, or whose time is meant."""
        here = alternatives(answer)
        place = self._place(pieces)
        if place is None or any(each.schedule.timezone != self.here.timezone for each in here):
            return answer
        start, end, zones = place
        there = [
            each for zone in zones for each in alternatives(self._read([*pieces, Piece(Zone(zone), start, end)], set()))
        ]
        if not there or not here:
            return answer
        found = (*there, *here)[:MOST_ALTERNATIVES]
        return Question(asked=Asked.WHICH_ZONE, alternatives=found, part=self._text(start + 1, end))

    def _place(self, pieces: list[Piece]) -> tuple[int, int, list[str]] | None:
        """Find a place behind a time, and the zones other than the person's that it is in."""
        for piece in pieces:
            for length in range(_LONGEST_PLACE, 0, -1):
                end = piece.end + 1 + length
                if re.fullmatch(f"[iavu]w{{{length}}}", self.kinds[piece.end : end]):
                    place = zones_of_place(self._text(piece.end + 1, end), self.here.language)
                    zones = [zone for zone in place if zone != self.here.timezone]
                    if zones:
                        return piece.end, end, zones
        return None


def _is_led(kinds: str, piece: Piece) -> bool:
    """Tell whether a soft piece has a word that makes it a time: "at 9", "on the 5th"."""
    return kinds[piece.start] in "avsyi" and not isinstance(piece.meaning, OnDate | MonthDay)
