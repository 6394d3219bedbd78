"""Copies backups to a Yandex Disk: under another name first, compared by hash, and only then under their own.

Called in a process of its own: the client waits, and keeps the address of the API for the whole process. Facts of the
API are from https://yandex.com/dev/disk-api/doc/en/ and from the client's known issues: the service takes long to
answer an upload, and slows one down whose name ends like that of an archive, which a temporary one does not.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import yadisk
from msgspec import Struct
from yadisk import exceptions as said

from migrebot.reports.backups import Trouble
from storage.backups import marks, thinning
from storage.backups.order import Disk, DiskFailed, Tried, Uploaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrebot.reports.backups import Kind
    from storage.backups.order import Trial, Upload

OWN_FOLDER = "app:/"
"""The folder of the program by which the token was made: a token that opens no more than that is enough."""

OTHER_FOLDER = "disk:/Migrebot"
"""Where backups go if the token does not open that one, but the whole Disk."""

CONNECT_S = 15.0
SLOWEST = 50_000
"""Bytes a second: an upload that takes longer than that and the patience together is given up."""

LOOK_S = 1.0
"""Seconds until a file that has yet to appear is looked for again."""

_PAGE = 500
_WORD = re.compile(r"\w{1,60}")
_HEADER = re.compile(r"[!-~]+")

_Client = yadisk.Client


class _Sums(Struct, frozen=True):
    """What a file is known by."""

    size: int
    md5: str
    sha256: str


def attempt(trial: Trial) -> Tried:
    """Try a Disk; raises `DiskFailed`."""
    with _opened(trial.disk) as client:
        return Tried(folder=_folder(client), free=_free(client))


def upload(order: Upload) -> Uploaded:
    """Copy a backup to a Disk with the marks beside it, and delete there what is not kept.

    Raises `DiskFailed`, or `OSError` for a file.
    """
    path = Path(order.path)
    with _opened(order.disk) as client:
        folder = _folder(client)
        there = _names(client, folder)
        for name in filter(thinning.is_left, there):
            _remove(client, folder + name)
        _bring(client, path, folder, order.disk.patience)
        _bring_marks(client, path.with_name(marks.NAME), folder, order.disk.patience)
        removed = thinning.unwanted({*there, path.name}, order.now, order.keep_days)
        for name in removed:
            _remove(client, folder + name)
    return Uploaded(removed=len(removed))


# --- one upload --------------------------------------------------------------------------------------------------


def _bring(client: _Client, path: Path, folder: str, patience: float) -> None:
    """Copy a file into a folder, unless it is there already."""
    sums, target = _sums(path), folder + path.name
    if not _is_same(client, target, sums):
        _insist_on_space(client, sums)
        _copy(client, path, target, sums, patience)


def _bring_marks(client: _Client, path: Path, folder: str, patience: float) -> None:
    """Add to the marks on the Disk those that are new; what it has besides, of a machine that was lost, stays."""
    try:
        here = path.read_bytes()
    except FileNotFoundError:
        return
    with tempfile.TemporaryDirectory() as desk:
        both = Path(desk, path.name)
        both.write_bytes(marks.joined(_fetched(client, folder + path.name, Path(desk, "there")), here))
        _bring(client, both, folder, patience)


def _fetched(client: _Client, target: str, path: Path) -> bytes:
    """Give what is in a file on the Disk, nothing if there is none; `path` is where it goes meanwhile."""
    try:
        client.download(target, str(path))
    except said.NotFoundError:
        return b""
    if not _is_same(client, target, _sums(path)):
        raise DiskFailed(Trouble(kind="unreachable"))
    return path.read_bytes()


def _copy(client: _Client, path: Path, target: str, sums: _Sums, patience: float) -> None:
    folder, _, name = target.rpartition("/")
    part = f"{folder}/.{name}.{secrets.token_hex(4)}{thinning.PART}"
    try:
        _send(client, path, part, sums, patience)
        _compare(client, part, sums, patience)
        _rename(client, part, target, sums)
    except said.InsufficientStorageError as error:
        raise DiskFailed(Trouble(kind="full", missing=_missing(client, sums))) from error
    except DiskFailed:
        with suppress(said.YaDiskError):
            _remove(client, part)
        raise


def _send(client: _Client, path: Path, part: str, sums: _Sums, patience: float) -> None:
    timeout = (CONNECT_S, patience + sums.size / SLOWEST)
    try:
        client.upload(str(path), part, overwrite=True, timeout=timeout, n_retries=0)
    except (said.RequestError, said.RetriableYaDiskError) as error:
        # 202 is "taken, and yet to be put in its place"; after any other one it may be there all the same.
        accepted = error.response is not None and error.response.status == 202
        if not accepted and not client.exists(part):
            raise


def _compare(client: _Client, part: str, sums: _Sums, patience: float) -> None:
    """Wait until the Disk tells what has arrived; raises `DiskFailed` unless it is what was sent."""
    until = time.monotonic() + patience
    while True:
        found = _known(client, part)
        if found == sums:
            return
        if found is not None:
            raise DiskFailed(Trouble(kind="damaged"))
        if time.monotonic() > until:
            raise DiskFailed(Trouble(kind="unreachable"))
        time.sleep(LOOK_S)


def _rename(client: _Client, part: str, target: str, sums: _Sums) -> None:
    try:
        client.move(part, target, overwrite=True, n_retries=0, poll_timeout=CONNECT_S)
    except said.YaDiskError:
        # The answer may have been lost and not the request.
        if not _is_same(client, target, sums):
            raise


def _is_same(client: _Client, path: str, sums: _Sums) -> bool:
    return _known(client, path) == sums


def _known(client: _Client, path: str) -> _Sums | None:
    """Tell what the Disk knows a file by; None while there is none, or it has yet to be worked out."""
    try:
        meta = client.get_meta(path, fields=["type", "size", "md5", "sha256"])
    except said.NotFoundError:
        return None
    if meta.size is None or not meta.md5 or not meta.sha256:
        return None
    return _Sums(meta.size, meta.md5.lower(), meta.sha256.lower())


def _sums(path: Path) -> _Sums:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return _Sums(path.stat().st_size, md5, sha256)


# --- the Disk ----------------------------------------------------------------------------------------------------


@contextmanager
def _opened(disk: Disk) -> Iterator[_Client]:
    """Speak to a Disk; raises `DiskFailed` for what it has against it."""
    if not _HEADER.fullmatch(disk.token):
        raise DiskFailed(Trouble(kind="token"))
    yadisk.settings.BASE_API_URL = disk.api_base
    waiting = {"timeout": (CONNECT_S, disk.patience), "n_retries": 1, "retry_interval": LOOK_S}
    with yadisk.Client(token=disk.token, session="requests", default_args=waiting) as client:
        try:
            yield client
        except said.YaDiskError as error:
            raise DiskFailed(_trouble(error)) from error


def _folder(client: _Client) -> str:
    """Find the folder for backups, with a slash at its end."""
    try:
        client.get_meta(OWN_FOLDER, fields=["type"])
    except (said.ForbiddenError, said.NotFoundError, said.BadRequestError):
        with suppress(said.ConflictError):  # it is there already
            client.mkdir(OTHER_FOLDER)
        return f"{OTHER_FOLDER}/"
    return OWN_FOLDER


def _names(client: _Client, folder: str) -> set[str]:
    found = client.listdir(folder, fields=["name", "type"], limit=_PAGE)
    return {item.name for item in found if item.name and item.type == "file"}


def _remove(client: _Client, path: str) -> None:
    with suppress(said.NotFoundError):
        client.remove(path, permanently=True, poll_timeout=CONNECT_S)


def _free(client: _Client) -> int | None:
    """Tell how many bytes are free; None if the token may not know."""
    try:
        info = client.get_disk_info(fields=["total_space", "used_space"])
    except said.ForbiddenError:
        return None
    if info.total_space is None or info.used_space is None:
        return None
    return max(0, info.total_space - info.used_space)


def _insist_on_space(client: _Client, sums: _Sums) -> None:
    free = _free(client)
    if free is not None and free < sums.size:
        raise DiskFailed(Trouble(kind="full", missing=sums.size - free))


def _missing(client: _Client, sums: _Sums) -> int:
    """Tell how many bytes are missing; 0 if that is not known."""
    try:
        free = _free(client)
    except said.YaDiskError:
        return 0
    return 0 if free is None else max(0, sums.size - free)


_KINDS: tuple[tuple[type[said.YaDiskError], Kind], ...] = (
    (said.UnauthorizedError, "token"),
    (said.ForbiddenError, "forbidden"),
    (said.InsufficientStorageError, "full"),
    (said.PayloadTooLargeError, "too_large"),
    (said.LockedError, "busy"),
    (said.TooManyRequestsError, "busy"),
    (said.RequestError, "unreachable"),
    (said.RetriableYaDiskError, "unreachable"),
    (said.InvalidResponseError, "unreachable"),
    (said.AsyncOperationPollingTimeoutError, "unreachable"),
)


def _trouble(error: said.YaDiskError) -> Trouble:
    """Tell what the Disk said; of its own words no more than the name of the error."""
    kind: Kind = next((kind for group, kind in _KINDS if isinstance(error, group)), "refused")
    name = _WORD.fullmatch(error.error_type or "")
    return Trouble(kind=kind, detail=name[0] if name else type(error).__name__)
