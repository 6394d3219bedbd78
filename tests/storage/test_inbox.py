"""Messages from outside: each is handled once, together with all it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.changes import EndSession, Enqueue, SaveDrug, SaveSession, SaveUser, Unit
from storage.facts import AllOf
from storage.interface import Result
from storage.records import InboxKey, User
from tests.storage.samples import BORIS, HOUR, NOW, ask, drug, key, message, person, session, whois

if TYPE_CHECKING:
    from storage.interface import Storage
    from tests.storage.conftest import Backend

QUARANTINED = Unit(key=key(), quarantine="undecodable", raw=b"\xff\0")


async def test_a_message_is_stored_with_all_it_changes(storage: Storage) -> None:
    user = User(id=1001, language="en", created_at=NOW)
    unit = Unit(key=key(), user_id=1001, changes=(SaveUser(user), SaveSession(session()), Enqueue(message())))
    [result] = await storage.commit([unit], NOW)
    assert (result.outcome, result.error, len(result.tickets)) == ("done", "", 1)
    assert (await ask(storage, AllOf(1001))).user == user
    assert [ticket.address for ticket in await storage.recover(NOW)] == [message().address]


async def test_a_message_that_comes_again_changes_nothing(storage: Storage) -> None:
    await person(storage)
    unit = Unit(key=key(), changes=(SaveDrug(drug()), Enqueue(message())))
    again = Unit(key=key(), changes=(SaveDrug(drug(2)), Enqueue(message())))
    assert [result.outcome for result in await storage.commit([unit, again], NOW)] == ["done", "repeated"]
    assert await storage.commit([again], NOW) == [Result(outcome="repeated")]
    assert (await ask(storage, AllOf(1001))).drugs == (drug(),)
    assert len(await storage.recover(NOW)) == 1


async def test_the_same_key_on_another_channel_is_another_message(storage: Storage) -> None:
    units = [Unit(key=InboxKey(channel, "1")) for channel in ("telegram", "local", "timer")]
    assert [result.outcome for result in await storage.commit(units, NOW)] == ["done"] * 3


async def test_a_message_set_aside_counts_as_handled(storage: Storage) -> None:
    assert [result.outcome for result in await storage.commit([QUARANTINED], NOW)] == ["done"]
    assert [result.outcome for result in await storage.commit([Unit(key=key())], NOW)] == ["repeated"]
    assert await storage.handled([key(), key("2")]) == {key()}


async def test_attempts_are_counted_until_the_message_is_handled(storage: Storage, backend: Backend) -> None:
    assert [await storage.attempt(key(), NOW) for _ in range(2)] == [1, 2]
    assert await storage.attempt(key("2"), NOW) == 1
    await storage.close()
    reopened = backend.storage()
    await reopened.open()
    assert await reopened.attempt(key(), NOW) == 3
    assert await reopened.handled([key()]) == set()
    await person(reopened)
    unit = Unit(key=key(), changes=(SaveSession(session()),))
    assert [result.outcome for result in await reopened.commit([unit, unit], NOW)] == ["done", "repeated"]
    assert await reopened.handled([key()]) == {key()}
    assert (await whois(reopened)).session == session()
    await reopened.close()


async def test_a_message_attempted_before_can_be_set_aside(storage: Storage) -> None:
    await storage.attempt(key(), NOW)
    await storage.commit([QUARANTINED], NOW)
    assert await storage.handled([key()]) == {key()}


async def test_one_that_fails_is_rolled_back_alone(storage: Storage) -> None:
    await person(storage)
    units = [
        Unit(key=key("1"), changes=(SaveDrug(drug(1)), Enqueue(message("1")))),
        Unit(key=key("2"), changes=(SaveDrug(drug(2)), Enqueue(message("2")), SaveDrug(drug(3, 404)))),
        Unit(key=key("3"), changes=(SaveDrug(drug(4)),)),
    ]
    results = await storage.commit(units, NOW)
    assert [result.outcome for result in results] == ["done", "failed", "done"]
    assert results[1].error
    assert results[1].tickets == ()
    assert [entry.id for entry in (await ask(storage, AllOf(1001))).drugs] == [1, 4]
    assert len(await storage.recover(NOW)) == 1
    assert await storage.handled([key("1"), key("2"), key("3")]) == {key("1"), key("3")}


async def test_units_are_stored_in_order(storage: Storage) -> None:
    await person(storage)
    forms = [session(token=f"t{n}") for n in range(20)]
    await storage.commit([Unit(changes=(EndSession(1001), SaveSession(form))) for form in forms], NOW)
    assert (await whois(storage)).session == forms[-1]


async def test_no_units_give_no_results(storage: Storage) -> None:
    assert await storage.commit([], NOW) == []
    assert await storage.handled([]) == set()
    assert await storage.load([]) == {}


@pytest.mark.parametrize("name", ["", "\0", "a\ud800", "x" * 10_000, "'; DROP TABLE inbox; --"])
async def test_any_text_can_be_a_key(storage: Storage, name: str) -> None:
    strange = InboxKey("telegram", name)
    assert await storage.handled([strange]) == set()
    assert await storage.attempt(strange, NOW) == 1
    units = [Unit(key=strange), Unit(key=strange)]
    assert [result.outcome for result in await storage.commit(units, NOW)] == ["done", "repeated"]
    assert await storage.handled([strange]) == {strange}


async def test_the_first_run_follows_a_clean_end_and_the_next_one_what_the_first_left(
    storage: Storage, backend: Backend
) -> None:
    assert await storage.begin_run()
    await storage.close()
    second = backend.storage()
    await second.open()
    assert not await second.begin_run()
    await second.end_run()
    await second.close()
    third = backend.storage()
    await third.open()
    assert await third.begin_run()
    assert not await third.begin_run()
    await third.close()


async def test_the_changes_of_people_who_are_not_stored_fail_and_their_messages_do_not(storage: Storage) -> None:
    units = [
        Unit(key=key("1"), user_id=404, changes=(SaveDrug(drug(user_id=404)),)),
        Unit(key=key("2"), user_id=404, changes=(Enqueue(message(user_id=404, address=BORIS)),)),
    ]
    assert [result.outcome for result in await storage.commit(units, NOW + HOUR)] == ["failed", "done"]
