"""The control API: what crash and benchmark programs do to a fake in another process.

``POST /control/<command>`` with a JSON object answers ``{"ok":true,"result":…}``, or 400 with ``{"ok":false,
"error":…}``. Commands that wait are long requests that end at the event, so nobody polls. `RemoteFakeTelegram` speaks
this.
"""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from .chats import ChatMessage
from .fake import FakeTelegram
from .faults import Fault, FloodControl, Rule
from .people import Person

PREFIX = "/control/"

Given = dict[str, Any]
Command = Callable[[Given], Awaitable[object]]


class Control:
    """Carries out the commands of the control API.

    Args:
        fake: what they act on.
    """

    def __init__(self, fake: FakeTelegram) -> None:
        self._fake = fake
        self._rules: dict[int, Rule] = {}
        self._commands: dict[str, Command] = {
            "user": self._user,
            "act": self._act,
            "appearances": self._appearances,
            "chat": self._chat,
            "push": self._push,
            "calls": self._calls,
            "waits_for": self._waits_for,
            "steps": self._steps,
            "metrics": self._metrics,
            "clear": self._clear,
            "goes_wrong": self._goes_wrong,
            "heals": self._heals,
            "limits_flood": self._limits_flood,
            "refuses_connections": self._refuses_connections,
            "accepts_connections": self._accepts_connections,
            "advances": self._advances,
        }

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        command = self._commands.get(request.path.removeprefix(PREFIX))
        if command is None or not request.path.startswith(PREFIX):
            return _answer(404, {"ok": False, "error": f"no such command; there are {', '.join(self._commands)}"})
        body = await request.content.read()
        try:
            given = msgspec.json.decode(body, type=dict[str, Any]) if body else dict(request.query)
            return _answer(200, {"ok": True, "result": await command(given)})
        except (AssertionError, LookupError, TypeError, ValueError) as error:
            return _answer(400, {"ok": False, "error": f"{type(error).__name__}: {error}"})

    async def _user(self, given: Given) -> object:
        return self._fake.user(**given).wire

    async def _act(self, given: Given) -> object:
        """Let a person do something: ``user_id``, ``act`` (a method of `Person`) and its arguments."""
        person = self._person(given)
        act, arguments = given["act"], dict(given.get("arguments", {}))
        if act not in _ACTS:
            raise ValueError(f"a person can {', '.join(sorted(_ACTS))}, not {act}")
        for name in ("message", "on", "reply_to"):
            if arguments.get(name) is not None:
                arguments[name] = _message(person, arguments[name])
        if "content" in arguments:
            arguments["content"] = base64.b64decode(arguments["content"])
        return await getattr(person, act)(**arguments)

    async def _appearances(self, given: Given) -> object:
        """Give what showed from ``since`` on (from the last act on without it), waiting for the first of it."""
        person = self._person(given)
        since = person.since if given.get("since") is None else int(given["since"])
        await person.chat.sees(lambda _: True, since, float(given.get("timeout", 0)))
        shown = person.chat.appearances
        return {"next": max(since, len(shown)), "messages": shown[since:], "transcript": person.chat.transcript()}

    async def _chat(self, given: Given) -> object:
        chat = self._fake.world.chats[int(given["chat_id"])]
        return {
            "messages": chat.messages,
            "deleted": chat.deleted,
            "actions": chat.actions,
            "toasts": chat.toasts,
            "appearances": len(chat.appearances),
        }

    async def _push(self, given: Given) -> object:
        """Put crafted updates in the queue: JSON values in ``updates``, raw text in ``raw``."""
        crafted = [*given.get("updates", []), *(text.encode() for text in given.get("raw", []))]
        return [self._fake.push_raw(update) for update in crafted]

    async def _calls(self, given: Given) -> object:
        since, method = int(given.get("since", 0)), given.get("method")
        return [call for call in self._fake.calls if call.number >= since and method in {None, call.method}]

    async def _waits_for(self, given: Given) -> object:
        return await self._fake.waits_for(**given)

    async def _steps(self, given: Given) -> object:
        del given
        return self._fake.steps

    async def _metrics(self, given: Given) -> object:
        del given
        return self._fake.metrics()

    async def _clear(self, given: Given) -> None:
        del given
        self._fake.clear()

    async def _goes_wrong(self, given: Given) -> object:
        """Set a fault, and give a number to end it by."""
        fault = msgspec.convert(given.pop("fault"), Fault)
        number = self._fake.world.number()
        self._rules[number] = self._fake.goes_wrong(fault, **given)
        return number

    async def _heals(self, given: Given) -> object:
        """End one fault by its number, or all; give how many calls it met."""
        number = given.get("rule")
        rule = self._rules.pop(int(number)) if number is not None else None
        self._fake.heals(rule)
        return rule.hits if rule is not None else 0

    async def _limits_flood(self, given: Given) -> None:
        self._fake.limits_flood(FloodControl(**given["limits"]) if given.get("limits") is not None else None)

    async def _refuses_connections(self, given: Given) -> None:
        del given
        await self._fake.refuses_connections()

    async def _accepts_connections(self, given: Given) -> None:
        del given
        await self._fake.accepts_connections()

    async def _advances(self, given: Given) -> None:
        self._fake.advances(float(given["seconds"]))

    def _person(self, given: Given) -> Person:
        return self._fake.user(int(given["user_id"]))


_ACTS = frozenset(
    {
        "blocks",
        "deactivates",
        "edits",
        "pays",
        "presses",
        "presses_data",
        "says",
        "sends_document",
        "sends_photo",
        "shares_location",
        "unblocks",
    }
)


def _message(person: Person, message_id: int) -> ChatMessage | int:
    """Find the message an act is about; an id that is not there stays an id, for crafted presses."""
    return person.chat.message(message_id) or message_id


def _answer(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
