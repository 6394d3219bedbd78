"""Finding out the time zone: by continent and country, by a place that is shared, by a name that is typed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from migrebot import atlas
from migrebot.languages import LANGUAGES
from migrebot.messages import Location
from storage.changes import SaveReminder
from tests.storage.samples import reminder, stored

if TYPE_CHECKING:
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio

KYIV = Location(50.45, 30.52)
URUMQI = Location(43.8, 87.6)
AT_SEA = Location(0.0, 0.0)


async def zone_of(person: Person) -> str | None:
    return (await person.known()).user.timezone


@pytest.fixture
async def asked(ann: Person) -> Person:
    await ann.says("/settings")
    await ann.presses("Time zone")
    return ann


async def test_a_country_with_one_zone_is_two_presses_away(asked: Person) -> None:
    await asked.presses("Europe")
    assert "Austria" in asked.question.labels
    await asked.presses("Austria")
    assert await zone_of(asked) == "Europe/Vienna"
    assert len(asked.chat) == 1, "all of it happened in one message"


async def test_a_country_with_several_zones_shows_its_cities_with_their_offsets(asked: Person) -> None:
    await asked.presses("America")
    for _ in range(3):
        await asked.presses("›")
    await asked.presses("United States …")
    assert asked.question.labels[0] == "Honolulu (UTC-10)"
    await asked.presses("Phoenix (UTC-7)")
    assert await zone_of(asked) == "America/Phoenix"


async def test_the_rarer_zones_of_a_large_country_are_one_press_further(asked: Person) -> None:
    await asked.says("Oceania")
    await asked.presses("Australia and Oceania")
    await asked.presses("Australia …")
    assert not any("Eucla" in label for label in asked.question.labels)
    await asked.presses("More zones…")
    await asked.presses(next(label for label in asked.question.labels if "Eucla" in label))
    assert await zone_of(asked) == "Australia/Eucla"


async def test_from_everywhere_a_way_leads_back_to_the_continents(asked: Person) -> None:
    for label in ("Asia", "›", "Elsewhere", "Europe", "›", "‹", "Elsewhere"):
        await asked.presses(label)
    assert "Africa" in asked.question.labels
    assert await zone_of(asked) == "Europe/Berlin"


async def test_what_is_on_a_button_can_be_typed(asked: Person) -> None:
    for word in ("africa", "EGYPT"):
        await asked.says(word)
    assert await zone_of(asked) == "Africa/Cairo"


async def test_a_shared_place_answers_the_open_question(asked: Person) -> None:
    await asked.sends(KYIV)
    assert await zone_of(asked) == "Europe/Kyiv"
    assert "Europe/Kyiv (UTC+3)" in asked.last.text


async def test_of_a_disputed_place_all_zones_are_offered(asked: Person) -> None:
    await asked.sends(URUMQI)
    assert "Which one" in asked.question.text
    assert "Shanghai (UTC+8)" in asked.question.labels
    await asked.presses("Urumqi (UTC+6)")
    assert await zone_of(asked) == "Asia/Urumqi"


async def test_a_place_shared_out_of_the_blue_is_asked_about_before_it_changes_anything(ann: Person) -> None:
    await ann.sends(KYIV)
    assert "Shall this be your time zone?" in ann.question.text
    assert await zone_of(ann) == "Europe/Berlin"
    await ann.presses("Kyiv (UTC+3)")
    assert await zone_of(ann) == "Europe/Kyiv"


@pytest.mark.parametrize("place", [AT_SEA, Location(math.nan, 1.0), Location(math.inf, 1.0), Location(91.0, 181.0)])
async def test_a_place_without_a_zone_is_answered_kindly(asked: Person, place: Location) -> None:
    await asked.sends(place)
    assert "no time zone of that place" in asked.last.text
    assert "Europe" in asked.last.labels, "the question is put again"


async def test_of_a_place_nothing_is_stored_but_the_zone(asked: Person) -> None:
    await asked.sends(URUMQI)
    session = await asked.session()
    assert session is not None
    assert session.answers == {"zone": ["Asia/Shanghai", "Asia/Urumqi"]}


async def test_a_place_is_no_answer_to_another_question(ann: Person) -> None:
    await ann.says("/pain")
    await ann.sends(KYIV)
    assert "only use a place" in ann.last.text
    assert "When did your head hurt?" in ann.last.text
    assert await zone_of(ann) == "Europe/Berlin"


@pytest.mark.parametrize(
    ("language", "path", "zone"),
    [
        ("ru", ["Европа", "›", "›", "Польша"], "Europe/Warsaw"),
        ("uk", ["Європа", "›", "›", "Україна …", "Київ (UTC+3)"], "Europe/Kyiv"),
        ("fr", ["Europe", "›", "France"], "Europe/Paris"),
        ("es", ["América", "México …"], None),
    ],
)
async def test_places_are_named_in_the_persons_language(
    house: House, language: str, path: list[str], zone: str | None
) -> None:
    bob = house.person(8, language=language)
    await bob.says("/settings")
    await bob.presses(next(label for label in bob.question.labels if label.startswith("🕑")))
    for label in path:
        while label not in bob.question.labels and label != "›":
            await bob.presses("›")
        await bob.presses(label)
    assert (await bob.known()).user.timezone == zone


async def test_after_a_move_it_is_said_that_reminders_keep_their_zone(house: House, asked: Person) -> None:
    await stored(house.storage, SaveReminder(reminder(1, user_id=7001)))
    await asked.says("Paris")
    assert "Your reminders keep the time zone they were set in." in asked.last.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_country_has_a_name_and_a_continent(language: str) -> None:
    listed = [country for continent in atlas.CONTINENTS for country in atlas.countries(continent, language)]
    assert len({code for _, code in listed}) == 247
    assert all(name != code for name, code in listed)


def test_ukrainian_countries_stand_in_the_order_of_the_ukrainian_alphabet() -> None:
    names = [name for name, _ in atlas.countries("europe", "uk")]
    assert names.index("Грузія") < names.index("Естонія") < names.index("Ірландія") < names.index("Казахстан")
