"""People on WhatsApp who write to the bot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .world import Message, new_sid

if TYPE_CHECKING:
    from .fake import FakeTwilio

PATIENCE = 30.0
"""Seconds to wait for what must come."""


class Phone:
    """Somebody with a telephone number, `+…`."""

    def __init__(self, fake: FakeTwilio, number: str, name: str) -> None:
        self._fake = fake
        self.number = number
        self.name = name
        self.address = f"whatsapp:{number}"
        self._seen = 0

    @property
    def messages(self) -> list[Message]:
        """What came from the bot, in order."""
        mine = self._fake.world.messages.values()
        return [message for message in mine if message.to == self.address and not message.swallowed]

    async def says(self, text: str) -> int:
        """Write a text; gives the status of the webhook's answer."""
        return await self.sends([("Body", text)], body=text)

    async def shares(self, latitude: str, longitude: str) -> int:
        """Share a place."""
        return await self.sends([("Body", ""), ("Latitude", latitude), ("Longitude", longitude)])

    async def sends_picture(self, caption: str = "") -> int:
        """Send a picture."""
        url = f"{self._fake.api_base}/media/{new_sid('ME')}"
        media = [("NumMedia", "1"), ("MediaUrl0", url), ("MediaContentType0", "image/jpeg")]
        return await self.sends([("Body", caption), *media], body=caption, media=(url,))

    async def sends(self, fields: list[tuple[str, str]], *, body: str = "", media: tuple[str, ...] = ()) -> int:
        """Send a message whose webhook has these fields beside the usual ones."""
        message = self._fake.world.receive(self.address, body, media)
        return await self.posts(message, fields)

    async def posts(self, message: Message, fields: list[tuple[str, str]], *, retries: int = 5) -> int:
        """Post the webhook of a message, perhaps again."""
        return await self._fake.postman.post("/webhooks/twilio", self.form(message, fields), retries=retries)

    def form(self, message: Message, fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Give the whole form of a webhook; `fields` replace the usual ones."""
        usual = {
            "SmsMessageSid": message.sid,
            "NumMedia": "0",
            "ProfileName": self.name,
            "MessageType": "text",
            "SmsSid": message.sid,
            "WaId": self.number[1:],
            "SmsStatus": "received",
            "To": self._fake.world.number,
            "NumSegments": "1",
            "ReferralNumMedia": "0",
            "MessageSid": message.sid,
            "AccountSid": self._fake.world.account,
            "From": self.address,
            "ApiVersion": "2010-04-01",
        }
        return list((usual | dict(fields)).items())

    async def sees(self, text: str, *, timeout: float = PATIENCE) -> Message:  # noqa: ASYNC109 - its failure tells what was missing
        """Wait for a message with this text that was not seen before; gives it."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for place, message in enumerate(self.messages[self._seen :], start=self._seen + 1):
                        if text in message.text:
                            self._seen = place
                            return message
                    async with self._fake.world.changed:
                        await self._fake.world.changed.wait()
        except TimeoutError:
            raise AssertionError(f"no {text!r} in {[message.text for message in self.messages]}") from None
