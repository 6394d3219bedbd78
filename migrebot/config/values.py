"""Values that hide themselves: they may stand in the configuration, but never in a log or a traceback."""

from __future__ import annotations

from typing import Literal, final

from msgspec import Struct


@final
class Secret:
    """A text that no log, error or representation shows; false when it is empty.

    It is a class of its own rather than a struct, so that no encoder can write it out by accident.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself: for the one call that needs it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(...)" if self._text else "Secret('')"


class Owner(Struct, frozen=True):
    """Who operates the bot: a channel (`telegram`, `whatsapp`, `local`) and the address there.

    The address is a Telegram id in decimal digits, a phone number as `+…`, or empty for the local chat. It is not
    shown, since phone numbers stay out of logs.
    """

    channel: Literal["telegram", "whatsapp", "local"]
    address: str

    def __repr__(self) -> str:
        return f"Owner(channel={self.channel!r}, address=...)"
