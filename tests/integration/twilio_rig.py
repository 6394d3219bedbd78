"""The whole program in the test's own process beside a fake Twilio; its clock is the machine's, moved ahead at will."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio

from migrebot.clock import SystemClock
from migrebot.config import load
from migrebot.messages import Address, Profile
from migrebot.program import Program
from storage.sqlite import SqliteStorage
from tests.fakes.twilio import ACCOUNT, NUMBER, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime
    from pathlib import Path

    from storage.records import Conversation
    from tests.fakes.twilio import FakeTwilio, Phone

PATIENCE = 30.0
OWNER = "+15559990000"


class AheadClock(SystemClock):
    """The machine's clock, some time ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


class Rig:
    """The program and its storage."""

    def __init__(self, fake: FakeTwilio, directory: Path, **settings: str) -> None:
        self.fake = fake
        self.directory = directory
        self.clock = AheadClock()
        self.clock.ahead = fake.world.ahead
        config = load(settings_for(fake) | settings, directory, None)
        assert config.storage.file is not None
        config.storage.file.parent.mkdir(exist_ok=True)
        self.storage = SqliteStorage(config.storage.file, default_language="en")
        self.program = Program(config=config, storage=self.storage, clock=self.clock, with_local_chat=False)

    @property
    def told_owner(self) -> str:
        """All that the owner was told."""
        messages = self.fake.world.messages.values()
        return "\n".join(message.text for message in messages if message.to == f"whatsapp:{OWNER}")

    async def advances(self, **span: float) -> None:
        """Let both clocks jump ahead, and messages that were held back go."""
        self.clock.ahead += timedelta(**span)
        self.fake.world.advance(timedelta(**span).total_seconds())

    async def known(self, phone: Phone) -> Conversation:
        """Look up what is stored about a person."""
        return (await self.storage.who([(Address("whatsapp", phone.address), Profile())], self.clock.now()))[0]

    async def until(self, met: Callable[[], object]) -> None:
        """Wait until something is so."""
        with anyio.fail_after(PATIENCE):
            while not met():  # noqa: ASYNC110 - it waits for the network too, which tells no event
                await anyio.sleep(0.005)


def settings_for(fake: FakeTwilio) -> dict[str, str]:
    """Give the environment that connects a program to a fake."""
    return {
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_WHATSAPP_NUMBER": NUMBER,
        "MIGREBOT_TWILIO_API_BASE": fake.api_base,
        "MIGREBOT_TWILIO_MESSAGES_PER_SECOND": "100000",
        "MIGREBOT_HTTP_PUBLIC_URL": fake.public_url,
        "MIGREBOT_HTTP_PORT": "0",
        "MIGREBOT_BOT_OWNER": f"whatsapp:{OWNER}",
    }


@asynccontextmanager
async def running(fake: FakeTwilio, directory: Path, **settings: str) -> AsyncIterator[Rig]:
    """Run the program for a test."""
    rig = Rig(fake, directory, **settings)
    await rig.storage.open()
    try:
        async with anyio.create_task_group() as tasks:
            await tasks.start(rig.program.supervisor.run)
            fake.calls_back(rig.program.web.url)
            yield rig
            await rig.program.supervisor.stop()
        await rig.storage.end_run()
    finally:
        with anyio.CancelScope(shield=True):
            await rig.program._twilio_link.close()
            await rig.storage.close()
