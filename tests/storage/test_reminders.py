"""Reminders, their firings, and what the scheduler reads of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from migrebot.messages import Address, Profile
from migrebot.reminders.reminder import Medicine, Nagging
from migrebot.reminders.timers import Timer
from storage.changes import (
    Enqueue,
    EraseUser,
    MoveOccurrence,
    MoveReminder,
    SaveIdentity,
    SaveLastList,
    SaveOccurrence,
    SaveReminder,
    Silence,
    Unit,
)
from storage.facts import AllOf, CodesInUse, LastList, OccurrenceById, ReminderById, RemindersOf, SnoozedOf
from storage.interface import Retention
from storage.records import Identity
from tests.storage.samples import ANNA, BORIS, HOUR, NOW, ask, commit, message, occurrence, person, reminder, stored

if TYPE_CHECKING:
    from migrebot.reminders.reminder import Reminder
    from storage.interface import Storage

MINUTE = timedelta(minutes=1)
FAR = NOW + 1_000 * HOUR


@pytest.fixture(autouse=True)
async def anna(storage: Storage) -> None:
    await person(storage)


def moved(**changed: Any) -> MoveReminder:
    fields: dict[str, Any] = {"user_id": 1001, "id": 1, "due_at": NOW + HOUR, "next_at": NOW + 25 * HOUR}
    return MoveReminder(**(fields | changed))


def replaced(of: Reminder, **changed: Any) -> Reminder:
    return msgspec.structs.replace(of, **changed)


async def test_what_is_still_to_come_is_listed_in_due_order_with_the_paused_last(storage: Storage) -> None:
    kept = [
        reminder(3, next_at=NOW + 1 * HOUR),
        reminder(1, next_at=NOW + 2 * HOUR, medicine=Medicine("Ibuprofen", 400), nagging=Nagging(10, 3)),
        reminder(2, next_at=None, paused_at=NOW),
    ]
    gone = [reminder(4, next_at=None, deleted_at=NOW), reminder(5, next_at=None)]
    await stored(storage, *map(SaveReminder, gone + kept))
    assert await ask(storage, RemindersOf(1001)) == tuple(kept)
    assert (await ask(storage, AllOf(1001))).reminders == tuple(kept)
    assert await ask(storage, RemindersOf(1002)) == ()
    assert await storage.pending_reminders() == 2
    assert await ask(storage, ReminderById(1001, 4)) == gone[0]


async def test_one_that_ended_is_listed_while_a_snoozed_firing_is_to_come(storage: Storage) -> None:
    ended = reminder(next_at=None)
    snoozed = occurrence(answer="snoozed", answered_at=NOW, again_at=NOW + HOUR)
    await stored(storage, SaveReminder(ended), SaveOccurrence(snoozed))
    assert await ask(storage, RemindersOf(1001)) == (ended,)
    assert await ask(storage, SnoozedOf(1001)) == (snoozed,)
    assert await ask(storage, SnoozedOf(1002)) == ()


async def test_nobody_reads_or_changes_what_is_anothers(storage: Storage) -> None:
    boris = (await person(storage, BORIS)).user.id
    await stored(storage, SaveReminder(reminder()), SaveOccurrence(occurrence(again_at=NOW + HOUR)))
    assert await ask(storage, ReminderById(boris, 1)) is None
    assert await ask(storage, OccurrenceById(boris, 1)) is None
    for change in (
        SaveReminder(reminder(user_id=boris)),
        SaveOccurrence(occurrence(user_id=boris)),
        moved(user_id=boris),
        MoveOccurrence(user_id=boris, id=1, due_at=NOW + HOUR, again_at=None, nagged=1),
    ):
        assert (await commit(storage, change)).outcome == "failed", change
    await stored(storage, Silence(boris, 1))
    assert await ask(storage, ReminderById(1001, 1)) == reminder()
    assert await ask(storage, OccurrenceById(1001, 1)) == occurrence(again_at=NOW + HOUR)


async def test_a_code_is_unique_among_ones_own_and_taken_while_listed(storage: Storage) -> None:
    boris = (await person(storage, BORIS)).user.id
    await stored(storage, SaveReminder(reminder(1, code="k7")), SaveReminder(reminder(2, boris, code="k7")))
    assert (await commit(storage, SaveReminder(reminder(3, code="k7")))).outcome == "failed"
    assert await ask(storage, LastList(1001)) is None
    await stored(storage, SaveLastList(1001, ("a2", "k7")))
    await stored(storage, SaveLastList(1001, ("b3", "a2")))
    assert await ask(storage, LastList(1001)) == ("b3", "a2")
    assert await ask(storage, CodesInUse(1001)) == {"k7", "b3", "a2"}


# --- firing ------------------------------------------------------------------------------------------------------


async def test_the_earliest_are_read_first_and_no_more_than_asked_for(storage: Storage) -> None:
    for number in range(1, 6):
        await stored(storage, SaveReminder(reminder(number, next_at=NOW + number * HOUR)))
    await stored(storage, SaveOccurrence(occurrence(9, 5, again_at=NOW + 90 * MINUTE)))
    first, again = Timer(NOW + HOUR, 1), Timer(NOW + 90 * MINUTE, 9, repeats=True)
    assert await storage.timers(NOW + 3 * HOUR, 10) == [
        first,
        again,
        Timer(NOW + 2 * HOUR, 2),
        Timer(NOW + 3 * HOUR, 3),
    ]
    assert await storage.timers(FAR, 2) == [first, again]
    assert await storage.timers(NOW, 10) == []


async def test_what_is_due_comes_with_its_owner(storage: Storage) -> None:
    await stored(storage, SaveReminder(reminder()), SaveOccurrence(occurrence(again_at=NOW + MINUTE)))
    found = await storage.due([Timer(NOW + HOUR, 1), Timer(NOW + MINUTE, 1, repeats=True)])
    assert [(due.reminder, due.address, due.timezone) for due in found] == [(reminder(), ANNA, None)] * 2
    assert [due.occurrence for due in found] == [None, occurrence(again_at=NOW + MINUTE)]


@pytest.mark.parametrize(
    "changed", [{"next_at": NOW + 2 * HOUR}, {"next_at": None, "paused_at": NOW}, {"next_at": None, "deleted_at": NOW}]
)
async def test_what_was_changed_meanwhile_is_not_due(storage: Storage, changed: dict[str, Any]) -> None:
    await stored(storage, SaveReminder(reminder()), SaveReminder(reminder(**changed)))
    assert await storage.due([Timer(NOW + HOUR, 1)]) == []
    assert (await commit(storage, moved())).outcome == "failed"


async def test_a_repetition_of_a_deleted_reminder_waits_for_it_to_come_back(storage: Storage) -> None:
    again = Timer(NOW + MINUTE, 1, repeats=True)
    await stored(storage, SaveReminder(reminder()), SaveOccurrence(occurrence(again_at=again.at)))
    await stored(storage, SaveReminder(reminder(next_at=None, deleted_at=NOW)))
    assert await storage.timers(FAR, 10) == []
    assert await storage.due([again]) == []
    await stored(storage, SaveReminder(reminder()))
    assert again in await storage.timers(FAR, 10)
    await stored(storage, Silence(1001, 1))
    assert await storage.timers(FAR, 10) == [Timer(NOW + HOUR, 1)]


async def test_it_goes_to_the_owners_latest_address_when_its_own_is_anothers_now(storage: Storage) -> None:
    boris = (await person(storage, BORIS)).user.id
    phone = Address("whatsapp", "whatsapp:+1")
    await stored(storage, SaveReminder(reminder()))
    await stored(storage, SaveIdentity(Identity(address=phone, user_id=1001, profile=Profile(), seen_at=NOW)))
    await stored(storage, SaveIdentity(Identity(address=ANNA, user_id=boris, profile=Profile(), seen_at=NOW)))
    [due] = await storage.due([Timer(NOW + HOUR, 1)])
    assert due.address == phone


async def test_a_firing_is_stored_as_a_whole(storage: Storage) -> None:
    await stored(storage, SaveReminder(reminder()))
    result = await stored(storage, moved(), SaveOccurrence(occurrence()), Enqueue(message()))
    assert len(result.tickets) == 1
    found = await ask(storage, ReminderById(1001, 1))
    assert found is not None
    assert (found.next_at, found.fired) == (NOW + 25 * HOUR, 1)
    again = await commit(storage, moved(), SaveOccurrence(occurrence(2)), Enqueue(message()))
    assert (again.outcome, again.tickets) == ("failed", ())
    assert await ask(storage, OccurrenceById(1001, 2)) is None


async def test_an_instant_fires_once_even_if_the_reminder_was_set_back_to_it(storage: Storage) -> None:
    await stored(storage, SaveReminder(reminder()), moved(), SaveOccurrence(occurrence()))
    await stored(storage, SaveReminder(reminder()))
    assert (await commit(storage, moved(), SaveOccurrence(occurrence(2)))).outcome == "failed"
    await stored(storage, moved())


async def test_many_fire_together_and_the_one_that_was_changed_meanwhile_does_not(storage: Storage) -> None:
    boris = (await person(storage, BORIS)).user.id
    owners = [1001, boris, 1001, 1001, boris]
    await stored(storage, *(SaveReminder(reminder(n, owner)) for n, owner in enumerate(owners, 1)))
    await stored(storage, SaveReminder(reminder(3, next_at=None, paused_at=NOW)))
    units = [
        Unit(
            changes=(
                moved(user_id=owner, id=n),
                SaveOccurrence(occurrence(n, n, owner)),
                Enqueue(message(str(n), user_id=owner)),
            )
        )
        for n, owner in enumerate(owners, 1)
    ]
    results = await storage.commit(units, NOW)
    assert [result.outcome for result in results] == ["done", "done", "failed", "done", "done"]
    rows = await storage.claim([ticket.id for result in results for ticket in result.tickets], NOW)
    assert sorted(row.body.text for row in rows) == ["1", "2", "4", "5"]  # type: ignore[union-attr]  # all are said


async def test_a_repetition_is_moved_only_while_it_is_unanswered(storage: Storage) -> None:
    await stored(storage, SaveReminder(reminder()), SaveOccurrence(occurrence(again_at=NOW + MINUTE)))
    nag = MoveOccurrence(user_id=1001, id=1, due_at=NOW + MINUTE, again_at=NOW + 2 * MINUTE, nagged=1)
    await stored(storage, nag)
    assert await ask(storage, OccurrenceById(1001, 1)) == occurrence(again_at=NOW + 2 * MINUTE, nagged=1)
    assert (await commit(storage, nag)).outcome == "failed"
    await stored(storage, SaveOccurrence(occurrence(answer="done", answered_at=NOW)))
    assert (await commit(storage, msgspec.structs.replace(nag, due_at=NOW + 2 * MINUTE))).outcome == "failed"


# --- what goes ---------------------------------------------------------------------------------------------------


async def test_an_erased_person_has_no_reminders(storage: Storage) -> None:
    await stored(
        storage,
        SaveReminder(reminder()),
        SaveOccurrence(occurrence(again_at=NOW)),
        SaveLastList(1001, ("k1",)),
    )
    await stored(storage, EraseUser(1001))
    assert await storage.timers(FAR, 10) == []
    assert await ask(storage, OccurrenceById(1001, 1)) is None
    assert await ask(storage, LastList(1001)) is None


def retention(**moments: object) -> Retention:
    fields = dict.fromkeys(Retention.__struct_fields__, NOW - 1_000_000 * HOUR)
    return Retention(**(fields | moments))  # type: ignore[arg-type]  # datetimes all


async def test_reminders_deleted_long_ago_go_with_their_firings(storage: Storage) -> None:
    await stored(
        storage,
        SaveReminder(reminder(1, next_at=None, deleted_at=NOW)),
        SaveReminder(reminder(2, next_at=None, deleted_at=NOW + HOUR)),
        SaveOccurrence(occurrence(1, 1)),
    )
    await storage.purge(retention(deleted=NOW + HOUR))
    assert await ask(storage, ReminderById(1001, 1)) is None
    assert await ask(storage, OccurrenceById(1001, 1)) is None
    assert await ask(storage, ReminderById(1001, 2)) is not None


async def test_firings_of_long_ago_go_and_what_has_ended_with_the_last_of_them(storage: Storage) -> None:
    await stored(
        storage,
        SaveReminder(reminder(1)),
        SaveReminder(reminder(2, next_at=None)),
        SaveReminder(reminder(3, next_at=None, paused_at=NOW)),
        SaveReminder(reminder(4, next_at=None)),
        SaveOccurrence(occurrence(1, 1)),
        SaveOccurrence(occurrence(2, 2)),
        SaveOccurrence(occurrence(4, 4, again_at=FAR)),
    )
    await storage.purge(retention(settled=NOW + HOUR))
    assert await ask(storage, ReminderById(1001, 2)) is not None
    await storage.purge(retention(settled=NOW + 2 * HOUR))
    assert [await ask(storage, OccurrenceById(1001, n)) is not None for n in (1, 2, 4)] == [False, False, True]
    kept = [await ask(storage, ReminderById(1001, n)) is not None for n in (1, 2, 3, 4)]
    assert kept == [True, False, True, True]
