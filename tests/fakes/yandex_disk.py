"""A fake Yandex Disk that behaves like the REST API: links to upload to, files with their hashes, folders, a quota.

In a test::

    async with FakeDisk() as disk:
        # the program under test: backup.yandex_api_base = disk.api_base, backup.yandex_token = TOKEN
        disk.goes_wrong(Fault.reset_after(), "move", times=1)
        assert list(disk.files) == ["/Apps/Migrebot/…"]

Shapes of answers and errors are those of https://yandex.com/dev/disk-api/doc/en/; `used_space` counts what is in the
trash, deleting for good answers 204, and a folder is listed by pages. Simpler than the real one: all is done at once
unless `later` says otherwise, and nothing is ever put into the trash.
"""

from __future__ import annotations

import asyncio
import hashlib
from posixpath import basename, dirname
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import web

from tests.fakes.telegram.bot_api import reset
from tests.fakes.telegram.fake import Listener
from tests.fakes.telegram.faults import Fault, FaultBook, Rule

if TYPE_CHECKING:
    from types import TracebackType

TOKEN = "y0_AgAAAABkFakeTokenOfTheOwner"
OWN = "/Apps/Migrebot"

_ERRORS: dict[int, tuple[str, str]] = {
    400: ("FieldValidationError", "Error validating field."),
    401: ("UnauthorizedError", "Unauthorized"),
    403: ("ForbiddenError", "Forbidden"),
    404: ("DiskNotFoundError", "Resource not found."),
    409: ("DiskPathDoesntExistsError", "Specified path doesn't exist."),
    413: ("DiskFileTooLargeError", "File is too large."),
    423: ("DiskResourceLockedError", "Resource is locked."),
    429: ("TooManyRequestsError", "Too Many Requests"),
    500: ("InternalServerError", "Internal Server Error"),
    503: ("DiskServiceUnavailableError", "Service unavailable."),
    507: ("DiskStorageQuotaExhaustedError", "Not enough free space."),
}
_EXISTS = "DiskResourceAlreadyExistsError"
_FOLDER_EXISTS = "DiskPathPointsToExistentDirectoryError"


