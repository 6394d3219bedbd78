"""What is known of a day: headache, none or unknown, and which entries belong to it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrebot.diary.entries import FreeDay, Headache, days_touched, in_zone
from migrebot.messages import Address
from storage.changes import (
    Change,
    EraseUser,
    MarkFree,
    SaveHeadache,
    SaveIntake,
    SaveIntakes,
    SavePressure,
    UnmarkFree,
)
from storage.facts import AllOf, DayMarks, Entries, EntriesBetween, MarksBetween
from tests.storage.samples import NOW, ask, commit, headache, intake, person, pressure, stored

if TYPE_CHECKING:
    from storage.interface import Storage

ANOTHER = 1002
FIRST = date(2026, 6, 1)


def day(number: int) -> date:
    """A day of the month, from 1; 0 is the last of the month before."""
    return FIRST + timedelta(days=number - 1)


@pytest.fixture(autouse=True)
async def anna_and_another(storage: Storage) -> None:
    await person(storage)
    await person(storage, Address("telegram", str(ANOTHER)))


async def marks(storage: Storage, first: int = 1, last: int = 30, user_id: int = 1001) -> DayMarks:
    return await ask(storage, MarksBetween(user_id, day(first), day(last)))


async def entries(storage: Storage, first: int, last: int | None = None, user_id: int = 1001) -> Entries:
    return await ask(storage, EntriesBetween(user_id, day(first), day(last or first)))


async def free(storage: Storage, user_id: int = 1001) -> dict[int, str]:
    """The days recorded as free, by number, and where that came from."""
    recorded = (await ask(storage, AllOf(user_id))).free_days
    return {one.day.day: one.source for one in recorded}


async def test_nothing_recorded_is_nothing_known(storage: Storage) -> None:
    assert await marks(storage) == DayMarks()
    assert await entries(storage, 1, 30) == Entries()


async def test_a_day_is_recorded_as_free_once_and_keeps_its_source(storage: Storage) -> None:
    await stored(storage, MarkFree(1001, (day(3), day(4)), "question"))
    await stored(storage, MarkFree(1001, (day(4), day(5)), "calendar"))
    assert await free(storage) == {3: "question", 4: "question", 5: "calendar"}
    assert (await ask(storage, AllOf(1001))).free_days[0] == FreeDay(user_id=1001, day=day(3), source="question")
    assert (await marks(storage, 4, 30)).free == {day(4), day(5)}
    assert (await entries(storage, 3)).free == {day(3)}


async def test_no_days_are_no_change(storage: Storage) -> None:
    await stored(storage, MarkFree(1001, (), "question"))
    assert await free(storage) == {}


async def test_a_day_with_an_attack_cannot_be_recorded_as_free(storage: Storage) -> None:
    await stored(storage, SaveHeadache(headache(day=day(10), duration_h=30.0)))
    await stored(storage, MarkFree(1001, tuple(day(n) for n in range(9, 13)), "question"))
    assert await free(storage) == {9: "question", 12: "question"}
    assert await marks(storage) == DayMarks(headache=frozenset({day(10), day(11)}), free=frozenset({day(9), day(12)}))


async def test_an_attack_ends_on_the_day_of_its_own_zone(storage: Storage) -> None:
    onset = datetime(2026, 6, 10, 20, tzinfo=UTC)
    end = datetime(2026, 6, 10, 21, 59, tzinfo=UTC)
    for zone, ended in (("UTC", 10), ("Europe/Paris", 10), ("Europe/Kyiv", 11)):
        await stored(storage, SaveHeadache(headache(day=day(10), timezone=zone, onset=onset, end=end)))
        assert (await marks(storage)).headache == {day(n) for n in range(10, ended + 1)}, zone


async def test_a_deleted_attack_leaves_its_days_unknown_and_one_brought_back_takes_them(storage: Storage) -> None:
    attack = headache(day=day(10))
    deleted = headache(day=day(10), deleted_at=NOW)
    await stored(storage, SaveHeadache(attack))
    await stored(storage, SaveHeadache(deleted))
    assert await marks(storage) == DayMarks()
    await stored(storage, MarkFree(1001, (day(10),), "calendar"))
    await stored(storage, SaveHeadache(deleted))
    assert await free(storage) == {10: "calendar"}
    await stored(storage, SaveHeadache(attack))
    assert await marks(storage) == DayMarks(headache=frozenset({day(10)}))


async def test_an_attack_takes_all_its_days_from_those_recorded_as_free(storage: Storage) -> None:
    await stored(storage, MarkFree(1001, tuple(day(n) for n in range(9, 14)), "question"))
    await stored(storage, SaveHeadache(headache(day=day(10), duration_h=48.5)))
    assert set(await free(storage)) == {9, 13}


async def test_a_medicine_says_nothing_about_headache(storage: Storage) -> None:
    await stored(storage, MarkFree(1001, (day(10),), "calendar"))
    await stored(storage, SaveIntake(intake(1, day=day(10))), SaveIntake(intake(2, day=day(11))))
    await stored(storage, MarkFree(1001, (day(11),), "calendar"))
    expected = frozenset({day(10), day(11)})
    assert await marks(storage) == DayMarks(medicine=expected, free=expected)


async def test_that_a_day_was_free_can_be_taken_back(storage: Storage) -> None:
    await stored(storage, MarkFree(1001, (day(3), day(4)), "calendar"), UnmarkFree(1001, day(3)))
    await stored(storage, UnmarkFree(1001, day(20)))
    assert set(await free(storage)) == {4}


async def test_the_days_of_one_are_not_those_of_another(storage: Storage) -> None:
    await stored(storage, SaveHeadache(headache(user_id=ANOTHER, day=day(3))), SaveIntake(intake(2, ANOTHER)))
    await stored(storage, SavePressure(pressure(2, ANOTHER)))
    await stored(storage, MarkFree(1001, (day(3), day(4)), "calendar"), MarkFree(ANOTHER, (day(4),), "question"))
    await stored(storage, UnmarkFree(ANOTHER, day(4)))
    assert set(await free(storage)) == {3, 4}
    assert await free(storage, ANOTHER) == {}
    await stored(storage, SaveHeadache(headache(9, ANOTHER, day=day(3))))
    assert set(await free(storage)) == {3, 4}
    assert await entries(storage, 1, 30) == Entries(free=frozenset({day(3), day(4)}))
    assert await marks(storage, user_id=ANOTHER) == DayMarks(
        headache=frozenset({day(3)}), medicine=frozenset({date(2026, 6, 15)})
    )


async def test_nobody_has_no_free_days(storage: Storage) -> None:
    assert (await commit(storage, MarkFree(404, (day(1),), "calendar"))).outcome == "failed"


async def test_the_free_days_of_an_erased_person_go_too(storage: Storage) -> None:
    await stored(storage, MarkFree(1001, (day(3),), "calendar"), MarkFree(ANOTHER, (day(3),), "calendar"))
    await stored(storage, EraseUser(1001))
    await person(storage)
    assert await free(storage) == {}
    assert set(await free(storage, ANOTHER)) == {3}


async def test_the_entries_of_a_day_are_those_that_touch_it(storage: Storage) -> None:
    attack = headache(1, day=day(10), duration_h=30.0)
    of_attack = intake(1, day=day(10), headache_id=1)
    alone = intake(2, day=day(11))
    await stored(storage, SaveHeadache(attack), SaveIntakes(1001, 1, (of_attack,)), SaveIntake(alone))
    await stored(storage, SaveHeadache(headache(2, day=day(11), deleted_at=NOW)))
    await stored(storage, SaveIntake(intake(3, day=day(11), deleted_at=NOW)))
    assert await entries(storage, 10) == Entries(headaches=(attack,), intakes=(of_attack,))
    assert await entries(storage, 11) == Entries(headaches=(attack,), intakes=(alone,))
    assert await entries(storage, 12) == Entries()
    assert await entries(storage, 9, 12) == Entries(headaches=(attack,), intakes=(of_attack, alone))


@pytest.mark.parametrize(
    ("zone", "local"), [("UTC", 10), ("Pacific/Kiritimati", 11), ("Pacific/Pago_Pago", 9), ("Europe/Paris", 11)]
)
async def test_a_reading_belongs_to_the_day_of_its_own_zone(storage: Storage, zone: str, local: int) -> None:
    reading = pressure(measured_at=datetime(2026, 6, 10, 10 if local == 9 else 22, tzinfo=UTC), timezone=zone)
    await stored(storage, SavePressure(reading))
    for number in (8, 9, 10, 11, 12):
        found = (await entries(storage, number)).pressures
        assert found == ((reading,) if number == local else ()), number


june = st.dates(date(2026, 5, 25), date(2026, 7, 5))
attacks = st.builds(
    lambda id_, began, hours, gone: headache(id_, day=began, duration_h=hours, deleted_at=NOW if gone else None),
    st.integers(1, 3),
    june,
    st.none() | st.floats(0.1, 168),
    st.booleans(),
)
changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(SaveHeadache, attacks),
    st.builds(lambda days: MarkFree(1001, tuple(days), "question"), st.lists(june, max_size=5)),
    st.builds(UnmarkFree, st.just(1001), june),
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(units=st.lists(changes, max_size=8))
async def test_no_day_is_ever_both_free_and_with_headache(storage: Storage, units: list[Change]) -> None:
    await stored(storage, EraseUser(1001))
    await person(storage)
    known: dict[int, Headache] = {}
    recorded: set[date] = set()
    for change in units:
        await stored(storage, change)
        if isinstance(change, SaveHeadache):
            known[change.headache.id] = change.headache
        hurt = {day for attack in known.values() if attack.deleted_at is None for day in days_touched(attack)}
        if isinstance(change, MarkFree):
            recorded |= set(change.days) - hurt
        elif isinstance(change, UnmarkFree):
            recorded.discard(change.day)
        recorded -= hurt
        month = {day(number) for number in range(1, 31)}
        assert await marks(storage) == DayMarks(headache=frozenset(hurt & month), free=frozenset(recorded & month))


@pytest.mark.parametrize("zone", ["No/Where", "../x", "Europe", "", "\0"])
async def test_a_reading_of_a_zone_there_is_none_of_has_a_day_all_the_same(storage: Storage, zone: str) -> None:
    await stored(storage, SavePressure(pressure(measured_at=datetime(2026, 6, 10, 22, tzinfo=UTC), timezone="?")))
    assert [reading.day for reading in (await entries(storage, 10)).pressures] == [day(10)]
    assert in_zone(NOW, zone) == NOW
    night = headache(day=day(15), onset=NOW, end=NOW + timedelta(hours=13), timezone=zone)
    assert days_touched(night) == (day(15), day(16)), "as in UTC"


@pytest.mark.parametrize(
    "impossible",
    [
        {"duration_h": float("inf")},
        {"duration_h": 1e300},
        {"day": date.max, "duration_h": 100.0},
        {"onset": NOW, "end": datetime.min.replace(tzinfo=UTC)},
        {"onset": NOW, "duration_h": 1e300},
    ],
    ids=repr,
)
async def test_an_attack_whose_times_make_no_sense_touches_its_own_day(
    storage: Storage, impossible: dict[str, object]
) -> None:
    attack = msgspec.structs.replace(headache(day=day(10)), **impossible)
    await stored(storage, SaveHeadache(attack))
    assert days_touched(attack) == (attack.day,)
    assert (await ask(storage, MarksBetween(1001, attack.day, attack.day))).headache == {attack.day}
