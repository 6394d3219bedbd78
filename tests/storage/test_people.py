"""People, their addresses and their forms in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from migrebot.messages import Address, FormExpired, Profile
from storage.changes import EndSession, EraseUser, Mute, SaveIdentity, SaveSession, SaveUser, Unmute
from storage.people import People
from storage.records import Conversation, Identity, User
from tests.storage.samples import (
    ANNA,
    BORIS,
    HOUR,
    NOW,
    commit,
    person,
    session,
    stored,
    whois,
    with_session,
)

if TYPE_CHECKING:
    from storage.interface import Storage
    from tests.storage.conftest import Backend


async def test_who_writes_from_telegram_for_the_first_time_keeps_the_telegram_id(storage: Storage) -> None:
    [anna] = await storage.who([(ANNA, Profile(first_name="Anna", language_code="fr"))], NOW)
    assert anna.is_new
    assert anna.session is None
    assert anna.user == User(id=1001, language="fr", created_at=NOW)
    assert anna.identity == Identity(
        address=ANNA, user_id=1001, profile=Profile(first_name="Anna", language_code="fr"), seen_at=NOW
    )


@pytest.mark.parametrize(
    "address",
    [
        Address("local", "1001"),
        Address("whatsapp", "whatsapp:+15550100"),
        Address("telegram", "-1001"),
        Address("telegram", "0"),
        Address("telegram", "१२"),
        Address("telegram", "9" * 30),
        Address("telegram", ""),
    ],
    ids=str,
)
async def test_who_writes_from_anywhere_else_gets_a_negative_id(storage: Storage, address: Address) -> None:
    assert (await whois(storage, address)).user.id < 0


async def test_a_group_gets_no_id_that_a_person_could_have(storage: Storage) -> None:
    boris = await person(storage, BORIS)
    group = await whois(storage, Address("telegram", str(boris.user.id)))
    assert group.user.id != boris.user.id


async def test_people_who_are_known_are_found_again(storage: Storage, backend: Backend) -> None:
    anna = await person(storage)
    form = await with_session(storage)
    expected = Conversation(user=anna.user, identity=anna.identity, session=form)
    assert [await whois(storage), await whois(storage)] == [expected, expected]
    await storage.close()
    reopened = backend.storage()
    await reopened.open()
    assert await whois(reopened) == expected
    await reopened.close()


async def test_several_are_found_in_the_order_asked_for(storage: Storage) -> None:
    await person(storage)
    await person(storage, BORIS)
    wanted = [BORIS, Address("local", "new"), ANNA, BORIS, Address("local", "new")]
    found = await storage.who([(address, Profile()) for address in wanted], NOW)
    assert [conversation.identity.address for conversation in found] == wanted
    assert [conversation.is_new for conversation in found] == [False, True, False, False, True]
    assert found[1] == found[4]


async def test_nobody_asked_for_is_nobody_found(storage: Storage) -> None:
    assert await storage.who([], NOW) == []


async def test_new_people_get_ids_nobody_has(storage: Storage, backend: Backend) -> None:
    boris = await person(storage, BORIS)
    clara = await person(storage, Address("local", "clara"))
    await storage.close()
    reopened = backend.storage()
    await reopened.open()
    dora = await person(reopened, Address("local", "dora"))
    assert len({boris.user.id, clara.user.id, dora.user.id}) == 3
    await reopened.close()


async def test_the_id_of_an_erased_person_is_never_given_out_again(storage: Storage, backend: Backend) -> None:
    boris = await person(storage, BORIS)
    clara = await person(storage, Address("local", "clara"))
    await stored(storage, EraseUser(clara.user.id))
    await stored(storage, EraseUser(boris.user.id))
    await storage.close()
    reopened = backend.storage()
    await reopened.open()
    assert (await whois(reopened, BORIS)).user.id < min(boris.user.id, clara.user.id)
    await reopened.close()


async def test_a_telegram_id_in_use_is_not_given_to_an_address_that_was_moved_away_from_it(storage: Storage) -> None:
    anna = await person(storage)
    boris = await person(storage, BORIS)
    await stored(storage, SaveIdentity(msgspec.structs.replace(anna.identity, user_id=boris.user.id)))
    assert (await whois(storage)).user == boris.user
    await stored(storage, EraseUser(boris.user.id))
    assert (await whois(storage)).user.id not in {anna.user.id, boris.user.id}


async def test_a_person_whose_messenger_tells_no_language_gets_the_default_one(backend: Backend) -> None:
    storage = backend.storage(default_language="es")
    await storage.open()
    assert (await whois(storage)).user.language == "es"
    await storage.close()


async def test_what_changes_about_people_is_seen_at_once(storage: Storage) -> None:
    anna = await person(storage)
    await whois(storage)
    user = msgspec.structs.replace(anna.user, timezone="Europe/Paris", zone_offered=True, agreed_at=NOW)
    identity = msgspec.structs.replace(anna.identity, seen_at=NOW + HOUR, profile=Profile(username="anna"))
    await stored(storage, SaveUser(user), SaveIdentity(identity), SaveSession(session()))
    found = await whois(storage)
    assert (found.user, found.identity, found.session) == (user, identity, session())
    await stored(storage, EndSession(1001))
    assert (await whois(storage)).session is None


async def test_what_failed_to_change_is_not_seen(storage: Storage) -> None:
    anna = await person(storage)
    await whois(storage)
    german = msgspec.structs.replace(anna.user, language="de")
    orphan = msgspec.structs.replace(anna.identity, address=BORIS, user_id=404)
    assert (await commit(storage, SaveUser(german), SaveIdentity(orphan))).outcome == "failed"
    assert (await whois(storage)).user == anna.user


async def test_a_muted_address_says_so_until_it_is_unmuted(storage: Storage) -> None:
    await person(storage)
    await stored(storage, Mute(ANNA, "blocked"), now=NOW)
    await stored(storage, Mute(ANNA, "blocked again"), now=NOW + HOUR)
    assert (await whois(storage)).identity.muted_at == NOW
    await stored(storage, Unmute(ANNA))
    assert (await whois(storage)).identity.muted_at is None


async def test_the_latest_address_of_a_channel_is_the_one_seen_last(storage: Storage) -> None:
    assert await storage.latest_address("local") is None
    boris = await person(storage, BORIS)
    clara = await person(storage, Address("local", "clara"))
    await person(storage)
    await stored(storage, SaveIdentity(msgspec.structs.replace(clara.identity, seen_at=NOW + HOUR)))
    assert await storage.latest_address("local") == clara.identity.address
    await stored(storage, SaveIdentity(msgspec.structs.replace(boris.identity, seen_at=NOW + 2 * HOUR)))
    assert await storage.latest_address("local") == BORIS


async def test_a_second_form_takes_the_place_of_the_first(storage: Storage) -> None:
    await person(storage)
    await with_session(storage)
    second = await with_session(storage, form="settings", token="t2")
    assert (await whois(storage)).session == second


async def test_the_holder_of_a_form_is_who_has_it_where_it_is_held(storage: Storage, backend: Backend) -> None:
    anna = await person(storage)
    assert await storage.holder(1001) is None
    assert await storage.holder(404) is None
    form = await with_session(storage)
    for asked in (storage, backend.storage()):
        if asked is not storage:
            await storage.close()
            await asked.open()
        holder = await asked.holder(1001)
        assert holder is not None
        assert (holder.user, holder.identity, holder.session) == (anna.user, anna.identity, form)
        assert await asked.holder(1001) == holder
    await stored(asked, EndSession(1001))
    assert await asked.holder(1001) is None
    await asked.close()


async def test_the_holder_of_a_form_whose_address_is_gone_is_found_at_the_address_seen_last(storage: Storage) -> None:
    anna = await person(storage)
    boris = await person(storage, BORIS)
    await with_session(storage)
    elsewhere = Identity(address=Address("local", "a"), user_id=1001, profile=Profile(), seen_at=NOW + HOUR)
    earlier = Identity(address=Address("local", "b"), user_id=1001, profile=Profile(), seen_at=NOW)
    moved = msgspec.structs.replace(anna.identity, user_id=boris.user.id)
    await stored(storage, SaveIdentity(elsewhere), SaveIdentity(earlier), SaveIdentity(moved))
    holder = await storage.holder(1001)
    assert holder is not None
    assert holder.identity == elsewhere


async def test_forms_expire_in_their_order(storage: Storage) -> None:
    assert await storage.next_expiry() is None
    for number, hours in ((1001, 3), (1002, 1), (1003, 2)):
        await person(storage, Address("telegram", str(number)))
        await with_session(storage, user_id=number, token=f"t{hours}", expires_at=NOW + hours * HOUR)
    assert await storage.next_expiry() == NOW + HOUR
    assert await storage.expired(NOW, 10) == []
    oldest, second = FormExpired(user_id=1002, token="t1"), FormExpired(user_id=1003, token="t2")
    assert await storage.expired(NOW + 2 * HOUR, 10) == [oldest, second]
    assert await storage.expired(NOW + 2 * HOUR, 1) == [oldest]


async def test_somebody_not_stored_can_have_no_form(storage: Storage) -> None:
    assert (await commit(storage, SaveSession(session(user_id=404)))).outcome == "failed"


def conversation(name: str, user_id: int) -> Conversation:
    identity = Identity(address=Address("local", name), user_id=user_id, profile=Profile(), seen_at=NOW)
    return Conversation(user=User(id=user_id, language="en", created_at=NOW), identity=identity)


def test_only_the_people_who_were_asked_for_last_are_kept_in_memory() -> None:
    people = People(size=2)
    anna, boris, clara = (conversation(name, number) for number, name in enumerate("abc"))
    people.learn([anna, boris])
    assert people.at([anna.identity.address]) == {anna.identity.address: anna}
    people.learn([clara])
    everybody = [known.identity.address for known in (anna, boris, clara)]
    assert list(people.at(everybody).values()) == [anna, clara]


def test_somebody_is_not_known_in_memory_before_it_is_known_whether_there_is_a_form() -> None:
    people = People()
    anna = conversation("a", 1)
    people.follow([SaveUser(anna.user), SaveIdentity(anna.identity), SaveSession(session(user_id=1))])
    assert people.at([anna.identity.address]) == {}
    assert people.session(1) == (False, None)
