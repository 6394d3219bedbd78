"""What a backup is on the disk: a SQLite file, compressed by gzip and, with a recipient, encrypted by age.

Both are open formats: `age --decrypt --identity KEYFILE BACKUP | gunzip` gives the SQLite file without this program.
"""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import pyrage

from migrebot.errors import UserError
from storage.backups.files import PIECE, explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEVEL = 4
"""How hard gzip tries: twice as fast as its default, for a file that is some hundredths larger."""

_AGE = b"age-encryption.org/"
_GZIP = b"\x1f\x8b"
_SQLITE = b"SQLite format 3\0"


def check_recipient(recipient: str) -> None:
    """Raise `UserError` unless backups can be encrypted to it."""
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise UserError(f"backup.recipient is no age public key: {error}") from error


def compress(plain: Path, packed: Path) -> None:
    """Compress a file; raises `OSError`."""
    with plain.open("rb") as source, gzip.open(packed, "wb", compresslevel=LEVEL) as target:
        shutil.copyfileobj(source, target, PIECE)


def seal(packed: Path, sealed: Path, recipient: str) -> None:
    """Write a new file for its owner's eyes only, encrypted unless the recipient is empty; raises `OSError`."""
    descriptor = os.open(sealed, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as target, packed.open("rb") as source:
        if recipient:
            pyrage.encrypt_io(source, target, [pyrage.x25519.Recipient.from_str(recipient)])
        else:
            shutil.copyfileobj(source, target, PIECE)
        target.flush()
        os.fsync(descriptor)


def unpack(backup: Path, plain: Path, key: Path | None = None) -> None:
    """Write the SQLite file that is in a backup, or the file itself if it is one already; raises `UserError`.

    `key` is the file with the age identity of an encrypted one. Nothing is taken for right that is cut off or damaged.
    """
    with explained(backup):
        start = _start(backup)
    if start.startswith(_AGE):
        if key is None:
            raise UserError(f"{backup} is encrypted: name the file with its key by --identity")
        opened = plain.with_name(plain.name + ".opened")
        _decrypt(backup, opened, key)
        _decompress(backup, opened, plain)
        opened.unlink()
    else:
        _decompress(backup, backup, plain)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_AGE))


def _decrypt(backup: Path, opened: Path, key: Path) -> None:
    identities = _identities(key)
    try:
        with explained(opened), backup.open("rb") as source, opened.open("wb") as target, _damage(backup):
            pyrage.decrypt_io(source, target, identities)
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise UserError(f"{backup} was encrypted for another key than that in {key}") from error
        raise _damaged(backup) from error


def _identities(key: Path) -> list[pyrage.x25519.Identity]:
    with explained(key):
        lines = key.read_bytes().decode("utf-8", "replace").splitlines()
    try:
        found = [pyrage.x25519.Identity.from_str(line.strip()) for line in lines if line.strip() and line[0] != "#"]
    except pyrage.IdentityError:
        found = []
    if not found:
        # Not its content: it may be a key after all.
        raise UserError(f"{key} holds no age identity (a line that begins with AGE-SECRET-KEY-)")
    return found


def _decompress(backup: Path, packed: Path, plain: Path) -> None:
    try:
        with explained(plain), _damage(backup), _opened(packed) as source, plain.open("wb") as target:
            start = source.read(len(_SQLITE))
            if start != _SQLITE:
                raise UserError(f"{backup} is no backup of this program")
            target.write(start)
            shutil.copyfileobj(source, target, PIECE)
    except (EOFError, zlib.error) as error:
        raise _damaged(backup) from error


def _opened(packed: Path) -> gzip.GzipFile | BinaryIO:
    with packed.open("rb") as file:
        compressed = file.read(len(_GZIP)) == _GZIP
    return gzip.open(packed, "rb") if compressed else packed.open("rb")


@contextmanager
def _damage(backup: Path) -> Iterator[None]:
    """Tell what gzip and age say of damaged content, as errors without a number, from what the system has to say."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise _damaged(backup) from error
        raise


def _damaged(backup: Path) -> UserError:
    return UserError(f"{backup} is damaged or cut off: nothing was restored")
