"""What is one person's is nobody else's: every button of one, pressed by another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from migrebot.dialogue.router import COMMANDS, MENUS
from migrebot.dialogue.turn import Setup
from migrebot.messages import Address, Press, QuestionDue
from storage.facts import AllOf, AskingOf
from tests.dialogue.walking import NO_FLOOD, Walker
from tests.storage.filling import content
from tests.talk import make_scheduler, open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.facts import Everything
    from storage.sqlite import SqliteStorage
    from tests.clock import FakeClock
    from tests.storage.conftest import SqliteBackend
    from tests.talk import House

pytestmark = pytest.mark.anyio

ANN, EVE = 7001, 666
MARKER = "Xylo"
HAS_ID = {"h", "i", "b", "d", "rm", "r"}
"""The menus whose buttons name an entry, a medicine, a reminder or a firing."""


@pytest.fixture
async def house(sqlite: SqliteStorage, clock: FakeClock) -> AsyncIterator[House]:
    async with open_house(sqlite, clock, Setup(owner=Address("telegram", "1")), flood=NO_FLOOD) as house:
        yield house


async def test_no_button_and_no_code_of_somebody_else_shows_or_changes_anything(
    house: House, sqlite_backend: SqliteBackend
) -> None:
    offered, codes = await everything_of_anns(house)
    assert {data.partition(":")[0] for data in offered} - {"-"} == {*MENUS, "q", "c", "m"}, "each handler is tried"
    eve = Walker.enters(house, EVE, first_name="Eve")
    await eve.says("/pain 3 1h")
    before, stored = await all_of(house), others(sqlite_backend)
    eve.said.clear()
    refused: dict[str, int] = {}
    for data in sorted(offered):
        alerts = len(house.alerts)
        await eve.sends(Press(data, "", "callback"))
        kind = data.partition(":")[0]
        refused[kind] = refused.get(kind, 0) + len(house.alerts) - alerts
    await eve.says("/cancel")
    for code in codes:
        for text in (code, f"/delete {code}", f"/link {code}", f"/cancel {code}"):
            await eve.says(text)
    await eve.says("/delete 1")
    assert await all_of(house) == before
    assert others(sqlite_backend) == stored
    assert [text for text in eve.said if MARKER in text] == []
    assert {kind for kind, number in refused.items() if number} == HAS_ID, "the owner is told of these"
    assert not any(MARKER in alert.text or not alert.text.startswith("Somebody pressed") for alert in house.alerts)


async def test_ones_own_forgotten_buttons_are_nobody_elses(house: House) -> None:
    ann = Walker.enters(house, ANN)
    await ann.says("/pain 7 3h ibuprofen 400")
    for data in ("h:delete", "h:undo"):
        await ann.presses_data(next(one for one in ann.offered if one.startswith(data)))
    await ann.says("/forget")
    for data in ("f:sure", "f:erase"):
        await ann.presses_data(data)
    for data in sorted(ann.offered):
        await ann.sends(Press(data, "", "callback"))
    assert house.alerts == []


# --- all that somebody may be shown -----------------------------------------------------------------------------


async def everything_of_anns(house: House) -> tuple[set[str], set[str]]:
    """Let Ann, on two messengers, come by every button there is; gives what they carried, and her codes."""
    olga = Walker.enters(house, 1, first_name="Olga")
    await olga.says("/start")
    ann = Walker.enters(house, ANN, first_name=MARKER, avoids=("f:erase", "s:language", "y:"))
    phone = Walker.enters(house, 0, channel="whatsapp", value="whatsapp:+4917", avoids=ann.avoids, first_name=MARKER)
    for text in ("/settings", "Time zone", "Berlin"):
        await ann.says(text)
    await asked(house)
    await ann.says(f"for Olga from {MARKER}")
    await ann.presses("Yes, send it")
    await olga.says(f"/write {ANN} for {MARKER}")
    code = await joined(ann, phone)
    await phone.says("/unlink")
    for text in ("/pain", "2", "1", "5", "2", ", ".join(f"{MARKER} {number}" for number in range(8))):
        await phone.says(text)
    for command in COMMANDS.keys() - {"unlink", "link"}:
        await ann.walks(f"/{command}", 15)
    await entries(ann)
    await fired(house, ann)
    reminders = (await all_of(house)).reminders
    return ann.offered | phone.offered | olga.offered, {code, *(reminder.code for reminder in reminders)}


async def joined(ann: Walker, phone: Walker) -> str:
    said = await ann.says("/link")
    found = re.search(r"/link (\S+)", said)
    assert found
    await phone.says(found[0])
    await ann.presses("Yes, join")
    return found[1]


async def entries(ann: Walker) -> None:
    """Record one of each kind, so that there is something to be taken."""
    await ann.says("/cancel")
    for text in (
        f"/pain 7 3h {MARKER} 400",
        f"/druguse {MARKER} 5",
        "/pressure 120/80 65",
        f"/add take {MARKER} every day at 23:00",
        "/list",
        "/medications",
        "/calendar",
    ):
        await ann.says(text)


async def fired(house: House, ann: Walker) -> None:
    """Let time pass until a reminder fires."""
    scheduler = make_scheduler(house)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(scheduler.run)
        await house.clock.advance(12 * 3600)
        with anyio.fail_after(20):
            while not any(data.startswith("r:") for data in ann.offered):
                await house.deliver()
                await anyio.lowlevel.checkpoint()
        await scheduler.stop()


async def asked(house: House) -> None:
    """Let the regular question come."""
    fact = AskingOf(ANN)
    due = (await house.storage.load([fact]))[fact].next_at
    await house.clock.advance((due - house.clock.now()).total_seconds())
    await house.mailbox.ask(QuestionDue(user_id=ANN, due_at=due))
    await house.deliver()


async def all_of(house: House) -> Everything:
    fact = AllOf(ANN)
    found: Everything = (await house.storage.load([fact]))[fact]
    return found


def others(backend: SqliteBackend) -> dict[str, list[dict[str, Any]]]:
    """Give all that is stored apart from what is Eve's."""
    found = content(backend.path)
    return {table: [row for row in rows if not is_eves(row)] for table, rows in found.items() if table not in PROGRAMS}


PROGRAMS = {"meta", "erasures", "inbox"}
"""What is the program's own: of messages from outside only the keys."""


def is_eves(row: dict[str, Any]) -> bool:
    """Tell whether a row is Eve's; what was sent to somebody who was erased meanwhile has no address any more."""
    return EVE in {row.get("user_id"), row.get("id")} or row.get("address") in {str(EVE), ""}
