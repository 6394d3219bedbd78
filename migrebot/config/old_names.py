"""The variables of the original deployments that only together make one value: `POSTGRES_*` and `REDIS_*`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec.structs import replace

from migrebot.config.kinds import UnfitError, whole
from migrebot.config.sources import Lookup, shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from migrebot.config.sources import Findings, Source

PORT = whole(1, 65535)

WITHOUT_HOST = {
    "POSTGRES_HOST": ("POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_PASS", "POSTGRES_PASS_FILE", "POSTGRES_DB"),
    "REDIS_HOST": ("REDIS_PORT",),
}


def with_addresses(sources: Iterable[Source], directory: Path, findings: Findings) -> tuple[Source, ...]:
    """Return the sources with a whole address in place of the value of `POSTGRES_HOST` and `REDIS_HOST`.

    The address stands where the host stood, so that it has the host's place in the order of precedence; its other
    parts come from wherever they are given first. Those parts without a host are one notice.
    """
    sources = tuple(sources)
    old = _OldNames(Lookup((source for source in sources if source.variables), directory, findings), findings)
    addresses = {}
    if old.text("POSTGRES_HOST"):
        addresses["POSTGRES_HOST"] = _postgres_address(old)
    if old.text("REDIS_HOST"):
        addresses["REDIS_HOST"] = f"redis://{_host(old.text('REDIS_HOST'))}:{old.port('REDIS_PORT', 6379)}"
    findings.notices.extend(_idle_names(sources, addresses))
    return tuple(
        replace(
            source, values={**source.values, **{name: addresses[name] for name in addresses & source.values.keys()}}
        )
        for source in sources
    )


class _OldNames:
    """Reads single old variables, and notes what is wrong with them."""

    def __init__(self, lookup: Lookup, findings: Findings) -> None:
        self._lookup = lookup
        self._findings = findings

    def text(self, name: str, *, secret: bool = False) -> str:
        """Return the variable's text, empty when it is not given."""
        given = self._lookup.find((name,), secret=secret)
        return str(given.raw) if given else ""

    def port(self, name: str, default: int) -> int:
        """Return the port that the variable holds; a wrong one is an error and counts as not given."""
        given = self._lookup.find((name,))
        if given is None:
            return default
        try:
            return int(str(PORT.read(given.raw)))
        except UnfitError:
            self._findings.errors.append(f"{given.where}: {name}: {shown(given.raw)} is not {PORT.allowed}")
            return default


def _postgres_address(old: _OldNames) -> str:
    """Return the address of the Postgres database that the old variables describe."""
    user = old.text("POSTGRES_USER").strip()
    password = old.text("POSTGRES_PASS", secret=True)
    database = old.text("POSTGRES_DB").strip() or user
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    place = f"{_host(old.text('POSTGRES_HOST'))}:{old.port('POSTGRES_PORT', 5432)}"
    return f"postgresql://{login}{'@' if login else ''}{place}/{quote(database, safe='')}"


def _host(text: str) -> str:
    """Return the host as it stands in an address."""
    host = text.strip()
    return f"[{host}]" if ":" in host and not host.startswith("[") else quote(host, safe="[]:.-_")


def _idle_names(sources: Iterable[Source], addresses: Iterable[str]) -> Iterable[str]:
    """Yield a notice for each group of variables that does nothing without its host."""
    given = {name for source in sources if source.variables for name in source.values}
    for host, names in WITHOUT_HOST.items():
        idle = [name for name in names if name in given]
        if idle and host not in addresses:
            yield f"{', '.join(idle)} {'has' if len(idle) == 1 else 'have'} no effect without {host}"
