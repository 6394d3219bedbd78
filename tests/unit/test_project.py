from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

from migrebot.config import load
from migrebot.config.knobs import KNOBS

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
SOURCES = ("migrebot", "actors", "storage", "tests")
TEXTS = {".py", ".po", ".sql", ".html", ".css", ".js", ".toml", ".lock", ".md", ".yaml", ".yml", ".mako", ""}

# A package and its version, with an optional environment marker.
PINNED = re.compile(r"([a-z0-9-]+)==(\S+)(?: ; .*)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def packages(lock: str) -> dict[str, str]:
    return {match[1]: match[2] for match in PINNED.finditer((ROOT / lock).read_text("utf-8"))}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_packages_with_hashes_and_nothing_else(lock: str) -> None:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    assert [line for line in lines if not PINNED.fullmatch(line) and not HASH.fullmatch(line)] == []
    assert all(HASH.fullmatch(after) for line, after in pairwise(lines) if PINNED.fullmatch(line))


def test_tests_run_with_the_versions_that_the_program_runs_with() -> None:
    assert packages("requirements.lock").items() <= packages("requirements-dev.lock").items()


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = project["dependency-groups"]
    for lock, wanted in (
        ("requirements.lock", [*project["project"]["dependencies"], *groups["build"]]),
        ("requirements-dev.lock", [*project["project"]["dependencies"], *groups["build"], *groups["dev"]]),
    ):
        names = {re.split(r"[<>=; ]", requirement)[0] for requirement in wanted}
        assert names <= packages(lock).keys()


def test_no_file_names_a_place_on_the_machine_it_was_written_on() -> None:
    files = [file for file in ROOT.iterdir() if file.is_file()]
    files += [file for folder in SOURCES for file in (ROOT / folder).rglob("*") if file.is_file()]
    for file in files:
        # A private .env and what is built into caches are nobody else's business.
        if file.suffix in TEXTS and file.name != ".env" and "__pycache__" not in file.parts:
            found = re.search(r"(?<![\w.}])/(?:root|work)/\w", file.read_text("utf-8"))
            assert not found, f"{file.relative_to(ROOT)} holds {found}"


def test_the_wheel_holds_every_file_of_the_program(tmp_path: Path) -> None:
    packages = SOURCES[:3]
    ignored = shutil.ignore_patterns("__pycache__")
    for name in packages:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    files = {str(file.relative_to(tmp_path)) for name in packages for file in (tmp_path / name).rglob("*.*")}
    build = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert files - set(archive.namelist()) == set()


def test_the_shipped_configuration_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text((ROOT / "config.toml").read_text("utf-8"), "utf-8")
    assert load({}, tmp_path, Path("config.toml")) == load({}, tmp_path, None)


def test_the_shipped_configuration_lists_every_key_with_its_default_and_meaning(tmp_path: Path) -> None:
    text = (ROOT / "config.toml").read_text("utf-8")
    uncommented = re.sub(r"^# (\w+ = .*)$", r"\1", text, flags=re.MULTILINE)
    tables = tomllib.loads(uncommented)
    listed = [(f"{section}.{key}", value) for section, keys in tables.items() for key, value in keys.items()]
    assert listed == [(knob.key, knob.default) for knob in KNOBS]
    assert re.findall(r"^# (.*)\n# \w+ = ", text, flags=re.MULTILINE) == [knob.meaning for knob in KNOBS]
    (tmp_path / "config.toml").write_text(uncommented, "utf-8")
    assert load({}, tmp_path, Path("config.toml")) == load({}, tmp_path, None)
