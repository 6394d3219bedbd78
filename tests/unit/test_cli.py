from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio
import anyio.to_thread
import openpyxl
import pytest
from click.testing import CliRunner

from migrebot import __version__
from migrebot.cli import main, readable_errors, write_privately
from migrebot.errors import UserError
from storage.changes import SaveHeadache
from storage.sqlite import SqliteStorage
from tests.postgres import ADMIN, PASSWORD
from tests.storage.samples import BORIS, headache, person, stored

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres import PostgresServer

COMMANDS = ("run", "check", "migrate", "login", "export")

# Of the tests' own environment, what a program needs to start and nothing that would configure it.
KEPT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL")


def migrebot(
    *arguments: str, directory: Path, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end in a directory of its own."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "migrebot", *arguments],
        cwd=directory,
        env=kept | {"PYTHONWARNINGS": "error"} | (environ or {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_version_is_printed(tmp_path: Path) -> None:
    ended = migrebot("--version", directory=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, f"migrebot, version {__version__}\n")


@pytest.mark.parametrize("arguments", [["--help"], *([command, "--help"] for command in COMMANDS)])
def test_help_is_there_for_every_command(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")
    assert all(command in result.output for command in COMMANDS) or "--config FILE" in result.output


def test_the_command_line_alone_loads_none_of_the_heavy_parts(tmp_path: Path) -> None:
    script = (
        "import sys, migrebot.cli; "
        "print({'migrebot.app', 'aiogram', 'aiohttp', 'alembic', 'anyio', 'sqlalchemy'} & set(sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == "set()\n"


@pytest.mark.parametrize("arguments", [[], *([command] for command in COMMANDS[:-1]), ["export", "1"]])
def test_configuration_errors_are_one_line_each_and_exit_status_two(tmp_path: Path, arguments: list[str]) -> None:
    environ = {"PORT": "many", "MIGREBOT_BOT_LANGAUGE": "en"}
    ended = migrebot(*arguments, directory=tmp_path, environ=environ)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        (
            "environment: MIGREBOT_BOT_LANGAUGE: there is no such variable; "
            "the nearest known one is MIGREBOT_BOT_LANGUAGE"
        ),
        "environment: PORT (http.port): 'many' is not a whole number from 0 to 65535",
    ]


@pytest.mark.parametrize("arguments", [["--config", "none.toml"], ["run", "--config", "none.toml"]])
def test_without_a_command_the_options_are_those_of_run(tmp_path: Path, arguments: list[str]) -> None:
    ended = migrebot(*arguments, directory=tmp_path)
    assert (ended.returncode, ended.stderr) == (2, "none.toml: there is no such file\n")


def test_the_file_in_the_working_directory_is_read_unless_another_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[http]\nport = 'here'\n")
    (tmp_path / "other.toml").write_text("[http]\nport = 'there'\n")
    assert "config.toml: http.port: 'here'" in migrebot("check", directory=tmp_path).stderr
    assert "other.toml: http.port: 'there'" in migrebot("check", "--config", "other.toml", directory=tmp_path).stderr


def test_check_says_of_every_part_whether_it_works(tmp_path: Path) -> None:
    ended = migrebot("check", directory=tmp_path, environ={"POSTGRES_USER": "me"})
    assert ended.returncode == 0
    storage, backup = ended.stdout.splitlines()
    assert storage.startswith("storage: ok: ")
    assert backup == (
        f"backup: ok: {tmp_path / 'data' / 'backups'}, not encrypted; on the same disk as the database: if it breaks,"
        " both are lost"
    )
    assert ended.stderr == "note: POSTGRES_USER has no effect without POSTGRES_HOST\n"


def test_a_recipient_nothing_can_be_encrypted_to_is_told(tmp_path: Path) -> None:
    ended = migrebot("check", directory=tmp_path, environ={"MIGREBOT_BACKUP_RECIPIENT": "age1x"})
    assert (ended.returncode, ended.stdout.count("backup: failed: backup.recipient is no age public key")) == (1, 1)


@pytest.mark.parametrize("command", ["run", "check", "migrate", "login"])
def test_a_directory_that_cannot_be_used_is_one_line_and_exit_status_one(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    ended = migrebot(command, directory=tmp_path, environ={"MIGREBOT_BOT_DATA_DIR": "file/data"})
    assert ended.returncode == 1
    lines = (ended.stdout + ended.stderr).splitlines()
    assert len(lines) == (2 if command == "check" else 1), "one for the storage, one for the backups"
    assert all("file/data" in line for line in lines)


def test_migrate_makes_the_database_and_says_so(tmp_path: Path) -> None:
    ended = migrebot("migrate", directory=tmp_path, environ={"MIGREBOT_STORAGE_URL": "sqlite:///mine.db"})
    assert (ended.returncode, (tmp_path / "mine.db").is_file()) == (0, True)
    assert "mine.db" in ended.stdout


def test_a_postgres_database_is_prepared_and_checked_and_its_password_never_shown(
    tmp_path: Path, postgres_server: PostgresServer, blank_postgres: str
) -> None:
    environ = {
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(postgres_server.port),
        "POSTGRES_USER": ADMIN,
        "POSTGRES_PASS": PASSWORD,
        "POSTGRES_DB": blank_postgres,
    }
    done = [migrebot(command, directory=tmp_path, environ=environ) for command in ("check", "migrate", "check")]
    assert [ended.returncode for ended in done] == [0, 0, 0]
    assert "schema empty, will be" in done[0].stdout
    assert "the schema is" in done[1].stdout
    assert "will be" not in done[2].stdout
    refused = migrebot("migrate", directory=tmp_path, environ=environ | {"POSTGRES_USER": "nobody"})
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    for ended in (*done, refused):
        assert not any(word in ended.stdout + ended.stderr for word in (PASSWORD, quote(PASSWORD, safe="")))


def test_login_prints_a_link_to_the_public_address(tmp_path: Path) -> None:
    ended = migrebot("login", directory=tmp_path, environ={"MIGREBOT_HTTP_PUBLIC_URL": "https://bot.example"})
    assert ended.returncode == 0
    assert ended.stdout.startswith("https://bot.example/")


def test_a_mistyped_command_is_no_traceback() -> None:
    result = CliRunner().invoke(main, ["chekc"])
    assert result.exit_code == 2
    assert "No such command 'chekc'" in result.output


def test_an_error_the_operator_can_mend_is_one_line_and_exit_status_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, readable_errors():
        raise UserError("the database is newer than the program:\nupdate the program")
    assert caught.value.code == 1
    assert capsys.readouterr().err == "the database is newer than the program: update the program\n"


def test_any_other_error_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), readable_errors():
        raise ZeroDivisionError


def test_all_data_of_one_person_are_written_while_the_program_runs(tmp_path: Path) -> None:
    data = tmp_path / "data" / "migrebot.db"

    async def fill() -> SqliteStorage:
        storage = SqliteStorage(data)
        await storage.open()
        await person(storage, BORIS)
        await stored(storage, SaveHeadache(headache(1, -1, note="mine")))
        return storage

    async def run() -> None:
        running = await fill()
        try:
            printed = await anyio.to_thread.run_sync(partial(migrebot, "export", "-1", directory=tmp_path))
            assert printed.returncode == 0, printed.stderr
            assert [entry["note"] for entry in json.loads(printed.stdout)["headaches"]] == ["mine"]
            into = ("export", "--format", "xlsx", "--output", "diary.xlsx", "-1")
            assert (await anyio.to_thread.run_sync(partial(migrebot, *into, directory=tmp_path))).returncode == 0
        finally:
            await running.close()

    anyio.run(run)
    file = tmp_path / "diary.xlsx"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "Headaches" in openpyxl.load_workbook(file).sheetnames
    nobody = migrebot("export", "404", directory=tmp_path)
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "nothing is stored about a user 404" in nobody.stderr


@pytest.mark.parametrize("form", ["pdf", "fhir", "ics", "exe"])
def test_a_format_there_is_none_of_is_one_line_and_exit_status_two(form: str) -> None:
    result = CliRunner().invoke(main, ["export", "1", "--format", form])
    assert (result.exit_code, result.output) == (2, f"--format: there is no {form!r}, only json, csv, xlsx\n")


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"diary\.json cannot be written: No such file or directory"):
        write_privately(tmp_path / "nowhere" / "diary.json", b"{}")
