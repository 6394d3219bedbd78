"""A backup holds all that it should, is proven before it counts, and comes back on either kind of database."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pyrage
import pytest

from migrebot.errors import UserError
from storage.backups.content import LEFT_OUT
from storage.backups.making import make
from storage.backups.order import Order, Place
from storage.backups.restoring import restore
from storage.migrations import sqlite_runner
from storage.moving import move
from storage.moving.postgres_side import PostgresSide
from storage.moving.sqlite_side import SqliteSide
from storage.postgres import PostgresStorage
from storage.sqlite import SqliteStorage
from storage.sqlite_file import connect
from tests.storage.filling import content, fill
from tests.storage.test_every_revision import REVISIONS, Scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.backups.order import Made
    from storage.backups.restoring import Restored
    from storage.interface import Storage
    from tests.postgres import PostgresServer

NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
KINDS = ["sqlite", "postgres"]

Rows = dict[str, list[dict[str, Any]]]


def ignored(step: str, rows: int, of: int) -> None:
    """Nobody listens."""


RULES = """
SELECT CASE contype WHEN 'f' THEN 'foreign key' ELSE 'constraint' END, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'migrebot'::regnamespace
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'migrebot'
ORDER BY 1, 2, 3
"""
"""What a server's schema says besides its columns."""


class Databases:
    """Databases of both kinds, their backups, and a key."""

    def __init__(self, server: PostgresServer, template: Path, directory: Path) -> None:
        self.server = server
        self.directory = directory
        self.backups = directory / "backups"
        self.key = directory / "key.txt"
        self.identity = pyrage.x25519.Identity.generate()
        self.key.write_text(f"# made by age-keygen\n{self.identity}\n")
        self._template = template
        self._made: list[str] = []

    async def database(self, kind: str, *, filled: int = 0, seed: int = 1) -> Place:
        """Give a new database with the newest schema."""
        path = self._path()
        shutil.copy(self._template, path)
        if filled:
            fill(path, rows=filled, wild=True, seed=seed)
        if kind == "sqlite":
            return Place(file=str(path), work=str(path.parent))
        self._made.append(self.server.create())
        place = Place(url=self.server.url(self._made[-1]), work=str(path.parent))
        await move(SqliteSide(path), PostgresSide(place.url), ignored)
        return place

    async def backup(self, place: Place, *, recipient: str = "") -> Path:
        return Path((await self.made(place, recipient=recipient)).path)

    async def made(self, place: Place, *, recipient: str = "", keep_days: int | None = None) -> Made:
        order = Order(
            place=place, directory=str(self.backups), now=NOW, recipient=recipient, name="", keep_days=keep_days
        )
        return await make(order, ignored)

    async def restore(
        self, backup: Path, place: Place, *, key: Path | None = None, force: bool = False, recipient: str = ""
    ) -> Restored:
        order = Order(place=place, directory=str(self.backups / "kept"), now=NOW, recipient=recipient)
        return await restore(backup, order, ignored, key=key, force=force)

    async def content(self, place: Place) -> Rows:
        """Give all rows, by moving them to a file if they are on a server."""
        if place.file:
            return content(Path(place.file))
        path = self._path()
        await move(PostgresSide(place.url), SqliteSide(path), ignored)
        return content(path)

    def storage(self, place: Place) -> Storage:
        return SqliteStorage(Path(place.file)) if place.file else PostgresStorage(place.url)

    def drop(self) -> None:
        for name in self._made:
            self.server.drop(name)

    def _path(self) -> Path:
        directory = self.directory / f"place{len(list(self.directory.glob('place*')))}"
        directory.mkdir()
        return directory / "migrebot.db"


@pytest.fixture
def databases(postgres_server: PostgresServer, sqlite_template: Path, tmp_path: Path) -> Iterator[Databases]:
    made = Databases(postgres_server, sqlite_template, tmp_path)
    yield made
    made.drop()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.rglob("*")]


def without_the_moment(rows: Rows) -> Rows:
    inbox = [row | {"raw": None} for row in rows["inbox"]]
    return rows | {name: [] for name in LEFT_OUT} | {"inbox": inbox}


