"""Conversations where there are no buttons: by numbers, labels and beginnings of labels."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from migrebot.dialogue import numbered
from migrebot.messages import Press, Priority
from storage.changes import Enqueue, Unit
from storage.facts import AllOf, Everything, OfferedKeyboard
from storage.interface import Sent
from tests.storage.samples import message
from tests.talk import House, Person

if TYPE_CHECKING:
    from storage.interface import Storage
    from tests.clock import FakeClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ann(house: House) -> Person:
    """Somebody on WhatsApp who has been greeted."""
    ann = house.person(channel="whatsapp", value="whatsapp:+15550001111")
    await settled(ann)
    return ann


async def settled(person: Person) -> None:
    """Say hello and choose a time zone, so that nothing is asked beside an entry."""
    for text in ("/start", "/settings", "time zone", "Reykjavik"):
        await person.says(text)


async def everything(house: House, person: Person) -> Everything:
    fact = AllOf((await person.known()).user.id)
    found: Everything = (await house.storage.load([fact]))[fact]
    return found


def shown(person: Person) -> str:
    """Give the choices as the channel writes them."""
    return numbered.lines(person.last.keyboard)


async def test_a_headache_is_logged_wholly_by_numbers_in_russian(house: House) -> None:
    olga = house.person(channel="whatsapp", value="whatsapp:+79990001122", language="ru")
    await olga.says("/pain 5 2h ibuprofen 400")
    await olga.says("/pain")
    assert shown(olga).startswith("1. ⚡ Болит сейчас\n2. Сегодня\n3. Вчера\n")
    await olga.says("3")
    assert "1–4 · 6 · 8 · 10 · 12 · 18 · 48" in shown(olga)
    await olga.says("6")
    assert shown(olga).startswith("1–10\n0. » Пропустить")
    await olga.says("7")
    await olga.says("2")  # no aura
    await olga.says("1 3")
    assert olga.last.text.count("?") == 1
    await olga.says("0")
    await olga.says("1")
    await olga.says("0")
    await olga.says("1")  # medicine: yes
    assert shown(olga).startswith("1. ibuprofen")
    await olga.says("1")
    await olga.says("1")  # the usual amount
    await olga.says("2")  # no other one
    await olga.says("0")  # no note
    assert "7" in olga.last.text
    stored = await everything(house, olga)
    (headache,) = (entry for entry in stored.headaches if entry.intensity == 7)
    assert (headache.day, headache.duration_h, headache.intensity, headache.aura) == (date(2026, 6, 14), 6, 7, False)
    assert headache.triggers is not None
    assert len(headache.triggers) == 2
    assert len(headache.symptoms or ()) == 1
    assert headache.note is None
    taken = [intake for intake in stored.intakes if intake.headache_id == headache.id]
    assert [(intake.drug, intake.amount, intake.unit) for intake in taken] == [("ibuprofen", 400, "mg")]
    assert await olga.session() is None


async def test_menus_that_are_no_forms_go_by_number_too(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h")
    assert shown(ann).startswith("1. Edit\n2. Delete\n")
    await ann.says("2")
    assert shown(ann).startswith("1. Undo")
    assert (await everything(house, ann)).headaches == ()
    await ann.says("1.")
    assert len((await everything(house, ann)).headaches) == 1
    await ann.says("/settings")
    await ann.says("#1")
    await ann.says("2")
    assert (await ann.known()).user.language == "ru"


async def test_a_label_in_any_case_and_a_clear_beginning_of_it_do_as_well(ann: Person) -> None:
    await ann.says("/pain")
    await ann.says("yester")
    await ann.says("ALL DAY")
    await ann.says("4")
    await ann.says("No")
    await ann.says("chees")
    session = await ann.session()
    assert session is not None
    assert session.answers["triggers"] == ["cheese"]
    await ann.says("skipped")
    assert (await ann.says("77")).startswith("There is no choice with that number.")
    session = await ann.session()
    assert session is not None
    assert session.answers["triggers"] == ["cheese", "skipped_meal"]


async def test_a_beginning_of_two_labels_is_not_guessed(ann: Person) -> None:
    await ann.says("/pain 7 3h")
    await ann.says("/settings")
    assert "did not understand" in await ann.says("sett")


async def test_no_beginning_of_a_word_ends_a_form(ann: Person) -> None:
    await ann.says("/pain")
    await ann.says("1")
    await ann.says("Can")
    assert await ann.session() is not None
    await ann.says("cancel")
    assert await ann.session() is None


async def test_a_number_is_taken_once(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h")
    await ann.says("/forget")
    await ann.says("1")
    await ann.says("2")  # keep it
    assert "did not understand" in await ann.says("1")
    assert len((await everything(house, ann)).headaches) == 1


async def test_a_calendar_is_a_range_of_days(house: House, ann: Person) -> None:
    await ann.says("/pain")
    await ann.says("another day")
    assert shown(ann) == "June 2026\n1–15\n• ‹ May\n• Recent days\n✕ Cancel"
    await ann.says("may")
    assert shown(ann).startswith("May 2026\n1–31")
    await ann.says("14")
    session = await ann.session()
    assert session is not None
    assert session.answers["date"] == "2026-05-14"
    assert len(house.alerts) == 0


async def test_a_reminder_in_the_middle_of_a_form_takes_the_numbers_until_it_is_answered(
    house: House, ann: Person, storage: Storage
) -> None:
    await ann.says("/pain 7 3h")
    keyboard = ann.last.keyboard
    await ann.says("/pain")
    user = (await ann.known()).user
    sent = message("Take it", address=ann.address, user_id=user.id, priority=Priority.REMINDER)
    (result,) = await storage.commit([Unit(changes=(Enqueue(sent),))], house.clock.now())
    (ticket,) = result.tickets
    await storage.claim([ticket.id], house.clock.now())
    await storage.settle([Sent(ticket.id, "SM1", keyboard)], house.clock.now())
    await ann.says("2")
    assert (await everything(house, ann)).headaches == ()
    await ann.says("today")
    session = await ann.session()
    assert session is not None
    assert session.step == "duration"


async def test_what_a_press_would_only_flash_is_said(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h")
    await ann.sends(Press("h:edit:12345", ""))
    assert ann.last.text == "That entry no longer exists."
    assert ann.toasts == []
    assert house.alerts == []


async def test_where_there_are_buttons_a_menu_can_be_typed_by_its_labels_alone(house: House) -> None:
    bob = house.person()
    await settled(bob)
    await bob.says("/pain 7 3h")
    assert "did not understand" in await bob.says("2")
    await bob.says("delete")
    assert (await everything(house, bob)).headaches == ()
    await bob.says("/pain")
    await bob.says("undo")
    assert (await everything(house, bob)).headaches == ()


async def test_what_is_on_offer_is_forgotten_with_the_person(ann: Person, storage: Storage) -> None:
    await ann.says("/pain 7 3h")
    fact = OfferedKeyboard((await ann.known()).user.id, ann.address)
    assert (await storage.load([fact]))[fact]
    for text in ("/forget", "1", "1"):
        await ann.says(text)
    assert (await storage.load([fact]))[fact] == ()


async def test_when_somebody_was_last_there_is_known_to_minutes(house: House, ann: Person, clock: FakeClock) -> None:
    await clock.advance(timedelta(minutes=6).total_seconds())
    await ann.says("/help")
    assert (await ann.known()).identity.seen_at == house.clock.now()


async def test_a_long_list_goes_page_by_page(house: House, ann: Person) -> None:
    for text in ("/pain", "2", "1", "5", "2", ", ".join(f"word {number}" for number in range(8))):
        await ann.says(text)
    assert "20. More…" in shown(ann)
    assert len(shown(ann).splitlines()) == 22
    await ann.says("more")
    assert shown(ann).startswith("1. ")
    assert await ann.says("3")
    session = await ann.session()
    assert session is not None
    assert len(session.answers["triggers"]) == 7  # one of the own words was taken away
    assert house.alerts == []
