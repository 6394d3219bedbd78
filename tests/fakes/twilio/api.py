"""The REST API: basic authentication, Messages (send, list, fetch, delete), their media, the account."""

import asyncio
import base64
import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from aiohttp import web

from tests.fakes.telegram.bot_api import reset
from tests.fakes.telegram.faults import Fault

from .errors import Refused
from .world import Call, Message, World

_BASE = "/2010-04-01/Accounts/"
_encode = msgspec.json.Encoder().encode


class Api:
    """Answers the requests of the program under test."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        body = (await request.read()).decode()
        form = dict(parse_qsl(body, keep_blank_values=True))
        operation, sid = _operation(request.method, request.path, self._world.account)
        call = self._world.note(operation, form | dict(request.query))
        try:
            self._authenticate(request)
            fault = self._world.faults.take(operation, None)
            if fault is not None:
                return await self._go_wrong(request, call, fault, sid)
            return self._answer(call, *await self._carry_out(call, sid, request))
        except Refused as refused:
            headers = {} if refused.retry_after is None else {"Retry-After": str(refused.retry_after)}
            return self._answer(call, refused.status, refused.body, headers=headers)

    async def _go_wrong(self, request: web.BaseRequest, call: Call, fault: Fault, sid: str) -> web.StreamResponse:
        call.form["fault"] = fault.kind
        if fault.kind == "refusal":
            raise Refused(fault.code, retry_after=fault.retry_after)
        if fault.kind == "bad_gateway":
            return self._answer(call, 502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html")
        status, answer = await self._carry_out(call, sid, request) if fault.has_effect else (0, b"")
        if fault.kind in {"slow", "slow_before"}:
            await asyncio.sleep(fault.seconds)
            return self._answer(call, status, answer)
        if fault.kind == "truncated":
            return self._answer(call, status, answer[: len(answer) // 2])
        if fault.kind in {"hang", "hang_after"}:
            await self._world.faults.hang()
        reset(request.transport)
        await asyncio.get_running_loop().create_future()
        raise AssertionError("the handler of a broken connection goes on")

    def _authenticate(self, request: web.BaseRequest) -> None:
        login = f"{self._world.account}:{self._world.token}".encode()
        if request.headers.get("Authorization") != "Basic " + base64.b64encode(login).decode():
            raise Refused(20003)

    async def _carry_out(self, call: Call, sid: str, request: web.BaseRequest) -> tuple[int, bytes]:
        world = self._world
        match call.operation:
            case "account":
                return 200, _encode({"sid": world.account, "friendly_name": "Test", "status": "active", "type": "Full"})
            case "create":
                message = world.create({name: value for name, value in call.form.items() if name != "fault"})
                await world.tell()
                return 201, _encode(message.wire(world.account))
            case "list":
                return 200, _encode(self._page(request))
            case "fetch" if sid in world.messages:
                return 200, _encode(world.messages[sid].wire(world.account))
            case "delete":
                world.delete(sid)
                return 204, b""
            case "media" if sid in world.messages:
                message = world.messages[sid]
                media = [] if message.deleted_media else [_media(message, n) for n in range(len(message.media))]
                return 200, _encode({"media_list": media, "next_page_uri": None, "page": 0, "page_size": 50})
            case "delete_media" if sid in world.messages:
                world.messages[sid].deleted_media = True
                return 204, b""
            case _:
                pass
        raise Refused(20404)

    def _page(self, request: web.BaseRequest) -> dict[str, Any]:
        """List messages, the newest first, by filters and pages; every page but the last names the next one."""
        query = request.query
        wanted = [message for message in self._world.messages.values() if _fits(message, dict(query))]
        wanted.sort(key=lambda message: message.sent or message.created, reverse=True)
        size, page = min(int(query.get("PageSize", 50)), 1000), int(query.get("Page", 0))
        start = page * size
        more = len(wanted) > start + size
        filters = {name: value for name, value in query.items() if name not in ("Page", "PageToken")}
        following = {**filters, "Page": str(page + 1), "PageToken": f"PA{page + 1}"}
        return {
            "end": start + len(wanted[start : start + size]) - 1,
            "first_page_uri": f"{request.path}?{urlencode({**filters, 'Page': '0'})}",
            "messages": [message.wire(self._world.account) for message in wanted[start : start + size]],
            "next_page_uri": f"{request.path}?{urlencode(following)}" if more else None,
            "page": page,
            "page_size": size,
            "previous_page_uri": None,
            "start": start,
            "uri": request.path_qs,
        }

    def _answer(
        self,
        call: Call,
        status: int,
        body: bytes,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> web.Response:
        call.status = status
        return web.Response(status=status, body=body, content_type=content_type, headers=headers)


def _operation(method: str, path: str, account: str) -> tuple[str, str]:
    """Tell what a request is for, and about which message."""
    if path == f"{_BASE}{account}.json" and method == "GET":
        return "account", ""
    rest = path.removeprefix(f"{_BASE}{account}/Messages")
    if rest == ".json":
        return {"GET": "list", "POST": "create"}.get(method, "unknown"), ""
    if found := re.fullmatch(r"/(\w+)\.json", rest):
        return {"GET": "fetch", "DELETE": "delete"}.get(method, "unknown"), found[1]
    if found := re.fullmatch(r"/(\w+)/Media\.json", rest):
        return "media", found[1]
    if (found := re.fullmatch(r"/(\w+)/Media/\w+\.json", rest)) and method == "DELETE":
        return "delete_media", found[1]
    return "unknown", ""


def _fits(message: Message, query: dict[str, str]) -> bool:
    sent = message.sent or message.created
    if query.get("To", message.to) != message.to or query.get("From", message.sender) != message.sender:
        return False
    after = query.get("DateSent>")
    return after is None or sent >= datetime.fromisoformat(after)


def _media(message: Message, number: int) -> dict[str, Any]:
    sid = f"ME{message.sid[2:-2]}{number:02}"
    return {
        "account_sid": "",
        "content_type": "application/pdf",
        "date_created": None,
        "date_updated": None,
        "parent_sid": message.sid,
        "sid": sid,
        "uri": f"/Messages/{message.sid}/Media/{sid}.json",
    }
