"""The time zones of a place on the map, looked up in the maps of `tzfpy`, which come with it: nothing is asked outside.

The maps take 60 MB and a quarter of a second to unfold, with the interpreter held all the while. So this is a program
of its own: `python -m migrebot.places` reads latitude and longitude from its input and writes a zone a line.
"""

from __future__ import annotations

import math
import sys


def zones_at(latitude: float, longitude: float) -> tuple[str, ...]:
    """List the zones that are kept at a place, several where it is disputed; none at sea or for what is no place."""
    if not (math.isfinite(latitude) and abs(latitude) <= 90 and math.isfinite(longitude) and abs(longitude) <= 180):
        return ()
    from tzfpy import get_tzs

    # At sea there are only the fixed offsets of ships.
    return tuple(zone for zone in get_tzs(longitude, latitude) if not zone.startswith("Etc/"))


def main() -> None:
    """Answer one question."""
    latitude, longitude = map(float, sys.stdin.read().split())
    sys.stdout.writelines(f"{zone}\n" for zone in zones_at(latitude, longitude))


if __name__ == "__main__":
    main()
