"""What the bot says of itself in Telegram's own places: the command menu, its name, its descriptions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from actors.telegram_link import TokenRefused
from migrebot.errors import NotSent, Refused, Uncertain
from migrebot.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actors.telegram_client import TelegramClient

T = TypeVar("T")

Commands = tuple[tuple[str, str], ...]
"""Commands without the slash, each with its description."""


class BotProfile(Struct, frozen=True, kw_only=True):
    """The texts by language code; those of the language "" are shown to everybody whose language has none.

    A name has at most 64 characters, a short description (the profile page) 120, a description (the empty chat) 512.
    What is not given is left as it is. In the chat `owner` the `owner_commands` are shown instead of `commands`.
    """

    commands: dict[str, Commands] = {}
    owner: str = ""
    owner_commands: dict[str, Commands] = {}
    name: dict[str, str] = {}
    description: dict[str, str] = {}
    short_description: dict[str, str] = {}


_log = get_logger("telegram")


async def introduce(client: TelegramClient, profile: BotProfile) -> None:
    """Set what differs from the profile; what Telegram does not take is logged and left.

    A change of names is allowed a few times a day only, so each text is read before.
    """
    for what, texts, get, put in (
        ("name", profile.name, client.name, client.set_name),
        ("description", profile.description, client.description, client.set_description),
        ("short_description", profile.short_description, client.short_description, client.set_short_description),
    ):
        await _bring_up_to_date(what, texts, get, put)
    await _bring_up_to_date("commands", profile.commands, client.commands, client.set_commands)


async def introduce_to_owner(client: TelegramClient, profile: BotProfile) -> bool:
    """Set the menu of the owner's chat; tells whether it stands. A chat in which nobody wrote yet is refused."""
    if not profile.owner:
        return True
    read, write = partial(client.commands, chat=profile.owner), partial(client.set_commands, chat=profile.owner)
    return await _bring_up_to_date("owner_commands", profile.owner_commands, read, write)


async def _bring_up_to_date(
    what: str,
    wanted: dict[str, T],
    get: Callable[[str], Awaitable[T]],
    put: Callable[[str, T], Awaitable[None]],
) -> bool:
    is_done = True
    # Everybody's first: a language without words of its own is told those when it is read.
    for language, text in sorted(wanted.items()):
        try:
            if await get(language) != text:
                await put(language, text)
                _log.info("profile_changed", what=what, language=language)
        except TokenRefused:
            return False
        except (NotSent, Uncertain, Refused) as error:
            is_done = False
            _log.warning("profile_not_changed", what=what, language=language, reason=error.reason)
    return is_done
