"""The Redis side of the mirror: keys and channels as listeners of the original bot know them.

Keys and the messages about them change in one script, so that whoever reads the keys after a message sees at least
that message's state. The script first looks whether the number it goes on from is the one that is there: after a flush,
a fail-over or another writer it is not, and then nothing is written and all has to be written anew. JSON is made here,
never in Lua, whose library turns empty lists into objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio.to_thread
import msgspec

from migrebot.errors import NotSent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from redis.asyncio import Redis

TIMEOUT = 5.0
"""Seconds for each command; a Redis that takes longer counts as gone."""

LOGS_KEPT = 10_000
"""Lines in the list `logs`, the newest first."""

# ARGV: the number to go on from (empty: whatever there is), the new number, how many pairs to set, how many keys to
# delete, the pairs, the keys, the messages.
_WRITE = """
if ARGV[1] ~= '' and redis.call('GET', 'incr_value') ~= ARGV[1] then return 0 end
local pairs_end = 4 + 2 * tonumber(ARGV[3])
local keys_end = pairs_end + tonumber(ARGV[4])
for at = 5, pairs_end, 2 do redis.call('SET', ARGV[at], ARGV[at + 1]) end
for at = pairs_end + 1, keys_end do redis.call('DEL', ARGV[at]) end
redis.call('SET', 'incr_value', ARGV[2])
for at = keys_end + 1, #ARGV do redis.call('PUBLISH', 'channel:states', ARGV[at]) end
return 1
"""


class RedisGone(NotSent):
    """Redis could not be reached, or did not do what it was asked; what it did is unknown."""


class RedisMirror:
    """One connection to Redis; every method raises `RedisGone`.

    redis-py is imported when it is first needed, in a thread: it takes a quarter of a second. Commands are never
    cancelled midway, since their answers would be taken for the next one's.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis: Redis | None = None

    async def connect(self) -> None:
        """Open a connection and see that it answers."""
        await self.close()
        self._redis = await anyio.to_thread.run_sync(_client, self._url)
        await self._ask("PING")

    async def close(self) -> None:
        """Let go of the connection."""
        redis, self._redis = self._redis, None
        if redis is not None:
            await redis.aclose()

    async def renew(self, states: Mapping[str, Sequence[int]], users: Mapping[int, str], message: bytes) -> None:
        """Write all states anew and tell so; what is there besides goes."""
        keep = {f"state:{name}": _json(people) for name, people in states.items()}
        keep |= {f"user_state:{user_id}": state.encode() for user_id, state in users.items()}
        stale = [key for pattern in ("state:*", "user_state:*") for key in await self._keys(pattern) if key not in keep]
        await self._ask("EVAL", _WRITE, 0, "", 0, len(keep), len(stale), *_flat(keep), *stale, message)

    async def write(
        self, before: int, number: int, changed: Mapping[str, bytes | None], messages: Iterable[bytes]
    ) -> bool:
        """Set and delete keys and tell of each transition; False if what is there is not what we wrote last."""
        keep = {key: value for key, value in changed.items() if value is not None}
        gone = [key for key, value in changed.items() if value is None]
        arguments = (before, number, len(keep), len(gone), *_flat(keep), *gone, *messages)
        return bool(await self._ask("EVAL", _WRITE, 0, *arguments) == 1)

    async def is_ours(self, number: int) -> bool:
        """Tell whether the last number there is the one we wrote last."""
        return bool(await self._ask("GET", "incr_value") == str(number).encode())

    async def report(self, report: bytes) -> None:
        """Write today's report and tell it."""
        await self._together([("SET", "everyday_report", report), ("PUBLISH", "channel:report", report)])

    async def log(self, lines: Sequence[str], number: int) -> None:
        """Add lines to the log, the first of which gets `number`, and tell each."""
        told = [
            ("PUBLISH", "channel:logs", _json({"log_record": line, "log_incr_value": number + place}))
            for place, line in enumerate(lines)
        ]
        await self._together(
            [
                ("LPUSH", "logs", *lines),
                ("LTRIM", "logs", 0, LOGS_KEPT - 1),
                ("SET", "log_incr_value", number + len(lines) - 1),
                *told,
            ]
        )

    async def _keys(self, pattern: str) -> list[str]:
        found, cursor = set(), 0
        while True:
            cursor, keys = await self._ask("SCAN", cursor, "MATCH", pattern, "COUNT", 1_000)
            found |= {key.decode("utf-8", "replace") for key in keys}
            if int(cursor) == 0:
                return sorted(found)

    async def _ask(self, *command: Any) -> Any:
        from redis.exceptions import RedisError

        if self._redis is None:
            raise RedisGone("not connected")
        try:
            # redis-py has no types for it; its typed methods are one for each command.
            return await self._redis.execute_command(*command)  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            raise RedisGone(type(error).__name__) from None

    async def _together(self, commands: Sequence[tuple[Any, ...]]) -> None:
        from redis.exceptions import RedisError

        if self._redis is None:
            raise RedisGone("not connected")
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            raise RedisGone(type(error).__name__) from None


def _client(url: str) -> Redis:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    # No retry of its own: a script that ran, and whose answer was lost, would run twice.
    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        single_connection_client=True,
        retry=Retry(NoBackoff(), 0),
    )


def _flat(pairs: Mapping[str, bytes]) -> list[str | bytes]:
    return [part for pair in pairs.items() for part in pair]


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
