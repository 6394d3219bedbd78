"""The fake as tests use it: the API on loopback, the people, and the levers for trouble."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from tests.fakes.telegram.fake import Listener
from tests.fakes.telegram.faults import Fault, Rule

from .api import Api
from .people import PATIENCE, Phone
from .posting import Postman
from .world import World

if TYPE_CHECKING:
    from types import TracebackType

    from .world import Call

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "fedcba9876543210fedcba9876543210"
NUMBER = "+14155238886"
PUBLIC_URL = "https://bot.example"


class FakeTwilio:
    """One account with one WhatsApp sender, served at `api_base`."""

    def __init__(self, *, port: int = 0, public_url: str = PUBLIC_URL) -> None:
        self.world = World(ACCOUNT, TOKEN, f"whatsapp:{NUMBER}")
        self.public_url = public_url
        self.postman = Postman(TOKEN, public_url)
        self._listener = Listener(Api(self.world), port)
        self._phones: dict[str, Phone] = {}

    @property
    def api_base(self) -> str:
        """What `twilio.api_base` is set to."""
        return self._listener.url

    @property
    def calls(self) -> list[Call]:
        """All calls of the API, in order."""
        return self.world.calls

    def calls_of(self, operation: str) -> list[Call]:
        """Give the calls of one operation: account, create, list, fetch, delete, media, delete_media."""
        return [call for call in self.world.calls if call.operation == operation]

    async def __aenter__(self) -> Self:
        await self._listener.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.heals()
        await self._listener.close()

    def calls_back(self, local_url: str) -> None:
        """Post webhooks there."""
        self.postman.local_url = local_url

    def person(self, number: str = "+15550001111", name: str = "Ann") -> Phone:
        """Give the person with this number."""
        return self._phones.setdefault(number, Phone(self, number, name))

    def goes_wrong(self, fault: Fault, operation: str = "*", *, times: int | None = None) -> Rule:
        """Have calls meet a fault; the code of a refusal is Twilio's own."""
        return self.world.faults.add(Rule(fault, operation, None, times, None))

    def heals(self, rule: Rule | None = None) -> None:
        """End one fault, or all."""
        self.world.faults.clear(rule)

    async def refuses_connections(self) -> None:
        """Close the port."""
        await self._listener.close()

    async def accepts_connections(self) -> None:
        """Open it again."""
        await self._listener.open()

    async def reports(self, sid: str, status: str, *, code: int = 0, times: int = 1) -> int:
        """Change a message's status and call back, if that was asked for; gives the answer's status."""
        message = self.world.messages[sid]
        message.status = status
        message.error_code = code or None
        fields = [
            ("MessageSid", sid),
            ("SmsSid", sid),
            ("MessageStatus", status),
            ("SmsStatus", status),
            ("To", message.to),
            ("From", message.sender),
            ("AccountSid", self.world.account),
            ("ApiVersion", "2010-04-01"),
            ("ChannelPrefix", "whatsapp"),
            *([("ErrorCode", str(code))] if code else []),
        ]
        answer = 0
        path = message.callback.removeprefix(self.public_url)
        for _ in range(times):
            answer = await self.postman.post(path, fields, retries=0)
        return answer

    async def waits_for(self, operation: str, count: int = 1, *, timeout: float = PATIENCE) -> list[Call]:  # noqa: ASYNC109 - its failure tells what was missing
        """Wait until an operation was called so often."""
        try:
            async with asyncio.timeout(timeout):
                while len(self.calls_of(operation)) < count:  # noqa: ASYNC110 - refused calls change nothing that tells
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"{operation} was called {len(self.calls_of(operation))} times, not {count}") from None
        return self.calls_of(operation)
