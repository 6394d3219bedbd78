"""Whether the way in that the world sees is closed: what a stranger gets to see at the public address.

The server lets this machine in without a token. A proxy that hides who asks (it writes a local Host, and no header that
tells of it) would make everybody look like this machine: only trying it from outside shows that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import ClientSession

CLOSED = ("/", "/chat", "/api/states", "/metrics")
"""Paths that nobody may see without a login."""

TIMEOUT_S = 10.0
"""Seconds for each request."""


async def open_paths(public_url: str) -> list[str] | None:
    """Tell which of the paths a stranger can see; None if nobody answers at the address."""
    from aiohttp import ClientError, ClientSession, ClientTimeout

    try:
        async with ClientSession(timeout=ClientTimeout(total=TIMEOUT_S)) as client:
            return [path for path in CLOSED if await _is_open(client, public_url.rstrip("/") + path)]
    except (ClientError, TimeoutError):
        return None


async def _is_open(client: ClientSession, url: str) -> bool:
    async with client.get(url, allow_redirects=False) as answer:
        return answer.ok and answer.status < 300