# --- there and back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", KINDS)
async def test_it_comes_back_row_by_row_on_either_kind_of_database(
    databases: Databases, kind: str, target: str
) -> None:
    place = await databases.database(kind, filled=20)
    backup = await databases.backup(place, recipient=str(databases.identity.to_public()))
    assert backup.name == "migrebot-20261122T033000Z.db.gz.age"
    assert backup.stat().st_mode & 0o777 == 0o600
    empty = await databases.database(target)
    restored = await databases.restore(backup, empty, key=databases.key)
    before = without_the_moment(await databases.content(place))
    assert await databases.content(empty) == before
    assert (restored.rows, restored.made_at, restored.kept) == (sum(map(len, before.values())), NOW, "")
    storage = databases.storage(empty)
    await storage.open()
    await storage.close()
    assert not [
        path for path in databases.directory.rglob("*") if "in-work" in path.name or path.name.endswith(".part")
    ]


async def test_any_age_and_gzip_open_it_and_nothing_of_the_moment_is_inside(databases: Databases) -> None:
    place = await databases.database("sqlite", filled=20)
    with closing(connect(Path(place.file))) as database:
        database.execute("UPDATE sessions SET state = 'half an answer'")
        database.execute("UPDATE link_codes SET hash = 'of a code'")
        database.execute("UPDATE inbox SET raw = CAST('as it came' AS BLOB)")
    backup = await databases.backup(place, recipient=str(databases.identity.to_public()))
    plain = gzip.decompress(pyrage.decrypt(backup.read_bytes(), [databases.identity]))
    assert plain.startswith(b"SQLite format 3")
    assert b"half an answer" not in plain
    assert b"of a code" not in plain
    assert b"as it came" not in plain


async def test_it_is_made_beside_the_running_program_which_a_restore_is_not(databases: Databases, kind: str) -> None:
    place = await databases.database(kind, filled=5)
    before = await databases.content(place)
    storage = databases.storage(place)
    await storage.open()
    try:
        backup = await databases.backup(place)
        with pytest.raises(UserError, match="stop that one first"):
            await databases.restore(backup, place, force=True)
    finally:
        await storage.close()
    assert len((await databases.content(place))["headaches"]) == len(before["headaches"])


async def test_it_shows_a_file_at_one_moment_whatever_is_written_meanwhile(databases: Databases) -> None:
    place = await databases.database("sqlite", filled=50)
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        with closing(connect(Path(place.file))) as database:
            while not stop.is_set():
                database.execute("BEGIN IMMEDIATE")
                database.execute("INSERT INTO link_tries (tried_at) VALUES (1)")
                database.execute(
                    "INSERT INTO merging (intake_id, headache_id) SELECT max(intake_id) + 1, count(*) FROM merging"
                )
                database.execute("INSERT INTO letters SELECT max(id) + 1, user_id, '', '', 1 FROM letters LIMIT 1")
                database.execute("COMMIT")
                written.set()

    with closing(connect(Path(place.file))) as database:
        database.execute("DELETE FROM merging WHERE intake_id > 1000000000")
        database.execute("DELETE FROM letters WHERE id > 1000000000")
        database.execute("INSERT INTO merging (intake_id, headache_id) VALUES (-7, 0)")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        written.wait(10)
        backup = await databases.backup(place)
    finally:
        stop.set()
        writer.join()
    later = await databases.database("sqlite")
    await databases.restore(backup, later)
    copied, before = await databases.content(later), await databases.content(place)
    assert len(copied["merging"]) < len(before["merging"])
    assert len(before["merging"]) - len(copied["merging"]) == len(before["letters"]) - len(copied["letters"])


async def test_it_shows_a_server_at_one_moment_whatever_is_written_meanwhile(databases: Databases) -> None:
    place = await databases.database("postgres", filled=5)
    before = without_the_moment(await databases.content(place))
    added: list[int] = []

    def meanwhile(step: str, rows: int, of: int) -> None:
        assert rows <= of
        if step == "copying" and not added:
            added.append(rows)
            databases.server.execute("DELETE FROM migrebot.users", databases._made[0])

    made = await make(Order(place=place, directory=str(databases.backups), now=NOW), meanwhile)
    assert added
    empty = await databases.database("sqlite")
    await databases.restore(Path(made.path), empty)
    assert await databases.content(empty) == before


