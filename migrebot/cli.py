"""The command line: reads the configuration, calls the composition root, and turns errors into readable lines.

Exit status: 0 after a clean end, 1 when a part failed or cannot be used, 2 for an error in the configuration or in
the command itself.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click

from migrebot import __version__
from migrebot.config import ConfigError, load, read_database
from migrebot.diary.exports import EXPORTS
from migrebot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrebot.config import Config

FAILED = 1
NOT_CONFIGURED = 2

DEFAULT_COMMAND = "run"
DEFAULT_FILE = Path("config.toml")


class DefaultToRun(click.Group):
    """A group of commands in which `migrebot` and `migrebot --config FILE` mean `migrebot run …`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front, unless a command, `--help` or `--version` stands there."""
        own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)


@click.group(cls=DefaultToRun)
@click.version_option(__version__, prog_name="migrebot")
def main() -> None:
    """A headache diary and a reminder service for Telegram, WhatsApp and a local web chat.

    Without a command it runs the bot.
    """


config_option = click.option(
    "--config",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The configuration file; without it ./config.toml, if there is one.",
)


@main.command()
@config_option
def run(file: Path | None) -> None:
    """Run the bot until SIGTERM or SIGINT."""
    with readable_errors():
        config = read_config(file)
        from migrebot import app

        app.run(config)


@main.command()
@config_option
def check(file: Path | None) -> None:
    """Check the configuration, then try every part it names."""
    with readable_errors():
        config = read_config(file)
        for notice in config.notices:
            click.echo(f"note: {notice}", err=True)
        from migrebot import app

        results = app.check(config)
    for result in results:
        detail = " ".join(result.detail.split())
        click.echo(f"{result.name}: {'ok' if result.ok else 'failed'}{f': {detail}' if detail else ''}")
    if not all(result.ok for result in results):
        raise SystemExit(FAILED)


@main.command()
@config_option
def migrate(file: Path | None) -> None:
    """Bring the database to the newest schema."""
    with readable_errors():
        config = read_config(file)
        from migrebot import app

        click.echo(app.migrate(config))


@main.command()
@click.argument("source")
@click.argument("target")
def move(source: str, target: str) -> None:
    """Copy everything from the database SOURCE to the empty database TARGET, and compare.

    Both are written as storage.url is: sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE. Stop the bot
    before. What was interrupted goes on when the same command is given again.
    """
    with readable_errors():
        databases = [read_database(name, url, Path.cwd()) for name, url in (("SOURCE", source), ("TARGET", target))]
        from migrebot import app

        with ProgressBars() as bars:
            done = app.move(databases[0], databases[1], bars.report)
    click.echo(done)


class ProgressBars:
    """A progress bar on stderr for each step of a longer work, one after the other; on no terminal only its name."""

    def __init__(self) -> None:
        self._step = ""
        self._bar = ExitStack()
        self._advance: Callable[[int], None]
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()

    def report(self, step: str, rows: int, of: int) -> None:
        """Show that so many rows of all are done."""
        if step != self._step:
            self._bar.close()
            self._step, self._done = step, 0
            self._advance = self._bar.enter_context(click.progressbar(length=of, label=step, file=sys.stderr)).update
        self._advance(rows - self._done)
        self._done = rows


@main.command()
@click.argument("target", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@config_option
def backup(target: Path | None, file: Path | None) -> None:
    """Write a backup to FILE, or to backup.directory; the bot may run meanwhile.

    It is restored on trial before it gets its name, and encrypted if backup.recipient is set.
    """
    with readable_errors():
        config = read_config(file)
        from migrebot import app

        with ProgressBars() as bars:
            made = app.backup(config, target, bars.report)
    click.echo(made)
    if not config.backup.recipient:
        click.echo("note: it is not encrypted: whoever has it can read it (backup.recipient)", err=True)
    if made.same_disk:
        click.echo("note: it is on the same disk as the database: keep a copy elsewhere", err=True)


@main.command()
@click.argument("backup_file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--identity",
    "key",
    metavar="KEYFILE",
    type=click.Path(path_type=Path),
    help="The file with the age identity of an encrypted backup.",
)
@click.option("--force", is_flag=True, help="Replace a database that holds data; what it held is kept.")
@config_option
def restore(backup_file: Path, key: Path | None, force: bool, file: Path | None) -> None:
    """Put the backup FILE in the place of the database. Stop the bot before.

    The backup is proven first; until then, and if it fails, the database stays as it is.
    """
    with readable_errors():
        config = read_config(file)
        from migrebot import app

        with ProgressBars() as bars:
            restored = app.restore(config, backup_file, key, bars.report, force=force)
    when = f" of {restored.made_at:%Y-%m-%d %H:%M:%S} UTC" if restored.made_at else ""
    click.echo(f"{restored.rows} rows were restored from the backup{when}")
    if restored.kept:
        click.echo(f"note: what was there before is kept as {restored.kept}: delete it once all is well", err=True)
    if restored.erased:
        people = "person" if restored.erased == 1 else "people"
        click.echo(f"erased again: {restored.erased} {people} who had deleted everything after that")
    if restored.doubt:
        click.echo(f"note: people who deleted their data after that may be back: {restored.doubt}", err=True)


@main.command()
@config_option
def login(file: Path | None) -> None:
    """Print a one-time link to the owner's page and the local chat."""
    with readable_errors():
        config = read_config(file)
        from migrebot import app

        click.echo(app.login_link(config))


# The ids of people who did not come by Telegram are negative, and no options.
@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("user", type=int)
@click.option("--format", "form", default="json", show_default=True, help=f"One of: {', '.join(EXPORTS)}.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it; without it the standard output.",
)
@config_option
def export(user: int, form: str, output: Path | None, file: Path | None) -> None:
    """Write all data of one USER, named by the id, as a file; csv is an archive of one file for each kind."""
    if form not in EXPORTS:
        click.echo(f"--format: there is no {form!r}, only {', '.join(EXPORTS)}", err=True)
        raise SystemExit(NOT_CONFIGURED)
    with readable_errors():
        config = read_config(file)
        if output is None and form != "json" and sys.stdout.isatty():
            raise UserError(f"{form} is nothing for a terminal: add --output FILE, or > FILE")
        from migrebot import app

        content = app.export(config, user, form)
        if output is None:
            sys.stdout.buffer.write(content)
        else:
            write_privately(output, content)


def write_privately(path: Path, content: bytes) -> None:
    """Write a file that its owner alone can read, whatever stood there before; raises `UserError`."""
    try:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as target:
            target.write(content)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error


def read_config(file: Path | None) -> Config:
    """Return the configuration of this process; raises `ConfigError`.

    Without a file it is `config.toml` in the working directory, if there is one.
    """
    directory = Path.cwd()
    if file is None and (directory / DEFAULT_FILE).exists():
        file = DEFAULT_FILE
    return load(os.environ, directory, file)


@contextmanager
def readable_errors() -> Iterator[None]:
    """End the program with a readable line for each error that its operator can mend."""
    try:
        yield
    except ConfigError as error:
        for line in error.errors:
            click.echo(line, err=True)
        raise SystemExit(NOT_CONFIGURED) from None
    except UserError as error:
        click.echo(" ".join(str(error).split()), err=True)
        raise SystemExit(FAILED) from None
