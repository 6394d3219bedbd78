"""The owner's backups by the real program: asked for in Telegram, uploaded to a fake Yandex Disk."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

from storage.backups import marks
from tests.e2e.conftest import for_telegram
from tests.e2e.program import Program, runs
from tests.e2e.test_telegram import polls
from tests.fakes.telegram import Fault
from tests.fakes.yandex_disk import OWN, TOKEN, FakeDisk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.telegram import RemoteFakeTelegram, RemotePerson


@pytest.fixture
def disk() -> Iterator[FakeDisk]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FakeDisk()) as disk:
        yield disk


@pytest.fixture
def program(tmp_path: Path, telegram: RemoteFakeTelegram, disk: FakeDisk) -> Iterator[Program]:
    program = Program(
        tmp_path,
        **for_telegram(telegram),
        MY_TG_ID="7001",
        MIGREBOT_BACKUP_YANDEX_API_BASE=disk.api_base,
        MIGREBOT_BACKUP_ALLOW_PLAIN_UPLOAD="true",
    )
    yield program
    program.__exit__()


@pytest.fixture
def olga(telegram: RemoteFakeTelegram) -> RemotePerson:
    return telegram.user(7001, first_name="Olga", language_code="ru")


def test_a_token_goes_in_and_is_nowhere_to_be_read(
    program: Program, telegram: RemoteFakeTelegram, disk: FakeDisk, olga: RemotePerson
) -> None:
    with program:
        polls(telegram)
        olga.says("/token")
        olga.sees("Пришлите мне токен")
        olga.says(TOKEN)
        olga.sees("Проверяю токен на Яндекс Диске. Ваше сообщение с ним удаляю.")
        olga.sees("Токен работает, я его сохранил.")
        telegram.waits_for("deleteMessage")
        assert not [text for text in olga.chat.texts if TOKEN in text]
        olga.says("/backup")
        olga.sees("Создаю резервную копию.")
        olga.sees("Она есть и на Яндекс Диске и дошла туда без изменений.")
        olga.says("/report")
        olga.sees("На Яндекс Диске: ")
        status, metrics = program.get("/metrics")
        assert status == 200
        assert 'migrebot_task_last_success_timestamp_seconds{task="upload"}' in metrics
        for path in ("/", "/api/status", "/api/log", "/metrics"):
            assert TOKEN not in program.get(path)[1]
        checked = program.command("check")
        assert "yandex disk: ok: backups go to app:/, " in checked.stdout
        program.stop()
    assert disk.files[f"{OWN}/{marks.NAME}"] == (program.directory / "data/backups" / marks.NAME).read_bytes()
    [content] = [content for name, content in disk.files.items() if ".db.gz" in name]
    data = gzip.decompress(content)
    assert TOKEN.encode() not in data
    assert TOKEN not in program.log
    assert TOKEN not in program.command("export", "7001").stdout
    with closing(sqlite3.connect(program.directory / "data/migrebot.db")) as database:
        assert database.execute("SELECT value FROM program_notes WHERE name = 'disk access'").fetchall() == [(TOKEN,)]
        assert database.execute("SELECT * FROM wishes").fetchall() == []


def test_what_was_asked_for_before_a_kill_is_done_after_it(
    program: Program, telegram: RemoteFakeTelegram, disk: FakeDisk, olga: RemotePerson
) -> None:
    with program:
        polls(telegram)
        disk.goes_wrong(Fault.hang(), "*", times=1)
        olga.says(f"/token {TOKEN}")
        olga.sees("Проверяю токен")
        program.waits_until(lambda: bool(disk.calls))
        program.kill()
        program.start()
        polls(telegram)
        olga.sees("Токен работает")
        olga.says("/backup")
        olga.says("/backup")
        olga.sees("Резервная копия уже создаётся.")
        olga.sees("Резервная копия готова")
        program.stop()


def test_the_process_beside_it_ends_with_it(
    program: Program, telegram: RemoteFakeTelegram, disk: FakeDisk, olga: RemotePerson
) -> None:
    with program:
        polls(telegram)
        disk.goes_wrong(Fault.hang(), "*", times=1)
        olga.says(f"/token {TOKEN}")
        program.waits_until(lambda: bool(disk.calls))
        [child] = program.children
        program.kill()
        program.waits_until(lambda: not runs(child), timeout=10)


def test_a_token_that_expired_is_told_with_what_to_do(
    program: Program, telegram: RemoteFakeTelegram, disk: FakeDisk, olga: RemotePerson
) -> None:
    with program:
        polls(telegram)
        olga.says(f"/token {TOKEN}")
        olga.sees("Токен работает")
        disk.token = "another one"
        olga.says("/backup")
        olga.sees("Яндекс Диск больше не принимает токен: пришлите новый командой /token.")
        checked = program.command("check")
        assert "yandex disk: failed: Yandex Disk no longer takes the token" in checked.stdout
        assert checked.returncode == 1
        olga.says("/token off")
        olga.sees("Токен удалён. Теперь резервные копии остаются на этом компьютере.")
        program.stop()
