"""What is deleted, and when."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

import msgspec
import pytest

from migrebot.announcements.announcement import Announcement, AnnouncementWish
from migrebot.messages import Address, Edit, Inbound, Profile, Text
from migrebot.reminders.questions import Asking
from migrebot.reminders.reminder import Medicine
from storage.changes import (
    Enqueue,
    EraseUser,
    HoldMessage,
    MarkFree,
    SaveAnnouncement,
    SaveAnnouncementWish,
    SaveAsking,
    SaveBill,
    SaveCorrespondence,
    SaveDrug,
    SaveHeadache,
    SaveIdentity,
    SaveIntake,
    SaveIntakes,
    SaveLastList,
    SaveLetter,
    SaveLinkCode,
    SaveLinkTry,
    SaveOccurrence,
    SaveOveruseNotice,
    SavePayment,
    SavePressure,
    SaveReminder,
    SaveSession,
    SaveWish,
    StartAnnouncement,
    Unit,
)
from storage.columns import micros
from storage.facts import AllOf, DrugById, HeadacheById, IntakesOf
from storage.interface import Retention, Sent
from storage.records import Bill, Correspondence, Identity, Letter, LinkCode, OveruseNotice, Payment, Wish
from tests.storage.conftest import PostgresBackend, SqliteBackend
from tests.storage.samples import (
    ANNA,
    BORIS,
    HOUR,
    NOW,
    ask,
    drug,
    headache,
    intake,
    key,
    message,
    occurrence,
    person,
    pressure,
    queued,
    reminder,
    session,
    stored,
    whois,
    with_headache,
)

if TYPE_CHECKING:
    from pathlib import Path

    from storage.interface import Storage
    from storage.sqlite import SqliteStorage
    from tests.storage.conftest import Backend

MARKER = "Xylophonkonzert"
SECOND = Address("whatsapp", f"whatsapp:{MARKER}")


async def fill(storage: Storage) -> None:
    """Leave traces of Anna everywhere."""
    await person(storage, first_name=MARKER)
    second = Identity(address=SECOND, user_id=1001, profile=Profile(username=MARKER), seen_at=NOW)
    await stored(
        storage,
        SaveIdentity(second),
        SaveSession(session(answers={"note": MARKER})),
        SaveHeadache(headache(note=MARKER, triggers=(MARKER,), symptoms=(MARKER,))),
        SaveIntakes(1001, 1, (intake(headache_id=1, drug=MARKER),)),
        SaveIntake(intake(2, unit=MARKER)),
        SavePressure(pressure(timezone=MARKER)),
        SaveDrug(drug(name=MARKER)),
        MarkFree(1001, (date(2026, 6, 1),), MARKER),
        SaveOveruseNotice(OveruseNotice(user_id=1001, is_off=True)),
        SaveAsking(Asking(user_id=1001)),
        SaveCorrespondence(Correspondence(user_id=1001)),
        SaveLinkCode(LinkCode(user_id=1001, hash="x", address=SECOND, expires_at=NOW)),
        SaveLinkTry(1001, 1, NOW),
        HoldMessage(1001, Inbound(address=ANNA, key="held", content=Text(MARKER), received_at=NOW), is_first=True),
        Enqueue(message(MARKER, address=BORIS, user_id=None, key="letter:1:0")),
        SaveLetter(Letter(id=1, user_id=1001, address=SECOND, written_at=NOW), ("letter:1:0",)),
        SaveBill(Bill(id=1, user_id=1001, currency="XTR", amount=50, made_at=NOW)),
        SavePayment(Payment(charge_id="c1", user_id=1001, bill_id=1, currency="XTR", amount=50, paid_at=NOW)),
        SaveReminder(reminder(task=MARKER, medicine=Medicine(drug=MARKER))),
        SaveOccurrence(occurrence()),
        SaveLastList(1001, (MARKER,)),
        SaveAnnouncementWish(AnnouncementWish(user_id=1001)),
        SaveWish(Wish(kind="token", id=1, user_id=1001, address=SECOND, asked_at=NOW, token=MARKER)),
        SaveAnnouncement(Announcement(id=1, created_at=NOW, texts={"en": "News"})),
        StartAnnouncement(id=1, audience="all", lately=NOW, card=SECOND, card_id=MARKER),
    )
    await storage.commit([Unit(key=key("bad"), user_id=1001, quarantine=MARKER, raw=MARKER.encode())], NOW)
    await storage.commit([Unit(key=key("good"), user_id=1001)], NOW)
    tickets = await queued(
        storage,
        message(MARKER),
        message(MARKER, body=Edit("1", MARKER), key=MARKER),
        message(MARKER, address=SECOND, user_id=None),
        message(MARKER, address=BORIS),
        message(MARKER),
    )
    await storage.claim([ticket.id for ticket in tickets[-2:]], NOW)
    await storage.settle([Sent(tickets[-1].id, MARKER)], NOW)


async def test_nothing_of_an_erased_person_is_left(storage: Storage) -> None:
    await fill(storage)
    await whois(storage)
    boris = await person(storage, BORIS)
    await with_headache(storage, id_=2, user_id=boris.user.id)
    [kept] = await queued(storage, message("for Boris", address=BORIS, user_id=boris.user.id))
    await stored(storage, EraseUser(1001))
    everything = await ask(storage, AllOf(1001))
    assert not any(msgspec.structs.astuple(everything))
    assert (await whois(storage)).is_new
    assert (await whois(storage, SECOND)).is_new
    assert await storage.holder(1001) is None
    assert await storage.next_expiry() is None
    assert await storage.recover(NOW) == [kept]
    assert (await ask(storage, AllOf(boris.user.id))).headaches == (headache(2, boris.user.id),)
    assert (await whois(storage, BORIS)).user == boris.user


async def test_what_an_erased_person_wrote_before_is_not_handled_again(storage: Storage) -> None:
    await fill(storage)
    [result] = await storage.commit([Unit(key=key("forget"), user_id=1001, changes=(EraseUser(1001),))], NOW)
    assert result.outcome == "done"
    keys = [key("good"), key("bad"), key("forget")]
    assert await storage.handled(keys) == set(keys)


async def test_an_erased_person_can_begin_anew(storage: Storage) -> None:
    await fill(storage)
    await storage.who([(ANNA, Profile()), (SECOND, Profile())], NOW)
    await stored(storage, EraseUser(1001))
    await person(storage)
    assert not (await whois(storage)).is_new
    assert (await whois(storage, SECOND)).is_new, "the second address was not linked again"
    everything = await ask(storage, AllOf(1001))
    assert everything.user is not None
    assert not any((everything.headaches, everything.intakes, everything.pressures, everything.drugs))


async def test_a_mark_and_the_time_of_erasure_stay(storage: Storage, backend: Backend) -> None:
    await person(storage)
    await stored(storage, EraseUser(1001, ("one", "two")))
    assert erasures(backend) == {"one": micros(NOW), "two": micros(NOW)}
    await person(storage)
    await storage.commit([Unit(changes=(EraseUser(1001, ("one",)),))], NOW + HOUR)
    assert erasures(backend) == {"one": micros(NOW + HOUR), "two": micros(NOW)}, "whoever returned and left again"


def erasures(backend: Backend) -> dict[str, int]:
    query = "SELECT hash, erased_at FROM erasures"
    if isinstance(backend, PostgresBackend):
        return dict(backend.server.fetch(query.replace("FROM ", "FROM migrebot."), backend.name))
    assert isinstance(backend, SqliteBackend)
    with closing(sqlite3.connect(backend.path)) as database:
        return dict(database.execute(query).fetchall())


async def test_erasing_nobody_does_nothing(storage: Storage) -> None:
    await person(storage)
    await stored(storage, EraseUser(404), EraseUser(-404))
    assert not (await whois(storage)).is_new


async def test_a_message_being_sent_to_an_erased_person_can_be_settled(storage: Storage) -> None:
    await person(storage)
    [ticket] = await queued(storage, message())
    await storage.claim([ticket.id], NOW)
    await stored(storage, EraseUser(1001))
    await storage.settle([Sent(ticket.id, "1")], NOW)
    assert await storage.recover(NOW) == []


def retention(**moments: object) -> Retention:
    never = NOW - 1_000_000 * HOUR
    fields = dict.fromkeys(Retention.__struct_fields__, never)
    return Retention(**(fields | moments))  # type: ignore[arg-type]  # datetimes all


async def test_forms_left_alone_for_long_go(storage: Storage) -> None:
    await person(storage)
    boris = await person(storage, BORIS)
    kept = session(boris.user.id, BORIS, updated_at=NOW + HOUR)
    await stored(storage, SaveSession(session()), SaveSession(kept))
    await whois(storage)
    await storage.purge(retention(forms=NOW))
    assert (await whois(storage)).session == session()
    await storage.purge(retention(forms=NOW + HOUR))
    assert (await whois(storage)).session is None
    assert (await whois(storage, BORIS)).session == kept


async def test_keys_handled_long_ago_and_input_set_aside_long_ago_go_each_in_its_time(storage: Storage) -> None:
    await storage.attempt(key("attempted"), NOW)
    units = [Unit(key=key("done")), Unit(key=key("bad"), quarantine="?", raw=b"?")]
    await storage.commit(units, NOW)
    await storage.commit([Unit(key=key("later"))], NOW + HOUR)
    keys = [key("done"), key("bad"), key("later")]
    await storage.purge(retention(inbox=NOW, quarantine=NOW))
    assert await storage.handled(keys) == set(keys)
    await storage.purge(retention(inbox=NOW + HOUR))
    assert await storage.handled(keys) == {key("bad"), key("later")}
    assert await storage.attempt(key("attempted"), NOW) == 1
    await storage.purge(retention(quarantine=NOW + 2 * HOUR))
    assert await storage.handled(keys) == {key("later")}


async def test_entries_deleted_long_ago_go_with_their_medicines(storage: Storage) -> None:
    await person(storage)
    for id_, moment in ((1, NOW), (2, NOW + HOUR), (3, None)):
        await with_headache(storage, id_=id_, deleted_at=moment)
        await stored(
            storage,
            SaveIntakes(1001, id_, (intake(id_, headache_id=id_),)),
            SaveIntake(intake(10 + id_, deleted_at=moment)),
            SavePressure(pressure(id_, deleted_at=moment)),
            SaveDrug(drug(id_, deleted_at=moment)),
        )
    await storage.purge(retention(deleted=NOW + HOUR))
    assert await ask(storage, HeadacheById(1001, 1)) is None
    assert await ask(storage, IntakesOf(1001, 1)) == ()
    assert await ask(storage, HeadacheById(1001, 2)) is not None
    assert [await ask(storage, DrugById(1001, id_)) is None for id_ in (1, 2, 3)] == [True, False, False]
    everything = await ask(storage, AllOf(1001))
    assert {entry.id for entry in everything.intakes} == {2, 3, 13}
    assert {entry.id for entry in everything.pressures} == {3}


async def test_a_purge_of_very_much_is_thorough(storage: Storage) -> None:
    await storage.commit([Unit(key=key(str(number))) for number in range(2_500)], NOW)
    await storage.purge(retention(inbox=NOW + HOUR))
    assert await storage.handled([key(str(number)) for number in range(2_500)]) == set()


# --- SQLite: no trace in the file --------------------------------------------------------------------------------


def bytes_on_disk(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def columns(path: Path, name: str) -> list[str]:
    """Name the tables that have this column."""
    with closing(sqlite3.connect(path)) as database:
        tables = [table for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [t for t in tables if name in {row[1] for row in database.execute(f"PRAGMA table_info({t})")}]


def count(path: Path, table: str, where: str) -> int:
    with closing(sqlite3.connect(path)) as database:
        number: int = database.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]
        return number


async def test_no_table_remembers_an_erased_person(sqlite: SqliteStorage, sqlite_backend: SqliteBackend) -> None:
    await fill(sqlite)
    path = sqlite_backend.path
    # The id stands in `departures` until the daily report told that somebody left.
    tables = [table for table in columns(path, "user_id") if table != "departures"]
    assert all(count(path, table, "user_id = 1001") for table in tables), "the test leaves traces everywhere"
    assert len(tables) >= 8
    await stored(sqlite, EraseUser(1001))
    assert not any(count(path, table, "user_id = 1001") for table in tables)
    assert count(path, "outbox", "true") == 0


async def test_no_file_has_a_word_of_an_erased_person(sqlite: SqliteStorage, sqlite_backend: SqliteBackend) -> None:
    await fill(sqlite)
    assert MARKER.encode() in bytes_on_disk(sqlite_backend.path)
    await stored(sqlite, EraseUser(1001))
    assert MARKER.encode() not in bytes_on_disk(sqlite_backend.path), "not even while the program runs"
    await sqlite.close()
    assert MARKER.encode() not in bytes_on_disk(sqlite_backend.path)


@pytest.mark.parametrize("text", [MARKER, MARKER * 1_000], ids=["short", "long"])
async def test_the_text_of_a_settled_message_is_gone(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend, text: str
) -> None:
    tickets = await queued(sqlite, *(message(text) for _ in range(200)))
    await sqlite.claim([ticket.id for ticket in tickets], NOW)
    await sqlite.settle([Sent(ticket.id, "1") for ticket in tickets], NOW)
    await sqlite.close()
    assert MARKER.encode() not in bytes_on_disk(sqlite_backend.path)


async def test_a_handled_message_leaves_its_key_alone(sqlite: SqliteStorage, sqlite_backend: SqliteBackend) -> None:
    await sqlite.commit([Unit(key=key(), user_id=1001, raw=MARKER.encode())], NOW)
    assert count(sqlite_backend.path, "inbox", "raw IS NULL AND reason IS NULL AND user_id = 1001") == 1
    await sqlite.close()
    assert MARKER.encode() not in bytes_on_disk(sqlite_backend.path)


async def test_settled_messages_go_in_their_time(sqlite: SqliteStorage, sqlite_backend: SqliteBackend) -> None:
    tickets = await queued(sqlite, message(address=ANNA), message())
    await sqlite.claim([tickets[0].id], NOW)
    await sqlite.settle([Sent(tickets[0].id, "1")], NOW)
    await sqlite.purge(retention(settled=NOW))
    assert count(sqlite_backend.path, "outbox", "true") == 2
    await sqlite.purge(retention(settled=NOW + HOUR))
    assert await sqlite.recover(NOW) == [tickets[1]]
    assert count(sqlite_backend.path, "outbox", "true") == 1
