"""Where a place on the map lies: asked of a short-lived program, see `migrebot.places`."""

from __future__ import annotations

import subprocess
import sys

import anyio

from migrebot.logs import get_logger
from migrebot.zones import canonical, is_zone

TIMEOUT_S = 10.0
"""Seconds; the answer takes half a second, on a slow machine a few."""

log = get_logger("places")


async def zones_at(latitude: float, longitude: float) -> tuple[str, ...]:
    """List the time zones of a place; none if it has none or they cannot be looked up."""
    # By its input, since anybody on the machine can read the arguments of a program.
    question = f"{latitude!r} {longitude!r}".encode()
    try:
        with anyio.fail_after(TIMEOUT_S):
            told = await anyio.run_process([sys.executable, "-m", "migrebot.places"], input=question)
    except (OSError, TimeoutError, subprocess.CalledProcessError) as error:
        log.warning("no_zones", reason=type(error).__name__)
        return ()
    zones = (canonical(zone) for zone in told.stdout.decode().split())
    return tuple(zone for zone in zones if is_zone(zone))
