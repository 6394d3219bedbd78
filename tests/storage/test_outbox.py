"""Messages to people: in order, at most twice, none to who does not want any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrebot.messages import Address, Button, Document, Edit, Leave, Priority, Say, Ticket, Toast
from storage.changes import CancelQueued, Enqueue, Mute, SaveIdentity, Unmute
from storage.facts import IsOurMessage, OfferedKeyboard
from storage.interface import MAX_ATTEMPTS, REPEATABLE_ATTEMPTS, GivenUp, Postponed, Sent
from tests.storage.samples import ANNA, BORIS, HOUR, NOW, commit, message, person, queued, stored, whois

if TYPE_CHECKING:
    from migrebot.messages import Body
    from storage.interface import Storage
    from tests.storage.conftest import Backend


async def restarted(storage: Storage, backend: Backend) -> Storage:
    """Start anew, after whatever happened."""
    await storage.close()
    again = backend.storage()
    await again.open()
    return again


async def test_a_ticket_tells_what_delivery_has_to_know(storage: Storage) -> None:
    [ticket] = await queued(storage, message(priority=Priority.QUESTION, not_before=NOW + HOUR))
    assert ticket == Ticket(Priority.QUESTION, ticket.id, ANNA, NOW + HOUR)
    assert await storage.recover(NOW) == [ticket]


async def test_later_messages_have_higher_ids(storage: Storage) -> None:
    tickets = [*await queued(storage, message("1"), message("2")), *await queued(storage, message("3"))]
    assert [ticket.id for ticket in tickets] == sorted({ticket.id for ticket in tickets})
    rows = await storage.claim([ticket.id for ticket in tickets], NOW)
    assert [row.body for row in sorted(rows, key=lambda row: row.id)] == [Say("1"), Say("2"), Say("3")]


async def test_a_claimed_message_is_given_once(storage: Storage) -> None:
    [ticket] = await queued(storage, message(callback_id="c", priority=Priority.REMINDER))
    [row] = await storage.claim([ticket.id, ticket.id, 404], NOW)
    assert (row.id, row.address, row.body, row.priority) == (ticket.id, ANNA, Say("Hello"), Priority.REMINDER)
    assert (row.attempts, row.callback_id, row.user_id) == (1, "c", 1001)
    assert row.ticket == ticket
    assert await storage.claim([ticket.id], NOW) == []


async def test_a_sent_message_is_over(storage: Storage, backend: Backend) -> None:
    [ticket] = await queued(storage, message())
    await storage.claim([ticket.id], NOW)
    await storage.settle([Sent(ticket.id, "m1")], NOW)
    await storage.settle([Postponed(id=ticket.id, not_before=NOW, reason="late news", reached=True)], NOW)
    again = await restarted(storage, backend)
    assert await again.recover(NOW) == []
    assert await again.claim([ticket.id], NOW) == []
    await again.close()


async def test_only_what_was_claimed_can_be_settled(storage: Storage) -> None:
    tickets = await queued(storage, message(), message(), message())
    one, two, three = (ticket.id for ticket in tickets)
    later = Postponed(id=two, not_before=NOW + HOUR, reason="", reached=False)
    await storage.settle([Sent(one), later, GivenUp(id=three, reason=""), Sent(404)], NOW)
    assert await storage.recover(NOW) == tickets


async def test_a_postponed_message_waits_until_its_time(storage: Storage) -> None:
    [ticket] = await queued(storage, message())
    await storage.claim([ticket.id], NOW)
    await storage.settle([Postponed(id=ticket.id, not_before=NOW + HOUR, reason="429", reached=False)], NOW)
    assert await storage.recover(NOW) == [Ticket(ticket.priority, ticket.id, ANNA, NOW + HOUR)]


async def test_attempts_count_what_may_have_reached_the_messenger(storage: Storage) -> None:
    [ticket] = await queued(storage, message())
    seen = []
    for reached in (False, False, True, False):
        seen += [row.attempts for row in await storage.claim([ticket.id], NOW)]
        await storage.settle([Postponed(id=ticket.id, not_before=NOW, reason="", reached=reached)], NOW)
    assert seen == [1, 1, 1, 2]


async def test_a_message_given_up_is_over(storage: Storage) -> None:
    tickets = await queued(storage, message(), message())
    await storage.claim([ticket.id for ticket in tickets], NOW)
    settled = await storage.settle([GivenUp(id=ticket.id, reason="too long") for ticket in tickets], NOW)
    assert settled.arrived == []
    assert await storage.recover(NOW) == []
    await person(storage)
    assert (await whois(storage)).identity.muted_at is None


@pytest.mark.parametrize(
    ("body", "priority", "times"),
    [
        (Say("Hello"), Priority.REPLY, MAX_ATTEMPTS),
        (Say("Hello"), Priority.REMINDER, MAX_ATTEMPTS),
        (Say("Hello"), Priority.QUESTION, MAX_ATTEMPTS),
        (Say("Hello"), Priority.ANNOUNCEMENT, 1),
        (Document("chart", "a.png", ""), Priority.REPLY, MAX_ATTEMPTS),
        (Leave(), Priority.REPLY, MAX_ATTEMPTS),
        (Edit("1", "Hello"), Priority.REPLY, REPEATABLE_ATTEMPTS),
        (Edit("1", "Hello"), Priority.ANNOUNCEMENT, REPEATABLE_ATTEMPTS),
        (Toast("Saved"), Priority.REPLY, REPEATABLE_ATTEMPTS),
    ],
)
async def test_a_message_interrupted_each_time_reaches_the_messenger_so_many_times(
    storage: Storage, backend: Backend, body: Body, priority: Priority, times: int
) -> None:
    [ticket] = await queued(storage, message(body=body, priority=priority))
    attempts = []
    for _ in range(times):
        [row] = await storage.claim([ticket.id], NOW)
        attempts.append(row.attempts)
        storage = await restarted(storage, backend)
        found = await storage.recover(NOW + HOUR)
        assert [ticket.id for ticket in found] == ([ticket.id] if len(attempts) < times else [])
    assert attempts == list(range(1, times + 1))
    assert await storage.claim([ticket.id], NOW) == []
    await storage.close()


async def test_what_only_waited_is_not_touched_by_a_restart(storage: Storage, backend: Backend) -> None:
    tickets = await queued(storage, message(priority=Priority.ANNOUNCEMENT), message(not_before=NOW + HOUR))
    again = await restarted(storage, backend)
    assert sorted(await again.recover(NOW)) == sorted(tickets)
    assert [row.attempts for row in await again.claim([tickets[0].id], NOW)] == [1]
    await again.close()


# --- what the messenger is found to have -------------------------------------------------------------------------

UNKNOWN = "nobody knows"


async def test_a_message_found_at_the_messenger_is_not_sent_once_more(storage: Storage, backend: Backend) -> None:
    await person(storage)
    buttons = ((Button("Done", "f:1"),),)
    [ticket] = await queued(storage, message(body=Say("Hello", buttons), priority=Priority.REMINDER))
    await storage.claim([ticket.id], NOW)
    await storage.settle([Postponed(id=ticket.id, not_before=NOW, reason=UNKNOWN, reached=True)], NOW)
    await storage.confirm(ticket.id, ANNA, "m1", NOW)
    assert await storage.claim([ticket.id], NOW) == []
    facts = IsOurMessage(0, "telegram", "m1"), IsOurMessage(0, "whatsapp", "m1"), OfferedKeyboard(1001, ANNA)
    assert list((await storage.load(facts)).values()) == [True, False, buttons]
    again = await restarted(storage, backend)
    assert await again.recover(NOW) == []
    await again.close()


@pytest.mark.parametrize("outcome", ["sent", "postponed", "not reached", "given up", "interrupted", "taken back"])
async def test_a_message_found_while_it_is_sent_is_over_whatever_becomes_of_the_attempt(
    storage: Storage, backend: Backend, outcome: str
) -> None:
    [ticket] = await queued(storage, message(key="k"))
    await storage.claim([ticket.id], NOW)
    await storage.confirm(ticket.id, ANNA, "m1", NOW)
    match outcome:
        case "sent":
            await storage.settle([Sent(ticket.id, "m1")], NOW)
        case "postponed" | "not reached":
            reached = outcome == "postponed"
            await storage.settle([Postponed(id=ticket.id, not_before=NOW, reason=UNKNOWN, reached=reached)], NOW)
        case "given up":
            settled = await storage.settle([GivenUp(id=ticket.id, reason=UNKNOWN)], NOW)
            assert settled.arrived == [ticket.id]
        case "taken back":
            await stored(storage, CancelQueued("k"))
        case _:
            assert outcome == "interrupted"
    again = await restarted(storage, backend)
    assert await again.recover(NOW) == []
    assert await again.claim([ticket.id], NOW) == []
    fact = IsOurMessage(0, "telegram", "m1")
    assert (await again.load([fact]))[fact]
    await again.close()


async def test_nothing_is_confirmed_that_was_not_tried_is_settled_or_goes_elsewhere(storage: Storage) -> None:
    untried, settled, elsewhere = (ticket.id for ticket in await queued(storage, message(), message(), message()))
    await storage.claim([settled, elsewhere], NOW)
    await storage.settle([Sent(settled, "m2")], NOW)
    await storage.settle([Postponed(id=elsewhere, not_before=NOW, reason=UNKNOWN, reached=True)], NOW)
    for row_id, address in ((untried, ANNA), (settled, ANNA), (elsewhere, BORIS), (404, ANNA)):
        await storage.confirm(row_id, address, "m1", NOW)
    fact = IsOurMessage(0, "telegram", "m1")
    assert not (await storage.load([fact]))[fact]
    assert {row.id for row in await storage.claim([untried, settled, elsewhere], NOW)} == {untried, elsewhere}


# --- keys --------------------------------------------------------------------------------------------------------


async def test_a_key_that_waits_is_not_queued_twice(storage: Storage) -> None:
    [first] = await queued(storage, message("1", key="k"))
    assert await queued(storage, message("2", key="k"), message("3", key="other"), message("4"), message("5")) != []
    assert len(await storage.recover(NOW)) == 4
    assert [row.body for row in await storage.claim([first.id], NOW)] == [Say("1")]
    assert await queued(storage, message("6", key="k")) == [], "it is being sent"
    await storage.settle([Sent(first.id)], NOW)
    assert len(await queued(storage, message("7", key="k"))) == 1


async def test_a_message_taken_back_is_never_sent(storage: Storage) -> None:
    [ticket] = await queued(storage, message(key="k"))
    await stored(storage, CancelQueued("k"))
    assert await storage.claim([ticket.id], NOW) == []
    assert await storage.recover(NOW) == []
    assert len(await queued(storage, message(key="k"))) == 1


async def test_nothing_happens_if_what_is_taken_back_does_not_wait(storage: Storage) -> None:
    tickets = await queued(storage, message(key="other"), message())
    await stored(storage, CancelQueued("k"))
    assert await storage.recover(NOW) == tickets


async def test_a_message_taken_back_while_it_is_sent_is_not_sent_again(storage: Storage, backend: Backend) -> None:
    tickets = await queued(storage, message("1", key="1"), message("2", key="2"), message("3", key="3"))
    one, two, _ = (ticket.id for ticket in tickets)
    await storage.claim([ticket.id for ticket in tickets], NOW)
    await stored(storage, *(CancelQueued(name) for name in "123"))
    anew = await queued(storage, message("4", key="3"))
    await storage.settle([Sent(one), Postponed(id=two, not_before=NOW, reason="429", reached=False)], NOW)
    anew += await queued(storage, message("5", key="2"))
    again = await restarted(storage, backend)
    assert len(anew) == 2
    assert await again.recover(NOW) == anew
    await again.close()


# --- addresses nothing may be sent to ----------------------------------------------------------------------------


async def test_what_waits_for_a_muted_address_is_given_up(storage: Storage) -> None:
    await person(storage)
    await person(storage, BORIS)
    await queued(storage, message("1"), message("2", key="k"))
    [other] = await queued(storage, message("3", address=BORIS))
    await stored(storage, Mute(ANNA, "blocked"))
    assert await storage.recover(NOW) == [other]


async def test_what_comes_for_a_muted_address_is_given_up_at_once(storage: Storage) -> None:
    await person(storage)
    await stored(storage, Mute(ANNA, "blocked"))
    result = await stored(storage, Enqueue(message()), Enqueue(message(key="k")))
    assert result.tickets == ()
    await stored(storage, Unmute(ANNA))
    assert await storage.recover(NOW) == []
    assert len(await queued(storage, message(key="k"))) == 1


async def test_what_waits_for_an_address_muted_otherwise_is_given_up_when_it_is_claimed(storage: Storage) -> None:
    anna = await person(storage)
    [ticket] = await queued(storage, message())
    identity = anna.identity
    muted = type(identity)(address=ANNA, user_id=1001, profile=identity.profile, seen_at=identity.seen_at, muted_at=NOW)
    await stored(storage, SaveIdentity(muted))
    assert await storage.claim([ticket.id], NOW) == []
    assert await storage.recover(NOW) == []


async def test_who_can_never_be_reached_is_muted_with_all_that_waits(storage: Storage, backend: Backend) -> None:
    await person(storage)
    tickets = await queued(storage, message("1"), message("2"), message("3"), message("4"))
    one, two, three, _ = (ticket.id for ticket in tickets)
    await whois(storage)
    await storage.claim([one, two, three], NOW)
    await storage.settle([GivenUp(id=one, reason="blocked", mute=True)], NOW)
    assert (await whois(storage)).identity.muted_at == NOW
    await storage.settle([Postponed(id=two, not_before=NOW, reason="network", reached=True)], NOW)
    again = await restarted(storage, backend)
    assert await again.recover(NOW) == []
    assert (await whois(again)).identity.muted_at == NOW
    await again.close()


async def test_an_address_of_nobody_can_be_muted_and_written_to(storage: Storage) -> None:
    group = Address("telegram", "-100")
    [ticket] = await queued(storage, message(address=group, user_id=None))
    assert [row.user_id for row in await storage.claim([ticket.id], NOW)] == [None]
    await storage.settle([GivenUp(id=ticket.id, reason="kicked", mute=True)], NOW)
    await queued(storage, message(address=group, user_id=None))
    assert (await commit(storage, Mute(group, "kicked"))).outcome == "done"
    assert await storage.recover(NOW) == []
