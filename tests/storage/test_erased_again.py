"""Whoever was erased after a backup was made stays erased when it is restored, as far as anybody can tell."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from migrebot.erasures import mark
from migrebot.messages import Address, Profile
from storage.backups import marks
from storage.backups.order import Order
from storage.backups.restoring import restore
from storage.changes import EraseUser, MergeUsers, SaveHeadache, SaveIdentity, SaveUser
from storage.columns import micros
from storage.facts import AllOf, ErasureMarks
from storage.records import Identity
from tests.storage.samples import ANNA, BORIS, HOUR, NOW, ask, headache, message, person, queued, stored, whois
from tests.storage.test_backups import KINDS, Databases, ignored
from tests.storage.test_backups import NOW as MADE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from datetime import datetime
    from pathlib import Path

    from storage.backups.order import Place
    from storage.backups.restoring import Restored
    from storage.interface import Storage
    from tests.postgres import PostgresServer

KEY = b"k" * 32
OTHER_KEY = b"o" * 32
LATER = MADE + HOUR
SECOND = Address("whatsapp", "whatsapp:+4917000001")
WORDS = "Xylophonkonzert"


class House(Databases):
    """Databases in which people live, and the marks of those who left."""

    restores = 0

    @asynccontextmanager
    async def opened(self, place: Place) -> AsyncIterator[Storage]:
        storage = self.storage(place)
        await storage.open()
        try:
            yield storage
        finally:
            await storage.close()

    async def with_people(self, kind: str) -> Place:
        """Give a database with Anna and Boris, each with an attack and a message that waits."""
        place = await self.database(kind)
        async with self.opened(place) as storage:
            for number, address in enumerate((ANNA, BORIS), 1):
                someone = await person(storage, address)
                await stored(storage, SaveHeadache(headache(number, someone.user.id, note=WORDS)))
                await queued(storage, message(WORDS, address, user_id=someone.user.id))
        return place

    async def erase(self, place: Place, address: Address, *others: Address, at: datetime = LATER) -> None:
        """Let somebody be forgotten, as /forget does."""
        async with self.opened(place) as storage:
            erased = EraseUser((await whois(storage, address)).user.id, hashes(address, *others))
            await stored(storage, erased, now=at)

    async def note(self, place: Place, *, key: bytes = KEY, since: datetime = NOW) -> None:
        """Keep the marks beside the backups, as the running program does."""
        async with self.opened(place) as storage:
            found = await ask(storage, ErasureMarks(0))
        marks.keep(self.backups, found, key, since)

    async def restored(
        self, backup: Path, place: Place, *, key: bytes | None = KEY, force: bool = False, encrypted: bool = False
    ) -> Restored:
        self.restores += 1
        order = Order(place=place, directory=str(self.backups), now=LATER + self.restores * HOUR)
        identity = self.key if encrypted else None
        return await restore(backup, order, ignored, key=identity, force=force, erasure_key=key)

    async def known(self, place: Place, *addresses: Address) -> list[bool]:
        """Tell of each address whether somebody with an attack writes from it."""
        async with self.opened(place) as storage:
            people = [await whois(storage, address) for address in addresses]
            return [bool((await ask(storage, AllOf(each.user.id))).headaches) for each in people]


def hashes(*addresses: Address) -> tuple[str, ...]:
    return tuple(mark(KEY, address) for address in addresses)


@pytest.fixture
def house(postgres_server: PostgresServer, sqlite_template: Path, tmp_path: Path) -> Iterator[House]:
    made = House(postgres_server, sqlite_template, tmp_path)
    yield made
    made.drop()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("target", KINDS)
async def test_a_restore_into_an_empty_database_erases_again(house: House, kind: str, target: str) -> None:
    place = await house.with_people(kind)
    backup = await house.backup(place, recipient=str(house.identity.to_public()))
    await house.erase(place, ANNA)
    await house.note(place)
    empty = await house.database(target)
    restored = await house.restored(backup, empty, encrypted=True)
    assert (restored.erased, restored.doubt) == (1, "")
    assert await house.known(empty, ANNA, BORIS) == [False, True]
    rows = await house.content(empty)
    assert [row["user_id"] for row in rows["outbox"]] == [row["id"] for row in rows["users"]]
    assert {row["hash"] for row in rows["erasures"]} == set(hashes(ANNA)), "the database knows of it again"
    assert not rows["departures"], "that was reported when it happened"


async def test_nothing_of_them_is_in_the_restored_file(house: House) -> None:
    place = await house.with_people("sqlite")
    backup = await house.backup(place)
    await house.erase(place, ANNA)
    await house.erase(place, BORIS)
    await house.note(place)
    empty = await house.database("sqlite")
    assert (await house.restored(backup, empty)).erased == 2
    assert WORDS.encode() not in await anyio.Path(empty.file).read_bytes()


async def test_by_force_the_database_that_is_replaced_tells_who_was_erased(house: House, kind: str) -> None:
    place = await house.with_people(kind)
    await house.note(place)
    backup = await house.backup(place)
    await house.erase(place, ANNA)
    restored = await house.restored(backup, place, force=True)
    assert (restored.erased, restored.doubt) == (1, "")
    assert await house.known(place, ANNA, BORIS) == [False, True]


async def test_whoever_came_back_keeps_what_was_written_since(house: House, kind: str) -> None:
    place = await house.with_people(kind)
    before = await house.backup(place)
    await house.erase(place, ANNA)
    async with house.opened(place) as storage:
        [anna] = await storage.who([(ANNA, Profile())], LATER + HOUR)
        await stored(storage, SaveUser(anna.user), SaveIdentity(anna.identity), SaveHeadache(headache(7)))
    await house.note(place)
    before = before.rename(before.with_name("before"))
    after = await house.backup(place)
    assert (await house.restored(after, place, force=True)).erased == 0
    assert await house.known(place, ANNA, BORIS) == [True, True]
    assert (await house.restored(before, place, force=True)).erased == 1
    assert await house.known(place, ANNA, BORIS) == [False, True]


async def test_whoever_joined_a_messenger_that_was_erased_before_stays(house: House) -> None:
    place = await house.with_people("sqlite")
    async with house.opened(place) as storage:
        await person(storage, SECOND)
    await house.erase(place, SECOND, at=NOW + HOUR)
    async with house.opened(place) as storage:
        await stored(storage, SaveIdentity(identity(1001)))
    await house.note(place)
    backup = await house.backup(place)
    assert (await house.restored(backup, place, force=True)).erased == 0
    assert await house.known(place, ANNA, SECOND) == [True, True]


def identity(user_id: int) -> Identity:
    return Identity(address=SECOND, user_id=user_id, profile=Profile(), seen_at=NOW)


@pytest.mark.parametrize("linked", ["before", "after"])
async def test_two_messengers_of_one_person_are_erased_whenever_they_were_linked(
    house: House, kind: str, linked: str
) -> None:
    place = await house.with_people(kind)
    async with house.opened(place) as storage:
        if linked == "before":
            await stored(storage, SaveIdentity(identity(1001)))
        else:
            await stored(storage, SaveHeadache(headache(9, (await person(storage, SECOND)).user.id)))
    backup = await house.backup(place)
    if linked == "after":
        async with house.opened(place) as storage:
            await stored(storage, MergeUsers(1001, (await whois(storage, SECOND)).user.id))
    await house.erase(place, ANNA, SECOND)
    await house.note(place)
    empty = await house.database(kind)
    assert (await house.restored(backup, empty)).erased == (1 if linked == "before" else 2)
    assert await house.known(empty, ANNA, SECOND, BORIS) == [False, False, True]


async def test_an_id_that_was_given_out_and_erased_again_is_not_given_to_another(house: House, kind: str) -> None:
    place = await house.with_people(kind)
    backup = await house.backup(place)
    await house.erase(place, BORIS)
    await house.note(place)
    empty = await house.database(kind)
    await house.restored(backup, empty)
    async with house.opened(empty) as storage:
        clara = await person(storage, Address("local", "clara"))
    assert clara.user.id < -1


@pytest.mark.parametrize(
    ("key", "words"), [(None, "nothing without secret.key"), (OTHER_KEY, "made with another secret.key")]
)
async def test_without_the_key_it_says_so_and_can_be_done_again(house: House, key: bytes | None, words: str) -> None:
    place = await house.with_people("sqlite")
    backup = await house.backup(place)
    await house.erase(place, ANNA)
    await house.note(place)
    empty = await house.database("sqlite")
    restored = await house.restored(backup, empty, key=key)
    assert restored.erased == 0
    assert words in restored.doubt
    assert bool((await house.content(empty))["erasures"]) is (key is not None), (
        "nobody is taken for erased who is there"
    )
    assert (await house.restored(backup, empty, force=True)).erased == 1, "once the key is found"


async def test_without_marks_or_with_those_of_a_younger_program_it_says_so(house: House) -> None:
    place = await house.with_people("sqlite")
    backup = await house.backup(place)
    empty = await house.database("sqlite")
    assert "no marks of them are kept as" in (await house.restored(backup, empty)).doubt
    await house.note(empty, since=MADE + timedelta(seconds=1))
    assert "begin later than that" in (await house.restored(backup, empty, force=True)).doubt


async def test_marks_are_found_beside_a_backup_that_was_carried_elsewhere(house: House) -> None:
    place = await house.with_people("sqlite")
    backup = await house.backup(place)
    await house.erase(place, ANNA)
    await house.note(place)
    carried = house.backups.rename(house.directory / "stick") / backup.name
    empty = await house.database("sqlite")
    restored = await house.restored(carried, empty)
    assert (restored.erased, restored.doubt) == (1, "")


def test_marks_are_added_once_for_their_owner_alone_and_outlive_a_line_that_was_cut_off(tmp_path: Path) -> None:
    directory = tmp_path / "made" / "backups"
    assert marks.read(directory) is None
    one, two = hashes(ANNA, BORIS)
    marks.keep(directory, {one: 5}, KEY, NOW)
    path = directory / marks.NAME
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    marks.keep(directory, {one: 5}, KEY, NOW + HOUR)
    assert path.read_bytes() == before
    path.write_bytes(before + f"{two} 1".encode())
    marks.keep(directory, {one: 4, two: 7}, OTHER_KEY, NOW + HOUR)
    found = marks.read(directory)
    assert found is not None
    assert found.moments == {one: 5, two: 7}
    assert list(found.keys.values()) == [micros(NOW), micros(NOW + HOUR)]


def test_a_line_with_an_instant_that_no_database_holds_is_no_line(tmp_path: Path) -> None:
    marks.keep(tmp_path, {"a" * 64: 5}, KEY, NOW)
    with (tmp_path / marks.NAME).open("a") as file:
        file.write(f"{'a' * 64} {2**63}\n{'b' * 64} {'9' * 19}\n{'c' * 64} \u0663\nkey {'d' * 16} {'9' * 19}\n")
    found = marks.read(tmp_path)
    assert found is not None
    assert found.moments == {"a" * 64: 5}
    assert list(found.keys.values()) == [micros(NOW)]
