"""The promises of the dialogue actor while one batch is stored and the next one is worked out."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.lowlevel
import msgspec
import pytest

from actors.actor import NotHandled
from actors.answering import BREATH
from actors.dialogue import BATCH
from migrebot.errors import StorageUnavailable
from migrebot.messages import Address, FormExpired, Inbound, Location, Profile, Text
from storage.changes import SaveIdentity, SaveUser, Unit
from storage.records import Identity, User
from tests.clock import FakeClock
from tests.talk import House, Person

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from storage.interface import Result, Storage
    from storage.records import Conversation

pytestmark = pytest.mark.anyio


class Slow:
    """A storage whose commits wait until they are let through; those in `fails` raise instead of storing."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.open = anyio.Event()
        self.waiting = anyio.Event()
        self.fails: list[Exception] = []
        self.asked: list[Address] = []
        self.has_asked = anyio.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._storage, name)

    async def who(self, addresses: Sequence[tuple[Address, Profile]], now: datetime) -> list[Conversation]:
        found = await self._storage.who(addresses, now)
        self.asked += [address for address, _ in addresses]
        self.has_asked.set()
        self.has_asked = anyio.Event()
        return found

    async def commit(self, units: Sequence[Unit], now: datetime) -> list[Result]:
        self.waiting.set()
        await self.open.wait()
        if self.fails:
            raise self.fails.pop()
        return await self._storage.commit(units, now)


def hold_up(house: House) -> Slow:
    slow = Slow(house.storage)
    house.dialogue._storage = cast("Storage", slow)
    return slow


def inbound(address: Address, text: str, house: House) -> Inbound:
    return Inbound(
        address=address, key=f"{address} {text}", content=Text(text), received_at=house.clock.now(), profile=Profile()
    )


async def post(house: House, person: Person, *texts: str) -> list[Any]:
    return [await house.mailbox.post(inbound(person.address, text, house)) for text in texts]


async def test_while_one_is_stored_another_one_is_worked_out_but_nobody_twice(house: House, ann: Person) -> None:
    bob, slow = house.person(8), hold_up(house)
    first = await post(house, ann, "/pain")
    await slow.waiting.wait()
    again = await post(house, ann, "today", "3")
    asks_again = slow.has_asked
    other = await post(house, bob, "/pain 5 1h")
    await asks_again.wait()
    assert slow.asked == [ann.address, bob.address]
    slow.open.set()
    for envelope in (*first, *again, *other):
        assert (await envelope.answered()).outcome == "done"
    session = await ann.session()
    assert session is not None
    assert (session.step, session.answers["duration"]) == ("intensity", 3)


async def test_others_go_on_between_the_messages_of_a_batch(house: House) -> None:
    people = [house.person(1_000 + number) for number in range(BATCH)]
    slow, turns = hold_up(house), 0

    async def go_on() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with anyio.create_task_group() as others:
        asked = slow.has_asked
        for person in people:
            await post(house, person, "/help")
        await asked.wait()
        others.start_soon(go_on)
        await slow.waiting.wait()
        others.cancel_scope.cancel()
    slow.open.set()
    assert turns >= BATCH // BREATH


async def test_what_was_held_comes_again_after_what_it_waited_for(house: House, ann: Person) -> None:
    for text in ("/pain", "today"):
        await ann.says(text)
    slow = hold_up(house)
    slow.fails.append(StorageUnavailable("full"))
    posted = await post(house, ann, "5")
    await slow.waiting.wait()
    posted += await post(house, ann, "8")
    slow.open.set()
    for envelope in posted:
        with pytest.raises(NotHandled):
            await envelope.answered()
    for envelope in await post(house, ann, "8", "5"):
        with suppress(NotHandled):
            await envelope.answered()
    await (await post(house, ann, "8"))[0].answered()
    session = await ann.session()
    assert session is not None
    assert (session.answers["duration"], session.answers["intensity"]) == (5, 8)


