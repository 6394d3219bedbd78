"""The environments things are measured in, made with pip where they are missing or out of date."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

from tests.bench.machine import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_PLACE = ROOT / ".venv-bench"


def runtime() -> Path:
    """Give the environment that `make run` makes: nothing in it but what the program needs."""
    here, is_new = _environment("runtime", ROOT / "requirements.lock")
    if is_new:
        _pip(here, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    return here


def peer(name: str) -> Path:
    """Give the environment of something this program is compared with."""
    return _environment(name, ROOT / "tests/bench/peers" / f"{name}.lock")[0]


def _environment(name: str, lock: Path) -> tuple[Path, bool]:
    here = _PLACE / name
    wanted = f"{sys.version} {hashlib.sha256(lock.read_bytes()).hexdigest()}"
    made = here / "made-of"
    if made.is_file() and made.read_text() == wanted:
        return here, False
    print(f"making the environment {name} …", flush=True)
    venv.create(here, clear=True, with_pip=True, symlinks=True)
    _pip(here, "--require-hashes", "--requirement", str(lock))
    made.write_text(wanted)
    return here, True


def _pip(environment: Path, *arguments: str) -> None:
    pip = [str(environment / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *arguments], check=True)
