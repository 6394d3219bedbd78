"""Finding out the time zone: by continent and country, by a place that is shared, by a name that is typed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import anyio
import pytest

from migrebot import atlas
from migrebot.languages import LANGUAGES
from migrebot.messages import Location
from storage.changes import SaveReminder
from tests.storage.samples import reminder, stored
from tests.talk import open_house

if TYPE_CHECKING:
    from storage.interface import Storage
    from tests.clock import FakeClock
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


@pytest.mark.parametrize("at_once", [False, True])
async def test_nobody_else_waits_while_a_place_is_looked_up_and_its_sender_is_answered_in_order(
    house: House, asked: Person, at_once: bool
) -> None:
    looked_up, asks = anyio.Event(), anyio.Event()

    async def zones_at(_latitude: float, _longitude: float) -> tuple[str, ...]:
        asks.set()
        await looked_up.wait()
        return ("Europe/Kyiv",)

    house.dialogue._map_room._zones_at = zones_at
    bob = house.person(7002, first_name="Bob")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asked.sends, KYIV)
        if not at_once:
            await asks.wait()
        tasks.start_soon(asked.says, "/start")
        await asks.wait()
        await bob.says("/privacy")
        assert "What is stored about you" in bob.last.text
        assert await zone_of(asked) == "Europe/Berlin"
        looked_up.set()
    assert await zone_of(asked) == "Europe/Kyiv"
    assert ["Europe/Kyiv (UTC+3)" in shown.text for shown in asked.chat[-2:]] == [True, False]


async def test_few_places_are_looked_up_at_once_since_each_takes_much_memory(house: House) -> None:
    begun = 0
    looked_up = anyio.Event()

    async def zones_at(_latitude: float, _longitude: float) -> tuple[str, ...]:
        nonlocal begun
        begun += 1
        await looked_up.wait()
        return ("Europe/Kyiv",)

    house.dialogue._map_room._zones_at = zones_at
    people = [house.person(7100 + number) for number in range(10)]
    async with anyio.create_task_group() as tasks:
        for person in people:
            tasks.start_soon(person.sends, KYIV)
        await house.person(7200).says("/privacy")
        await anyio.wait_all_tasks_blocked()
        assert begun == 2
        looked_up.set()
    assert begun == 10


async def test_the_program_ends_once_a_place_was_looked_up(storage: Storage, clock: FakeClock) -> None:
    looked_up, asks = anyio.Event(), anyio.Event()

    async def zones_at(_latitude: float, _longitude: float) -> tuple[str, ...]:
        asks.set()
        await looked_up.wait()
        raise OSError

    async with open_house(storage, clock) as house:
        house.dialogue._map_room._zones_at = zones_at
        ann = house.person()
        await ann.says("/start")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ann.sends, KYIV)
            await asks.wait()
            house.mailbox.close()
            looked_up.set()
    assert "no time zone of that place" in ann.last.text