async def test_a_time_out_waits_for_the_answer_that_is_being_stored(house: House, ann: Person) -> None:
    for text in ("/pain", "today"):
        await ann.says(text)
    session = await ann.session()
    assert session is not None
    await house.clock.advance(24 * 3600 + 1)
    slow = hold_up(house)
    (answered,) = await post(house, ann, "5")
    await slow.waiting.wait()
    over = await house.mailbox.post(FormExpired(user_id=session.user_id, token=session.token))
    slow.open.set()
    assert (await answered.answered()).outcome == "done"
    assert (await over.answered()).outcome == "repeated"
    session = await ann.session()
    assert session is not None
    assert session.step == "intensity"


async def test_two_addresses_of_one_person_keep_their_order_each(house: House) -> None:
    now = house.clock.now()
    places = [Address("telegram", "81"), Address("local", "82")]
    user = User(id=81, language="en", created_at=now, timezone="UTC")
    identities = [SaveIdentity(Identity(address=at, user_id=81, profile=Profile(), seen_at=now)) for at in places]
    await house.storage.commit([Unit(changes=(SaveUser(user), *identities), user_id=81)], now)
    wanted = [(0, "/help"), (1, "/pain"), (1, "today"), (1, "3")]
    posted = [await house.mailbox.post(inbound(places[place], text, house)) for place, text in wanted]
    for envelope in posted:
        assert (await envelope.answered()).outcome == "done"
    holder = await house.storage.holder(81)
    assert holder is not None
    assert holder.session is not None
    assert (holder.session.step, holder.session.answers["duration"]) == ("intensity", 3)


async def test_a_fault_while_storing_ends_the_run_and_the_next_one_goes_on(storage: Storage, clock: FakeClock) -> None:
    house = House(storage=storage, clock=clock)
    await house.dialogue.start(AsyncExitStack())
    slow = hold_up(house)
    slow.fails.append(RuntimeError("a fault of the program"))
    slow.open.set()
    posted = await post(house, house.person(8), "/pain", "today")
    with pytest.raises(RuntimeError, match="a fault of the program"):
        await house.dialogue.run()
    await house.dialogue.stop()
    await house.dialogue.run()
    for envelope in posted:
        assert (await envelope.answered()).outcome == "done"


async def test_what_is_held_comes_after_a_place_that_was_found_meanwhile(house: House, ann: Person) -> None:
    async def zones_at(_latitude: float, _longitude: float) -> tuple[str, ...]:
        return ("Europe/Kyiv",)

    house.dialogue._map_room._zones_at = zones_at
    await ann.says("/start")
    slow = hold_up(house)
    await post(house, house.person(8), "/help")
    await slow.waiting.wait()
    place = msgspec.structs.replace(inbound(ann.address, "place", house), content=Location(50.45, 30.52))
    located = await house.mailbox.post(place)
    (later,) = await post(house, ann, "/start")
    await anyio.wait_all_tasks_blocked()
    slow.open.set()
    assert (await later.answered()).outcome == "done"
    assert located.is_settled


async def test_an_outage_that_lasts_over_two_batches_turns_no_order_round(house: House, ann: Person) -> None:
    for text in ("/pain", "today"):
        await ann.says(text)
    slow = hold_up(house)
    slow.fails += [StorageUnavailable("full"), StorageUnavailable("full")]
    posted = await post(house, house.person(8), "/help")
    await slow.waiting.wait()
    posted += await post(house, ann, "5", "8")
    await anyio.wait_all_tasks_blocked()
    slow.open.set()
    for envelope in posted:
        with pytest.raises(NotHandled):
            await envelope.answered()
    for envelope in await post(house, ann, "5", "8"):
        with suppress(NotHandled):
            await envelope.answered()
    session = await ann.session()
    assert session is not None
    assert (session.answers["duration"], session.answers.get("intensity")) == (5, 8)
