"""Where values come from: the environment, `.env` and `config.toml`, each as one flat table of names.

All input of the configuration is here: the named files are read, and nothing else.
"""

from __future__ import annotations

import io
import tomllib
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream
from msgspec import Struct

from migrebot.config.kinds import PATH, UnfitError
from migrebot.config.knobs import BY_KEY, KNOBS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ENVIRONMENT = "environment"
DOTENV = ".env"
PREFIX = "MIGREBOT_"

SECRETS = tuple(knob for knob in KNOBS if knob.secret)
SECTIONS = frozenset(knob.section for knob in KNOBS)
KNOWN_KEYS = (*BY_KEY, *(f"{knob.key}_file" for knob in SECRETS))
KNOWN_VARIABLES = (*(knob.variable for knob in KNOBS), *(f"{knob.variable}_FILE" for knob in SECRETS))

# An empty variable counts as not given, as `NAME=${NAME:-}` in a compose file means it. Only where the contract gives
# emptiness a meaning of its own (a schedule: off), and under the program's own name, is it a value.
MAY_BE_EMPTY = frozenset(knob.variable for knob in KNOBS if knob.kind.empty_means_off)

# What is printed of a name or a value that someone else wrote.
SHOWN_LENGTH = 80


class Findings(Struct, frozen=True):
    """What was noticed on the way, one readable line each: errors stop the program, notices are logged."""

    errors: list[str]
    notices: list[str]


class Source(Struct, frozen=True):
    """One place that values come from: how errors call it, and its values by name.

    The names are keys `section.key` in a TOML file and `variables` elsewhere.
    """

    where: str
    values: Mapping[str, object]
    variables: bool = True


class Given(Struct, frozen=True):
    """A value as it was given: where, under which name, and the raw value."""

    where: str
    name: str
    raw: object


def from_environment(environ: Mapping[str, str], findings: Findings) -> Source:
    """Return the variables of the process; unknown ones with our prefix are errors."""
    return _of_variables(ENVIRONMENT, environ, findings)


def from_dotenv(file: Path, findings: Findings) -> Source:
    """Return the variables of a `.env` file, none when there is no such file; `${…}` in it stays as it is written."""
    values: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(_read(file, DOTENV, findings, may_be_missing=True))):
        if binding.error:
            # The original programs started with such a line, so this one does too.
            findings.notices.append(f"{DOTENV}: line {binding.original.line} is not NAME=value and was passed over")
        elif binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return _of_variables(DOTENV, values, findings)


def from_toml(directory: Path, file: Path | None, findings: Findings) -> Source:
    """Return the keys of a TOML file, relative to the directory, none without a file; unknown keys are errors."""
    where = _shown(str(file)) if file else "config.toml"
    try:
        tables = tomllib.loads(_read(directory / file, where, findings)) if file else {}
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        findings.errors.append(f"{where}: this is not TOML: {error}")
        tables = {}
    values = dict(_flat(tables))
    findings.errors.extend(
        f"{where}: {_shown(key)}: there is no such key; the nearest known one is {_nearest(key, KNOWN_KEYS)}"
        for key in values
        if key not in KNOWN_KEYS
    )
    return Source(where, values, variables=False)


class Lookup:
    """Finds what was given for a name: the first source wins, and in it the first name."""

    def __init__(self, sources: Iterable[Source], directory: Path, findings: Findings) -> None:
        self._sources = tuple(sources)
        self._directory = directory
        self._findings = findings

    def find(self, variables: tuple[str, ...], key: str | None = None, *, secret: bool = False) -> Given | None:
        """Return what was given under the variables or, in a TOML file, the key; None when nothing was.

        A secret may stand in a file that `X_FILE` names: then its content is the raw value.
        """
        for source in self._sources:
            names = variables if source.variables else (key,)
            for name in names:
                given = self._at(source, name, secret=secret) if name else None
                if given:
                    return given
        return None

    def _at(self, source: Source, name: str, *, secret: bool) -> Given | None:
        """Return what one source gives under one name."""
        file_name = name + ("_FILE" if source.variables else "_file")
        from_file = secret and file_name in source.values
        if from_file and name in source.values:
            self._findings.errors.append(f"{source.where}: {name} and {file_name} are both given; allowed: one of them")
            return None
        if from_file:
            return self._in_file(source.where, file_name, source.values[file_name])
        return Given(source.where, name, source.values[name]) if name in source.values else None

    def _in_file(self, where: str, name: str, file: object) -> Given | None:
        """Return the content of the file that a `X_FILE` names, without the line ends after it."""
        try:
            content = (self._directory / str(PATH.read(file))).read_text("utf-8-sig").rstrip("\r\n")
        except UnfitError:
            self._findings.errors.append(f"{where}: {name}: {shown(file)} is not the path of a readable file")
        except OSError as error:
            self._findings.errors.append(f"{where}: {name}: {shown(file)} cannot be read: {error.strerror or error}")
        except UnicodeDecodeError:
            self._findings.errors.append(f"{where}: {name}: {shown(file)} cannot be read: it is not UTF-8 text")
        else:
            if content.strip():
                return Given(where, name, content)
            self._findings.errors.append(f"{where}: {name}: {shown(file)} is empty; allowed: a file with the secret")
        return None


def shown(value: object) -> str:
    """Return a value as it can be printed on one line."""
    text = repr(value)
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "..."


def _of_variables(where: str, values: Mapping[str, str], findings: Findings) -> Source:
    """Return the variables that were given, and note the unknown ones that carry our prefix."""
    findings.errors.extend(
        f"{where}: {_shown(name)}: there is no such variable; "
        f"the nearest known one is {_nearest(name, KNOWN_VARIABLES)}"
        for name in values
        if name.startswith(PREFIX) and name not in KNOWN_VARIABLES
    )
    return Source(where, {name: value for name, value in values.items() if value.strip() or name in MAY_BE_EMPTY})


def _read(file: Path, where: str, findings: Findings, *, may_be_missing: bool = False) -> str:
    """Return the text of a file; one that cannot be read is an error and counts as empty."""
    try:
        return file.read_text("utf-8-sig")
    except FileNotFoundError:
        if not may_be_missing:
            findings.errors.append(f"{where}: there is no such file")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        findings.errors.append(f"{where}: cannot be read: {reason}")
    return ""


def _flat(tables: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    """Yield `section.key` and the value; what stands outside any section comes under its own name."""
    for section, content in tables.items():
        if isinstance(content, dict) and (content or section in SECTIONS):
            yield from ((f"{section}.{key}", value) for key, value in content.items())
        else:
            yield section, content


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that looks most like `name`, with or without its section."""
    name = name[:SHOWN_LENGTH].lower()

    def likeness(candidate: str) -> float:
        forms = (candidate.lower(), candidate.partition(".")[2])
        return max(SequenceMatcher(None, name, form).ratio() for form in forms)

    return max(known, key=likeness)


def _shown(name: str) -> str:
    """Return the name as it can be printed on one line."""
    return name if name.isprintable() and len(name) <= SHOWN_LENGTH else shown(name)
