"""The diary: what is kept, to whom it belongs, what can be asked of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from migrebot.diary.entries import Drug, Headache, Intake, Pressure
from migrebot.messages import Address
from storage.changes import SaveDrug, SaveHeadache, SaveIntake, SaveIntakes, SaveOveruseNotice, SavePressure
from storage.facts import (
    AllOf,
    BelongsToAnother,
    DrugById,
    DrugNames,
    Fact,
    FrequentChoices,
    HasHadAura,
    HeadacheById,
    IntakeById,
    IntakesBetween,
    IntakesOf,
    LastIntake,
    LastIntakes,
    OpenHeadache,
    OveruseNoticeOf,
    OwnDrugs,
    PressureById,
    UsualAmounts,
)
from storage.records import OveruseNotice
from tests.storage.samples import (
    HOUR,
    NOW,
    ask,
    commit,
    drug,
    headache,
    intake,
    person,
    pressure,
    stored,
    with_headache,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.changes import Change
    from storage.interface import Storage

ANOTHER = 1002


@pytest.fixture(autouse=True)
async def anna_and_another(storage: Storage) -> None:
    await person(storage)
    await person(storage, Address("telegram", str(ANOTHER)))


def saving(entry: object) -> Change:
    match entry:
        case Headache():
            return SaveHeadache(entry)
        case Intake():
            return SaveIntake(entry)
        case Pressure():
            return SavePressure(entry)
        case Drug():
            return SaveDrug(entry)
        case _:
            raise TypeError(entry)


async def test_an_entry_is_replaced_by_one_with_its_id(storage: Storage) -> None:
    await stored(
        storage, *map(saving, (headache(intensity=3), intake(amount=200.0), pressure(pulse=60), drug(daily_max_mg=1.0)))
    )
    later = (
        headache(intensity=None, aura=False, duration_h=3.5, note="x", triggers=(), symptoms=("nausea",)),
        intake(drug="Aspirin", unit="tablets"),
        pressure(systolic=130, measured_at=NOW + HOUR),
        drug(name="Triptan", is_painkiller=True, is_antipyretic=False),
    )
    await stored(storage, *map(saving, later))
    found = await ask(storage, AllOf(1001))
    assert (*found.headaches, *found.intakes, *found.pressures, *found.drugs) == later


@pytest.mark.parametrize("entry", [headache, intake, pressure, drug])
async def test_an_entry_of_somebody_else_cannot_be_replaced(storage: Storage, entry: object) -> None:
    assert callable(entry)
    await stored(storage, saving(entry(1, 1001)))
    before = await ask(storage, AllOf(1001))
    result = await commit(storage, saving(entry(1, ANOTHER, created_at=NOW + HOUR)))
    assert result.outcome == "failed"
    assert await ask(storage, AllOf(1001)) == before
    assert (await commit(storage, saving(entry(2, 404)))).outcome == "failed"


async def test_an_attack_of_somebody_else_takes_no_medicines(storage: Storage) -> None:
    await with_headache(storage)
    for change in (
        SaveIntake(intake(1, ANOTHER, headache_id=1)),
        SaveIntakes(ANOTHER, 1, (intake(1, ANOTHER, headache_id=1),)),
        SaveIntakes(1001, 1, (intake(1, ANOTHER, headache_id=1),)),
        SaveIntakes(1001, 1, (intake(1, 1001, headache_id=2),)),
        SaveIntakes(1001, 1, (intake(1, 1001),)),
    ):
        assert (await commit(storage, change)).outcome == "failed", change
    assert (await ask(storage, AllOf(ANOTHER))).intakes == ()
    assert (await ask(storage, AllOf(1001))).intakes == ()


async def test_the_medicines_of_an_attack_are_replaced_together(storage: Storage) -> None:
    await with_headache(storage)
    first = tuple(intake(id_, headache_id=1) for id_ in (9, 5, 7))
    await stored(storage, SaveIntakes(1001, 1, first), SaveIntake(intake(3)))
    assert await ask(storage, IntakesOf(1001, 1)) == first
    second = (intake(7, headache_id=1, amount=1.0), intake(2, headache_id=1))
    await stored(storage, SaveIntakes(1001, 1, second))
    assert await ask(storage, IntakesOf(1001, 1)) == second
    await stored(storage, SaveIntakes(1001, 1, ()))
    assert (await ask(storage, AllOf(1001))).intakes == (intake(3),)


async def test_nobody_clears_the_medicines_of_somebody_else(storage: Storage) -> None:
    await with_headache(storage)
    taken = (intake(headache_id=1),)
    await stored(storage, SaveIntakes(1001, 1, taken))
    await commit(storage, SaveIntakes(ANOTHER, 1, ()))
    assert await ask(storage, IntakesOf(1001, 1)) == taken


async def test_every_answer_is_about_the_one_asked_about(storage: Storage) -> None:
    await with_headache(storage, aura=True, onset=NOW, triggers=("stress",))
    await stored(storage, SaveIntakes(1001, 1, (intake(headache_id=1, amount=400.0),)), SaveDrug(drug()))
    await stored(storage, SavePressure(pressure()))
    facts: tuple[Fact[Any], ...] = (
        DrugNames(ANOTHER),
        UsualAmounts(ANOTHER, "Ibuprofen"),
        LastIntakes(ANOTHER),
        HeadacheById(ANOTHER, 1),
        IntakesOf(ANOTHER, 1),
        OpenHeadache(ANOTHER),
        HasHadAura(ANOTHER),
        FrequentChoices(ANOTHER, "triggers"),
    )
    answers = await storage.load(facts)
    assert not any(answers[fact] for fact in facts)
    everything = await ask(storage, AllOf(ANOTHER))
    assert not any((everything.headaches, everything.intakes, everything.pressures, everything.drugs))


async def test_everything_leaves_out_what_was_deleted(storage: Storage) -> None:
    await stored(
        storage,
        *map(saving, (headache(1, deleted_at=NOW), headache(2), intake(1, deleted_at=NOW), intake(2))),
        *map(saving, (pressure(1, deleted_at=NOW), pressure(2))),
    )
    found = await ask(storage, AllOf(1001))
    assert (*found.headaches, *found.intakes, *found.pressures) == (headache(2), intake(2), pressure(2))
    assert [identity.user_id for identity in found.identities] == [1001]


async def test_everything_about_nobody_is_nothing(storage: Storage) -> None:
    found = await ask(storage, AllOf(404))
    assert (found.user, found.identities, found.headaches) == (None, (), ())


async def test_a_deleted_attack_can_be_found_with_its_medicines(storage: Storage) -> None:
    await with_headache(storage, deleted_at=NOW)
    taken = (intake(headache_id=1, deleted_at=NOW),)
    await stored(storage, SaveIntakes(1001, 1, taken))
    assert await ask(storage, HeadacheById(1001, 1)) == headache(deleted_at=NOW)
    assert await ask(storage, IntakesOf(1001, 1)) == taken
    assert await ask(storage, HeadacheById(1001, 2)) is None


async def test_the_open_attack_is_the_latest_that_is_not_over(storage: Storage) -> None:
    assert await ask(storage, OpenHeadache(1001)) is None
    attacks = (
        headache(1, onset=NOW),
        headache(2, onset=NOW + HOUR),
        headache(3, onset=NOW + 2 * HOUR, end=NOW + 3 * HOUR),
        headache(4, onset=NOW + 2 * HOUR, duration_h=1.0),
        headache(5, onset=NOW + 2 * HOUR, deleted_at=NOW),
        headache(6),
    )
    await stored(storage, *map(SaveHeadache, attacks))
    assert await ask(storage, OpenHeadache(1001)) == attacks[1]


async def test_an_aura_counts_unless_it_was_in_the_attack_left_out_or_a_deleted_one(storage: Storage) -> None:
    await stored(storage, *map(SaveHeadache, (headache(1), headache(2, aura=False), headache(3, aura=True))))
    assert await ask(storage, HasHadAura(1001))
    assert await ask(storage, HasHadAura(1001, besides=2))
    assert not await ask(storage, HasHadAura(1001, besides=3))
    await with_headache(storage, id_=3, aura=True, deleted_at=NOW)
    assert not await ask(storage, HasHadAura(1001))


async def test_the_last_medicines_are_those_of_the_latest_attack_that_has_any(storage: Storage) -> None:
    assert await ask(storage, LastIntakes(1001)) == ()
    days = {1: 10, 2: 12, 3: 11, 4: 13, 5: 14}
    for id_, day in days.items():
        await with_headache(storage, id_=id_, day=date(2026, 6, day), deleted_at=NOW if id_ == 5 else None)
    taken = {
        id_: tuple(intake(10 * id_ + n, headache_id=id_, drug=f"{id_}{n}") for n in (2, 1)) for id_ in (1, 2, 3, 5)
    }
    for id_, intakes in taken.items():
        await stored(storage, SaveIntakes(1001, id_, intakes))
    await stored(storage, SaveIntake(intake(99, day=date(2026, 6, 15))))
    assert await ask(storage, LastIntakes(1001)) == taken[2]
    assert await ask(storage, LastIntakes(1001, besides=2)) == taken[3]
    hidden = tuple(intake(10 * 2 + n, headache_id=2, deleted_at=NOW) for n in (2, 1))
    await stored(storage, SaveIntakes(1001, 2, hidden))
    assert await ask(storage, LastIntakes(1001)) == taken[3]


async def test_names_of_drugs_are_the_own_list_then_what_was_taken_most_often(storage: Storage) -> None:
    await stored(storage, SaveDrug(drug(1, name="Zolmitriptan")), SaveDrug(drug(2, name="Aspirin")))
    taken = ["Ibuprofen", "aspirin", "Paracetamol", "Paracetamol", "ПАРАЦЕТАМОЛ", "парацетамол"]
    for number, name in enumerate(taken):
        await stored(storage, SaveIntake(intake(number, drug=name, created_at=NOW + number * HOUR)))
    await stored(storage, *(SaveIntake(intake(100 + n, drug="Gone", deleted_at=NOW)) for n in range(9)))
    names = await ask(storage, DrugNames(1001))
    assert names == ("Zolmitriptan", "Aspirin", "парацетамол", "Paracetamol", "Ibuprofen")


async def test_there_are_at_most_thirty_names_of_drugs(storage: Storage) -> None:
    await stored(storage, *(SaveIntake(intake(n, drug=f"drug {n}")) for n in range(40)))
    names = await ask(storage, DrugNames(1001))
    assert len(names) == 30


async def test_usual_amounts_are_those_of_the_drug_most_often_first(storage: Storage) -> None:
    amounts = [(200.0, "mg"), (400.0, "mg"), (400.0, "mg"), (2.0, "tablets"), (None, "mg")]
    for number, (amount, unit) in enumerate(amounts):
        moment = NOW + number * HOUR
        await stored(storage, SaveIntake(intake(number, drug="IBUPROFEN", amount=amount, unit=unit, created_at=moment)))
    await stored(storage, SaveIntake(intake(50, drug="Aspirin", amount=500.0)))
    await stored(storage, SaveIntake(intake(51, amount=600.0, deleted_at=NOW)))
    usual = await ask(storage, UsualAmounts(1001, "ibuprofen"))
    assert usual == ((400.0, "mg"), (2.0, "tablets"), (200.0, "mg"))
    await stored(storage, *(SaveIntake(intake(100 + n, amount=float(n))) for n in range(20)))
    usual = await ask(storage, UsualAmounts(1001, "Ibuprofen"))
    assert len(usual) == 6


async def test_frequent_choices_are_what_was_chosen_most_often_lately(storage: Storage) -> None:
    chosen = [("stress", "weather"), ("weather", "own word"), None, (), ("weather",)]
    for number, triggers in enumerate(chosen):
        await with_headache(storage, id_=number, triggers=triggers, symptoms=("nausea",))
    await with_headache(storage, id_=50, triggers=("deleted",), deleted_at=NOW)
    frequent = await ask(storage, FrequentChoices(1001, "triggers"))
    assert frequent[0] == "weather"
    assert set(frequent) == {"weather", "stress", "own word"}
    assert await ask(storage, FrequentChoices(1001, "symptoms")) == ("nausea",)
    many = tuple(f"word {n}" for n in range(40))
    await with_headache(storage, id_=51, triggers=many)
    frequent = await ask(storage, FrequentChoices(1001, "triggers"))
    assert len(frequent) == 30


async def test_choices_of_long_ago_count_no_more(storage: Storage) -> None:
    old = date(2020, 1, 1)
    await stored(storage, *(SaveHeadache(headache(n, day=old, triggers=("old",))) for n in range(250)))
    recent = (SaveHeadache(headache(1000 + n, day=old + timedelta(days=n + 1), triggers=("new",))) for n in range(200))
    await stored(storage, *recent)
    assert await ask(storage, FrequentChoices(1001, "triggers")) == ("new",)


async def test_many_questions_are_answered_at_once(storage: Storage) -> None:
    await with_headache(storage, aura=True)
    facts: list[Fact[Any]] = [HasHadAura(1001), HeadacheById(1001, 1), HeadacheById(1001, 2), IntakesOf(1001, 1)]
    assert await storage.load(facts) == {
        HasHadAura(1001): True,
        HeadacheById(1001, 1): headache(aura=True),
        HeadacheById(1001, 2): None,
        IntakesOf(1001, 1): (),
    }


async def test_one_entry_is_found_by_its_id_though_deleted_and_by_its_owner_alone(storage: Storage) -> None:
    entries = (intake(7, deleted_at=NOW), pressure(7, deleted_at=NOW), drug(7, deleted_at=NOW))
    await stored(storage, *map(saving, entries))
    kinds: list[Callable[[int, int], Fact[Any]]] = [IntakeById, PressureById, DrugById]
    for kind, entry in zip(kinds, entries, strict=True):
        found = [await ask(storage, kind(*of)) for of in ((1001, 7), (ANOTHER, 7), (1001, 8))]
        assert found == [entry, None, None]


async def test_the_last_intake_is_that_of_the_latest_day(storage: Storage) -> None:
    assert await ask(storage, LastIntake(1001)) is None
    day = date(2026, 6, 10)
    later = intake(2, day=day, created_at=NOW + HOUR)
    await stored(storage, SaveIntake(intake(1, day=day)), SaveIntake(later))
    await stored(storage, SaveIntake(intake(3, day=date(2026, 6, 9), created_at=NOW + 2 * HOUR)))
    await stored(storage, SaveIntake(intake(4, day=date(2026, 6, 11), deleted_at=NOW)))
    assert await ask(storage, LastIntake(1001)) == later
    assert await ask(storage, LastIntake(ANOTHER)) is None


async def test_intakes_between_two_days_include_both_and_no_deleted_ones(storage: Storage) -> None:
    days = [date(2026, 6, number) for number in (9, 10, 11, 12, 13)]
    taken = [intake(number, day=day) for number, day in enumerate(days)]
    await stored(storage, *map(SaveIntake, taken), SaveIntake(intake(50, day=days[2], deleted_at=NOW)))
    assert await ask(storage, IntakesBetween(1001, days[1], days[3])) == tuple(taken[1:4])
    assert await ask(storage, IntakesBetween(ANOTHER, days[0], days[4])) == ()


async def test_a_medicine_deleted_from_the_own_list_is_offered_no_more(storage: Storage) -> None:
    kept = drug(1, name="Aspirin")
    await stored(storage, SaveDrug(kept), SaveDrug(drug(2, name="Zolmitriptan", deleted_at=NOW)))
    assert await ask(storage, OwnDrugs(1001)) == (kept,)
    assert await ask(storage, DrugNames(1001)) == ("Aspirin",)
    assert (await ask(storage, AllOf(1001))).drugs == (kept,)


async def test_the_notice_on_frequent_medicine_is_on_and_was_never_given_at_first(storage: Storage) -> None:
    assert await ask(storage, OveruseNoticeOf(1001)) == OveruseNotice(user_id=1001)
    assert (await ask(storage, AllOf(1001))).overuse_notice is None
    await stored(storage, SaveOveruseNotice(OveruseNotice(user_id=1001, told_at=NOW)))
    await stored(storage, SaveOveruseNotice(OveruseNotice(user_id=1001, is_off=True, told_at=NOW)))
    assert await ask(storage, OveruseNoticeOf(1001)) == OveruseNotice(user_id=1001, is_off=True, told_at=NOW)
    assert await ask(storage, OveruseNoticeOf(ANOTHER)) == OveruseNotice(user_id=ANOTHER)
    assert (await commit(storage, SaveOveruseNotice(OveruseNotice(user_id=404)))).outcome == "failed"


async def test_it_is_known_whether_an_id_is_somebody_elses(storage: Storage) -> None:
    await person(storage)
    other = (await person(storage, Address("telegram", str(ANOTHER)))).user.id
    await stored(storage, SavePressure(pressure(5)), SaveDrug(drug(6)))
    for id_ in (5, 6):
        assert await ask(storage, BelongsToAnother(other, id_))
        assert not await ask(storage, BelongsToAnother(1001, id_))
    assert not await ask(storage, BelongsToAnother(other, 7))
