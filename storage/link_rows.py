"""How codes that join two messengers look in a row. Shared by the drivers."""

from __future__ import annotations

from migrebot.messages import Address
from storage.columns import Row, clean, instant, micros
from storage.records import LinkCode


def link_code_values(code: LinkCode) -> Row:
    """Give the row of a code."""
    by = code.claimed_by
    return (
        code.user_id,
        code.hash,
        code.address.channel,
        clean(code.address.value),
        micros(code.expires_at),
        by.channel if by else None,
        clean(by.value) if by else None,
    )


def link_code(row: Row) -> LinkCode:
    """Read the row of a code."""
    return LinkCode(
        user_id=row[0],
        hash=row[1],
        address=Address(row[2], row[3]),
        expires_at=instant(row[4]),
        claimed_by=None if row[5] is None else Address(row[5], row[6]),
    )
