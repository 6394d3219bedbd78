"""One's own list of medicines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrebot.languages import LANGUAGES
from migrebot.messages import Press
from tests.dialogue.test_headache import everything

if TYPE_CHECKING:
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio


async def add(ann: Person, *answers: str) -> None:
    await ann.says("/medications")
    await ann.presses("Add a medicine")
    for answer in answers:
        await ann.says(answer)


async def test_a_medicine_is_added_with_all_that_is_asked(house: House, ann: Person) -> None:
    await ann.says("/medications")
    await ann.presses("Add a medicine")
    states = []
    for answer in ("Ibuprofen", "1.2 g", "yes", "no"):
        session = await ann.session()
        assert session is not None
        states.append(session.state)
        await ann.says(answer)
    assert states == [
        "AddDrugForm:0:name",
        "AddDrugForm:1:daily_max",
        "AddDrugForm:2:is_painkiller",
        "AddDrugForm:3:is_temp_reducer",
    ]
    (drug,) = (await everything(house, ann)).drugs
    assert (drug.name, drug.daily_max_mg, drug.is_painkiller, drug.is_antipyretic) == ("Ibuprofen", 1200, True, False)


async def test_what_is_skipped_stays_unknown(house: House, ann: Person) -> None:
    await add(ann, "Ibuprofen", "save now")
    (drug,) = (await everything(house, ann)).drugs
    assert (drug.daily_max_mg, drug.is_painkiller, drug.is_antipyretic) == (None, None, None)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("ибупрофн", "Ибупрофен"), ("ibuprofén", None), ("Dolipran", "Doliprane"), ("нурафен", "Нурофен")],
)
async def test_a_name_with_a_slip_is_asked_about_and_can_be_kept(
    house: House, ann: Person, typed: str, meant: str | None
) -> None:
    await add(ann, typed)
    if meant:
        assert meant in ann.question.labels
        await ann.presses(f"Keep “{typed}”")
    await ann.says("save now")
    assert [drug.name for drug in (await everything(house, ann)).drugs] == [typed]


async def test_a_suggestion_is_taken_by_one_tap(house: House, ann: Person) -> None:
    await add(ann, "суматриптн")
    await ann.presses("Суматриптан")
    await ann.says("save now")
    assert [drug.name for drug in (await everything(house, ann)).drugs] == ["Суматриптан"]


async def test_the_dictionary_informs_with_its_source_and_ones_own_maximum_wins(ann: Person) -> None:
    await add(ann, "Efferalgan")
    assert "paracetamol – non-opioid painkiller" in ann.question.text
    assert "daily maximum 3000 mg (label: France, without prescription)" in ann.question.text
    assert "Source: product labels" in ann.question.text
    assert "3000 mg" in ann.question.labels
    for answer in ("4 g", "yes", "yes"):
        await ann.says(answer)
    assert "Daily maximum: 4000 mg (your own); 3000 mg (label: France, without prescription)" in ann.question.text
    await ann.says("/druguse paracetamol 3.5 g")
    assert "Saved." in ann.question.text
    await ann.says("/druguse paracetamol 1 g")
    assert "4500 mg that day. Daily maximum: 4000 mg (your own); 3000 mg (label" in ann.question.text


async def test_a_medicine_from_memory_alone_has_no_maximum(ann: Person) -> None:
    await add(ann, "Ketoprofen", "save now")
    assert "Daily maximum: not known" in ann.question.text
    assert "daily maximum" not in ann.question.text


async def test_every_field_is_edited(house: House, ann: Person) -> None:
    await add(ann, "Ibuprofen", "1200", "yes", "no")
    for label, answer in (
        ("Name", "Nurofen"),
        ("Daily maximum", "2400 mg"),
        ("Painkiller", "no"),
        ("Against fever", "yes"),
        ("Against fever", "skip"),
    ):
        await ann.presses(label)
        await ann.says(answer)
    (drug,) = (await everything(house, ann)).drugs
    assert (drug.name, drug.daily_max_mg, drug.is_painkiller, drug.is_antipyretic) == ("Nurofen", 2400, False, True)
    for label in ("Daily maximum", "No maximum of my own"):
        await ann.presses(label)
    assert (await everything(house, ann)).drugs[0].daily_max_mg is None


@pytest.mark.parametrize("text", ["0", "-5", "much", "2 tablets", "1e9 mg", "1000 kg"])
async def test_a_maximum_that_is_none_is_asked_again(ann: Person, text: str) -> None:
    await add(ann, "Ibuprofen", text)
    assert "I need a number of milligrams" in ann.question.text


async def test_the_same_name_is_not_added_twice(house: House, ann: Person) -> None:
    await add(ann, "Ibuprofen", "save now")
    await add(ann, "IBUPROFEN")
    assert "on your list already" in ann.question.text
    assert len((await everything(house, ann)).drugs) == 1


async def test_deleting_asks_first_and_can_be_undone(house: House, ann: Person) -> None:
    await add(ann, "Ibuprofen", "save now")
    for label in ("Delete", "Keep it on my list", "Delete"):
        await ann.presses(label)
    assert len((await everything(house, ann)).drugs) == 1
    await ann.presses("Yes, delete")
    assert (await everything(house, ann)).drugs == ()
    await ann.presses("Undo")
    assert len((await everything(house, ann)).drugs) == 1


async def test_a_long_list_has_pages(house: House, ann: Person) -> None:
    for number in range(10):
        await add(ann, f"Medicine number {number}", "save now")
        await house.clock.advance(1)
    await ann.says("/medications")
    assert "Medicine number 7" in ann.question.labels
    assert "Medicine number 8" not in ann.question.labels
    await ann.presses("›")
    assert "Medicine number 9" in ann.question.labels
    await ann.presses("Medicine number 9")
    for label in ("Delete", "Yes, delete", "My medicines", "›", "‹"):
        await ann.presses(label)
    assert "Medicine number 0" in ann.question.labels


async def test_what_is_on_the_list_is_offered_first(ann: Person) -> None:
    await ann.says("/druguse aspirin 500")
    await add(ann, "Zomig", "save now")
    for text in ("/druguse", "today"):
        await ann.says(text)
    assert ann.question.labels[:2] == ["Zomig", "aspirin"]


async def test_nobody_reaches_the_list_of_another(house: House, ann: Person) -> None:
    await add(ann, "Ibuprofen", "save now")
    before = await everything(house, ann)
    eve = house.person(666)
    await eve.says("/start")
    for action in ("show", "delete", "sure", "undo", "field"):
        tail = ":name" if action == "field" else ""
        await eve.sends(Press(f"d:{action}:{before.drugs[0].id}{tail}", "1", "callback"))
        assert eve.toasts[-1] == "That medicine is not on your list."
    assert await everything(house, ann) == before


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_list_speaks_every_language(house: House, language: str) -> None:
    bob = house.person(8, language=language)
    await bob.says("/medications")
    await bob.sends(Press("d:add", bob.question.id, "callback"))
    await bob.says("Imigran")
    assert "ICHD-3" in bob.question.text
    assert ("sumatriptan, nasal spray – triptan" in bob.question.text) is (language == "en")
