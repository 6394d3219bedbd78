"""Places that a phrase names, with the endings that prepositions give them in Russian and Ukrainian."""

from __future__ import annotations

from functools import lru_cache

from migrebot.zones import find_zones

_NOMINATIVES: dict[str, tuple[str, ...]] = {
    "ою": ("а",),
    "єю": ("я",),
    "ом": ("", "о"),
    "ем": ("ь", "й"),
    "ой": ("а",),
    "ей": ("я",),
    "е": ("", "а"),
    "у": ("", "а", "о"),
    "ю": ("ь", "й", "я"),
    "и": ("ь", "я", "а"),
    "і": ("", "а", "ь"),
    "ї": ("я",),
}
"""What the last letters may stand for: "по Лондону", "в Москве", "в Казани", "за Варшавою"."""


@lru_cache(256)
def zones_of_place(name: str, language: str) -> tuple[str, ...]:
    """List the zones of a place as it stands in a phrase; empty if it is none."""
    if found := find_zones(name):
        return found
    if language not in {"ru", "uk"}:
        return ()
    word = name.casefold()
    for ending, nominatives in _NOMINATIVES.items():
        if word.endswith(ending) and len(word) > len(ending) + 2:
            for nominative in nominatives:
                if found := find_zones(word.removesuffix(ending) + nominative):
                    return found
    return ()
