"""The formats in which a person's data can be had, and how the file of each ends."""

from __future__ import annotations

EXPORTS: dict[str, str] = {"json": "json", "csv": "zip", "xlsx": "xlsx"}
"""One CSV file for each kind of entry makes an archive."""
