"""Backups on a Yandex Disk: what arrives, and every way in which it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio.to_thread
import pytest

from actors.backup_process import try_apart, upload_apart
from storage.backups import disk as yandex
from storage.backups import marks
from storage.backups.order import Disk, DiskFailed, Trial, Upload, Uploaded
from storage.backups.thinning import name_of
from tests.fakes.telegram import Fault
from tests.fakes.yandex_disk import OWN, TOKEN, FakeDisk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from migrebot.reports.backups import Trouble

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
NAME = name_of(NOW, encrypted=True)
CONTENT = b"age-encryption.org/ and the rest of it" * 100
LEFT = f".{name_of(NOW - timedelta(days=1), encrypted=True)}.0a1b2c3d.part"


@pytest.fixture
async def disk() -> AsyncIterator[FakeDisk]:
    async with FakeDisk() as disk:
        yield disk


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(CONTENT)
    return path


def order(disk: FakeDisk, backup: Path, patience: float) -> Upload:
    opened = Disk(token=TOKEN, api_base=disk.api_base, patience=patience)
    return Upload(path=str(backup), disk=opened, now=NOW, keep_days=180)


async def upload(disk: FakeDisk, backup: Path, *, patience: float = 3) -> Uploaded:
    """Upload from a thread, which begins sooner than a process."""
    return await anyio.to_thread.run_sync(yandex.upload, order(disk, backup, patience))


async def refused(disk: FakeDisk, backup: Path, patience: float = 3) -> Trouble:
    with pytest.raises(DiskFailed) as failed:
        await upload(disk, backup, patience=patience)
    return failed.value.trouble


async def test_it_goes_up_under_another_name_and_is_renamed_once_compared(disk: FakeDisk, backup: Path) -> None:
    disk.hashes_after = 1
    disk.files[f"{OWN}/{LEFT}"] = b"half of one"
    disk.files[f"{OWN}/holidays.jpg"] = b"not ours"
    assert (await upload(disk, backup)).removed == 0
    assert disk.files == {f"{OWN}/{NAME}": CONTENT, f"{OWN}/holidays.jpg": b"not ours"}
    [part] = [path for name, path in disk.calls if name == "link"]
    assert part.endswith(".part")
    calls = disk.count("put")
    await upload(disk, backup)
    assert disk.count("put") == calls, "what is there already is not sent again"


async def test_the_marks_of_those_who_were_erased_go_up_too_and_none_is_lost(disk: FakeDisk, backup: Path) -> None:
    here = backup.with_name(marks.NAME)
    here.write_bytes(b"# head\nkey one\nmark 1\nmark 2\nmark")
    disk.files[f"{OWN}/.{marks.NAME}.0a1b2c3d.part"] = b"half of one"
    await upload(disk, backup)
    assert disk.files == {f"{OWN}/{NAME}": CONTENT, f"{OWN}/{marks.NAME}": b"# head\nkey one\nmark 1\nmark 2\n"}
    [_, part] = [path for name, path in disk.calls if name == "link"]
    assert part.endswith(".part")
    calls = disk.count("put")
    await upload(disk, backup)
    assert disk.count("put") == calls
    here.write_bytes(b"# head\nkey two\nmark 3\n")
    await upload(disk, backup)
    assert disk.files[f"{OWN}/{marks.NAME}"] == b"# head\nkey one\nmark 1\nmark 2\nkey two\nmark 3\n"


@pytest.mark.parametrize(
    ("fault", "operation"), [(500, "download"), (500, "get"), (Fault.truncated(), "get"), (500, "move")]
)
async def test_marks_that_cannot_be_joined_leave_those_there_as_they_are(
    disk: FakeDisk, backup: Path, fault: Fault | int, operation: str
) -> None:
    backup.with_name(marks.NAME).write_bytes(b"mark 2\n")
    disk.files[f"{OWN}/{marks.NAME}"] = b"mark 1\n"
    rule = disk.goes_wrong(fault, operation)
    assert (await refused(disk, backup, patience=1)).kind == "unreachable"
    assert disk.files[f"{OWN}/{marks.NAME}"] == b"mark 1\n"
    disk.heals(rule)
    await upload(disk, backup)
    assert disk.files[f"{OWN}/{marks.NAME}"] == b"mark 1\nmark 2\n"


async def test_the_disk_is_thinned_as_the_directory_is(disk: FakeDisk, backup: Path) -> None:
    for days in range(1, 620):
        disk.files[f"{OWN}/{name_of(NOW - timedelta(days=days), encrypted=True)}"] = b"old"
    removed = (await upload(disk, backup)).removed
    assert removed == 619 + 1 - len(disk.files)
    assert 12 <= len(disk.files) <= 17
    assert NAME in disk.names


async def test_with_a_token_for_the_whole_disk_they_have_a_folder_of_their_own(disk: FakeDisk, backup: Path) -> None:
    disk.scopes = {"files"}
    await upload(disk, backup)
    await upload(disk, backup)
    assert list(disk.files) == [f"/Migrebot/{NAME}"]


async def test_what_the_disk_does_later_is_waited_for(disk: FakeDisk, backup: Path) -> None:
    disk.later, disk.accepts = 1, True
    await upload(disk, backup)
    assert disk.names == [NAME]


@pytest.mark.parametrize(
    ("fault", "operation"),
    [
        (Fault.reset_after(), "put"),
        (Fault.reset_after(), "move"),
        (Fault.bad_gateway(), "meta"),
        (Fault.truncated(), "move"),
    ],
)
async def test_an_answer_that_was_lost_is_no_failure(
    disk: FakeDisk, backup: Path, fault: Fault, operation: str
) -> None:
    disk.goes_wrong(fault, operation, times=1)
    await upload(disk, backup)
    assert disk.names == [NAME]


@pytest.mark.parametrize(
    ("fault", "operation", "kind"),
    [
        (401, "*", "token"),
        (403, "link", "forbidden"),
        (409, "link", "refused"),
        (413, "put", "too_large"),
        (423, "move", "busy"),
        (429, "link", "busy"),
        (500, "put", "unreachable"),
        (507, "link", "full"),
        (507, "put", "full"),
        (418, "link", "unreachable"),
        (Fault.bad_gateway(), "*", "unreachable"),
        (Fault.reset_before(), "put", "unreachable"),
        (Fault.reset_before(), "*", "unreachable"),
        (Fault.truncated(), "link", "unreachable"),
    ],
)
async def test_every_refusal_is_told_by_its_kind_and_leaves_nothing_in_its_place(
    disk: FakeDisk, backup: Path, fault: Fault | int, operation: str, kind: str
) -> None:
    rule = disk.goes_wrong(fault, operation)
    trouble = await refused(disk, backup, patience=1)
    assert trouble.kind == kind
    assert TOKEN not in repr(trouble)
    assert NAME not in disk.names
    disk.heals(rule)
    await upload(disk, backup)
    assert disk.names == [NAME], "the next attempt clears what the one before left"


async def test_a_hang_ends(disk: FakeDisk, backup: Path) -> None:
    disk.goes_wrong(Fault.hang(), "put")
    assert (await refused(disk, backup, patience=1)).kind == "unreachable"


async def test_nobody_there_is_told_too(disk: FakeDisk, backup: Path) -> None:
    await disk.refuses_connections()
    assert (await refused(disk, backup)).kind == "unreachable"


async def test_what_arrives_changed_is_deleted(disk: FakeDisk, backup: Path) -> None:
    disk.spoils = True
    assert (await refused(disk, backup)).kind == "damaged"
    assert disk.names == []


async def test_hashes_that_never_come_are_no_proof(disk: FakeDisk, backup: Path) -> None:
    disk.hashes_after = 1_000
    assert (await refused(disk, backup, patience=1)).kind == "unreachable"
    assert disk.names == []


async def test_how_much_is_missing_is_told_before_anything_is_sent(disk: FakeDisk, backup: Path) -> None:
    disk.used = disk.total - 1_000
    trouble = await refused(disk, backup)
    assert (trouble.kind, trouble.missing) == ("full", len(CONTENT) - 1_000)
    assert disk.count("link") == 0


async def test_the_process_uploads_and_tells_what_came_of_it(disk: FakeDisk, backup: Path) -> None:
    await upload_apart(order(disk, backup, 3))
    assert disk.names == [NAME]
    disk.goes_wrong(401)
    with pytest.raises(DiskFailed) as failed:
        await upload_apart(order(disk, backup, 3))
    assert failed.value.trouble.kind == "token"


async def test_a_backup_that_is_gone_is_told(disk: FakeDisk, tmp_path: Path) -> None:
    with pytest.raises(DiskFailed) as failed:
        await upload_apart(order(disk, tmp_path / NAME, 3))
    assert failed.value.trouble.detail == "No such file or directory"


async def test_a_trial_leaves_nothing(disk: FakeDisk) -> None:
    opened = Disk(token=TOKEN, api_base=disk.api_base)
    tried = await try_apart(Trial(disk=opened))
    assert tried.free == disk.total - disk.used
    assert disk.files == {}
    disk.scopes = {"app_folder"}
    assert (await try_apart(Trial(disk=opened))).free is None


@pytest.mark.parametrize("token", ["another", "with a space", "тайна", "two\nlines"])
async def test_a_token_that_is_none_is_told(disk: FakeDisk, token: str) -> None:
    with pytest.raises(DiskFailed) as failed:
        await try_apart(Trial(disk=Disk(token=token, api_base=disk.api_base)))
    assert failed.value.trouble.kind == "token"
