"""The Bot API's HTTP door: paths, tokens, long polls, and everything that goes wrong on purpose."""

import asyncio
import socket
import struct

from aiohttp import web

from .dispatch import carry_out, check_required
from .errors import Refused
from .faults import Fault
from .journal import Call
from .schema import CANONICAL
from .updates import CONFLICT_WEBHOOK
from .wire import Arguments, not_ok, ok, ok_list, read_arguments
from .world import World

_GATEWAY_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class BotApi:
    """Answers the requests of a bot.

    Args:
        world: what the methods work on.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._bot_path = f"/bot{world.token}/"
        self._file_path = f"/file/bot{world.token}/"

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path, _, query = request.raw_path.partition("?")
        if path.startswith(self._bot_path):
            body = await request.content.read()
            try:
                arguments = read_arguments(query, request.headers.get("Content-Type", ""), body)
            except Refused as refusal:
                return _refused(refusal)
            return await self._call(request, path[len(self._bot_path) :], arguments)
        if path.startswith(self._file_path):
            return self._download(path[len(self._file_path) :])
        if path.startswith(("/bot", "/file/bot")):
            return _refused(Refused(401, "Unauthorized"))
        return _refused(Refused(404, "Not Found"))

    async def _call(self, request: web.BaseRequest, given: str, arguments: Arguments) -> web.StreamResponse:
        method = CANONICAL.get(given.lower())
        chat_id = arguments.integer("chat_id") or None
        call = self._world.journal.opened(method or given, arguments.values, chat_id)
        fault = self._world.faults.take(call.method, chat_id)
        try:
            if fault is not None:
                return await self._go_wrong(request, fault, call, arguments)
            return self._answer(call, 200, await self._carry_out(method, arguments, call))
        except Refused as refusal:
            call.error = refusal.description
            return self._answer(call, refusal.code, not_ok(refusal), refusal.retry_after)

    async def _carry_out(self, method: str | None, arguments: Arguments, call: Call) -> bytes:
        if method is None:
            raise Refused(404, "Not Found: method not found")
        if method == "getUpdates":
            return await self._get_updates(arguments, call)
        return ok(carry_out(self._world, method, arguments, call))

    async def _get_updates(self, arguments: Arguments, call: Call) -> bytes:
        check_required("getUpdates", arguments)
        world = self._world
        if world.webhook.url:
            world.updates.conflicts += 1
            raise Refused(409, CONFLICT_WEBHOOK)
        if "allowed_updates" in arguments.values:
            world.updates.allow(arguments.structure("allowed_updates", "allowed_updates"))
        limit = min(max(arguments.integer("limit", 100), 1), 100)
        batch = await world.updates.poll(arguments.integer("offset"), limit, arguments.integer("timeout"))
        call.effect = True
        world.journal.delivered([update.update_id for update in batch])
        return ok_list([update.body for update in batch])

    async def _go_wrong(
        self, request: web.BaseRequest, fault: Fault, call: Call, arguments: Arguments
    ) -> web.StreamResponse:
        call.fault = fault.kind
        if fault.kind == "refusal":
            raise Refused(fault.code, fault.description, retry_after=fault.retry_after)
        if fault.kind == "bad_gateway":
            return self._answer(call, 502, _GATEWAY_PAGE, content_type="text/html")
        if fault.kind == "slow_before":
            await asyncio.sleep(fault.seconds)
        body = b""
        if fault.has_effect:
            method = CANONICAL.get(call.method.lower())
            body = await self._carry_out(method, arguments, call)
        if fault.kind in {"reset_before", "reset_after"}:
            return await self._reset(request, call)
        if fault.kind in {"hang", "hang_after"}:
            await self._world.faults.hang()
            return await self._reset(request, call)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault.kind == "answer":
            return self._answer(call, 200, fault.description.encode())
        return self._answer(call, 200, body[: len(body) // 2] if fault.kind == "truncated" else body)

    async def _reset(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        """Break the connection with a TCP reset; aiohttp then ends this handler."""
        self._world.journal.closed(call, 0)
        reset(request.transport)
        await asyncio.get_running_loop().create_future()
        raise AssertionError("the handler of a broken connection goes on")

    def _answer(
        self,
        call: Call,
        status: int,
        body: bytes,
        retry_after: int | None = None,
        content_type: str = "application/json",
    ) -> web.Response:
        self._world.journal.closed(call, status)
        headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
        return web.Response(status=status, body=body, content_type=content_type, headers=headers)

    def _download(self, path: str) -> web.Response:
        content = next((file.content for where, file in self._world.files.values() if where == path), None)
        if content is None:
            return _refused(Refused(404, "Not Found"))
        return web.Response(body=content, content_type="application/octet-stream")


def reset(transport: asyncio.Transport | None) -> None:
    """Close a connection so that the other side sees a reset and not an orderly end."""
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def _refused(refusal: Refused) -> web.Response:
    return web.Response(status=refusal.code, body=not_ok(refusal), content_type="application/json")
