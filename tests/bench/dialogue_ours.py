"""One round of the dialogue actor with its storage: `python -m tests.bench.dialogue_ours FORMS PEOPLE` prints JSON.

The wires are stubbed: messages go straight into the mailbox, what wakes delivery is thrown away. Time counts from
handing in what everybody does at one step until all of it is stored, not while the presses of the next step are made up
from the questions that were stored. With `--walk FILE` the texts and keyboards of one form are written into that file,
for others to show the same. With `--postgres URL` it is that empty database instead of a SQLite file.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from actors.actor import Mailbox
from actors.dialogue import Dialogue
from migrebot.clock import SystemClock
from migrebot.dialogue.controls import LABELS
from migrebot.dialogue.turn import Setup
from migrebot.i18n import translators
from migrebot.ids import id_source
from migrebot.messages import Address, Content, Edit, Inbound, OutboxFilled, Press, Profile, Say, Text
from storage.sqlite import SqliteStorage
from tests.bench.machine import resident_mib
from tests.bench.walk import COMMAND, PRESSES, STEPS

if TYPE_CHECKING:
    from storage.interface import Storage
    from storage.records import Session

_CONTROLS = {label: control for control, label in LABELS.items()}
_PROFILE = Profile(first_name="Ann", language_code="en")


class _House:
    """The dialogue actor, and the people who write to it at the same time; `wall` and `cpu` are seconds it took."""

    def __init__(self, storage: Storage, people: int) -> None:
        self.clock = SystemClock()
        self.storage = storage
        self.mailbox: Mailbox[Any] = Mailbox()
        self.delivery: Mailbox[Any] = Mailbox(10_000)
        self.addresses = [Address("telegram", str(number)) for number in range(7_000, 7_000 + people)]
        self.keys = count(1)
        self.wall = self.cpu = 0.0
        self.dialogue = Dialogue(
            mailbox=self.mailbox,
            storage=storage,
            delivery=self.delivery,
            clock=self.clock,
            setup=Setup(),
            new_id=id_source(self.clock),
            on_alert=lambda alert: sys.exit(alert.text),
        )

    async def form(self, shown: list[Any] | None = None) -> None:
        """Let everybody go through the form once, step by step."""
        await self._hand_in([Text(COMMAND)] * len(self.addresses))
        await self._drain(shown)
        for label in PRESSES:
            await self._hand_in(await self._answers(label))
            await self._drain(shown)

    async def _answers(self, label: str) -> list[Content]:
        conversations = await self.storage.who([(address, _PROFILE) for address in self.addresses], self.clock.now())
        first = conversations[0].session
        assert first is not None, f"no question before {label}"
        code = _code(first, label)
        if code is None:
            return [Text(label)] * len(self.addresses)
        return [
            Press(f"q:{conversation.session.token}:{code}", "1", "callback")
            for conversation in conversations
            if conversation.session
        ]

    async def _hand_in(self, contents: list[Content]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        now = self.clock.now()
        envelopes = [
            await self.mailbox.post(
                Inbound(address=address, key=str(next(self.keys)), content=content, received_at=now, profile=_PROFILE)
            )
            for address, content in zip(self.addresses, contents, strict=True)
        ]
        for envelope in envelopes:
            await envelope.answered()
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu

    async def _drain(self, shown: list[Any] | None) -> None:
        filled = [envelope.message for envelope in self.delivery.take(10_000)]
        if shown is None:
            return
        tickets = [ticket for message in filled if isinstance(message, OutboxFilled) for ticket in message.tickets]
        mine = next(ticket.id for ticket in tickets if ticket.address == self.addresses[0])
        (row,) = await self.storage.claim([mine], self.clock.now())
        assert isinstance(row.body, Say | Edit)
        labels = [[button.label for button in buttons] for buttons in row.body.keyboard]
        shown.append({"text": row.body.text, "keyboard": labels})


def _code(session: Session, label: str) -> str | None:
    for number, offer in enumerate(session.offers):
        if offer.label == label:
            return str(number)
    return _CONTROLS.get(label)


def _storage(directory: str, url: str) -> Storage:
    if not url:
        return SqliteStorage(Path(directory) / "bench.db")
    from storage.postgres import PostgresStorage

    return PostgresStorage(url)


async def _measure(forms: int, people: int, url: str) -> tuple[dict[str, float], list[Any]]:
    with tempfile.TemporaryDirectory() as directory:
        storage = _storage(directory, url)
        await storage.open()
        house = _House(storage, people)
        async with anyio.create_task_group() as tasks, AsyncExitStack() as resources:
            await house.dialogue.start(resources)
            tasks.start_soon(house.dialogue.run)
            await house.form()
            shown: list[Any] = []
            await house.form(shown)
            gc.collect()
            gc.freeze()
            house.wall = house.cpu = 0.0
            for _ in range(forms):
                await house.form()
            await house.dialogue.stop()
        await storage.close()
    steps = forms * people * STEPS
    figures = {
        "steps_per_second": steps / house.wall,
        "cpu_us_per_step": house.cpu / steps * 1e6,
        "resident_mib": resident_mib(),
    }
    return figures, shown


def main() -> None:
    """Measure one round."""
    parser = argparse.ArgumentParser()
    parser.add_argument("forms", type=int)
    parser.add_argument("people", type=int)
    parser.add_argument("--postgres", default="", metavar="URL")
    parser.add_argument("--walk", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    translators()
    figures, shown = anyio.run(
        _measure, chosen.forms, chosen.people, chosen.postgres, backend_options={"use_uvloop": True}
    )
    if chosen.walk:
        chosen.walk.write_bytes(msgspec.json.encode(shown))
    print(msgspec.json.encode(figures).decode())


if __name__ == "__main__":
    main()
