"""Two users become one, and an address leaves: nothing is lost, nothing is left, nobody else is touched."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from migrebot.messages import Address, Priority, Profile, Say
from migrebot.reminders.questions import Asking
from storage.changes import (
    ClaimLinkCode,
    DropLinkCode,
    EraseUser,
    MarkFree,
    MergeUsers,
    Mute,
    SaveAsking,
    SaveCorrespondence,
    SaveHeadache,
    SaveIdentity,
    SaveIntakes,
    SaveLinkCode,
    SaveLinkTry,
    SavePressure,
    SaveReminder,
    SaveSession,
    Unit,
    Unlink,
    Unmute,
)
from storage.facts import AllOf, IdentitiesOf, LinkCodeByHash, LinkCodeOf, LinkTries, RemindersOf
from storage.interface import GivenUp
from storage.queries import named_sql
from storage.records import Correspondence, Identity, LinkCode
from tests.storage.samples import (
    ANNA,
    BORIS,
    HOUR,
    NOW,
    ask,
    commit,
    headache,
    intake,
    key,
    message,
    person,
    pressure,
    queued,
    reminder,
    session,
    stored,
    whois,
)
from tests.storage.test_forgetting import columns, count

if TYPE_CHECKING:
    from storage.interface import Storage
    from storage.sqlite import SqliteStorage
    from tests.storage.conftest import SqliteBackend

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
TODAY = date(2026, 6, 15)
LATER = NOW + timedelta(days=3650)


async def both(storage: Storage) -> int:
    """Let Anna and Boris have something of everything; gives the id of Boris."""
    await person(storage)
    boris = (await person(storage, BORIS)).user.id
    await stored(
        storage,
        SaveHeadache(headache(1)),
        SaveIntakes(1001, 1, (intake(1, headache_id=1),)),
        MarkFree(1001, (TODAY - 2 * DAY, TODAY - 3 * DAY), "calendar"),
        SaveReminder(reminder(1, code="k7")),
    )
    await stored(
        storage,
        SaveHeadache(headache(2, boris, day=TODAY - 2 * DAY)),
        SaveIntakes(boris, 2, (intake(2, boris, headache_id=2), intake(3, boris, headache_id=2))),
        SavePressure(pressure(1, boris)),
        MarkFree(boris, (TODAY - 3 * DAY, TODAY - 4 * DAY), "question"),
        SaveReminder(reminder(2, user_id=boris, code="k7", address=BORIS)),
        SaveAsking(Asking(user_id=boris, every=3)),
        SaveSession(session(boris, BORIS)),
    )
    return boris


async def test_all_of_both_is_the_winners(storage: Storage) -> None:
    boris = await both(storage)
    await stored(storage, MergeUsers(1001, boris))
    everything = await ask(storage, AllOf(1001))
    assert [attack.id for attack in everything.headaches] == [2, 1]
    assert {(taken.id, taken.headache_id) for taken in everything.intakes} == {(1, 1), (2, 2), (3, 2)}
    assert len(everything.pressures) == 1
    assert {free.day for free in everything.free_days} == {TODAY - 3 * DAY, TODAY - 4 * DAY}
    codes = [one.code for one in await ask(storage, RemindersOf(1001))]
    assert "k7" in codes
    assert len(set(codes)) == 2
    assert everything.asking is not None
    assert everything.asking.every == 3
    assert {identity.address for identity in everything.identities} == {ANNA, BORIS}
    known = await whois(storage, BORIS)
    assert known.user.id == 1001
    assert known.session is not None
    left = await ask(storage, AllOf(boris))
    assert not any(msgspec.structs.astuple(left))


async def test_of_what_there_is_once_the_winners_stays(storage: Storage) -> None:
    boris = await both(storage)
    own = session(token="own")
    await stored(storage, SaveSession(own), SaveAsking(Asking(user_id=1001, every=7)))
    await stored(storage, MergeUsers(1001, boris))
    assert (await whois(storage)).session == own
    asking = (await ask(storage, AllOf(1001))).asking
    assert asking is not None
    assert asking.every == 7


async def test_the_losers_id_is_not_given_out_again(storage: Storage) -> None:
    boris = await both(storage)
    await stored(storage, MergeUsers(1001, boris))
    assert (await whois(storage, Address("local", "clara"))).user.id < boris


async def test_nobody_else_is_touched(storage: Storage) -> None:
    boris = await both(storage)
    clara = (await person(storage, Address("local", "clara"))).user.id
    await stored(storage, SaveHeadache(headache(9, clara)), SaveIntakes(clara, 9, (intake(9, clara, headache_id=9),)))
    before = await ask(storage, AllOf(clara))
    await stored(storage, MergeUsers(1001, boris))
    assert await ask(storage, AllOf(clara)) == before


@pytest.mark.parametrize(("winner", "loser"), [(1001, 404), (404, 1001), (1001, 1001)])
async def test_whoever_is_not_there_is_not_joined(storage: Storage, winner: int, loser: int) -> None:
    await both(storage)
    assert (await commit(storage, MergeUsers(winner, loser))).outcome == "failed"
    assert len((await ask(storage, AllOf(1001))).headaches) == 1


async def test_every_table_that_says_whose_its_rows_are_has_its_rule(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend
) -> None:
    # Those who left are counted until the day is closed; nobody who is there has a row there.
    tables = [table for table in columns(sqlite_backend.path, "user_id") if table != "departures"]
    assert [table for table in tables if f"merge_{table}" not in named_sql()] == []
    boris = await both(sqlite)
    await queued(sqlite, message(address=BORIS, user_id=boris))
    await sqlite.commit([Unit(key=key(), user_id=boris)], NOW)
    await stored(sqlite, SaveCorrespondence(Correspondence(user_id=boris)), SaveLinkTry(boris, 1, NOW))
    await stored(sqlite, MergeUsers(1001, boris))
    assert not any(count(sqlite_backend.path, table, f"user_id = {boris}") for table in tables)
    assert count(sqlite_backend.path, "merging", "true") == 0


# --- leaving -----------------------------------------------------------------------------------------------------


async def test_an_address_that_leaves_is_nobodys_and_its_reminders_move(storage: Storage) -> None:
    boris = await both(storage)
    await stored(storage, MergeUsers(1001, boris))
    tickets = await queued(storage, message(address=BORIS))
    await stored(storage, Unlink(1001, BORIS, ANNA))
    assert (await whois(storage, BORIS)).is_new
    assert (await whois(storage)).session is None
    assert {one.address for one in await ask(storage, RemindersOf(1001))} == {ANNA}
    assert await storage.claim([ticket.id for ticket in tickets], NOW) == []
    assert [one.address for one in await ask(storage, IdentitiesOf(1001))] == [ANNA]


async def test_the_last_address_and_somebody_elses_cannot_leave(storage: Storage) -> None:
    boris = await both(storage)
    assert (await commit(storage, Unlink(1001, ANNA, BORIS))).outcome == "failed"
    assert (await commit(storage, Unlink(1001, BORIS, ANNA))).outcome == "failed"
    second = Identity(address=Address("local", "x"), user_id=boris, profile=Profile(), seen_at=NOW)
    await stored(storage, SaveIdentity(second))
    assert (await commit(storage, Unlink(1001, second.address, ANNA))).outcome == "failed"


async def test_a_reminder_whose_chat_is_muted_fires_where_its_owner_can_be_reached(storage: Storage) -> None:
    boris = await both(storage)
    await stored(storage, MergeUsers(1001, boris))
    assert [due.address for due in await storage.due(await storage.timers(LATER, 10))] == [ANNA, BORIS]
    await stored(storage, Mute(BORIS, "blocked"))
    assert [due.address for due in await storage.due(await storage.timers(LATER, 10))] == [ANNA, ANNA]
    await stored(storage, Mute(ANNA, "blocked"), Unmute(BORIS))
    assert [due.address for due in await storage.due(await storage.timers(LATER, 10))] == [BORIS, BORIS]


# --- codes -------------------------------------------------------------------------------------------------------

CODE = LinkCode(user_id=1001, hash="abc", address=ANNA, expires_at=NOW + HOUR)


async def test_a_code_is_entered_once(storage: Storage) -> None:
    await both(storage)
    await stored(storage, SaveLinkCode(CODE))
    assert await ask(storage, LinkCodeOf(1001)) == CODE
    assert await ask(storage, LinkCodeByHash(2, "abc")) == CODE
    claim = ClaimLinkCode(1001, "abc", BORIS, NOW + 2 * HOUR)
    await stored(storage, claim)
    assert (await commit(storage, claim)).outcome == "failed"
    assert await ask(storage, LinkCodeByHash(2, "abc")) is None
    claimed = await ask(storage, LinkCodeOf(1001))
    assert claimed == msgspec.structs.replace(CODE, hash="", claimed_by=BORIS, expires_at=NOW + 2 * HOUR)
    await stored(storage, DropLinkCode(1001))
    assert await ask(storage, LinkCodeOf(1001)) is None


async def test_guesses_are_counted_and_stay_when_the_guesser_is_erased(storage: Storage) -> None:
    boris = await both(storage)
    await stored(storage, SaveLinkTry(1001, 1, NOW), SaveLinkTry(boris, 2, NOW), SaveLinkTry(boris, 3, NOW - HOUR))
    assert await ask(storage, LinkTries(boris, NOW - HOUR)) == (1, 2)
    assert await ask(storage, LinkTries(boris, NOW - 2 * HOUR)) == (2, 3)
    await stored(storage, EraseUser(boris))
    assert await ask(storage, LinkTries(boris, NOW - 2 * HOUR)) == (0, 3)


async def test_what_a_chat_refuses_goes_to_another_one_of_its_user(storage: Storage) -> None:
    boris = await both(storage)
    await stored(storage, MergeUsers(1001, boris))
    refused, waiting, reply = await queued(
        storage,
        message("now", BORIS, priority=Priority.REMINDER, key="k"),
        message("later", BORIS, priority=Priority.QUESTION, not_before=LATER),
        message("reply", BORIS),
    )
    await storage.claim([refused.id], NOW)
    rerouted = (await storage.settle([GivenUp(id=refused.id, reason="blocked", mute=True)], NOW)).rerouted
    assert [(ticket.address, ticket.priority, ticket.not_before) for ticket in rerouted] == [
        (ANNA, Priority.REMINDER, None),
        (ANNA, Priority.QUESTION, LATER),
    ]
    rows = await storage.claim([ticket.id for ticket in (*rerouted, waiting, reply)], LATER)
    assert {row.body for row in rows} == {Say("now"), Say("later")}
    assert {row.attempts for row in rows} == {1}


async def test_without_another_chat_it_is_given_up(storage: Storage) -> None:
    await person(storage)
    [refused] = await queued(storage, message(priority=Priority.REMINDER))
    await storage.claim([refused.id], NOW)
    assert (await storage.settle([GivenUp(id=refused.id, reason="blocked", mute=True)], NOW)).rerouted == []
    assert await storage.recover(NOW) == []
