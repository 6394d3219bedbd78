"""Medicines taken, the day's totals, and the notice on frequent medicine, as a person has them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from migrebot.dialogue.turn import Setup
from migrebot.languages import LANGUAGES
from migrebot.messages import Press
from tests.dialogue.test_headache import everything
from tests.talk import House, Person, open_house

if TYPE_CHECKING:
    from storage.interface import Storage
    from tests.clock import FakeClock

pytestmark = pytest.mark.anyio

TODAY = date(2026, 6, 15)


async def taken(house: House, person: Person) -> list[tuple[str, float | None, str, date]]:
    intakes = (await everything(house, person)).intakes
    return sorted(((entry.drug, entry.amount, entry.unit, entry.day) for entry in intakes), key=str)


async def test_a_medicine_is_recorded_by_day_name_and_amount(house: House, ann: Person) -> None:
    await ann.says("/druguse")
    session = await ann.session()
    assert session is not None
    assert session.state == "ReportDrugUseForm:0:date"
    await ann.presses("Yesterday")
    await ann.says("Ibuprofen")
    assert {"200 mg", "400 mg", "600 mg"} <= set(ann.question.labels), "the strengths there are"
    await ann.presses("400 mg")
    assert await taken(house, ann) == [("Ibuprofen", 400, "mg", date(2026, 6, 14))]
    assert ann.question.labels == ["Edit", "Delete", "Add another", "Calendar"]
    assert "Ibuprofen 400 mg" in ann.question.text


async def test_the_same_as_last_time_takes_one_tap(house: House, ann: Person) -> None:
    await ann.says("/druguse sumatriptan 50 13.06")
    await ann.says("/druguse")
    await ann.presses("Again: sumatriptan 50 mg")
    assert await taken(house, ann) == [("sumatriptan", 50, "mg", date(2026, 6, 13)), ("sumatriptan", 50, "mg", TODAY)]


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("/druguse ibuprofen 400", TODAY),
        ("/druguse 400 mg ibuprofen yesterday", TODAY - timedelta(days=1)),
        ("/druguse yesterday ibuprofen 400", TODAY - timedelta(days=1)),
        ("/druguse ибупрофен 400 вчера", TODAY - timedelta(days=1)),
        ("/DRUGUSE ibuprofen 0,4 g 13.06", date(2026, 6, 13)),
    ],
)
async def test_one_line_does_it_all(house: House, ann: Person, line: str, day: date) -> None:
    await ann.says(line)
    [(_, amount, unit, on)] = await taken(house, ann)
    assert ((amount, unit) in {(400, "mg"), (0.4, "g")}, on) == (True, day)
    assert await ann.session() is None


@pytest.mark.parametrize(
    ("words", "amount", "day"),
    [
        ("zolmitriptan 2.5", 2.5, TODAY),
        ("almotriptan 6.25", 6.25, TODAY),
        ("almotriptan 12,5 mg", 12.5, TODAY),
        ("zolmitriptan 2.5 1.6", 2.5, date(2026, 6, 1)),
        ("1.6 zolmitriptan 2.5", 2.5, date(2026, 6, 1)),
        ("zolmitriptan 2.5 3 days ago", 2.5, date(2026, 6, 12)),
    ],
)
async def test_an_amount_is_not_taken_for_a_date(
    house: House, ann: Person, words: str, amount: float, day: date
) -> None:
    await ann.says(f"/druguse {words}")
    assert [(found, on) for _, found, _, on in await taken(house, ann)] == [(amount, day)]


async def test_a_line_without_an_amount_asks_for_it_alone(house: House, ann: Person) -> None:
    await ann.says("/druguse aspirin yesterday")
    assert "How much aspirin?" in ann.question.text
    await ann.presses("Skip")
    assert await taken(house, ann) == [("aspirin", None, "mg", date(2026, 6, 14))]


@pytest.mark.parametrize("line", ["/druguse 400", "/druguse tomorrow aspirin 500", "/druguse a 1 + b 2", "/druguse ?"])
async def test_a_line_that_is_not_clear_leads_into_the_form(house: House, ann: Person, line: str) -> None:
    await ann.says(line)
    assert "/druguse ibuprofen 400" in ann.question.text
    assert await taken(house, ann) == []


async def test_a_medicine_named_and_left_is_kept(house: House, ann: Person) -> None:
    for text in ("/druguse", "today", "aspirin", "/help"):
        await ann.says(text)
    assert await taken(house, ann) == [("aspirin", None, "mg", TODAY)]
    assert any("I saved what you had told me so far" in shown.text for shown in ann.chat)


async def test_every_field_is_edited_and_a_deleted_one_comes_back(house: House, ann: Person) -> None:
    await ann.says("/druguse ibuprofen 400")
    for label in ("Edit", "Date", "Yesterday", "Edit", "Amount", "600 mg"):
        await ann.presses(label)
    assert await taken(house, ann) == [("ibuprofen", 600, "mg", date(2026, 6, 14))]
    for label in ("Edit", "Amount", "Skip", "Edit", "Medicine"):
        await ann.presses(label)
    await ann.says("aspirin")
    await ann.presses("500 mg")
    assert await taken(house, ann) == [("aspirin", 500, "mg", date(2026, 6, 14))]
    await ann.presses("Delete")
    assert await taken(house, ann) == []
    await ann.presses("Undo")
    assert len(await taken(house, ann)) == 1


async def test_nobody_reaches_the_medicine_of_another(house: House, ann: Person) -> None:
    await ann.says("/druguse ibuprofen 400")
    before = await everything(house, ann)
    eve = house.person(666)
    await eve.says("/start")
    for action in ("edit", "show", "delete", "undo", "field"):
        tail = ":amount" if action == "field" else ""
        await eve.sends(Press(f"i:{action}:{before.intakes[0].id}{tail}", "1", "callback"))
        assert eve.toasts[-1] == "That entry no longer exists."
    assert await everything(house, ann) == before
    assert await eve.session() is None


@pytest.mark.parametrize(
    "data", ["i:edit:1", "i:field:1:amount", "i:edit", "b:show:1", "b:x:1", "d:show:1", "d:list:x", "o:x"]
)
async def test_a_made_up_button_changes_nothing(ann: Person, data: str) -> None:
    await ann.sends(Press(data, "1", "callback"))
    assert ann.toasts[-1]
    assert await ann.session() is None


async def test_the_medicine_of_an_attack_is_shown_with_its_attack(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofen 400")
    (intake,) = (await everything(house, ann)).intakes
    await ann.sends(Press(f"i:delete:{intake.id}", ann.question.id, "callback"))
    assert "Pain 7 of 10" in ann.question.text
    assert len(await taken(house, ann)) == 1


async def test_with_consent_required_the_first_medicine_waits_for_it(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, Setup(require_consent=True)) as house:
        bob = house.person(8)
        for line in ("/druguse ibuprofen 400", "/pressure 120/80"):
            await bob.says(line)
            assert "I agree" in bob.question.labels
        await bob.presses("I agree")
        stored = await everything(house, bob)
        assert (len(stored.intakes), len(stored.pressures)) == (0, 1)


async def test_a_medicine_is_added_to_a_day_of_the_calendar(house: House, ann: Person) -> None:
    await ann.says("/calendar 10.06")
    await ann.presses("Add a medicine")
    await ann.says("aspirin")
    await ann.presses("500 mg")
    assert await taken(house, ann) == [("aspirin", 500, "mg", date(2026, 6, 10))]


# --- totals: they warn and never refuse -------------------------------------------------------------------------------


async def test_what_was_taken_that_day_is_shown_before_more_is(house: House, ann: Person) -> None:
    await ann.says("/druguse Panadol Extra 2 tablets")
    for text in ("/druguse", "today", "paracetamol"):
        await ann.says(text)
    assert (
        "so far: paracetamol 1000 mg. Daily maximum: 3000 mg (label: France, without prescription)" in ann.question.text
    )
    await ann.says("500")
    assert len(await taken(house, ann)) == 2


async def test_more_than_the_maximum_is_told_before_it_is_saved_and_saved_all_the_same(
    house: House, ann: Person
) -> None:
    await ann.says("/druguse paracetamol 2 g")
    await ann.says("/druguse Doliprane 1500")
    assert "That makes paracetamol 3500 mg that day" in ann.question.text
    assert len(await taken(house, ann)) == 1
    await ann.presses("Change the amount")
    await ann.says("1250")
    assert "3250 mg" in ann.question.text
    await ann.presses("Save it")
    assert [amount for _, amount, _, _ in await taken(house, ann)] == [1250, 2]
    await ann.says("/druguse Doliprane 1500")
    await ann.says("/help")
    assert len(await taken(house, ann)) == 3, "who leaves the question has taken it"


async def test_an_attack_in_one_line_is_warned_of_too_and_saved(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofen 800 + Nurofen 600")
    assert "That makes ibuprofen 1400 mg" in ann.question.text
    assert (await everything(house, ann)).headaches == ()
    await ann.presses("Save now")
    stored = await everything(house, ann)
    assert [entry.amount for entry in stored.intakes] == [800, 600]
    assert stored.headaches[0].duration_h == 3


async def test_the_form_of_an_attack_warns_before_the_next_question(house: House, ann: Person) -> None:
    await ann.says("/druguse eletriptan 40")
    for text in ("/pain", "today", "1", "5", "skip", "skip", "skip", "yes", "Relpax"):
        await ann.says(text)
    assert "so far: eletriptan 40 mg. Daily maximum: 80 mg (label: United Kingdom, United States)" in ann.question.text
    await ann.says("80")
    assert "That makes eletriptan 120 mg" in ann.question.text
    assert "Another medicine?" in ann.question.text
    await ann.presses("Save now")
    assert len((await everything(house, ann)).intakes) == 2


async def test_the_same_medicine_again_is_warned_of_and_taken(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h sumatriptan 150")
    await ann.says("/pain")
    for label in ("Hurts now", "8", "Same medicine: sumatriptan 150 mg"):
        await ann.presses(label)
    assert "That makes sumatriptan 300 mg that day. Daily maximum: 200 mg (label: United States)" in ann.question.text
    assert len((await everything(house, ann)).intakes) == 1
    await ann.presses("No")
    stored = await everything(house, ann)
    assert [entry.amount for entry in stored.intakes] == [150, 150]
    assert [entry.medicine_taken for entry in stored.headaches] == [True, True]


async def test_editing_does_not_count_a_medicine_twice(house: House, ann: Person) -> None:
    await ann.says("/druguse paracetamol 2 g")
    for label in ("Edit", "Amount"):
        await ann.presses(label)
    assert "so far" not in ann.question.text
    await ann.says("3 g")
    assert await ann.session() is None
    assert [amount for _, amount, _, _ in await taken(house, ann)] == [3]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_warning_is_whole_in_every_language(house: House, language: str) -> None:
    bob = house.person(8, language=language)
    await bob.says("/druguse Paracetamol")
    await bob.says("2 g")
    await bob.says("/druguse Co-codamol 4")
    await bob.says("/druguse Co-codamol 4 tablets")
    warning = next(shown.text for shown in reversed(bob.chat) if "⚠️" in shown.text)
    assert "4000" in warning
    assert "3000" in warning
    assert ("That makes" in warning) is (language == "en")
    assert ("at least" in warning) is (language == "en")


# --- the notice on frequent medicine ----------------------------------------------------------------------------------


async def on_days(ann: Person, drug: str, days: range) -> None:
    for number in days:
        await ann.says(f"/druguse {drug} {TODAY - timedelta(days=number)}")


def notices(person: Person) -> list[str]:
    return [shown.text for shown in person.chat if shown.text.startswith("💊")]


async def test_frequent_medicine_is_told_once_a_week_with_its_source(house: House, ann: Person) -> None:
    await on_days(ann, "sumatriptan 50", range(7))
    assert notices(ann) == []
    await on_days(ann, "zolmitriptan 2.5", range(6, 8))
    [notice] = notices(ann)
    assert "on 8 days" in notice
    assert "triptans (8)" in notice
    assert "ICHD-3" in notice
    assert "no diagnosis" in notice
    assert "Do not stop prescribed medicine on your own" in notice
    await on_days(ann, "sumatriptan 50", range(8, 9))
    assert len(notices(ann)) == 1
    await house.clock.advance(7 * 24 * 3600 - 1)
    await ann.says("/druguse sumatriptan 50")
    assert len(notices(ann)) == 1
    await house.clock.advance(1)
    await ann.says("/pain 5 1h sumatriptan 50")
    assert len(notices(ann)) == 2
    assert "That reaches the limit" in notices(ann)[1]


async def test_the_notice_is_switched_off_and_on_again(house: House, ann: Person) -> None:
    await on_days(ann, "sumatriptan 50", range(8))
    await ann.presses("Medicine notice: turn off")
    await house.clock.advance(7 * 24 * 3600)
    await ann.says("/druguse sumatriptan 50")
    assert len(notices(ann)) == 1
    await ann.says("/settings")
    await ann.presses("Medicine notice: turn on")
    await ann.says("/druguse sumatriptan 50 yesterday")
    assert len(notices(ann)) == 2
    found = (await everything(house, ann)).overuse_notice
    assert found is not None
    assert (found.is_off, found.told_at) == (False, house.clock.now())


async def test_gepants_are_named_apart(ann: Person) -> None:
    await on_days(ann, "Vydura 75", range(9))
    assert notices(ann) == []
    await on_days(ann, "sumatriptan 50", range(8))
    assert "Gepants (days: 9) are not counted" in notices(ann)[0]


async def test_what_comes_back_or_moves_counts_as_what_is_told_anew(house: House, ann: Person) -> None:
    await on_days(ann, "sumatriptan 50", range(1, 8))
    await ann.says("/druguse sumatriptan 50")
    await ann.presses("Delete")
    await house.clock.advance(8 * 24 * 3600)
    assert len(notices(ann)) == 1
    await ann.presses("Undo")
    assert len(notices(ann)) == 2
    await ann.says("/pain 5 1h zolmitriptan 2.5")
    await ann.presses("Delete")
    await house.clock.advance(8 * 24 * 3600)
    await ann.presses("Undo")
    assert len(notices(ann)) == 3


# --- names that seem mistyped -----------------------------------------------------------------------------------------


async def test_a_mistyped_name_is_asked_about_and_taken_by_one_tap(house: House, ann: Person) -> None:
    await ann.says("/druguse")
    await ann.presses("Today")
    await ann.says("ibuprofin")
    assert "I do not know “ibuprofin”. Did you mean Ibuprofen?" in ann.question.text
    assert ann.question.labels[:2] == ["Ibuprofen", "Keep “ibuprofin”"]
    await ann.presses("Ibuprofen")
    await ann.presses("400 mg")
    assert await taken(house, ann) == [("Ibuprofen", 400, "mg", TODAY)]


@pytest.mark.parametrize(
    ("answer", "name"), [("yes", "Ibuprofen"), ("no", "ibuprofin"), ("ibuprofin", "ibuprofin"), ("Mig 400", "Mig 400")]
)
async def test_the_question_is_answered_in_words_too(house: House, ann: Person, answer: str, name: str) -> None:
    await ann.says("/druguse ibuprofin 400")
    assert await taken(house, ann) == []
    await ann.says(answer)
    assert await taken(house, ann) == [(name, 400, "mg", TODAY)]


async def test_a_name_that_was_kept_is_not_asked_about_again(house: House, ann: Person) -> None:
    await ann.says("/druguse ibuprofin 400")
    await ann.presses("Keep “ibuprofin”")
    await ann.says("/druguse Ibuprofin 200")
    assert [drug for drug, *_ in await taken(house, ann)] == ["Ibuprofin", "ibuprofin"]


async def test_in_a_line_about_an_attack_each_one_is_asked_about_and_the_rest_stays(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofin 400 + sumatripan 50 + Magnesium 300")
    await ann.presses("Ibuprofen")
    assert "Did you mean Sumatriptan?" in ann.question.text
    await ann.presses("Skip")
    found = await everything(house, ann)
    assert [attack.intensity for attack in found.headaches] == [7]
    assert await taken(house, ann) == [
        ("Ibuprofen", 400, "mg", TODAY),
        ("Magnesium", 300, "mg", TODAY),
        ("sumatripan", 50, "mg", TODAY),
    ]


async def test_what_was_told_is_kept_as_typed_if_the_question_is_left_alone(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofin 400")
    await ann.says("/help")
    assert await taken(house, ann) == [("ibuprofin", 400, "mg", TODAY)]
    await ann.says("/druguse sumatripan 50")
    await ann.says("/help")
    assert ("sumatripan", 50, "mg", TODAY) in await taken(house, ann)


async def test_the_maximum_of_what_was_meant_is_watched(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h paracetemol 5 g")
    await ann.presses("Paracetamol")
    assert "⚠️ That makes" in ann.question.text
    await ann.presses("Yes")
    assert "Which medicine?" in ann.question.text
    await ann.presses("Skip")
    await ann.presses("Save now")
    assert await taken(house, ann) == [("Paracetamol", 5, "g", TODAY)]


@pytest.mark.parametrize(
    ("language", "typed", "meant"),
    [
        ("ru", "нурафен", "Нурофен"),
        ("uk", "sumatripan", "Суматриптан"),
        ("fr", "doliprne", "Doliprane"),
        ("es", "ibuprofn", "Ibuprofeno"),
        ("en", "asprin", "Aspirin"),
    ],
)
async def test_the_suggestion_is_in_the_language_of_the_diary(
    house: House, language: str, typed: str, meant: str
) -> None:
    bob = house.person(9, language=language)
    await bob.says(f"/druguse {typed} 1 g")
    assert meant in bob.question.text
    assert bob.question.labels[0] == meant
