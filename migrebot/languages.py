"""The languages the bot speaks, and which of them a person gets at first."""

from __future__ import annotations

LANGUAGES = ("en", "ru", "uk", "fr", "es")
"""Codes of the languages there is a catalogue for."""

# Where most people read Russian beside their own language. The Baltic languages are left out on purpose: their
# speakers are better served by the default language.
_READ_RUSSIAN = frozenset(
    {"ab", "az", "ba", "be", "ce", "cv", "hy", "ka", "kk", "ky", "mo", "os", "sah", "tg", "tk", "tt", "udm", "uz"}
)


def choose(language_code: str, default: str) -> str:
    """Choose the language for a person whose messenger says `language_code` (an IETF tag, or nothing)."""
    code = language_code.replace("_", "-").partition("-")[0].lower()
    if code in LANGUAGES:
        return code
    return "ru" if code in _READ_RUSSIAN else default
