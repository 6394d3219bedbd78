"""Whatever is stored comes back as it was, or is refused alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from migrebot.messages import Address, Profile, Say
from storage.changes import (
    Enqueue,
    Mute,
    SaveAsking,
    SaveDrug,
    SaveHeadache,
    SaveIdentity,
    SaveIntake,
    SaveOccurrence,
    SaveOveruseNotice,
    SavePressure,
    SaveReminder,
    SaveSession,
    SaveUser,
    Unit,
)
from storage.facts import (
    AllOf,
    AskingOf,
    CodesInUse,
    DrugById,
    DrugNames,
    HeadacheById,
    OccurrenceById,
    OveruseNoticeOf,
    ReminderById,
    UsualAmounts,
)
from storage.interface import GivenUp, Postponed, Sent
from storage.records import InboxKey
from tests.storage import anything, samples
from tests.storage.samples import HOUR, NOW, ask, commit, headache, intake, person, session, stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from migrebot.diary.entries import Drug, Headache, Intake, Pressure
    from migrebot.messages import Outgoing
    from migrebot.reminders.questions import Asking
    from migrebot.reminders.reminder import Occurrence, Reminder
    from storage.interface import Storage
    from storage.records import Identity, OveruseNotice, Session, User
    from tests.storage.conftest import Backend

# The storage is the same for all examples of a test.
examples = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
async def storage(backend: Backend) -> AsyncIterator[Storage]:
    opened = backend.storage()
    await opened.open()
    await person(opened)
    yield opened
    await opened.close()


@examples
@given(user=anything.users)
async def test_a_user(storage: Storage, user: User) -> None:
    await stored(storage, SaveUser(user))
    assert (await ask(storage, AllOf(1001))).user == user


@examples
@given(identity=anything.identities)
async def test_an_identity(storage: Storage, identity: Identity) -> None:
    await stored(storage, SaveIdentity(identity))
    found = (await ask(storage, AllOf(1001))).identities
    assert identity in found
    assert (await samples.whois(storage, identity.address)).identity == identity


@settings(examples, max_examples=25)
@given(form=anything.sessions)
async def test_a_form_in_progress(backend: Backend, storage: Storage, form: Session) -> None:
    await stored(storage, SaveSession(form))
    # The storage remembers it; what it wrote is seen by another one only.
    await storage.close()
    other = backend.storage()
    await other.open()
    assert (await samples.whois(other)).session == form
    await other.close()
    await storage.open()


@examples
@given(entry=anything.headaches)
async def test_a_headache(storage: Storage, entry: Headache) -> None:
    await stored(storage, SaveHeadache(entry))
    assert await ask(storage, HeadacheById(1001, entry.id)) == entry


@examples
@given(entry=anything.intakes)
async def test_an_intake(storage: Storage, entry: Intake) -> None:
    await stored(storage, SaveIntake(entry))
    assert entry in (await ask(storage, AllOf(1001))).intakes


@examples
@given(entry=anything.pressures)
async def test_a_pressure(storage: Storage, entry: Pressure) -> None:
    await stored(storage, SavePressure(entry))
    assert entry in (await ask(storage, AllOf(1001))).pressures


@examples
@given(entry=anything.drugs)
async def test_a_drug(storage: Storage, entry: Drug) -> None:
    await stored(storage, SaveDrug(entry))
    assert await ask(storage, DrugById(1001, entry.id)) == entry
    assert (entry in (await ask(storage, AllOf(1001))).drugs) == (entry.deleted_at is None)


@examples
@given(asking=anything.askings)
async def test_how_somebody_is_asked(storage: Storage, asking: Asking) -> None:
    await stored(storage, SaveAsking(asking))
    assert await ask(storage, AskingOf(1001)) == asking
    assert (await ask(storage, AllOf(1001))).asking == asking


@examples
@given(notice=anything.overuse_notices)
async def test_what_is_wanted_of_the_notice_on_frequent_medicine(storage: Storage, notice: OveruseNotice) -> None:
    await stored(storage, SaveOveruseNotice(notice))
    assert await ask(storage, OveruseNoticeOf(1001)) == notice
    assert (await ask(storage, AllOf(1001))).overuse_notice == notice


@examples
@given(reminder=anything.reminders)
async def test_a_reminder(storage: Storage, reminder: Reminder) -> None:
    if (await commit(storage, SaveReminder(reminder))).outcome == "done":
        assert await ask(storage, ReminderById(1001, reminder.id)) == reminder
    else:
        assert reminder.code in await ask(storage, CodesInUse(1001))


@examples
@given(occurrence=anything.occurrences)
async def test_a_firing_of_a_reminder(storage: Storage, occurrence: Occurrence) -> None:
    await stored(storage, SaveReminder(samples.reminder()))
    occurrence = msgspec.structs.replace(occurrence, due_at=NOW + HOUR * (occurrence.id % 10**6))
    if (await commit(storage, SaveOccurrence(occurrence))).outcome == "done":
        found = await ask(storage, OccurrenceById(1001, occurrence.id))
        assert found is not None
        kept = ("id", "user_id", "reminder_id", "answer", "answered_at", "nagged", "again_at")
        assert [getattr(found, name) for name in kept] == [getattr(occurrence, name) for name in kept]


@examples
@given(message=anything.outgoing)
async def test_a_message(storage: Storage, message: Outgoing) -> None:
    [ticket] = (await stored(storage, Enqueue(message))).tickets
    assert (ticket.priority, ticket.address, ticket.not_before) == (
        message.priority,
        message.address,
        message.not_before,
    )
    assert ticket in await storage.recover(NOW)
    [row] = await storage.claim([ticket.id], NOW)
    assert (row.address, row.body, row.priority, row.callback_id, row.user_id) == (
        message.address,
        message.body,
        message.priority,
        message.callback_id,
        message.user_id,
    )
    await storage.settle([Sent(row.id, "x")], NOW)


@examples
@given(text=anything.wild_text)
async def test_text_that_no_database_holds_is_mended_and_does_no_harm(storage: Storage, text: str) -> None:
    mended = "".join("\ufffd" if letter == "\0" or "\ud800" <= letter <= "\udfff" else letter for letter in text)
    await stored(
        storage,
        SaveHeadache(headache(note=text)),
        SaveIntake(intake(drug=text, unit=text, amount=1.0)),
        SaveDrug(samples.drug(name=text)),
    )
    found = await ask(storage, AllOf(1001))
    assert found.headaches[0].note == mended
    assert (found.intakes[0].drug, found.intakes[0].unit, found.drugs[0].name) == (mended, mended, mended)
    assert await ask(storage, UsualAmounts(1001, text)) == ((1.0, mended),)
    assert mended in await ask(storage, DrugNames(1001))

    address = Address("local", text)
    profile = Profile(first_name=text, username=text)
    [stranger] = await storage.who([(address, profile)], NOW)
    await stored(storage, SaveUser(stranger.user), SaveIdentity(stranger.identity))
    [known] = await storage.who([(address, profile)], NOW)
    assert not known.is_new
    form = session(known.user.id, address, answers={text: [text, {"a": text}]}, page=text)
    result = await commit(storage, SaveSession(form))
    assert result.outcome == "done"
    [ticket] = (await stored(storage, Enqueue(samples.message(text, address, callback_id=text, key=text)))).tickets
    await storage.claim([ticket.id], NOW)
    await storage.settle([Postponed(id=ticket.id, not_before=NOW, reason=text, reached=True)], NOW)
    await storage.claim([ticket.id], NOW)
    await storage.settle([GivenUp(id=ticket.id, reason=text, mute=True)], NOW)
    await stored(storage, Mute(address, text))
    units = [Unit(key=InboxKey("local", text), quarantine=text or "x", raw=text.encode(errors="surrogatepass"))]
    assert [result.outcome for result in await storage.commit(units, NOW)] in (["done"], ["repeated"])


@pytest.mark.parametrize(
    "field", ["form", "step", "state", "token"], ids=lambda field: f"the {field} of a form in progress"
)
async def test_our_own_names_are_not_mended_but_refused(storage: Storage, field: str) -> None:
    result = await commit(storage, SaveSession(msgspec.structs.replace(session(), **{field: "\ud800"})))
    assert result.outcome == "failed"
    assert result.error in {"UnicodeEncodeError", "DataError"}, "no word of the value"


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**40])
async def test_a_number_that_no_database_holds_is_refused_alone(storage: Storage, number: int) -> None:
    units = [
        Unit(changes=(SaveHeadache(headache(1, intensity=number)),)),
        Unit(changes=(SaveHeadache(headache(2)),)),
    ]
    assert [result.outcome for result in await storage.commit(units, NOW)] == ["failed", "done"]


async def test_a_value_of_a_wrong_type_is_refused_without_a_word_of_it(storage: Storage) -> None:
    wrong = msgspec.structs.replace(headache(), intensity="very strong")
    result = await commit(storage, SaveHeadache(wrong))
    assert result.outcome == "failed"
    assert "very strong" not in result.error


async def test_long_text_is_kept_whole(storage: Storage) -> None:
    long = "я" * 1_000_000
    [ticket] = (await stored(storage, Enqueue(samples.message(long)), SaveHeadache(headache(note=long)))).tickets
    [row] = await storage.claim([ticket.id], NOW + HOUR)
    assert row.body == Say(long)
    found = await ask(storage, HeadacheById(1001, 1))
    assert found is not None
    assert found.note == long
