"""The other way to receive updates: the fake posts them to the bot, one after the other."""

import asyncio
import re
from typing import Any

import aiohttp

from .errors import bad_request
from .journal import Call
from .updates import CONFLICT_SET_WEBHOOK
from .wire import Arguments
from .world import Webhook, World

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0


def set_webhook(world: World, arguments: Arguments, call: Call) -> object:
    """Have updates posted to an address; an empty one ends that. Plain HTTP is taken: loopback has nothing else."""
    url = arguments.text("url")
    if not url:
        return delete_webhook(world, arguments, call)
    if not re.match(r"https?://[^/\s]+", url):
        raise bad_request("bad webhook: invalid HTTP URL specified")
    secret = arguments.text("secret_token")
    if secret and not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    if arguments.has("allowed_updates"):
        world.updates.allow(arguments.structure("allowed_updates", "allowed_updates"))
    if arguments.flag("drop_pending_updates"):
        world.updates.drop()
    world.updates.end_poll(CONFLICT_SET_WEBHOOK)
    world.webhook = Webhook(url, secret, min(max(arguments.integer("max_connections", 40), 1), 100))
    world.updates.notify()
    return True


def delete_webhook(world: World, arguments: Arguments, call: Call) -> object:
    """Go back to getUpdates."""
    del call
    if arguments.flag("drop_pending_updates"):
        world.updates.drop()
    world.webhook = Webhook()
    return True


def get_webhook_info(world: World, arguments: Arguments, call: Call) -> object:
    """Tell where updates go and how that goes."""
    del arguments, call
    webhook = world.webhook
    info: dict[str, Any] = {
        "url": webhook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(world.updates),
    }
    if webhook.url:
        info["max_connections"] = webhook.max_connections
    if webhook.failed_at is not None:
        info |= {"last_error_date": webhook.failed_at, "last_error_message": webhook.failure}
    if world.updates.allowed:
        info["allowed_updates"] = world.updates.allowed
    return info


class Postman:
    """Posts updates to the webhook, in order, each until it is taken with a 2xx."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._news = asyncio.Event()
        world.updates.listen(self._look)

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            pause = _FIRST_PAUSE
            while True:
                self._news.clear()
                waiting = self._world.updates.take(0, 1) if self._world.webhook.url else []
                if not waiting:
                    await self._news.wait()
                elif await self._post(session, waiting[0].body):
                    self._world.journal.delivered([waiting[0].update_id])
                    self._world.updates.take(waiting[0].update_id + 1, 0)
                    pause = _FIRST_PAUSE
                else:
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)

    def _look(self) -> None:
        if self._world.webhook.url:
            self._news.set()

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> bool:
        webhook = self._world.webhook
        headers = {"Content-Type": "application/json"}
        if webhook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret
        try:
            async with session.post(webhook.url, data=body, headers=headers) as answer:
                await answer.read()
                failure = "" if 200 <= answer.status < 300 else f"Wrong response from the webhook: {answer.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = str(error) or type(error).__name__
        if failure:
            webhook.failed_at, webhook.failure = int(self._world.now()), failure
        return not failure