# --- what is replaced --------------------------------------------------------------------------------------------


async def test_a_server_keeps_its_indices_and_references(databases: Databases) -> None:
    backup = await databases.backup(await databases.database("sqlite", filled=5))
    place = await databases.database("postgres")
    before = databases.server.fetch(RULES, databases._made[0])
    assert {"foreign key", "index"} <= {kind for kind, _, _ in before}
    await databases.restore(backup, place)
    assert databases.server.fetch(RULES, databases._made[0]) == before


async def test_data_is_replaced_only_by_force_and_kept(databases: Databases, kind: str) -> None:
    backup = await databases.backup(await databases.database("sqlite", filled=5))
    place = await databases.database(kind, filled=5, seed=2)
    before = await databases.content(place)
    with pytest.raises(UserError, match="holds data already: --force replaces it"):
        await databases.restore(backup, place)
    assert await databases.content(place) == before
    restored = await databases.restore(backup, place, force=True)
    again = await databases.database("sqlite")
    await databases.restore(backup, again)
    assert await databases.content(place) == await databases.content(again)
    if kind == "sqlite":
        assert content(Path(restored.kept)) == before
        return
    await databases.restore(Path(restored.kept), again, force=True)
    assert await databases.content(again) == without_the_moment(before)


async def test_what_a_killed_program_left_in_its_log_is_kept_and_never_taken_for_the_new_one(
    databases: Databases,
) -> None:
    backup = await databases.backup(await databases.database("sqlite", filled=5))
    place = await databases.database("sqlite", filled=5, seed=2)
    path, copy = Path(place.file), Path(place.file).with_name("killed.db")
    with closing(connect(path)) as database:
        database.execute("INSERT INTO merging (intake_id, headache_id) VALUES (-7, 0)")
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{copy}{end}")
    assert f"{copy.name}-wal" in names(copy.parent)
    restored = await databases.restore(backup, Place(file=str(copy), work=place.work), force=True)
    assert f"{copy.name}-wal" not in names(copy.parent)
    assert -7 in {row["intake_id"] for row in content(Path(restored.kept))["merging"]}
    assert -7 not in {row["intake_id"] for row in content(copy)["merging"]}


async def test_a_damaged_database_is_kept_as_it_is(databases: Databases) -> None:
    backup = await databases.backup(await databases.database("sqlite", filled=5))
    path = databases.directory / "damaged.db"
    path.write_bytes(b"damaged")
    place = Place(file=str(path), work=str(databases.directory))
    with pytest.raises(UserError, match="holds data already"):
        await databases.restore(backup, place)
    restored = await databases.restore(backup, place, force=True)
    kept = databases.directory / restored.kept
    assert kept.read_bytes() == b"damaged"


async def test_a_backup_is_never_written_over_another_file(databases: Databases) -> None:
    place = await databases.database("sqlite", filled=1)
    path = Path(place.file)
    with pytest.raises(UserError, match="exists already"):
        await make(Order(place=place, directory=str(path.parent), name=path.name, now=NOW), ignored)


# --- what is no backup -------------------------------------------------------------------------------------------


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def bent(content: bytes) -> bytes:
    middle = len(content) * 3 // 4
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def without_its_end(content: bytes) -> bytes:
    return content[:-1]


def hardly_begun(content: bytes) -> bytes:
    return content[:30]


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("damage", [cut, bent, without_its_end, hardly_begun])
async def test_a_damaged_backup_is_refused_and_changes_nothing(
    databases: Databases, *, encrypted: bool, damage: Callable[[bytes], bytes]
) -> None:
    recipient = str(databases.identity.to_public()) if encrypted else ""
    backup = await databases.backup(await databases.database("sqlite", filled=20), recipient=recipient)
    backup.write_bytes(damage(backup.read_bytes()))
    place = await databases.database("sqlite", filled=2, seed=3)
    before = content(Path(place.file))
    with pytest.raises(UserError, match="damaged"):
        await databases.restore(backup, place, key=databases.key, force=True)
    assert content(Path(place.file)) == before


