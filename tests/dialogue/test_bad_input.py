"""What people type as they are used to, and what nobody should: all of it is answered."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

from migrebot.messages import Press
from storage.facts import AllOf
from tests.dialogue.walking import NO_FLOOD, Walker
from tests.talk import open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.facts import Everything
    from storage.sqlite import SqliteStorage
    from tests.clock import FakeClock
    from tests.talk import House

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(sqlite: SqliteStorage, clock: FakeClock) -> AsyncIterator[House]:
    async with open_house(sqlite, clock, flood=NO_FLOOD) as house:
        yield house


async def all_of(house: House, person: Walker) -> Everything:
    fact = AllOf((await person.known()).user.id)
    found: Everything = (await house.storage.load([fact]))[fact]
    return found


@pytest.mark.parametrize(
    ("language", "typed"),
    [
        ("en", "3 June"),
        ("en", "03/06/2026"),
        ("en", "2026-06-03"),
        ("ru", "3 июня"),
        ("ru", "03.06.2026"),
        ("uk", "3 червня"),
        ("fr", "3 juin"),
        ("fr", "03/06/26"),
        ("es", "3 de junio"),
        ("es", "٣/٦/٢٠٢٦"),
    ],
)
async def test_a_date_is_typed_as_people_write_it(house: House, language: str, typed: str) -> None:
    ann = Walker.enters(house, 7001, language=language)
    for text in ("/druguse", typed, "Zomig 2,5"):
        await ann.says(text)
    await ann.says("/cancel")
    await ann.says("/pain")
    await ann.says(typed)
    session = await ann.session()
    assert session is not None
    assert session.answers["date"] == date(2026, 6, 3).isoformat()


@pytest.mark.parametrize("typed", ["2,5", "2.5", "٢٫٥", "２.５"])
async def test_an_amount_is_typed_with_any_mark_and_any_digits(house: House, typed: str) -> None:
    ann = Walker.enters(house, 7001)
    await ann.says(f"/druguse Zomig {typed}")
    [intake] = (await all_of(house, ann)).intakes
    assert (intake.drug, intake.amount) == ("Zomig", 2.5)


@pytest.mark.parametrize("name", ["💊", "💊 Zomig 🙂", "x" * 4_000, "длинное " * 400, "<b>&amp;", "=1+1"])
async def test_a_strange_name_of_a_medicine_is_taken_or_kindly_refused(house: House, name: str) -> None:
    ann = Walker.enters(house, 7001)
    for text in ("/druguse", "today", name):
        await ann.says(text)
        assert ann.last.text
    await ann.walks("/medications", 12)
    await ann.walks("/druguse", 12)
    assert house.alerts == []
    assert all(len(button.label) <= 64 for shown in ann.chat for row in shown.keyboard for button in row)


async def test_two_forms_at_once_from_two_messengers_are_one(house: House) -> None:
    ann = Walker.enters(house, 7001)
    phone = Walker.enters(house, 0, channel="whatsapp", value="whatsapp:+4917")
    found = re.search(r"/link \S+", await ann.says("/link"))
    assert found
    await phone.says(found[0])
    await ann.presses("Yes, join")
    await ann.says("/pain")
    old = ann.question
    await phone.says("/druguse")
    await ann.sends(Press(old.keyboard[0][0].data, old.id, "callback"))
    assert ann.toasts == ["That question is closed already. Nothing was changed."]
    session = await phone.session()
    assert session is not None
    assert session.form == "intake"
    for text in ("1", "Zomig", "2,5"):
        await phone.says(text)
    assert [intake.drug for intake in (await all_of(house, ann)).intakes] == ["Zomig"]
    assert (await all_of(house, ann)).headaches == ()


@pytest.mark.parametrize("command", ["/pain 7 3h", "/druguse Zomig 2,5", "/pressure 120/80 65"])
async def test_the_buttons_of_a_deleted_entry_change_nothing(house: House, command: str) -> None:
    ann = Walker.enters(house, 7001)
    await ann.says(command)
    card = next(shown for shown in ann.chat if any("Delete" in label for label in shown.labels))
    buttons = [button for row in card.keyboard for button in row]
    await ann.presses("Delete")
    before = await all_of(house, ann)
    for button in buttons:
        await ann.sends(Press(button.data, card.id, "callback"))
    assert await all_of(house, ann) == before
    assert house.alerts == []
