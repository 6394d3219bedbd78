"""From sources to a checked configuration, all errors at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from migrebot.config import sources
from migrebot.config.kinds import UnfitError
from migrebot.config.knobs import BY_KEY, KNOBS
from migrebot.config.model import (
    Backup,
    Bot,
    Config,
    ConfigError,
    Donate,
    Forms,
    Http,
    Redis,
    Reports,
    Retention,
    Storage,
    Telegram,
    Twilio,
    address,
)
from migrebot.config.old_names import with_addresses
from migrebot.config.sources import Findings, Lookup, shown
from migrebot.config.values import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from migrebot.config.knobs import Knob

SQLITE = "sqlite:///"


def load(environ: Mapping[str, str], directory: Path, file: Path | None) -> Config:
    """Return the configuration out of the environment, `directory/.env`, the TOML file (None: none) and the defaults.

    The first source that gives a key wins; relative paths start at `directory`, which has to be absolute. Nothing
    but the named files is read. Raises `ConfigError` with every error there is.
    """
    findings = Findings([], [])
    given = (
        sources.from_environment(environ, findings),
        sources.from_dotenv(directory / sources.DOTENV, findings),
        sources.from_toml(directory, file, findings),
    )
    lookup = Lookup(with_addresses(given, directory, findings), directory, findings)
    values = {knob.key: value for knob in KNOBS if (value := _given(knob, lookup, findings)) is not None}
    config = _build(_with_defaults(values), directory)
    if findings.errors:
        raise ConfigError(tuple(dict.fromkeys(findings.errors)))
    return replace(config, notices=(*findings.notices, *_half_set_up(config)))


def _given(knob: Knob, lookup: Lookup, findings: Findings) -> Any:
    """Return the knob's value, None when none was given or it is wrong, which is noted."""
    given = lookup.find(knob.variables, knob.key, secret=knob.secret)
    if given is None:
        return None
    try:
        return knob.kind.read(given.raw)
    except UnfitError as error:
        name = given.name if given.name == knob.key else f"{given.name} ({knob.key})"
        value = "the value" if knob.secret or knob.private else shown(given.raw)
        wrong = (
            f"{value}: {error}; allowed: {knob.kind.allowed}" if str(error) else f"{value} is not {knob.kind.allowed}"
        )
        findings.errors.append(f"{given.where}: {name}: {wrong}")
        return None


def _with_defaults(given: dict[str, Any]) -> dict[str, Any]:
    """Return a value for every key: what was given, what follows from it, and the defaults."""
    defaults: dict[str, Any] = {knob.key: knob.kind.read(knob.default) for knob in KNOBS}
    values = defaults | given
    follow: dict[str, Any] = {
        "storage.url": Secret(f"{SQLITE}{values['bot.data_dir']}/migrebot.db"),
        "backup.directory": f"{values['bot.data_dir']}/backups",
        "http.public_url": address(values["http.host"], values["http.port"]) if values["http.port"] else "",
    }
    return values | follow | given


def read_database(name: str, url: str, directory: Path) -> Storage:
    """Return a database that is named on the command line as `storage.url` names one; raises `ConfigError`."""
    knob = BY_KEY["storage.url"]
    try:
        address = knob.kind.read(url)
    except UnfitError as error:
        remark = f": {error}; allowed: " if str(error) else " is not "
        raise ConfigError((f"{name}: the value{remark}{knob.kind.allowed}",)) from None
    return _storage({"url": address, "connections": BY_KEY["storage.connections"].default}, directory)


def _storage(values: dict[str, Any], directory: Path) -> Storage:
    url = values["url"].reveal()
    return Storage(**values, file=directory / url.removeprefix(SQLITE) if url.startswith(SQLITE) else None)


def _build(values: Mapping[str, Any], directory: Path) -> Config:
    """Return the values as structs, their paths made absolute."""
    of: dict[str, dict[str, Any]] = {}
    for knob in KNOBS:
        of.setdefault(knob.section, {})[knob.name] = values[knob.key]
    of["bot"]["data_dir"] = directory / values["bot.data_dir"]
    of["backup"]["directory"] = directory / values["backup.directory"]
    return Config(
        bot=Bot(**of["bot"]),
        storage=_storage(of["storage"], directory),
        telegram=Telegram(**of["telegram"]),
        twilio=Twilio(**of["twilio"]),
        donate=Donate(**of["donate"]),
        http=Http(**of["http"]),
        redis=Redis(**of["redis"]),
        reports=Reports(**of["reports"]),
        backup=Backup(**of["backup"]),
        forms=Forms(**of["forms"]),
        retention=Retention(**of["retention"]),
    )


def _half_set_up(config: Config) -> tuple[str, ...]:
    """Return a notice for a messenger that lacks a part of what it needs."""
    twilio = config.twilio
    if twilio.is_on or not (twilio.account_sid or twilio.auth_token):
        return ()
    missing = "twilio.whatsapp_number"
    if not (twilio.account_sid and twilio.auth_token):
        missing = "twilio.auth_token" if twilio.account_sid else "twilio.account_sid"
    return (f"WhatsApp stays off: {missing} is missing",)
