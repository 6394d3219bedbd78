"""The way to Twilio that the channel and its sender share: opened once, late and in the background.

The `twilio` package takes most of a second to import and must hold up nobody, so its one user, `actors.twilio_client`,
is imported by a worker thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread

from migrebot.errors import NotSent
from migrebot.messages import Alert

if TYPE_CHECKING:
    from actors.twilio_client import TwilioClient
    from migrebot.clock import Clock
    from migrebot.config import Twilio

REFUSED_PAUSE = 600.0
"""Seconds until an account that was refused is tried again: it does not mend itself, only its owner can."""


class AccountRefused(NotSent):
    """Twilio does not know the account or its token."""

    def __init__(self) -> None:
        super().__init__("account refused", retry_after=REFUSED_PAUSE, whole_channel=True)

    @property
    def alert(self) -> Alert:
        """Say it to the owner."""
        return Alert(
            cause="twilio-account-refused",
            text="Twilio refuses the account. Put the right twilio.account_sid and twilio.auth_token into the"
            " configuration and start the program again; until then nothing goes to WhatsApp.",
        )


class TwilioLink:
    """Holds the client once it stands. It outlives the actor, so that a restart or a stop cuts no send off."""

    def __init__(self, *, config: Twilio, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._client: TwilioClient | None = None

    @property
    def client(self) -> TwilioClient | None:
        """Give the client; None until it stands."""
        return self._client

    async def open(self) -> TwilioClient:
        """Make the client, or give the one there is."""
        if self._client is None:
            make = await to_thread.run_sync(_imported)
            if self._client is None:
                self._client = make(config=self._config, clock=self._clock)
        return self._client

    async def close(self) -> None:
        """Close the connections; called once, when nobody sends any more."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def _imported() -> type[TwilioClient]:
    from actors.twilio_client import TwilioClient

    return TwilioClient
