"""All of one person's data as a file, for the person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from storage.facts import Everything


def export_json(everything: Everything) -> bytes:
    """Write everything as indented JSON in UTF-8: the record names of the diary, dates and instants as ISO 8601."""
    encoded = msgspec.json.encode({"format": "migrebot", "version": 1, **msgspec.structs.asdict(everything)})
    return msgspec.json.format(encoded, indent=2)
