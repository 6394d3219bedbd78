"""The fake as tests use it: a server on loopback, the people who talk to the bot, and the levers for trouble."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import web

from .bot_api import BotApi, reset
from .chats import ChatType
from .faults import Fault, FloodControl, Rule
from .journal import Call, Metrics, Step
from .people import PATIENCE, Person, Room, make_room
from .webhook import Postman
from .world import DEFAULT_TOKEN, World

_HOST = "127.0.0.1"
_FIRST_USER = 5_000_001
_FIRST_ROOM = -1_001_000_000_001


class Listener:
    """One port on loopback that can be closed and opened again under the same number.

    Args:
        handler: answers the requests.
        port: 0 picks a free one at the first opening.
    """

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], port: int) -> None:
        self.port = port
        self._handler = handler
        self._server: web.Server | None = None
        self._socket: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The address without a slash at the end."""
        return f"http://{_HOST}:{self.port}"

    async def open(self) -> None:
        """Listen; nothing happens if it does already."""
        if self._socket is not None:
            return
        self._server = web.Server(self._handler, handler_cancellation=True, access_log=None)
        self._socket = await asyncio.get_running_loop().create_server(self._server, _HOST, self.port, backlog=1024)
        self.port = self._socket.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse new connections and reset those there are."""
        if self._socket is None or self._server is None:
            return
        self._socket.close()
        self._socket = None
        for connection in self._server.connections:
            reset(connection.transport)
        await self._server.shutdown(0)


class FakeTelegram:
    """A Bot API server for one bot.

    ``async with FakeTelegram() as fake`` serves at ``fake.base_url``; the bot under test is configured with that and
    ``fake.token``.

    Args:
        token: the bot's token.
        port: the port on 127.0.0.1; 0 picks a free one.
        username: the bot's user name.
        name: the bot's name.
        first_update_id: where update ids start; random without it, as at Telegram.
    """

    def __init__(
        self,
        token: str = DEFAULT_TOKEN,
        *,
        port: int = 0,
        username: str = "migrebot_under_test_bot",
        name: str = "Migrebot",
        first_update_id: int | None = None,
    ) -> None:
        self.world = World(token, username=username, name=name, first_update_id=first_update_id)
        self._listener = Listener(BotApi(self.world), port)
        self._people: dict[int, Person] = {}
        self._rooms: dict[int, Room] = {}
        self._postman: asyncio.Task[None] | None = None

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.world.token

    @property
    def base_url(self) -> str:
        """What ``telegram.api_base`` is set to."""
        return self._listener.url

    @property
    def calls(self) -> list[Call]:
        """Every call of the Bot API, in order of arrival."""
        return self.world.journal.calls

    @property
    def calls_so_far(self) -> int:
        """How many calls have come since the start, which is the number of the next one."""
        return self.world.journal.number

    @property
    def steps(self) -> list[Step]:
        """Every update with the times it was made, fetched, answered and replied to."""
        return self.world.journal.steps

    async def __aenter__(self) -> Self:
        await self._listener.open()
        self._postman = asyncio.create_task(Postman(self.world).run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._postman is not None:
            self._postman.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._postman
        await self._listener.close()

    def user(
        self,
        user_id: int | None = None,
        *,
        first_name: str = "Ann",
        last_name: str | None = None,
        username: str | None = None,
        language_code: str | None = "en",
    ) -> Person:
        """Give the person with this id, made on first mention; they have started the bot, so it may write to them."""
        if user_id is None:
            user_id = _FIRST_USER + len(self._people)
        if user_id not in self._people:
            optional = {"last_name": last_name, "username": username, "language_code": language_code}
            wire: dict[str, Any] = {"id": user_id, "is_bot": False, "first_name": first_name}
            wire |= {name: value for name, value in optional.items() if value is not None}
            self._people[user_id] = Person(self.world, wire)
        return self._people[user_id]

    def group(self, title: str = "A group", *, chat_id: int | None = None, kind: ChatType = "supergroup") -> Room:
        """Make a group the bot is in."""
        room_id = _FIRST_ROOM - len(self._rooms) if chat_id is None else chat_id
        room = self._rooms[room_id] = make_room(self.world, room_id, kind, title)
        return room

    def channel(self, title: str = "A channel", *, chat_id: int | None = None) -> Room:
        """Make a channel the bot is in."""
        return self.group(title, chat_id=chat_id, kind="channel")

    def push_raw(self, crafted: object) -> int:
        """Put an update in the queue that nobody checked, even one that is no JSON; see `UpdateQueue.push_raw`."""
        return self.world.updates.push_raw(crafted)

    def goes_wrong(
        self,
        fault: Fault,
        method: str = "*",
        *,
        chat_id: int | None = None,
        times: int | None = None,
        seconds: float | None = None,
    ) -> Rule:
        """Have calls meet a fault.

        Args:
            fault: what happens to them.
            method: which method; all by default.
            chat_id: only calls about this chat.
            times: how many calls; without it as long as it is not healed.
            seconds: how long from now.
        """
        until = None if seconds is None else time.monotonic() + seconds
        return self.world.faults.add(Rule(fault, method, chat_id, times, until))

    def heals(self, rule: Rule | None = None) -> None:
        """End one fault, or all; calls that hang are broken off."""
        self.world.faults.clear(rule)

    def limits_flood(self, control: FloodControl | None) -> None:
        """Enforce Telegram's limits from now on, or no more."""
        self.world.flood = control

    async def refuses_connections(self) -> None:
        """Close the port: connections there are reset, new ones refused."""
        await self._listener.close()

    async def accepts_connections(self) -> None:
        """Open the same port again."""
        await self._listener.open()

    def advances(self, seconds: float) -> None:
        """Move the fake's clock ahead: presses and updates expire, messages get later dates."""
        self.world.advance(seconds)

    async def waits_for(
        self,
        method: str,
        count: int = 1,
        *,
        timeout: float = PATIENCE,  # noqa: ASYNC109 - its failure tells what was missing
        since: int = 0,
    ) -> list[Call]:
        """Wait until a method was called so often, and give those calls.

        Args:
            method: its name.
            count: how often, counted over all calls from number ``since`` on.
            timeout: seconds; then the test fails.
            since: a call's number; ``fake.calls_so_far`` before an act means “after it”.
        """
        found = await self.world.journal.waits_for(method, count, since, timeout)
        assert len(found) >= count, f"{method} was called {len(found)} times within {timeout} s, not {count}"
        return found

    def metrics(self) -> Metrics:
        """Sum up calls, updates and the times from update to reply."""
        return self.world.metrics()

    def clear(self) -> None:
        """Forget calls and steps, between two parts of a benchmark."""
        self.world.journal.clear()

    def profile(self) -> dict[str, Any]:
        """Give the bot's names, descriptions and commands by language."""
        profile: dict[str, Any] = msgspec.structs.asdict(self.world.profile)
        return profile
