"""A phrase read in one language: which of its words say when, and what is left for the task."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from migrebot.reminders.occurrences import next_firing, resolve
from migrebot.reminders.phrases import grammar, once, repeated, task
from migrebot.reminders.phrases.answers import Answer, Asked, Assumed, NotUnderstood, Question, Reason, Understood
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
from migrebot.reminders.phrases.slots import Slots, slots
from migrebot.reminders.schedule import Once
from migrebot.zones import find_zones

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

FARTHEST = timedelta(days=3_652)
"""Ten years: nobody is reminded of anything later."""

_MOST_ALTERNATIVES = 6
_INTRO = frozenset("I")
_CONTIGUOUS = frozenset("cpI")
_TELLING = frozenset("DPbXERGWAdgjoULl%eFNVYOCHKTQ")
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
_GUESSED = frozenset({Assumed.DEFAULT_TIME, Assumed.PART_OF_DAY, Assumed.SAME_DAY})


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
            return self._with_zone(_either(whole, [other for other in others if _is_as_sure(other, whole)]), pieces)
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
        found = _distinct([each for answer in answers for each in _alternatives(answer)])
        if not found:
            return whole
        return Question(asked=Asked.WHICH_TASK, alternatives=tuple(found[:_MOST_ALTERNATIVES]), part=whole.part)

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
            return _perhaps(said, here)
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
        good = _distinct([each for each in ready if isinstance(each, Understood)])
        if not good:
            return ready[0]
        if len(good) == 1 and uncertain is Doubt.NONE:
            return good[0]
        asked = found[0].asked if uncertain is Doubt.NONE else Asked.WHICH_TASK
        return Question(asked=asked, alternatives=tuple(good[:_MOST_ALTERNATIVES]), part=part)

    # --- a place at the end -----------------------------------------------------------------------------------------

    def _with_zone(self, answer: Answer, pieces: list[Piece]) -> Answer:
        """Ask whether a place right behind the time is where something happens, or whose time is meant."""
        here = _alternatives(answer)
        place = self._place(pieces)
        if place is None or any(each.schedule.timezone != self.here.timezone for each in here):
            return answer
        start, end, zones = place
        there = [
            each
            for zone in zones
            for each in _alternatives(self._read([*pieces, Piece(Zone(zone), start, end)], set()))
        ]
        if not there or not here:
            return answer
        alternatives = (*there, *here)[:_MOST_ALTERNATIVES]
        return Question(asked=Asked.WHICH_ZONE, alternatives=alternatives, part=self._text(start + 1, end))

    def _place(self, pieces: list[Piece]) -> tuple[int, int, list[str]] | None:
        """Find a place behind a time, and the zones other than the person's that it is in."""
        for piece in pieces:
            for length in range(_LONGEST_PLACE, 0, -1):
                end = piece.end + 1 + length
                if re.fullmatch(f"[iav]w{{{length}}}", self.kinds[piece.end : end]):
                    zones = [zone for zone in find_zones(self._text(piece.end + 1, end)) if zone != self.here.timezone]
                    if zones:
                        return piece.end, end, zones
        return None


def checked(candidate: Candidate, said: str, now: datetime) -> Understood | NotUnderstood:
    """Find the first firing; refuse what never fires, has passed, or is too far away."""
    schedule = candidate.schedule
    first = next_firing(schedule, now)
    if first is None and isinstance(schedule.pattern, Once):
        return NotUnderstood(reason=Reason.PAST, instant=resolve(schedule.pattern.at, schedule.timezone))
    if first is None:
        return NotUnderstood(reason=Reason.NEVER)
    if first - now > FARTHEST:
        return NotUnderstood(reason=Reason.TOO_FAR, instant=first)
    return Understood(task=said, schedule=schedule, first=first, assumed=tuple(dict.fromkeys(candidate.assumed)))


def _perhaps(said: Slots, here: Here) -> list[Candidate]:
    """Read `через день`: in a day, or every other day."""
    each = msgspec.structs.replace(said, length=None, each=grammar.EVERY_OTHER_DAY)
    single = msgspec.structs.replace(said, length=grammar.IN_A_DAY)
    found = [*repeated.candidates(each, here), *once.candidates(single, here)]
    return [msgspec.structs.replace(candidate, asked=Asked.WHICH_DAY) for candidate in found]


def _distinct(found: Sequence[Understood]) -> list[Understood]:
    distinct: list[Understood] = []
    for each in found:
        if all((each.task, each.schedule) != (other.task, other.schedule) for other in distinct):
            distinct.append(each)
    return distinct


def _alternatives(answer: Answer) -> tuple[Understood, ...]:
    return (answer,) if isinstance(answer, Understood) else answer.alternatives if isinstance(answer, Question) else ()


def _either(whole: Understood | Question, others: list[Answer]) -> Answer:
    found = _distinct([each for answer in (whole, *others) for each in _alternatives(answer)])
    if not others or len(found) == len(_alternatives(whole)):
        return whole
    return Question(asked=Asked.WHICH_TASK, alternatives=tuple(found[:_MOST_ALTERNATIVES]))


def _is_as_sure(other: Answer, whole: Answer) -> bool:
    """Tell whether a reading with fewer pieces guesses nothing that the whole one knows."""
    guessed = {assumed for each in _alternatives(other) for assumed in each.assumed} & _GUESSED
    return bool(_alternatives(other)) and guessed <= {each for a in _alternatives(whole) for each in a.assumed}


def _is_led(kinds: str, piece: Piece) -> bool:
    """Tell whether a soft piece has a word that makes it a time: "at 9", "on the 5th"."""
    return kinds[piece.start] in "avsyi" and not isinstance(piece.meaning, OnDate | MonthDay)
