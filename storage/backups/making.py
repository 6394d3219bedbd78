"""Makes a backup: copies, leaves out, compresses, unpacks again and compares, encrypts, publishes, thins."""

from __future__ import annotations

import os
import secrets
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from migrebot.errors import UserError
from storage.backups import thinning
from storage.backups.content import check, finish
from storage.backups.copying import copy_file, copy_server
from storage.backups.files import explained, publish, workshop
from storage.backups.order import REHEARSAL_FAILED, Made
from storage.backups.packing import check_recipient, compress, seal, unpack

if TYPE_CHECKING:
    from storage.backups.content import Content
    from storage.backups.order import Order
    from storage.moving import Report


def probe(directory: Path, recipient: str, work: Path) -> str:
    """Tell in one line whether backups could be made there, without making anything; raises `UserError`.

    `work` is where the database is, or things are prepared.
    """
    if recipient:
        check_recipient(recipient)
    place = _nearest(directory)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"{directory} cannot be written: {place}")
    told = f"{directory}, {'encrypted' if recipient else 'not encrypted'}"
    if _on_one_disk(place, _nearest(work)):
        told += "; on the same disk as the database: if it breaks, both are lost"
    return told


def _nearest(path: Path) -> Path:
    """Give the path, or of those above it the nearest one that is there."""
    return next(each for each in (path, *path.absolute().parents) if each.exists())


async def make(order: Order, report: Report) -> Made:
    """Make a backup; raises `UserError`, and then there is none."""
    work = Path(order.place.work)
    with explained(work), workshop(work) as desk:
        return await make_at(desk, order, report)


async def make_at(desk: Path, order: Order, report: Report) -> Made:
    """Make a backup, with things prepared in the directory `desk`."""
    target = _target(order)
    copy, packed, again = (desk / name for name in ("copy.db", "packed", "again.db"))
    if order.place.file:
        copy_file(Path(order.place.file), copy)
    else:
        await copy_server(order.place.url, copy, report)
    content = finish(copy, order.now)
    compress(copy, packed)
    copy.unlink()
    _rehearse(packed, again, content)
    size = _publish(packed, target, order.recipient)
    return Made(
        path=str(target),
        rows=sum(content.rows.values()),
        size=size,
        removed=_thin(target.parent, order),
        same_disk=_on_one_disk(desk, target),
    )


def _target(order: Order) -> Path:
    """Tell where the backup goes, once that is sure to be possible."""
    if order.recipient:
        check_recipient(order.recipient)
    name = order.name or thinning.name_of(order.now, encrypted=bool(order.recipient))
    target = Path(order.directory, name)
    with explained(target):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if target.exists():
            raise UserError(f"{target} exists already: name another file")
    return target


def _rehearse(packed: Path, again: Path, content: Content) -> None:
    """Restore it for trial: what cannot be restored is not published."""
    try:
        unpack(packed, again)
        rows = check(again, packed).rows
    except UserError as error:
        raise UserError(f"{REHEARSAL_FAILED}: {error}") from error
    if rows != content.rows:
        raise UserError(f"{REHEARSAL_FAILED}: it has other numbers of rows")
    again.unlink()


def _publish(packed: Path, target: Path, recipient: str) -> int:
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}{thinning.PART}")
    try:
        with explained(target):
            seal(packed, part, recipient)
            size = part.stat().st_size
            publish(part, target)
    finally:
        part.unlink(missing_ok=True)
    return size


def _on_one_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _thin(directory: Path, order: Order) -> int:
    if order.keep_days is None:
        return 0
    with explained(directory):
        return thinning.thin(directory, order.now.astimezone(UTC), order.keep_days)