class Refused(Exception):
    """The API refuses: an HTTP status and the name of the error."""

    def __init__(self, status: int, error: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.error = error or _ERRORS.get(status, ("UnknownError", ""))[0]

    @property
    def body(self) -> dict[str, str]:
        """What the API says."""
        description = _ERRORS.get(self.status, ("", "Unknown error"))[1]
        return {"error": self.error, "description": description, "message": "Так не получится."}


class FakeDisk:
    """One person's Disk, opened by `token`; `calls` are (operation, path) in order.

    `scopes` are what the token is for: `app_folder`, `files`, `info`. `later` makes moves and deletions operations that
    are done after that many questions. `spoils` has what is uploaded arrive changed, `accepts` answers uploads by 202,
    and `hashes_after` leaves out the hashes of a file for that many questions.
    """

    def __init__(self, *, token: str = TOKEN, total: int = 10_000_000_000, used: int = 1_000_000) -> None:
        self.token = token
        self.total = total
        self.used = used
        self.scopes = {"app_folder", "files", "info"}
        self.files: dict[str, bytes] = {}
        self.folders = {"/", "/Apps", OWN}
        self.calls: list[tuple[str, str]] = []
        self.later = 0
        self.spoils = False
        self.accepts = False
        self.hashes_after = 0
        self._faults = FaultBook()
        self._links: dict[str, tuple[str, bool]] = {}
        self._operations: dict[str, int] = {}
        self._listener = Listener(self._serve, 0)

    @property
    def api_base(self) -> str:
        """What `backup.yandex_api_base` is set to."""
        return self._listener.url

    @property
    def names(self) -> list[str]:
        """The names of all files, in order."""
        return sorted(map(basename, self.files))

    async def __aenter__(self) -> Self:
        await self._listener.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.heals()
        await self._listener.close()

    def goes_wrong(self, fault: Fault | int, operation: str = "*", *, times: int | None = None) -> Rule:
        """Have calls meet a fault, or be refused with this status.

        Operations: disk, meta, mkdir, link, put, download, get, move, delete, operation.
        """
        if isinstance(fault, int):
            fault = Fault.refusal(fault, "")
        return self._faults.add(Rule(fault, operation, None, times, None))

    def heals(self, rule: Rule | None = None) -> None:
        """End one fault, or all."""
        self._faults.clear(rule)

    async def refuses_connections(self) -> None:
        """Close the port."""
        await self._listener.close()

    def count(self, operation: str) -> int:
        """Tell how often an operation was called."""
        return sum(name == operation for name, _ in self.calls)

    async def waits_for(self, operation: str) -> None:
        """Wait until an operation was called."""
        async with asyncio.timeout(60):
            while not self.count(operation):  # noqa: ASYNC110 - a refused call changes nothing that tells
                await asyncio.sleep(0.005)

    # --- answering -----------------------------------------------------------------------------------------------

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        operation = _operation(request)
        self.calls.append((operation, request.query.get("path", request.path)))
        try:
            if operation not in {"put", "get"}:
                self._authenticate(request, operation)
            fault = self._faults.take(operation, None)
            if fault is not None:
                return await self._go_wrong(request, operation, fault)
            return _answered(*await self._carry_out(request, operation))
        except Refused as refused:
            return _answered(refused.status, refused.body)

    async def _go_wrong(self, request: web.BaseRequest, operation: str, fault: Fault) -> web.StreamResponse:
        if fault.kind == "refusal":
            await request.read()
            raise Refused(fault.code, fault.description)
        if fault.kind == "bad_gateway":
            await request.read()
            return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")
        if fault.has_effect:
            await self._carry_out(request, operation)
        if fault.kind == "truncated":
            return web.Response(status=200, body=b'{"href": "ht', content_type="application/json")
        if fault.kind in {"hang", "hang_after"}:
            await self._faults.hang()
        reset(request.transport)
        await asyncio.get_running_loop().create_future()
        raise AssertionError("the handler of a broken connection goes on")

    def _authenticate(self, request: web.BaseRequest, operation: str) -> None:
        if request.headers.get("Authorization") != f"OAuth {self.token}":
            raise Refused(401)
        path = request.query.get("path", "")
        needed = "info" if operation == "disk" else "app_folder" if path.startswith("app:/") else "files"
        if operation != "operation" and needed not in self.scopes:
            raise Refused(403)

    async def _carry_out(self, request: web.BaseRequest, operation: str) -> tuple[int, Any]:
        query = request.query
        path = _absolute(query.get("path", "/"))
        match operation:
            case "disk":
                spaces = {"total_space": self.total, "used_space": self._used, "trash_size": 0}
                return 200, spaces | {"max_file_size": 1_073_741_824, "user": {"login": "owner", "uid": "1"}}
            case "meta":
                return 200, self._meta(path, int(query.get("limit", 20)), int(query.get("offset", 0)))
            case "mkdir":
                self._make_folder(path)
                return 201, self._link(path)
            case "link":
                return 200, self._upload_link(path, overwrite=query.get("overwrite") == "true")
            case "put":
                return await self._put(request), None
            case "move":
                self._move(_absolute(query["from"]), path, overwrite=query.get("overwrite") == "true")
                return self._done(201, self._link(path))
            case "delete":
                self._delete(path, permanently=query.get("permanently") == "true")
                return self._done(204, None)
            case "operation":
                return 200, {"status": self._progress(request.path.rpartition("/")[2])}
            case "get":
                return 200, self.files[request.path.removeprefix("/download-target")]
            case _:
                return 200, self._download_link(path, operation)

    @property
    def _used(self) -> int:
        return self.used + sum(map(len, self.files.values()))

    def _link(self, path: str) -> dict[str, Any]:
        return {"href": self._address("resources", path=f"disk:{path}"), "method": "GET", "templated": False}

    def _address(self, *parts: str, **query: str) -> str:
        return f"{self.api_base}/v1/disk/{'/'.join(parts)}" + (f"?{urlencode(query)}" if query else "")

    def _done(self, status: int, body: Any) -> tuple[int, Any]:
        """Answer what was done: at once, or as an operation that is under way for a while."""
        if not self.later:
            return status, body
        name = f"op{len(self._operations)}"
        self._operations[name] = self.later
        return 202, {"href": self._address("operations", name), "method": "GET", "templated": False}

    def _progress(self, name: str) -> str:
        if name not in self._operations:
            raise Refused(404, "DiskOperationNotFoundError")
        self._operations[name] -= 1
        return "success" if self._operations[name] <= 0 else "in-progress"

    # --- files ---------------------------------------------------------------------------------------------------

    def _meta(self, path: str, limit: int, offset: int) -> dict[str, Any]:
        if path in self.files:
            return self._file(path)
        if path not in self.folders:
            raise Refused(404)
        inside = sorted(each for each in {*self.files, *self.folders} - {"/"} if dirname(each) == path)
        items = [self._file(each) if each in self.files else _folder(each) for each in inside]
        page = {"items": items[offset : offset + limit], "limit": limit, "offset": offset, "total": len(items)}
        return _folder(path) | {"_embedded": page | {"sort": "", "path": f"disk:{path}"}}

    def _file(self, path: str) -> dict[str, Any]:
        content = self.files[path]
        shown = {"type": "file", "name": basename(path), "path": f"disk:{path}", "size": len(content)}
        if self.hashes_after > 0:
            self.hashes_after -= 1
            return shown
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return shown | {"md5": md5, "sha256": hashlib.sha256(content).hexdigest()}

    def _make_folder(self, path: str) -> None:
        if path in self.folders:
            raise Refused(409, _FOLDER_EXISTS)
        self._insist_on_parent(path)
        self.folders.add(path)

    def _insist_on_parent(self, path: str) -> None:
        if dirname(path) not in self.folders:
            raise Refused(409)

    def _upload_link(self, path: str, *, overwrite: bool) -> dict[str, Any]:
        self._insist_on_parent(path)
        if path in self.files and not overwrite:
            raise Refused(409, _EXISTS)
        name = f"link{len(self._links)}"
        self._links[name] = (path, overwrite)
        href = f"{self.api_base}/upload-target/{name}"
        return {"operation_id": name, "href": href, "method": "PUT", "templated": False}

    def _download_link(self, path: str, operation: str) -> dict[str, Any]:
        if operation != "download":
            raise Refused(404, "NotFoundError")
        if path not in self.files:
            raise Refused(404)
        return {"href": f"{self.api_base}/download-target{quote(path)}", "method": "GET", "templated": False}

    async def _put(self, request: web.BaseRequest) -> int:
        content = await request.read()
        path, _ = self._links.pop(request.path.rpartition("/")[2])
        if self._used + len(content) > self.total:
            raise Refused(507)
        self.files[path] = content[:-1] + b"?" if self.spoils else content
        return 202 if self.accepts else 201

    def _move(self, old: str, new: str, *, overwrite: bool) -> None:
        if old not in self.files:
            raise Refused(404)
        self._insist_on_parent(new)
        if new in self.files and not overwrite:
            raise Refused(409, _EXISTS)
        self.files[new] = self.files.pop(old)

    def _delete(self, path: str, *, permanently: bool) -> None:
        if path not in self.files:
            raise Refused(404)
        content = self.files.pop(path)
        if not permanently:
            self.used += len(content)  # it is in the trash


def _operation(request: web.BaseRequest) -> str:
    """Tell what a request is for."""
    path = request.path.rstrip("/")
    if path.startswith("/upload-target/"):
        return "put"
    if path.startswith("/download-target/"):
        return "get"
    if path.startswith("/v1/disk/operations/"):
        return "operation"
    names = {
        ("GET", "/v1/disk"): "disk",
        ("GET", "/v1/disk/resources"): "meta",
        ("PUT", "/v1/disk/resources"): "mkdir",
        ("DELETE", "/v1/disk/resources"): "delete",
        ("GET", "/v1/disk/resources/upload"): "link",
        ("GET", "/v1/disk/resources/download"): "download",
        ("POST", "/v1/disk/resources/move"): "move",
    }
    return names.get((request.method, path), "unknown")


def _absolute(path: str) -> str:
    """Give the path from the root of the Disk, however it is written."""
    if path.startswith("app:"):
        path = f"{OWN}/{path[4:].strip('/')}"
    path = path.removeprefix("disk:")
    return "/" + path.strip("/")


def _folder(path: str) -> dict[str, Any]:
    return {"type": "dir", "name": basename(path) or "disk", "path": f"disk:{path}"}


def _answered(status: int, body: Any) -> web.Response:
    if body is None:
        return web.Response(status=status)
    if isinstance(body, bytes):
        return web.Response(status=status, body=body)
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
