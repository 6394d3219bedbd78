"""What handlers may ask of the map."""

from __future__ import annotations

from storage.facts import Fact


class ZonesAt(Fact[tuple[str, ...]], frozen=True):
    """The time zones of a place, in degrees; none at sea. The storage knows nothing of it."""

    latitude: float
    longitude: float
