"""The headache conversation, as a person has it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from migrebot.dialogue.turn import Setup
from migrebot.messages import FormExpired, Press, Text
from storage.changes import SaveSession, Unit
from storage.facts import AllOf, Everything
from tests.talk import House, Person, open_house

if TYPE_CHECKING:
    from storage.interface import Storage
    from tests.clock import FakeClock

pytestmark = pytest.mark.anyio


async def everything(house: House, person: Person) -> Everything:
    fact = AllOf((await person.known()).user.id)
    found: Everything = (await house.storage.load([fact]))[fact]
    return found


async def test_a_headache_is_logged_by_buttons_from_the_day_to_the_note(house: House, ann: Person) -> None:
    await ann.says("/pain")
    for label in ("Yesterday", "3", "7", "Yes", "Stress", "Bright light", "Next", "Nausea", "Next", "Yes"):
        await ann.presses(label)
    await ann.says("Ibuprofen")
    await ann.presses("400 mg")
    await ann.presses("No")
    await ann.says("after a long day")
    stored = await everything(house, ann)
    (headache,) = stored.headaches
    assert headache.day == date(2026, 6, 14)
    assert (headache.duration_h, headache.intensity, headache.aura) == (3, 7, True)
    assert headache.triggers == ("stress", "light")
    assert headache.symptoms == ("nausea",)
    assert headache.note == "after a long day"
    assert headache.medicine_taken is True
    assert [(intake.drug, intake.amount, intake.unit) for intake in stored.intakes] == [("Ibuprofen", 400, "mg")]
    assert await ann.session() is None
    assert "Pain 7 of 10, 3 h" in ann.question.text
    assert "Ibuprofen 400 mg" in ann.question.text
    assert ann.question.labels == ["Edit", "Delete", "Add another", "Calendar"]


async def test_the_same_headache_can_be_typed_answer_by_answer(house: House, ann: Person) -> None:
    for text in ("/pain", "13.06", "1:30", "7/10", "no", "stress, the neighbours", "next", "skip", "yes"):
        await ann.says(text)
    for text in ("Sumatriptan", "50", "yes", "Ibuprofen", "2 tablets", "no", "skip"):
        await ann.says(text)
    stored = await everything(house, ann)
    (headache,) = stored.headaches
    assert headache.day == date(2026, 6, 13)
    assert (headache.duration_h, headache.aura) == (1.5, False)
    assert headache.triggers == ("stress", "the neighbours")
    assert headache.symptoms is None
    assert [(intake.drug, intake.amount, intake.unit) for intake in stored.intakes] == [
        ("Sumatriptan", 50, "mg"),
        ("Ibuprofen", 2, "tablet"),
    ]


async def test_hurts_now_takes_two_taps(house: House, ann: Person, clock: FakeClock) -> None:
    await ann.says("/pain")
    await ann.presses("Hurts now")
    await ann.presses("6")
    (headache,) = (await everything(house, ann)).headaches
    assert (headache.onset, headache.intensity, headache.is_open) == (clock.now(), 6, True)
    assert "It is over" in ann.question.labels


@pytest.mark.parametrize("word", ["now", "Right now!", "hurts now", "Сейчас", "зараз", "maintenant", "ahora mismo"])
async def test_now_may_be_typed_and_is_more_than_today(house: House, ann: Person, clock: FakeClock, word: str) -> None:
    await ann.says("/pain")
    await ann.says(word)
    await ann.says("6")
    (headache,) = (await everything(house, ann)).headaches
    assert (headache.onset, headache.intensity, headache.is_open) == (clock.now(), 6, True)


async def test_when_the_day_of_an_entry_is_changed_now_means_today(house: House, ann: Person) -> None:
    await ann.says("/pain yesterday 7 3h")
    await ann.presses("Edit")
    await ann.presses("Date")
    await ann.says("now")
    (headache,) = (await everything(house, ann)).headaches
    assert (headache.day, headache.onset, headache.duration_h) == (date(2026, 6, 15), None, 3)


async def test_it_is_over_sets_the_duration_and_takes_the_later_question_back(house: House, ann: Person) -> None:
    await ann.says("/pain")
    await ann.presses("Hurts now")
    await ann.presses("6")
    await house.clock.advance(2 * 3600)
    await ann.presses("It is over")
    (headache,) = (await everything(house, ann)).headaches
    assert (headache.duration_h, headache.end) == (2, house.clock.now())
    before = len(ann.chat)
    await house.clock.advance(3 * 3600)
    await house.deliver()
    assert len(ann.chat) == before


async def test_after_four_hours_one_question_asks_how_it_is(house: House, ann: Person) -> None:
    await ann.says("/pain")
    await ann.presses("Hurts now")
    await ann.presses("6")
    await house.clock.advance(4 * 3600)
    await house.deliver()
    assert ann.last.text == "How is your head now?"
    await house.clock.advance(24 * 3600)
    await house.deliver()
    assert [shown.text for shown in ann.chat].count("How is your head now?") == 1


async def test_the_medicine_of_the_last_attack_is_one_tap_away(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h sumatriptan 50")
    await ann.says("/pain")
    await ann.presses("Hurts now")
    await ann.presses("8")
    await ann.presses("Same medicine: sumatriptan 50 mg")
    drugs = [intake.drug for intake in (await everything(house, ann)).intakes]
    assert drugs == ["sumatriptan", "sumatriptan"]


async def test_one_line_logs_a_headache_with_its_medicine(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofen 400")
    stored = await everything(house, ann)
    assert [(entry.intensity, entry.duration_h, entry.day) for entry in stored.headaches] == [(7, 3, date(2026, 6, 15))]
    assert [(intake.drug, intake.amount) for intake in stored.intakes] == [("ibuprofen", 400)]


async def test_a_line_that_is_not_clear_leads_into_the_form(house: House, ann: Person) -> None:
    await ann.says("/pain it was terrible")
    assert "step by step" in ann.question.text
    assert "Hurts now" in "".join(ann.question.labels)
    assert (await everything(house, ann)).headaches == ()


async def test_save_now_leaves_what_was_not_asked_unknown(house: House, ann: Person) -> None:
    await ann.says("/pain")
    for label in ("Today", "All day", "Save now"):
        await ann.presses(label)
    (headache,) = (await everything(house, ann)).headaches
    assert headache.duration_h == 24
    assert headache.intensity is None
    assert headache.aura is None
    assert headache.triggers is None
    assert headache.medicine_taken is None


async def test_no_choice_and_next_is_an_answer_but_skip_is_none(house: House, ann: Person) -> None:
    await ann.says("/pain")
    for label in ("Today", "1", "5", "Skip", "Next", "Skip", "No", "Skip"):
        await ann.presses(label)
    (headache,) = (await everything(house, ann)).headaches
    assert (headache.aura, headache.triggers, headache.symptoms) == (None, (), None)
    assert headache.medicine_taken is False


async def test_back_returns_to_the_question_before_and_the_new_answer_counts(house: House, ann: Person) -> None:
    await ann.says("/pain")
    for label in ("Today", "1", "5", "Back", "6", "Save now"):
        await ann.presses(label)
    assert [entry.intensity for entry in (await everything(house, ann)).headaches] == [6]


async def test_back_over_a_second_medicine_does_not_double_the_first(house: House, ann: Person) -> None:
    for text in ("/pain", "today", "1", "5", "skip", "skip", "skip", "yes", "A", "1", "yes", "B", "back", "C", "2"):
        await ann.says(text)
    for text in ("no", "skip"):
        await ann.says(text)
    assert [intake.drug for intake in (await everything(house, ann)).intakes] == ["A", "C"]


@pytest.mark.parametrize("word", ["/cancel", "Cancel", "cancel", "Отмена", "Скасувати", "Annuler", "Cancelar"])
async def test_cancel_is_understood_in_every_language_and_saves_nothing(house: House, ann: Person, word: str) -> None:
    for text in ("/pain", "today", "3", "7", word):
        await ann.says(text)
    assert await ann.session() is None
    assert (await everything(house, ann)).headaches == ()


async def test_a_new_command_saves_what_is_known_and_says_so(house: House, ann: Person) -> None:
    for text in ("/pain", "today", "3", "7", "/help"):
        await ann.says(text)
    assert [entry.intensity for entry in (await everything(house, ann)).headaches] == [7]
    assert any("I saved what you had told me so far" in shown.text for shown in ann.chat)
    assert await ann.session() is None


async def test_a_new_command_before_anything_is_known_leaves_no_entry(house: House, ann: Person) -> None:
    await ann.says("/pain")
    await ann.presses("Today")
    await ann.says("/help")
    assert (await everything(house, ann)).headaches == ()


async def test_a_press_on_an_old_question_changes_nothing(ann: Person) -> None:
    await ann.says("/pain")
    old = ann.question.keyboard[1][0].data
    message = ann.question.id
    await ann.presses("Today")
    before = await ann.session()
    await ann.sends(Press(old, message, "callback"))
    assert await ann.session() == before
    assert "closed already" in ann.toasts[-1]


@pytest.mark.parametrize(
    "data",
    [
        "",
        "q",
        "q:",
        "q:x",
        "q:x:1",
        "q::",
        "h:edit:1",
        "h:edit:-1",
        "h:edit:99999999999999999999",
        "h:field:1:x",
        "s:x",
    ],
)
async def test_a_made_up_button_is_answered_kindly(house: House, ann: Person, data: str) -> None:
    before = await everything(house, ann)
    await ann.sends(Press(data, "1", "callback"))
    assert ann.toasts[-1]
    assert await everything(house, ann) == before


async def test_nobody_reaches_the_entry_of_another(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofen 400")
    (entry,) = (await everything(house, ann)).headaches
    eve = house.person(666)
    await eve.says("/start")
    for action in ("edit", "show", "done", "still", "over", "same", "delete", "undo", "details", "field"):
        tail = ":intensity" if action == "field" else ""
        await eve.sends(Press(f"h:{action}:{entry.id}{tail}", "1", "callback"))
        assert eve.toasts[-1] == "That entry no longer exists."
    assert (await everything(house, ann)).headaches == (entry,)
    assert await eve.session() is None


async def test_an_entry_is_edited_field_by_field(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofen 400")
    for label in ("Edit", "Intensity", "4", "Edit", "Medicine", "No medicine", "Edit", "Date", "Yesterday"):
        await ann.presses(label)
    stored = await everything(house, ann)
    assert [(entry.intensity, entry.duration_h, entry.day) for entry in stored.headaches] == [(4, 3, date(2026, 6, 14))]
    assert stored.intakes == ()


async def test_moving_an_entry_moves_its_medicine(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofen 400")
    for label in ("Edit", "Date", "Yesterday"):
        await ann.presses(label)
    assert [intake.day for intake in (await everything(house, ann)).intakes] == [date(2026, 6, 14)]


async def test_a_deleted_entry_can_be_brought_back(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofen 400")
    await ann.presses("Delete")
    assert (await everything(house, ann)).headaches == ()
    assert (await everything(house, ann)).intakes == ()
    await ann.presses("Undo")
    assert len((await everything(house, ann)).headaches) == 1
    assert len((await everything(house, ann)).intakes) == 1


async def test_a_strong_pain_brings_the_emergency_signs(ann: Person) -> None:
    await ann.says("/pain 8 1h")
    assert "emergency" not in ann.question.text
    await ann.says("/pain 9 1h")
    assert "emergency services" in ann.question.text


async def test_only_the_first_aura_brings_the_emergency_signs(ann: Person) -> None:
    for expected in (True, False):
        await ann.says("/pain")
        for label in ("Today", "1", "5", "Yes", "Save now"):
            await ann.presses(label)
        assert ("emergency services" in ann.question.text) is expected


async def test_any_day_can_be_chosen_from_the_calendar_but_none_to_come(house: House, ann: Person) -> None:
    await ann.says("/pain")
    await ann.presses("Another day…")
    labels = ann.question.labels
    assert "June 2026" in labels
    assert "15" in labels
    assert "16" not in labels
    await ann.presses("‹ May")
    await ann.presses("31")
    await ann.says("2h")
    await ann.presses("Save now")
    assert [entry.day for entry in (await everything(house, ann)).headaches] == [date(2026, 5, 31)]


@pytest.mark.parametrize("text", ["16.06.2026", "2031-01-01", "01.01.1999", "31.02", "soon", "x" * 5000, "\x00"])
async def test_a_day_that_cannot_be_is_asked_again(ann: Person, text: str) -> None:
    await ann.says("/pain")
    await ann.says(text)
    session = await ann.session()
    assert session is not None
    assert session.step == "date"
    assert "Hurts now" in "".join(ann.question.labels)


async def test_today_is_the_day_in_the_zone_of_the_person(house: House, ann: Person) -> None:
    await house.clock.advance(
        timedelta(hours=10, minutes=30).total_seconds()
    )  # 22:30 UTC, half past midnight in Berlin
    await ann.says("/pain 5 1h")
    assert [entry.day for entry in (await everything(house, ann)).headaches] == [date(2026, 6, 16)]


async def test_own_words_and_frequent_choices_come_first_the_next_time(ann: Person) -> None:
    for text in ("/pain", "today", "1", "5", "skip", "weather", "moving house", "save now"):
        await ann.says(text)
    for text in ("/pain", "today", "1", "5", "skip"):
        await ann.says(text)
    assert ann.question.labels[:2] == ["Weather", "moving house"]


async def test_a_form_left_alone_saves_what_is_known_and_says_so(house: House, ann: Person) -> None:
    for text in ("/pain", "today", "3", "7"):
        await ann.says(text)
    session = await ann.session()
    assert session is not None
    await house.clock.advance(24 * 3600)
    await house.mailbox.ask(FormExpired(user_id=session.user_id, token=session.token))
    await house.deliver()
    assert await ann.session() is None
    assert [entry.intensity for entry in (await everything(house, ann)).headaches] == [7]
    assert any("I saved what you had told me so far" in shown.text for shown in ann.chat)


async def test_the_time_zone_is_offered_once_after_the_first_entry(house: House) -> None:
    bob = house.person(8)
    await bob.says("/pain 5 1h")
    assert "time zone" in bob.last.text
    await bob.says("/pain 5 1h")
    assert sum("I take your time zone" in shown.text for shown in bob.chat) == 1


async def test_with_consent_required_the_first_entry_waits_for_it(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, Setup(require_consent=True)) as house:
        bob = house.person(8)
        await bob.says("/pain")
        waiting = await bob.session()
        assert waiting is not None
        assert waiting.state == "ConsentForm:0:agree"
        assert "I agree" in bob.question.labels
        await bob.presses("I agree")
        session = await bob.session()
        assert session is not None
        assert session.state == "ReportPainCaseForm:0:date"
        await bob.says("/pain 5 1h")
        assert len((await everything(house, bob)).headaches) == 1


async def test_a_day_long_ago_is_shown_with_its_year(ann: Person) -> None:
    for text in ("/pain", "1.1.2020", "3", "save now"):
        await ann.says(text)
    assert "2020" in ann.question.text


# --- a stored attack loses nothing that was not taken from it ----------------------------------------------------


@pytest.mark.parametrize(
    "words", [("Yes", "/help"), ("Skip",), ("/help",), ("Cancel",), ("Add one", "/help"), ("Begin anew", "Skip")]
)
async def test_medicines_begun_to_edit_and_not_named_stay(house: House, ann: Person, words: tuple[str, ...]) -> None:
    await ann.says("/pain 5 2h ibuprofen 400")
    for label in ("Edit", "Medicine"):
        await ann.presses(label)
    for word in words:
        await ann.says(word)
    stored = await everything(house, ann)
    assert [intake.drug for intake in stored.intakes] == ["ibuprofen"]
    assert stored.headaches[0].medicine_taken is True


async def test_a_medicine_is_added_to_those_noted_and_begin_anew_replaces_them(house: House, ann: Person) -> None:
    await ann.says("/pain 5 2h ibuprofen 400")
    for text in ("edit", "medicine"):
        await ann.presses(text)
    for text in ("Add one", "aspirin", "500", "no"):
        await ann.says(text)
    assert [intake.drug for intake in (await everything(house, ann)).intakes] == ["ibuprofen", "aspirin"]
    for text in ("edit", "medicine"):
        await ann.presses(text)
    for text in ("Begin anew", "paracetamol", "1000", "no"):
        await ann.says(text)
    assert [intake.drug for intake in (await everything(house, ann)).intakes] == ["paracetamol"]


async def test_details_that_are_skipped_take_nothing_away(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h sumatriptan 50")
    await ann.says("/pain")
    for label in ("Hurts now", "6", "Same medicine: sumatriptan 50 mg", "Details"):
        await ann.presses(label)
    for _ in range(5):
        await ann.presses("Skip")
    stored = await everything(house, ann)
    assert [intake.drug for intake in stored.intakes] == ["sumatriptan", "sumatriptan"]
    assert stored.headaches[1].medicine_taken is True


async def test_factors_are_edited_from_those_noted(house: House, ann: Person) -> None:
    for text in ("/pain", "today", "1", "5", "skip", "stress, cheese, rain", "save now"):
        await ann.says(text)
    for label in ("Edit", "Factors"):
        await ann.presses(label)
    assert "✅ Stress" in ann.question.labels
    for text in ("coffee", "/help"):
        await ann.says(text)
    assert (await everything(house, ann)).headaches[0].triggers == ("stress", "cheese", "rain", "caffeine")


async def test_cancelling_an_edit_shows_the_entry_again(ann: Person) -> None:
    await ann.says("/pain 5 2h")
    for label in ("Edit", "Intensity", "Cancel"):
        await ann.presses(label)
    assert "Nothing was changed." in ann.question.text
    assert "Delete" in ann.question.labels


async def test_a_note_can_be_removed(house: House, ann: Person) -> None:
    for text in ("/pain", "today", "1", "5", "skip", "skip", "skip", "no", "a note"):
        await ann.says(text)
    for label in ("Edit", "Note", "Remove the note"):
        await ann.presses(label)
    assert (await everything(house, ann)).headaches[0].note is None


async def test_what_hurts_now_began_when_it_was_said_not_when_the_form_was_left(house: House, ann: Person) -> None:
    await ann.says("/pain")
    await ann.presses("Hurts now")
    said_at = house.clock.now()
    session = await ann.session()
    assert session is not None
    await house.clock.advance(24 * 3600)
    await house.mailbox.ask(FormExpired(user_id=session.user_id, token=session.token))
    (headache,) = (await everything(house, ann)).headaches
    assert (headache.onset, headache.day) == (said_at, date(2026, 6, 15))


async def test_today_is_the_day_of_the_answer_though_the_question_was_asked_the_day_before(
    house: House, ann: Person
) -> None:
    await ann.says("/pain")
    await house.clock.advance(14 * 3600)
    await ann.presses("Today")
    assert "A new day has begun" in ann.question.text
    await ann.presses("Today")
    await ann.says("2h")
    await ann.presses("Save now")
    await ann.says("/pain")
    await house.clock.advance(24 * 3600 - 1)
    for text in ("yesterday", "2h", "save now"):
        await ann.says(text)
    days = [entry.day for entry in (await everything(house, ann)).headaches]
    assert days == [date(2026, 6, 16), date(2026, 6, 16)]


async def test_a_medicine_taken_back_on_the_way_is_not_stored(house: House, ann: Person) -> None:
    for text in (
        "/pain",
        "today",
        "1",
        "5",
        "skip",
        "skip",
        "skip",
        "yes",
        "aspirin",
        "500",
        "yes",
        "ibuprofen",
        "400",
    ):
        await ann.says(text)
    for text in ("back", "back", "back", "no", "skip"):
        await ann.says(text)
    assert [intake.drug for intake in (await everything(house, ann)).intakes] == ["aspirin"]


async def test_what_hurts_now_has_no_duration_from_before(house: House, ann: Person) -> None:
    await ann.says("/pain")
    for label in ("Today", "3", "Back", "Back", "Hurts now", "7"):
        await ann.presses(label)
    (headache,) = (await everything(house, ann)).headaches
    assert headache.is_open


@pytest.mark.parametrize("word", ["back", "next", "Далее"])
async def test_a_word_that_steers_is_never_taken_for_an_answer(house: House, ann: Person, word: str) -> None:
    await ann.says("/pain 5 2h")
    for label in ("Edit", "Note"):
        await ann.presses(label)
    await ann.says(word)
    assert "does not work" in ann.question.text
    assert (await everything(house, ann)).headaches[0].note is None


async def test_no_means_no_factors(house: House, ann: Person) -> None:
    for text in ("/pain", "today", "1", "5", "no", "no", "no", "no", "skip"):
        await ann.says(text)
    (headache,) = (await everything(house, ann)).headaches
    assert (headache.aura, headache.triggers, headache.symptoms, headache.medicine_taken) == (False, (), (), False)


async def test_the_line_that_waited_for_consent_is_not_lost(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, Setup(require_consent=True)) as house:
        bob = house.person(8)
        await bob.says("/pain 7 3h ibuprofen 400")
        assert (await everything(house, bob)).headaches == ()
        await bob.presses("I agree")
        assert [entry.intensity for entry in (await everything(house, bob)).headaches] == [7]


async def test_once_consent_is_required_nobody_goes_on_without_it(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock) as house:
        await house.person(8).says("/pain 5 1h")
        await house.person(9).says("/pain")
    async with open_house(storage, clock, Setup(require_consent=True)) as house:
        bob, eve = house.person(8), house.person(9)
        entry = (await everything(house, bob)).headaches[0]
        await bob.sends(Press(f"h:details:{entry.id}", "", "callback"), key="bob-1")
        assert "I agree" in bob.question.labels
        for text in ("today", "3", "save now"):
            await eve.sends(Text(text), key=f"eve-{text}")
        assert (await everything(house, eve)).headaches == ()


async def test_an_attack_over_midnight_shows_every_day_it_touched(house: House, ann: Person) -> None:
    await house.clock.advance(9 * 3600)  # 23:00 in Berlin
    await ann.says("/pain")
    for label in ("Hurts now", "6"):
        await ann.presses(label)
    await house.clock.advance(4 * 3600)
    await ann.presses("It is over")
    assert "Monday, 15 June – Tuesday, 16 June" in ann.question.text


async def test_a_form_of_an_older_version_ends_kindly(house: House, ann: Person) -> None:
    await ann.says("/pain")
    session = await ann.session()
    assert session is not None
    old = Unit(changes=(SaveSession(replace(session, step="gone")),))
    await house.storage.commit([old], house.clock.now())
    await ann.says("3")
    assert "/help" in ann.last.text
    assert await ann.session() is None
