"""WhatsApp by Twilio, the whole program beside a fake Twilio: what comes in, what goes out, what goes wrong."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from actors import twilio_client
from migrebot.announcements.announcement import Announcement
from migrebot.messages import Address, OutboxFilled, Priority
from storage.changes import Enqueue, SaveAnnouncement, StartAnnouncement, TakeRecipient, Unit
from storage.facts import AllOf, HeldBack
from storage.migrations.sqlite_runner import migrate
from tests.fakes.twilio import FakeTwilio, Fault
from tests.integration.twilio_rig import OWNER, Rig, running
from tests.storage.samples import message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from storage.changes import Change
    from tests.fakes.twilio import Phone

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    migrate(path)
    return path


@pytest.fixture
def place(tmp_path: Path, empty: Path) -> Path:
    """A working directory with an empty database, whose schema takes long to make."""
    (tmp_path / "data").mkdir()
    shutil.copy(empty, tmp_path / "data/migrebot.db")
    return tmp_path


@pytest.fixture
async def fake() -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio() as fake:
        yield fake


@pytest.fixture
async def rig(fake: FakeTwilio, place: Path) -> AsyncIterator[Rig]:
    async with running(fake, place) as rig:
        yield rig


@pytest.fixture
async def ann(rig: Rig) -> Phone:
    """Somebody who was greeted and whose time zone is known."""
    ann = rig.fake.person()
    for text, seen in (("/start", "Hello"), ("/settings", "Settings"), ("2", "Where"), ("Reykjavik", "Reykjavik")):
        assert await ann.says(text) == 200
        await ann.sees(seen)
    rig.fake.world.calls.clear()
    return ann


async def owner_writes(fake: FakeTwilio) -> None:
    """Let the owner write: whoever never did cannot be written to."""
    owner = fake.person(OWNER, "Olga")
    await owner.says("/start")
    await owner.sees("Hello")


def rows(place: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(place / "data/migrebot.db")) as database:
        return database.execute(sql).fetchall()


async def remind(
    rig: Rig,
    ann: Phone,
    text: str = "Take your pill",
    key: str = "reminder:1",
    priority: Priority = Priority.REMINDER,
    *also: Change,
) -> None:
    """Have the program remind somebody, or announce something."""
    user = (await rig.known(ann)).user
    reminder = message(text, address=Address("whatsapp", ann.address), user_id=user.id, priority=priority, key=key)
    (result,) = await rig.storage.commit([Unit(changes=(Enqueue(reminder), *also))], rig.clock.now())
    await rig.program._delivery.put(OutboxFilled(result.tickets))


# --- in and out --------------------------------------------------------------------------------------------------


async def test_a_headache_is_logged_by_numbers_and_words(ann: Phone, rig: Rig) -> None:
    for text, seen in (
        ("/PAIN", "1. ⚡ Hurts now\n2. Today"),
        ("2", "How long"),
        ("3", "1–10\n0. » Skip"),
        ("7", "1. Yes\n2. No"),
        ("2", "1. Stress"),
        ("1 3", "✅ Stress"),
        ("0", "What came with it"),
        ("0", "any medicine"),
        ("yes", "Which medicine"),
        ("Ibuprofen", "How much *Ibuprofen*?"),
        ("400", "Another"),
        ("no", "Anything to note"),
        ("after work", "Pain 7 of 10, 3 h"),
    ):
        assert await ann.says(text) == 200
        await ann.sees(seen)
    fact = AllOf((await rig.known(ann)).user.id)
    everything = (await rig.storage.load([fact]))[fact]
    assert [(entry.intensity, entry.note) for entry in everything.headaches] == [(7, "after work")]
    assert [intake.amount for intake in everything.intakes] == [400]


async def test_people_of_whatsapp_have_negative_ids_and_their_name(ann: Phone, rig: Rig) -> None:
    known = await rig.known(ann)
    assert known.user.id < 0
    assert known.identity.profile.first_name == "Ann"


async def test_a_place_chooses_the_time_zone(ann: Phone, rig: Rig) -> None:
    await ann.says("/settings")
    await ann.sees("Settings")
    await ann.says("2")
    await ann.sees("Where")
    await ann.shares("48.85", "2.35")
    await ann.sees("Paris")
    assert (await rig.known(ann)).user.timezone == "Europe/Paris"


@pytest.mark.parametrize("latitude", ["nan", "inf", "-inf", "1e309", "91", "x", ""])
async def test_a_place_that_is_none_is_told_kindly(ann: Phone, latitude: str) -> None:
    assert await ann.shares(latitude, "13.4") == 200
    await ann.sees("I can only read text")


async def test_a_picture_is_not_fetched_and_told_to_be_unreadable(ann: Phone, fake: FakeTwilio) -> None:
    assert await ann.sends_picture("look") == 200
    await ann.sees("I can only read text")
    assert fake.calls_of("unknown") == []


@pytest.mark.parametrize("number", ["999999", "-1", "x"])
async def test_any_number_of_pictures_is_taken(ann: Phone, number: str) -> None:
    assert await ann.sends([("NumMedia", number), ("Body", ""), ("MediaUrl0", "http://169.254.169.254/")]) == 200
    await ann.sees("I can only read text")


async def test_a_pressed_template_button_does_what_ours_do_or_stands_for_its_words(ann: Phone) -> None:
    await ann.sends([("ButtonPayload", "c:help"), ("ButtonText", "Help"), ("Body", "Help")])
    await ann.sees("What I can do")
    await ann.sends([("ListId", "whatever"), ("ListTitle", "/privacy"), ("Body", "/privacy")])
    await ann.sees("What is stored about you")


async def test_somebody_elses_entry_cannot_be_reached_by_a_crafted_button(
    ann: Phone, rig: Rig, fake: FakeTwilio
) -> None:
    await ann.says("/pain 7 3h")
    await ann.sees("Pain 7")
    fact = AllOf((await rig.known(ann)).user.id)
    (headache,) = (await rig.storage.load([fact]))[fact].headaches
    eve = fake.person("+15550006666", "Eve")
    await eve.says("/start")
    await eve.sends([("ButtonPayload", f"h:delete:{headache.id}"), ("ButtonText", "x")])
    await eve.sees("no longer exists")
    assert len((await rig.storage.load([fact]))[fact].headaches) == 1


async def test_a_long_text_comes_in_parts_that_twilio_takes(ann: Phone, rig: Rig, fake: FakeTwilio) -> None:
    await remind(rig, ann, "<b>Begin</b> " + "word 😀 " * 500 + "end")
    await ann.sees("*Begin*")
    await ann.sees("end")
    bodies = [call.form["Body"] for call in fake.calls_of("create")]
    assert len(bodies) == 3
    assert all(len(body.encode("utf-16-le")) <= 3_200 for body in bodies)
    assert all(call.status == 201 for call in fake.calls_of("create"))


# --- exactly once, in order, after a failure ---------------------------------------------------------------------


async def test_a_webhook_posted_again_stores_nothing_twice(ann: Phone, rig: Rig, fake: FakeTwilio, place: Path) -> None:
    received = fake.world.receive(ann.address, "/pain 7 3h")
    for _ in range(3):
        assert await ann.posts(received, [("Body", "/pain 7 3h")]) == 200
    await ann.sees("Pain 7")
    await ann.says("/help")
    await ann.sees("What I can do")
    assert len([one for one in ann.messages if "Pain 7" in one.text]) == 1
    assert rows(place, f"SELECT status FROM inbox WHERE key = '{received.sid}'") == [("done",)]
    assert rows(place, "SELECT count(*) FROM headaches") == [(1,)]
    assert rig.told_owner == ""


@pytest.mark.parametrize(
    "fault",
    [
        Fault.refusal(20429, ""),
        Fault.refusal(63018, ""),
        Fault.reset_before(),
        Fault.refusal(20500, ""),
        Fault.bad_gateway(),
        Fault.reset_after(),
        Fault.truncated(),
    ],
    ids=["429", "63018", "reset before", "500", "502", "reset after", "truncated"],
)
async def test_an_answer_gets_through_a_failure_once(ann: Phone, fake: FakeTwilio, fault: Fault) -> None:
    fake.goes_wrong(fault, "create", times=1)
    await ann.says("/privacy")
    await ann.sees("What is stored about you")
    await ann.says("/help")
    await ann.sees("What I can do")
    assert len([one for one in ann.messages if "What is stored about you" in one.text]) == 1


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_call_that_hangs_is_given_up_in_time_and_its_message_comes_once(
    ann: Phone, fake: FakeTwilio, monkeypatch: pytest.MonkeyPatch, after_effect: bool
) -> None:
    monkeypatch.setattr(twilio_client, "DEADLINE", 0.3)
    fake.goes_wrong(Fault.hang(after_effect=after_effect), "create", times=1)
    await ann.says("/privacy")
    await ann.says("/help")
    await ann.sees("What I can do")
    assert len([one for one in ann.messages if "What is stored about you" in one.text]) == 1


async def test_a_message_that_may_have_gone_goes_once_more_if_twilio_cannot_be_asked(
    ann: Phone, fake: FakeTwilio
) -> None:
    fake.goes_wrong(Fault.reset_after(), "create", times=1)
    fake.goes_wrong(Fault.refusal(20404, ""), "list")
    await ann.says("/privacy")
    await ann.says("/help")
    await ann.sees("What I can do")
    assert len([one for one in ann.messages if "What is stored about you" in one.text]) == 2


async def test_the_same_words_said_before_are_not_taken_for_a_message_that_did_not_go(
    ann: Phone, fake: FakeTwilio
) -> None:
    await ann.says("/privacy")
    await ann.sees("What is stored about you")
    fake.goes_wrong(Fault.reset_before(), "create", times=1)
    await ann.says("/privacy")
    await ann.sees("What is stored about you")
    assert len([one for one in ann.messages if "What is stored about you" in one.text]) == 2


async def test_news_of_a_message_prove_that_it_went_while_its_call_hangs(
    ann: Phone, rig: Rig, fake: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_client, "DEADLINE", 2.0)
    hanging = fake.goes_wrong(Fault.hang(after_effect=True), "create", times=1)
    await remind(rig, ann)
    sent = await ann.sees("Take your pill")
    assert await fake.reports(sent.sid, "delivered") == 200
    fake.heals(hanging)
    await rig.until(
        lambda: rows(rig.directory, f"SELECT 1 FROM outbox WHERE message_id = '{sent.sid}' AND body IS NULL")
    )
    state = "SELECT state, fate, attempts FROM outbox WHERE message_id = "
    assert rows(rig.directory, f"{state}'{sent.sid}'") == [("sent", "delivered", 1)]
    assert len(fake.calls_of("create")) == 1
    assert fake.calls_of("list") == []


async def test_news_of_the_last_part_alone_prove_that_all_went(ann: Phone, rig: Rig) -> None:
    await remind(rig, ann, "Take your pill. " * 200)
    await ann.sees("Take your pill")
    await rig.until(lambda: rows(rig.directory, "SELECT 1 FROM outbox WHERE state = 'sent' AND priority = 1"))
    callbacks = ["row=" in one.callback for one in ann.messages if "Take your pill" in one.text]
    assert callbacks == [False] * (len(callbacks) - 1) + [True]


async def test_news_for_another_persons_row_or_a_row_of_nobody_change_nothing(
    ann: Phone, rig: Rig, fake: FakeTwilio
) -> None:
    await ann.says("/cancel")
    sent = await ann.sees("nothing to cancel")
    await rig.until(lambda: rows(rig.directory, f"SELECT 1 FROM outbox WHERE message_id = '{sent.sid}'"))
    before = rows(rig.directory, "SELECT id, state, message_id FROM outbox")
    for row in ("1", "999", "0", "-1", "x", "9" * 30, "1&row=2", ""):
        sent.callback = f"{fake.public_url}/webhooks/twilio/status?row={row}"
        assert await fake.reports(sent.sid, "sent") == 200
    assert rows(rig.directory, "SELECT id, state, message_id FROM outbox") == before


@pytest.mark.parametrize("told", [True, False])
async def test_what_was_sent_as_the_program_was_killed_is_not_sent_again(
    fake: FakeTwilio, place: Path, told: bool
) -> None:
    ann = fake.person()
    async with running(fake, place) as rig:
        await ann.says("/start")
        await ann.sees("Hello")
        await remind(rig, ann)
        sent = await ann.sees("Take your pill")
        await rig.until(lambda: rows(place, f"SELECT 1 FROM outbox WHERE message_id = '{sent.sid}'"))
    body = '{"type":"Say","text":"Take your pill"}'
    with closing(sqlite3.connect(place / "data/migrebot.db")) as database, database:
        # As a kill leaves it between the sending and the note of it.
        database.execute(
            "UPDATE outbox SET state = 'sending', settled_at = NULL, message_id = ?, body = ? WHERE message_id = ?",
            (sent.sid if told else None, body, sent.sid),
        )
    fake.world.calls.clear()
    async with running(fake, place) as rig:
        done = f"SELECT 1 FROM outbox WHERE message_id = '{sent.sid}' AND state = 'sent'"
        await rig.until(lambda: rows(place, done))
    assert fake.calls_of("create") == []


async def test_whatever_fails_each_message_is_stored_once_sent_at_most_twice_and_in_order(
    rig: Rig, fake: FakeTwilio, place: Path
) -> None:
    chance = random.Random(4)
    faults = [
        Fault.refusal(20500, ""),
        Fault.reset_before(),
        Fault.reset_after(),
        Fault.truncated(),
        Fault.bad_gateway(),
        Fault.refusal(
            20429,
            "",
        ),
    ]
    await owner_writes(fake)
    people = [fake.person(f"+1555000{number:04}", f"P{number}") for number in range(12)]
    for person in people:
        await person.says("/start")
        await person.sees("Hello")
    for _ in range(12):
        fake.goes_wrong(chance.choice(faults), "create", times=1)
    sent: list[str] = []
    for number in range(3):
        for person in people:
            received = fake.world.receive(person.address, f"/privacy {number}")
            sent.append(received.sid)
            for _ in range(chance.choice((1, 1, 2))):
                assert await person.posts(received, [("Body", f"unknown {number}")]) == 200
    await rig.until(lambda: rows(place, "SELECT count(*) FROM outbox WHERE settled_at IS NULL") == [(0,)])
    assert len(rows(place, "SELECT 1 FROM inbox WHERE channel = 'whatsapp' AND status = 'done'")) == 1 + len(
        people
    ) + len(sent)
    states = []
    place_of = {sid: place for place, sid in enumerate(fake.world.messages)}
    for person in people:
        sql = f"SELECT message_id, attempts, state FROM outbox WHERE address = '{person.address}' ORDER BY id"
        settled = rows(place, sql)
        assert len(settled) == 1 + 3
        assert all(attempts <= 2 for _, attempts, _ in settled)
        states += [state for _, _, state in settled]
        places = [place_of[sid] for sid, _, state in settled if state == "sent"]
        assert places == sorted(places)
        assert len(person.messages) <= 2 * len(settled)
    assert set(states) <= {"sent", "given_up"}
    if "given_up" in states:
        await rig.until(lambda: rows(place, "SELECT 1 FROM outbox WHERE key = 'alert whatsapp lost'"))


async def test_an_answer_waits_while_twilio_cannot_be_reached(ann: Phone, fake: FakeTwilio, rig: Rig) -> None:
    await fake.refuses_connections()
    assert await ann.says("/help") == 200
    await rig.until(lambda: "cannot be reached" in rig.program.supervisor.readiness()[1]["delivery"])
    await fake.accepts_connections()
    await ann.sees("What I can do")
    assert len([one for one in ann.messages if "What I can do" in one.text]) == 1


async def test_a_wrong_account_stops_sending_and_is_told(ann: Phone, fake: FakeTwilio, rig: Rig) -> None:
    await owner_writes(fake)
    before = len(fake.calls_of("create"))
    fake.goes_wrong(Fault.refusal(20003, ""), "create", times=1)
    await ann.says("/help")
    await fake.waits_for("create", before + 1)
    assert len(fake.calls_of("create")) == before + 1
    await rig.until(lambda: rows(rig.directory, "SELECT 1 FROM outbox WHERE body LIKE '%refuses the account%'"))


@pytest.mark.parametrize("code", [21610, 63014, 63003, 63024, 21211])
async def test_who_cannot_be_reached_is_written_to_no_more_until_they_write(
    ann: Phone, fake: FakeTwilio, rig: Rig, code: int
) -> None:
    fake.goes_wrong(Fault.refusal(code, ""), "create")
    await ann.says("/help")
    await fake.waits_for("create")
    await rig.until(lambda: rows(rig.directory, "SELECT 1 FROM identities WHERE muted_at IS NOT NULL"))
    await remind(rig, ann)
    fake.heals()
    await ann.says("/privacy")
    await ann.sees("What is stored about you")
    assert (await rig.known(ann)).identity.muted_at is None
    assert not [one for one in ann.messages if "pill" in one.text]


@pytest.mark.parametrize("code", [63021, 21617])
async def test_what_twilio_never_takes_is_given_up_and_told(ann: Phone, fake: FakeTwilio, rig: Rig, code: int) -> None:
    await owner_writes(fake)
    fake.goes_wrong(Fault.refusal(code, ""), "create", times=1)
    await ann.says("/help")
    await rig.until(lambda: f"given up: error {code}" in rig.told_owner)
    assert (await rig.known(ann)).identity.muted_at is None


async def test_start_and_stop_words_that_twilio_tells_of_mute_and_unmute(ann: Phone, rig: Rig) -> None:
    await ann.sends([("OptOutType", "STOP"), ("Body", "STOP")])
    assert (await rig.known(ann)).identity.muted_at is not None
    await ann.sends([("OptOutType", "START"), ("Body", "START")])
    assert (await rig.known(ann)).identity.muted_at is None


# --- the 24-hour window ------------------------------------------------------------------------------------------


async def test_without_a_template_a_reminder_waits_for_the_person_and_the_owner_is_told_once(
    ann: Phone, rig: Rig, fake: FakeTwilio
) -> None:
    await rig.advances(hours=25)
    await owner_writes(fake)
    await remind(rig, ann)
    await remind(rig, ann, "And water the flowers", "reminder:2")
    await rig.until(lambda: "reminder_content_sid" in rig.told_owner)
    fact = HeldBack((await rig.known(ann)).user.id)
    assert (await rig.storage.load([fact]))[fact] == 2
    assert [one.text for one in ann.messages if "pill" in one.text] == []
    await ann.says("/list")
    await ann.sees("2 reminders wait for you on WhatsApp")
    await ann.sees("Take your pill")
    await ann.sees("And water the flowers")
    await rig.until(lambda: not rows(rig.directory, "SELECT 1 FROM outbox WHERE reason = 'window'"))
    assert (await rig.storage.load([fact]))[fact] == 0
    assert rig.told_owner.count("Set twilio.reminder_content_sid") == 1
    assert all(call.status == 201 for call in fake.calls_of("create"))


async def test_what_waited_for_the_person_still_does_after_a_restart(fake: FakeTwilio, place: Path) -> None:
    ann = fake.person()
    async with running(fake, place) as rig:
        await ann.says("/start")
        await ann.sees("Hello")
        await rig.advances(hours=25)
        await remind(rig, ann)
        await rig.until(lambda: rows(place, "SELECT 1 FROM outbox WHERE reason = 'window' AND state = 'queued'"))
    async with running(fake, place) as rig:
        await ann.says("hello")
        await ann.sees("Take your pill")


async def test_a_template_carries_reminders_through_the_closed_window(fake: FakeTwilio, place: Path) -> None:
    template = "HX" + "0" * 32
    ann = fake.person()
    async with running(fake, place, MIGREBOT_TWILIO_REMINDER_CONTENT_SID=template) as rig:
        await ann.says("/start")
        await ann.sees("Hello")
        await rig.advances(hours=25)
        await remind(rig, ann, "Take your\n<b>pill</b>")
        sent = await ann.sees("Take your pill")
        assert sent.template == template
        assert sent.variables == '{"1":"Take your pill"}'
        await ann.says("hello")
        await ann.sees("did not understand")
        await remind(rig, ann, "And another")
        assert (await ann.sees("And another")).template == ""


async def test_a_window_that_twilio_alone_knows_to_be_closed_is_respected(
    ann: Phone, rig: Rig, fake: FakeTwilio
) -> None:
    fake.world.async_errors = False
    fake.world.wrote_at.clear()
    await remind(rig, ann)
    await rig.until(lambda: rows(rig.directory, "SELECT 1 FROM outbox WHERE reason = 'window'"))
    await ann.says("hello")
    await ann.sees("Take your pill")


async def test_a_reminder_that_the_window_swallowed_afterwards_goes_once_the_person_writes(
    ann: Phone, rig: Rig, fake: FakeTwilio
) -> None:
    fake.world.wrote_at.clear()
    await remind(rig, ann, "Take 2 < 3 pills")
    await fake.waits_for("create")
    (lost,) = [one for one in fake.world.messages.values() if one.swallowed and one.to == ann.address]
    await rig.until(lambda: rows(rig.directory, f"SELECT 1 FROM outbox WHERE message_id = '{lost.sid}'"))
    assert await fake.reports(lost.sid, "failed", code=63016, times=3) == 200
    await rig.until(lambda: rows(rig.directory, "SELECT 1 FROM outbox WHERE reason = 'window'"))
    await ann.says("hello")
    await ann.sees("Take 2 < 3 pills")
    assert len([one for one in ann.messages if "pills" in one.text]) == 1


async def test_an_announcement_never_goes_by_template_nor_when_the_person_writes_again(
    fake: FakeTwilio, place: Path
) -> None:
    ann = fake.person()
    async with running(fake, place, MIGREBOT_TWILIO_REMINDER_CONTENT_SID="HX" + "0" * 32) as rig:
        await ann.says("/start")
        await ann.sees("Hello")
        fake.world.wrote_at.clear()
        draft = Announcement(id=1, created_at=rig.clock.now(), texts={"en": "We moved"})
        start = StartAnnouncement(
            id=1, audience="all", lately=rig.clock.now(), card=Address("whatsapp", ann.address), card_id=""
        )
        await rig.storage.commit([Unit(changes=(SaveAnnouncement(draft), start))], rig.clock.now())
        user_id = (await rig.known(ann)).user.id
        key = f"announcement:1:{user_id}"
        await remind(rig, ann, "We moved", key, Priority.ANNOUNCEMENT, TakeRecipient(1, user_id, key))
        await rig.until(lambda: [one for one in fake.world.messages.values() if one.swallowed])
        (lost,) = [one for one in fake.world.messages.values() if one.swallowed]
        await rig.until(lambda: rows(place, f"SELECT 1 FROM outbox WHERE message_id = '{lost.sid}'"))
        assert await fake.reports(lost.sid, "failed", code=63016) == 200
        assert rows(place, "SELECT outcome FROM announcement_recipients") == [("outside",)]
        await rig.advances(hours=25)
        await remind(rig, ann, "We moved", "announcement:2", Priority.ANNOUNCEMENT)
        await rig.until(lambda: rows(place, "SELECT 1 FROM outbox WHERE reason = 'window' AND state = 'given_up'"))
        await ann.says("hello")
        await ann.sees("did not understand")
        assert not [one for one in ann.messages if "moved" in one.text]
        assert "We moved" not in rig.told_owner


# --- how messages fare -------------------------------------------------------------------------------------------


async def test_an_announcement_that_is_lost_before_its_call_ended_goes_by_no_other_way(
    ann: Phone, rig: Rig, fake: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_client, "DEADLINE", 2.0)
    fake.world.wrote_at.clear()
    hanging = fake.goes_wrong(Fault.hang(after_effect=True), "create", times=1)
    await remind(rig, ann, "We moved", "announcement:1", Priority.ANNOUNCEMENT)
    await rig.until(lambda: [one for one in fake.world.messages.values() if one.swallowed])
    (lost,) = [one for one in fake.world.messages.values() if one.swallowed]
    assert await fake.reports(lost.sid, "failed", code=63016) == 200
    fake.heals(hanging)
    await rig.until(lambda: rows(rig.directory, "SELECT 1 FROM outbox WHERE priority = 3 AND settled_at IS NOT NULL"))
    assert rows(rig.directory, "SELECT 1 FROM outbox WHERE priority = 1") == []


async def test_news_of_a_message_count_whatever_their_order(ann: Phone, rig: Rig, fake: FakeTwilio) -> None:
    await ann.says("/cancel")
    sent = await ann.sees("nothing to cancel")
    await rig.until(lambda: rows(rig.directory, f"SELECT 1 FROM outbox WHERE message_id = '{sent.sid}'"))
    for status in ("delivered", "sent", "read", "queued", "delivered"):
        assert await fake.reports(sent.sid, status) == 200
    assert rows(rig.directory, f"SELECT fate FROM outbox WHERE message_id = '{sent.sid}'") == [("read",)]


@pytest.mark.parametrize("code", [21610, 63014, 63024])
async def test_an_opt_out_that_is_told_later_mutes_too(ann: Phone, rig: Rig, fake: FakeTwilio, code: int) -> None:
    await ann.says("/cancel")
    sent = await ann.sees("nothing to cancel")
    await fake.reports(sent.sid, "failed", code=code)
    assert (await rig.known(ann)).identity.muted_at is not None
    await ann.says("START")
    assert (await rig.known(ann)).identity.muted_at is None


async def test_any_other_loss_is_told_to_the_owner(ann: Phone, rig: Rig, fake: FakeTwilio) -> None:
    await owner_writes(fake)
    await ann.says("/cancel")
    sent = await ann.sees("nothing to cancel")
    await fake.reports(sent.sid, "undelivered", code=63019)
    await rig.until(lambda: "63019" in rig.told_owner)
    assert ann.number not in rig.told_owner


# --- after a time away -------------------------------------------------------------------------------------------


async def test_what_was_written_while_the_program_was_down_is_stored_in_order(fake: FakeTwilio, place: Path) -> None:
    ann = fake.person()
    async with running(fake, place):
        await ann.says("/start")
        await ann.sees("Hello")
    fake.postman.local_url = "http://127.0.0.1:9"
    for text in ("/pain", "2", "3", "8"):
        fake.world.advance(1)
        received = fake.world.receive(ann.address, text)
        assert await ann.posts(received, [("Body", text)], retries=0) == 0
    async with running(fake, place):
        await ann.sees("Was there an aura")
        await ann.says("2")
        await ann.sees("What may have set it off")
        await ann.says("/cancel")
        await ann.sees("nothing was saved")
    assert rows(place, "SELECT count(*) FROM inbox WHERE channel = 'whatsapp' AND status = 'done'") == [(7,)]


async def test_messages_of_before_the_first_start_are_none_of_ours(fake: FakeTwilio, place: Path) -> None:
    ann = fake.person()
    fake.world.receive(ann.address, "/pain 7 3h")
    async with running(fake, place):
        await ann.says("/help")
        await ann.sees("What I can do")
    assert rows(place, "SELECT count(*) FROM headaches") == [(0,)]


async def test_many_messages_are_fetched_page_by_page(fake: FakeTwilio, place: Path) -> None:
    ann = fake.person()
    async with running(fake, place):
        await ann.says("/start")
        await ann.sees("Hello")
    for number in range(450):
        fake.world.advance(0.2)
        fake.world.receive(fake.person(f"+1555000{number:04}").address, "/pain 7 3h")
    async with running(fake, place) as rig:
        await rig.until(lambda: rows(place, "SELECT count(*) FROM headaches") == [(450,)])
        assert len(fake.calls_of("list")) >= 3


# --- files and forgetting ----------------------------------------------------------------------------------------


async def test_the_export_is_a_link_that_opens_five_times_for_ten_minutes(
    ann: Phone, rig: Rig, fake: FakeTwilio
) -> None:
    await ann.says("/pain 7 3h")
    await ann.sees("Pain 7")
    await ann.says("/export json")
    sent = await ann.sees("/files/")
    link = sent.text.split()[-1]
    assert link.startswith(f"{fake.public_url}/files/")
    url = link.replace(fake.public_url, rig.program.web.url)
    async with aiohttp.ClientSession() as session:
        for _ in range(5):
            async with session.get(url) as answer:
                assert answer.status == 200
                assert '"intensity"' in await answer.text()
                assert answer.headers["Content-Disposition"].startswith("attachment")
                assert "no-store" in answer.headers["Cache-Control"]
        async with session.get(url) as answer:
            assert answer.status == 404
        async with session.get(url[:-3] + "abc") as answer:
            assert answer.status == 404
        await ann.says("/export json")
        again = (await ann.sees("/files/")).text.split()[-1].replace(fake.public_url, rig.program.web.url)
        await rig.advances(minutes=11)
        async with session.get(again) as answer:
            assert answer.status == 404


async def test_a_file_that_whatsapp_shows_is_fetched_by_twilio(ann: Phone, rig: Rig, fake: FakeTwilio) -> None:
    await ann.says("/export xlsx")
    sent = await ann.sees("Everything stored about you")
    (link,) = sent.media
    async with (
        aiohttp.ClientSession() as session,
        session.get(link.replace(fake.public_url, rig.program.web.url)) as answer,
    ):
        assert answer.status == 200
        assert (await answer.read())[:2] == b"PK"


async def test_a_delivered_file_is_withdrawn_from_twilio(ann: Phone, rig: Rig, fake: FakeTwilio) -> None:
    await ann.says("/export json")
    sent = await ann.sees("/files/")
    await rig.until(lambda: rows(rig.directory, f"SELECT 1 FROM outbox WHERE message_id = '{sent.sid}'"))
    for status in ("delivered", "read", "delivered"):
        await fake.reports(sent.sid, status)
    assert rows(rig.directory, "SELECT count(*) FROM outbox WHERE body LIKE '%Withdraw%'") == [(1,)]
    await rig.advances(minutes=2)
    await ann.says("/help")
    await fake.waits_for("delete")
    await rig.until(lambda: sent.sid not in fake.world.messages)


async def test_whoever_is_forgotten_is_so_at_twilio_too(ann: Phone, rig: Rig, fake: FakeTwilio) -> None:
    await ann.says("/forget")
    await ann.sees("Shall I delete")
    await ann.says("1")
    await ann.sees("Are you sure")
    await ann.says("1")
    await ann.sees("deleted here")
    for one in fake.world.messages.values():
        one.status = "read" if one.direction != "inbound" else one.status
    await rig.advances(minutes=16)
    bob = fake.person("+15550002222", "Bob")
    await bob.says("/help")
    await rig.until(lambda: not [one for one in fake.world.messages.values() if ann.address in (one.to, one.sender)])
    await rig.until(lambda: rows(rig.directory, "SELECT count(*) FROM outbox WHERE address LIKE '%0001111'") == [(0,)])


async def test_a_reminder_is_set_fires_and_is_answered_by_number(ann: Phone, rig: Rig) -> None:
    await rig.advances(seconds=(52 - rig.clock.now().second) % 60)
    due = rig.clock.now() + timedelta(seconds=60 - rig.clock.now().second)
    await ann.says(f"/ADD Remind me to Water at Home at {due:%Y-%m-%d %H:%M} in atlantic/reykjavik")
    await ann.sees("Water at Home")
    fired = await ann.sees("⏰ *Water at Home*")
    assert "1. ✅ Done" in fired.text
    await rig.until(lambda: rows(rig.directory, f"SELECT 1 FROM outbox WHERE message_id = '{fired.sid}'"))
    await ann.says("1")
    await ann.sees("Done at")
