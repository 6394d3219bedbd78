"""What kinds of file there are, by the end of their names."""

from __future__ import annotations

_TYPES = {
    "csv": "text/csv",
    "html": "text/html",
    "ics": "text/calendar",
    "json": "application/json",
    "pdf": "application/pdf",
    "png": "image/png",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


def file_type(name: str) -> str:
    """Give the media type of a file with this name."""
    return _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
