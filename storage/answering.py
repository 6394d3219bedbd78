"""What a driver has to ask for each fact, and how the answer is made of the rows: as data, shared by the drivers."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from migrebot.announcements.announcement import AnnouncementWish
from migrebot.diary.entries import days_touched
from migrebot.messages import Priority
from migrebot.reminders.questions import Asking
from storage import (
    announcement_rows,
    columns,
    diary_rows,
    donation_rows,
    held_rows,
    letter_rows,
    link_rows,
    reminder_rows,
    report_rows,
    rows,
)
from storage.applying import Statement
from storage.columns import Row, clean
from storage.facts import (
    AllOf,
    AnnouncementCounts,
    AnnouncementWishOf,
    AskingOf,
    AudienceSizes,
    BelongsToAnother,
    BillById,
    CodesInUse,
    CorrespondenceOf,
    DayMarks,
    DrugById,
    DrugNames,
    Entries,
    EntriesBetween,
    ErasureMarks,
    Everything,
    Fact,
    FrequentChoices,
    HasHadAura,
    HasHeld,
    HeadacheById,
    HeldBack,
    HeldInAll,
    IdentitiesOf,
    IntakeById,
    IntakesBetween,
    IntakesOf,
    IsAnnouncement,
    IsOurMessage,
    LastIntake,
    LastIntakes,
    LastList,
    LetterById,
    LetterCopiedIn,
    LinkCodeByHash,
    LinkCodeOf,
    LinkTries,
    MarksBetween,
    NextHeld,
    Noted,
    NotedInstant,
    NotedNumber,
    OccurrenceById,
    OfferedKeyboard,
    OpenAnnouncements,
    OpenHeadache,
    OveruseNoticeOf,
    OwnDrugs,
    PaymentById,
    PressureById,
    ReminderById,
    RemindersOf,
    SeenLast,
    SnoozedOf,
    SpanBetween,
    TotalsLately,
    UserAt,
    UsualAmounts,
    Wishes,
)
from storage.interface import WAITS_FOR_PERSON
from storage.records import Correspondence, OveruseNotice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from migrebot.announcements.announcement import Announcement
    from migrebot.messages import Address

T = TypeVar("T")

MOST_CHOICES = 30
MOST_AMOUNTS = 6


class Question(Struct, frozen=True):
    """The queries of a fact, and what makes the answer of all their rows."""

    queries: tuple[Statement, ...]
    answer: Callable[[Sequence[list[Row]]], Any]


def question(fact: Fact[Any]) -> Question:
    """Work out what has to be asked for a fact."""
    return _QUESTIONS[type(fact)](fact)


def _drug_names(fact: DrugNames) -> Question:
    def answer(results: Sequence[list[Row]]) -> tuple[str, ...]:
        own, taken = ([row[2] for row in results[0]], [row[0] for row in results[1]])
        names: dict[str, str] = {}
        # However it was spelled it is one drug; the own list's spelling goes before the latest.
        for name in own + taken:
            names.setdefault(name.casefold(), name)
        order = dict.fromkeys([name.casefold() for name in own] + _most_often(name.casefold() for name in taken))
        return tuple(names[name] for name in order)[:MOST_CHOICES]

    return Question((_of("drugs", fact), _of("recent_intakes", fact)), answer)


def _usual_amounts(fact: UsualAmounts) -> Question:
    drug = clean(fact.drug).casefold()

    def answer(results: Sequence[list[Row]]) -> tuple[tuple[float, str], ...]:
        amounts = Counter(
            (amount, unit) for name, amount, unit in results[0] if amount is not None and name.casefold() == drug
        )
        return tuple(amount for amount, _ in amounts.most_common(MOST_AMOUNTS))

    return Question((_of("recent_intakes", fact),), answer)


def _last_intakes(fact: LastIntakes) -> Question:
    query = Statement("last_intakes", (fact.user_id, fact.user_id, fact.besides))
    return Question((query,), lambda results: tuple(map(diary_rows.intake, results[0])))


def _headache_by_id(fact: HeadacheById) -> Question:
    return Question((Statement("headache", (fact.id, fact.user_id)),), _one(diary_rows.headache))


def _intakes_of(fact: IntakesOf) -> Question:
    query = Statement("intakes_of", (fact.user_id, fact.headache_id))
    return Question((query,), lambda results: tuple(map(diary_rows.intake, results[0])))


def _intake_by_id(fact: IntakeById) -> Question:
    return Question((Statement("intake", (fact.id, fact.user_id)),), _one(diary_rows.intake))


def _last_intake(fact: LastIntake) -> Question:
    return Question((_of("last_intake", fact),), _one(diary_rows.intake))


def _intakes_between(fact: IntakesBetween) -> Question:
    query = _on_days("intakes_between", fact)
    return Question((query,), lambda results: tuple(map(diary_rows.intake, results[0])))


def _own_drugs(fact: OwnDrugs) -> Question:
    return Question((_of("drugs", fact),), lambda results: tuple(map(diary_rows.drug, results[0])))


def _drug_by_id(fact: DrugById) -> Question:
    return Question((Statement("drug", (fact.id, fact.user_id)),), _one(diary_rows.drug))


def _pressure_by_id(fact: PressureById) -> Question:
    return Question((Statement("pressure", (fact.id, fact.user_id)),), _one(diary_rows.pressure))


def _overuse_notice_of(fact: OveruseNoticeOf) -> Question:
    def answer(results: Sequence[list[Row]]) -> OveruseNotice:
        return _one(diary_rows.overuse_notice)(results) or OveruseNotice(user_id=fact.user_id)

    return Question((_of("overuse_notice", fact),), answer)


def _open_headache(fact: OpenHeadache) -> Question:
    return Question((_of("open_headache", fact),), _one(diary_rows.headache))


def _belongs_to_another(fact: BelongsToAnother) -> Question:
    values = (fact.id, fact.user_id) * 6
    return Question((Statement("belongs_to_another", values),), lambda results: bool(results[0]))


def _has_had_aura(fact: HasHadAura) -> Question:
    return Question((Statement("aura", (fact.user_id, fact.besides)),), lambda results: bool(results[0]))


def _frequent_choices(fact: FrequentChoices) -> Question:
    def answer(results: Sequence[list[Row]]) -> tuple[str, ...]:
        return tuple(_most_often(choice for row in results[0] for choice in columns.strings(row[0]))[:MOST_CHOICES])

    return Question((_of(_CHOSEN[fact.field], fact),), answer)


def _marks_between(fact: MarksBetween) -> Question:
    def answer(results: Sequence[list[Row]]) -> DayMarks:
        headaches, intakes, free = results
        hurt = frozenset(day for row in headaches for day in days_touched(diary_rows.headache(row)))
        return DayMarks(
            headache=_within(hurt, fact),
            medicine=frozenset(diary_rows.intake(row).day for row in intakes),
            free=_days(free) - hurt,
        )

    return Question((_attacks(fact), _on_days("intakes_between", fact), _on_days("free_days_between", fact)), answer)


def _entries_between(fact: EntriesBetween) -> Question:
    def answer(results: Sequence[list[Row]]) -> Entries:
        headaches, intakes, pressures, free = results
        return Entries(
            headaches=tuple(map(diary_rows.headache, headaches)),
            intakes=tuple(map(diary_rows.intake, intakes)),
            pressures=tuple(
                reading for reading in map(diary_rows.pressure, pressures) if fact.first <= reading.day <= fact.last
            ),
            free=_days(free),
        )

    # No zone is further than a day from UTC.
    around = (_midnight(fact.first - _DAY), _midnight(fact.last + 2 * _DAY))
    queries = (
        _attacks(fact),
        _on_days("intakes_between", fact),
        Statement("pressures_between", (fact.user_id, *around)),
        _on_days("free_days_between", fact),
    )
    return Question(queries, answer)


_DAY = timedelta(days=1)


def _attacks(fact: MarksBetween | EntriesBetween) -> Statement:
    return Statement("headaches_between", (fact.user_id, fact.last.isoformat(), fact.first.isoformat()))


def _on_days(query: str, fact: MarksBetween | EntriesBetween | IntakesBetween) -> Statement:
    return Statement(query, (fact.user_id, fact.first.isoformat(), fact.last.isoformat()))


def _midnight(day: date) -> int:
    return columns.micros(datetime.combine(day, time(), UTC))


def _within(days: Iterable[date], fact: MarksBetween) -> frozenset[date]:
    return frozenset(day for day in days if fact.first <= day <= fact.last)


def _days(found: list[Row]) -> frozenset[date]:
    return frozenset(date.fromisoformat(row[0]) for row in found)


def _reminders_of(fact: RemindersOf) -> Question:
    return Question((_of("reminders", fact),), lambda results: tuple(map(reminder_rows.reminder, results[0])))


def _snoozed_of(fact: SnoozedOf) -> Question:
    return Question((_of("snoozed", fact),), lambda results: tuple(map(reminder_rows.occurrence, results[0])))


def _reminder_by_id(fact: ReminderById) -> Question:
    return Question((Statement("reminder", (fact.id, fact.user_id)),), _one(reminder_rows.reminder))


def _occurrence_by_id(fact: OccurrenceById) -> Question:
    return Question((Statement("occurrence", (fact.id, fact.user_id)),), _one(reminder_rows.occurrence))


def _last_list(fact: LastList) -> Question:
    return Question((_of("last_list", fact),), _one(_codes))


def _codes_in_use(fact: CodesInUse) -> Question:
    def answer(results: Sequence[list[Row]]) -> frozenset[str]:
        stored, listed = results
        return frozenset(row[0] for row in stored).union(*map(_codes, listed))

    return Question((_of("codes", fact), _of("last_list", fact)), answer)


def _codes(row: Row) -> tuple[str, ...]:
    return columns.strings(row[0])


def _asking_of(fact: AskingOf) -> Question:
    def answer(results: Sequence[list[Row]]) -> Asking:
        return rows.asking(results[0][0]) if results[0] else Asking(user_id=fact.user_id)

    return Question((_of("asking", fact),), answer)


def _correspondence_of(fact: CorrespondenceOf) -> Question:
    def answer(results: Sequence[list[Row]]) -> Correspondence:
        return _one(letter_rows.correspondence)(results) or Correspondence(user_id=fact.user_id)

    return Question((_of("correspondence", fact),), answer)


def _letter_by_id(fact: LetterById) -> Question:
    return Question((Statement("letter", (fact.id,)),), _one(letter_rows.letter))


def _letter_copied_in(fact: LetterCopiedIn) -> Question:
    query = Statement("letter_copied_in", (fact.address.channel, clean(fact.address.value), clean(fact.message_id)))
    return Question((query,), _one(letter_rows.letter))


def _bill_by_id(fact: BillById) -> Question:
    return Question((Statement("bill", (fact.id, fact.user_id)),), _one(donation_rows.bill))


def _payment_by_id(fact: PaymentById) -> Question:
    return Question((Statement("payment", (clean(fact.charge_id),)),), _one(donation_rows.payment))


def _link_code_of(fact: LinkCodeOf) -> Question:
    return Question((_of("link_code", fact),), _one(link_rows.link_code))


def _link_code_by_hash(fact: LinkCodeByHash) -> Question:
    return Question((Statement("link_code_by_hash", (fact.hash,)),), _one(link_rows.link_code))


def _link_tries(fact: LinkTries) -> Question:
    query = Statement("link_tries", (fact.user_id, columns.micros(fact.since)))
    return Question((query,), lambda results: (results[0][0][0], results[0][0][1]))


def _identities_of(fact: IdentitiesOf) -> Question:
    return Question((_of("identities_of", fact),), lambda results: tuple(map(rows.identity, results[0])))


def _user_at(fact: UserAt) -> Question:
    return Question((Statement("user_at", (fact.address.channel, clean(fact.address.value))),), _one(rows.user))


def _seen_last(fact: SeenLast) -> Question:
    def answer(results: Sequence[list[Row]]) -> Address | None:
        return rows.identity(results[0][0]).address if results[0] else None

    return Question((Statement("latest_identity", (fact.channel,)),), answer)


def _open_announcements(_fact: OpenAnnouncements) -> Question:
    def answer(results: Sequence[list[Row]]) -> tuple[Announcement, ...]:
        return tuple(map(announcement_rows.announcement, results[0]))

    return Question((Statement("open_announcements", ()),), answer)


def _announcement_counts(fact: AnnouncementCounts) -> Question:
    query = Statement("announcement_counts", (fact.id,))
    return Question((query,), lambda results: announcement_rows.counts(results[0]))


def _audience_sizes(fact: AudienceSizes) -> Question:
    query = Statement("audiences", (columns.micros(fact.lately),))
    return Question((query,), lambda results: announcement_rows.sizes(results[0][0]))


def _announcement_wish_of(fact: AnnouncementWishOf) -> Question:
    def answer(results: Sequence[list[Row]]) -> AnnouncementWish:
        return _one(announcement_rows.wish)(results) or AnnouncementWish(user_id=fact.user_id)

    return Question((_of("announcement_wish", fact),), answer)


def _all_of(fact: AllOf) -> Question:
    def answer(results: Sequence[list[Row]]) -> Everything:
        users, identities, headaches, intakes, pressures, drugs, reminders, free_days, *others = results
        notices, askings, wishes, letters, announcement_wishes, payments = others
        return Everything(
            user=rows.user(users[0]) if users else None,
            identities=tuple(map(rows.identity, identities)),
            headaches=tuple(map(diary_rows.headache, headaches)),
            intakes=tuple(map(diary_rows.intake, intakes)),
            pressures=tuple(map(diary_rows.pressure, pressures)),
            drugs=tuple(map(diary_rows.drug, drugs)),
            reminders=tuple(map(reminder_rows.reminder, reminders)),
            free_days=tuple(map(diary_rows.free_day, free_days)),
            overuse_notice=_one(diary_rows.overuse_notice)([notices]),
            asking=_one(rows.asking)([askings]),
            correspondence=_one(letter_rows.correspondence)([wishes]),
            letters=tuple(map(letter_rows.letter, letters)),
            announcement_wish=_one(announcement_rows.wish)([announcement_wishes]),
            payments=tuple(map(donation_rows.payment, payments)),
        )

    names = (
        "user",
        "identities_of",
        "headaches",
        "intakes",
        "pressures",
        "drugs",
        "reminders",
        "free_days",
        "overuse_notice",
        "asking",
        "correspondence",
        "letters",
        "announcement_wish",
        "payments",
    )
    return Question(tuple(_of(name, fact) for name in names), answer)


def _offered_keyboard(fact: OfferedKeyboard) -> Question:
    query = Statement("keyboard", (fact.user_id, fact.address.channel, clean(fact.address.value)))
    return Question((query,), lambda results: rows.keyboard(results[0][0]) if results[0] else ())


def _held_back(fact: HeldBack) -> Question:
    query = Statement("held_back", (fact.user_id, int(Priority.REMINDER), WAITS_FOR_PERSON))
    return Question((query,), lambda results: results[0][0][0])


def _is_our_message(fact: IsOurMessage) -> Question:
    query = Statement("message_known", (fact.channel, clean(fact.message_id)))
    return Question((query,), lambda results: bool(results[0]))


def _is_announcement(fact: IsAnnouncement) -> Question:
    query = Statement("is_announcement", (fact.channel, clean(fact.message_id), int(Priority.ANNOUNCEMENT)))
    return Question((query,), lambda results: bool(results[0]))


def _noted_instant(fact: NotedInstant) -> Question:
    query = Statement("noted_instant", (f"instant {fact.name}",))
    return Question((query,), lambda results: columns.instant(results[0][0][0]) if results[0] else None)


def _erasure_marks(_fact: ErasureMarks) -> Question:
    return Question((Statement("erasure_marks", ()),), lambda results: {row[0]: row[1] for row in results[0]})


def _span_between(fact: SpanBetween) -> Question:
    between = (columns.micros(fact.since), columns.micros(fact.until))
    queries = tuple(Statement(name, between) for name in ("day_counts", "newcomers", "departures"))
    return Question(queries, lambda results: report_rows.span(fact.since, fact.until, *results))


def _totals_lately(fact: TotalsLately) -> Question:
    query = Statement("totals", (columns.micros(fact.lately),))
    return Question((query,), lambda results: report_rows.totals(results[0][0]))


def _noted_number(fact: NotedNumber) -> Question:
    query = Statement("noted_instant", (f"number {fact.name}",))
    return Question((query,), lambda results: results[0][0][0] if results[0] else None)


def _noted(fact: Noted) -> Question:
    return Question((Statement("noted", (fact.name,)),), lambda results: results[0][0][0] if results[0] else "")


def _wishes(_fact: Wishes) -> Question:
    return Question((Statement("wishes", ()),), lambda results: tuple(map(rows.wish, results[0])))


def _has_held(fact: HasHeld) -> Question:
    query = Statement("held_from", (fact.address.channel, clean(fact.address.value)))
    return Question((query,), lambda results: bool(results[0]))


def _held_in_all(_fact: HeldInAll) -> Question:
    return Question((Statement("held_in_all", ()),), lambda results: results[0][0][0])


def _next_held(fact: NextHeld) -> Question:
    query = Statement("next_held", (fact.limit,))
    return Question((query,), lambda results: tuple(map(held_rows.held, results[0])))


def _of(query: str, fact: Fact[Any]) -> Statement:
    return Statement(query, (fact.user_id,))


def _one(read: Callable[[Row], T]) -> Callable[[Sequence[list[Row]]], T | None]:
    return lambda results: read(results[0][0]) if results[0] else None


def _most_often(names: Iterable[str]) -> list[str]:
    """Order by frequency, the latest first among equals (they come latest first)."""
    return [name for name, _ in Counter(names).most_common()]


_CHOSEN = {"triggers": "recent_triggers", "symptoms": "recent_symptoms"}

_QUESTIONS: dict[type[Fact[Any]], Callable[[Any], Question]] = {
    DrugNames: _drug_names,
    UsualAmounts: _usual_amounts,
    LastIntakes: _last_intakes,
    HeadacheById: _headache_by_id,
    IntakeById: _intake_by_id,
    LastIntake: _last_intake,
    IntakesBetween: _intakes_between,
    OwnDrugs: _own_drugs,
    DrugById: _drug_by_id,
    PressureById: _pressure_by_id,
    OveruseNoticeOf: _overuse_notice_of,
    IntakesOf: _intakes_of,
    OpenHeadache: _open_headache,
    BelongsToAnother: _belongs_to_another,
    HasHadAura: _has_had_aura,
    FrequentChoices: _frequent_choices,
    MarksBetween: _marks_between,
    EntriesBetween: _entries_between,
    OfferedKeyboard: _offered_keyboard,
    HeldBack: _held_back,
    IsOurMessage: _is_our_message,
    IsAnnouncement: _is_announcement,
    NotedInstant: _noted_instant,
    HasHeld: _has_held,
    HeldInAll: _held_in_all,
    NextHeld: _next_held,
    ErasureMarks: _erasure_marks,
    SpanBetween: _span_between,
    TotalsLately: _totals_lately,
    NotedNumber: _noted_number,
    Noted: _noted,
    Wishes: _wishes,
    RemindersOf: _reminders_of,
    SnoozedOf: _snoozed_of,
    ReminderById: _reminder_by_id,
    OccurrenceById: _occurrence_by_id,
    LastList: _last_list,
    CodesInUse: _codes_in_use,
    AskingOf: _asking_of,
    CorrespondenceOf: _correspondence_of,
    BillById: _bill_by_id,
    PaymentById: _payment_by_id,
    LetterById: _letter_by_id,
    LetterCopiedIn: _letter_copied_in,
    UserAt: _user_at,
    LinkCodeOf: _link_code_of,
    LinkCodeByHash: _link_code_by_hash,
    LinkTries: _link_tries,
    IdentitiesOf: _identities_of,
    SeenLast: _seen_last,
    AllOf: _all_of,
    OpenAnnouncements: _open_announcements,
    AnnouncementCounts: _announcement_counts,
    AudienceSizes: _audience_sizes,
    AnnouncementWishOf: _announcement_wish_of,
}