async def test_without_the_right_key_it_stays_closed(databases: Databases) -> None:
    place = await databases.database("sqlite", filled=1)
    backup = await databases.backup(place, recipient=str(databases.identity.to_public()))
    wrong, none = databases.directory / "wrong.txt", databases.directory / "none.txt"
    wrong.write_text(str(pyrage.x25519.Identity.generate()))
    none.write_text("AGE-SECRET-KEY-1NOT\n")
    for key, words in (
        (None, "is encrypted: name the file with its key by --identity"),
        (wrong, "was encrypted for another key than that in"),
        (none, "holds no age identity"),
        (databases.directory / "missing", "No such file"),
    ):
        with pytest.raises(UserError, match=words) as refused:
            await databases.restore(backup, place, key=key, force=True)
        assert "NOT" not in str(refused.value)


def text(path: Path) -> None:
    path.write_text("hello")


def nothing(path: Path) -> None:
    path.touch()


def archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("../../etc/passwd", "x")


def compressed(path: Path) -> None:
    path.write_bytes(gzip.compress(b"hello"))


def of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE users (id INTEGER)")


def hostile(path: Path) -> None:
    sqlite_runner.migrate(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute('CREATE TABLE "a""; DROP" (id INTEGER)')


def with_a_trigger(path: Path) -> None:
    sqlite_runner.migrate(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TRIGGER spy AFTER INSERT ON users BEGIN DELETE FROM users; END")


def with_other_tables(path: Path) -> None:
    sqlite_runner.migrate(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE users ADD COLUMN more TEXT")


def newer(path: Path) -> None:
    sqlite_runner.migrate(path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (text, "is no backup of this program"),
        (nothing, "is no backup of this program"),
        (archive, "is no backup of this program"),
        (compressed, "is no backup of this program"),
        (of_another_program, "is a database of another program"),
        (hostile, "cannot be read as a backup"),
        (with_a_trigger, "triggers or views"),
        (with_other_tables, "it has other tables"),
        (newer, "was written by a newer version"),
    ],
)
async def test_what_is_no_backup_of_ours_is_refused_in_one_line(
    databases: Databases, write: Callable[[Path], None], words: str
) -> None:
    foreign = databases.directory / "foreign"
    write(foreign)
    place = await databases.database("sqlite")
    with pytest.raises(UserError, match=words) as refused:
        await databases.restore(foreign, place, force=True)
    assert str(foreign) in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_a_backup_that_lost_rows_is_refused(databases: Databases) -> None:
    backup = await databases.backup(await databases.database("sqlite", filled=5))
    opened = databases.directory / "opened.db"
    opened.write_bytes(gzip.decompress(backup.read_bytes()))
    with closing(sqlite3.connect(opened)) as database, database:
        database.execute("DELETE FROM merging")
    with pytest.raises(UserError, match="does not hold what was noted"):
        await databases.restore(opened, await databases.database("sqlite"))


@pytest.mark.parametrize("revision", [REVISIONS[2], REVISIONS[-2]])
async def test_a_backup_of_an_older_version_is_brought_up_to_date(
    databases: Databases, kind: str, revision: str
) -> None:
    path = databases.directory / "old" / "migrebot.db"
    path.parent.mkdir()
    scripts = Scripts(databases.directory / "old", revision).path
    sqlite_runner.bring_up_to_date(path, locked=True, newest=revision, scripts=scripts)
    fill(path, rows=5)
    backup = await databases.backup(Place(file=str(path), work=str(path.parent)))
    empty = await databases.database(kind)
    await databases.restore(backup, empty)
    sqlite_runner.bring_up_to_date(path, locked=True)
    assert await databases.content(empty) == without_the_moment(content(path))


# --- the commands, killed and starved ----------------------------------------------------------------------------

KILLER = """
import os, signal, sys
left = int(sys.argv.pop(1))
def hook(event, arguments):
    global left
    # What is prepared in a directory of its own is of no account before it leaves it, by a rename.
    if event in {"os.rename", "os.link", "os.remove"} and not (event == "os.remove" and "in-work" in str(arguments)):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from migrebot.cli import main
main()
"""


def migrebot(directory: Path, *arguments: str, kill_at: int = 0, **how: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", KILLER, str(kill_at), *arguments],
        cwd=directory,
        env={name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **how,
    )


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path) -> Path:
    """A working directory with a database in it."""
    path = tmp_path / "data" / "migrebot.db"
    path.parent.mkdir()
    shutil.copy(sqlite_template, path)
    fill(path, rows=20)
    return tmp_path


def test_the_commands_write_a_backup_and_put_it_back(home: Path) -> None:
    made = migrebot(home, "backup", "copy.gz")
    assert (made.returncode, made.stderr.count("note:")) == (0, 2)
    assert "restored on trial and compared" in made.stdout
    refused = migrebot(home, "restore", "copy.gz")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    done = migrebot(home, "restore", "copy.gz", "--force")
    assert (done.returncode, "rows were restored from the backup of" in done.stdout) == (0, True)
    assert "may be back: no marks of them are kept as" in done.stderr
    assert migrebot(home, "backup").returncode == 0
    assert len(list((home / "data" / "backups").iterdir())) == 1


def test_a_backup_that_is_killed_anywhere_leaves_none_or_a_whole_one(home: Path) -> None:
    backups, moment = home / "data" / "backups", 0
    while True:
        moment += 1
        ended = migrebot(home, "backup", kill_at=moment)
        whole = [path for path in backups.glob("*") if not path.name.endswith(".part")]
        for path in whole:
            assert gzip.decompress(path.read_bytes()).startswith(b"SQLite format 3")
            path.unlink()
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
    assert moment > 2
    assert not list(backups.glob(".*"))
    assert not list((home / "data").glob("backup-in-work*"))


def test_a_restore_that_is_killed_anywhere_leaves_the_old_or_the_new(home: Path) -> None:
    data, path, moment = home / "data", home / "data" / "migrebot.db", 0
    assert migrebot(home, "backup", "copy.gz").returncode == 0
    new = without_the_moment(content(path))
    fill(path, rows=2, seed=7)
    old = content(path)
    kept = path.read_bytes()
    while True:
        moment += 1
        ended = migrebot(home, "restore", "copy.gz", "--force", kill_at=moment)
        now = content(path)
        assert now in (old, new)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
        if now == new:
            path.write_bytes(kept)
    assert now == new
    assert moment > 3
    assert not list(data.glob("backup-in-work*"))


def test_a_server_whose_restore_is_killed_has_what_it_had(databases: Databases) -> None:
    place = anyio.run(lambda: databases.database("postgres", filled=30))
    before = anyio.run(databases.content, place)
    backup = anyio.run(databases.backup, anyio.run(lambda: databases.database("sqlite", filled=30, seed=5)))
    settings = {"MIGREBOT_STORAGE_URL": databases.server.url(databases._made[0], tcp=True)}
    for step in ("copying", "comparing"):
        with subprocess.Popen(
            [sys.executable, "-m", "migrebot", "restore", str(backup), "--force"],
            cwd=databases.directory,
            env={"PATH": os.environ["PATH"], **settings},
            stderr=subprocess.PIPE,
            text=True,
        ) as killed:
            assert killed.stderr is not None
            seen = [line.strip() for line in killed.stderr if line.strip() == step and not killed.kill()]  # type: ignore[func-returns-value]
        assert (killed.returncode, seen[:1]) == (-signal.SIGKILL, [step])
        assert anyio.run(databases.content, place) == before


@pytest.mark.parametrize("bytes_at_most", [2_000, 100_000])
def test_a_full_disk_is_told_and_leaves_nothing_behind(home: Path, bytes_at_most: int) -> None:
    import resource

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_at_most, bytes_at_most))

    path = home / "data" / "migrebot.db"
    assert migrebot(home, "backup", "copy.gz").returncode == 0
    before = content(path)
    for arguments in (("backup", "more.gz"), ("restore", "copy.gz", "--force")):
        ended = migrebot(home, *arguments, preexec_fn=little_room)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "Traceback" not in ended.stderr
        assert content(path) == before
        assert sorted(each.name for each in home.iterdir()) == ["copy.gz", "data"]
        assert not list((home / "data").glob("backup-in-work*"))
