"""Between announcements and their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from migrebot.announcements.announcement import Announcement, AnnouncementWish, Counts, Sizes
from migrebot.messages import Address
from storage.columns import instant, micros, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.columns import Row

_texts = msgspec.json.Decoder(dict[str, str]).decode


def announcement_values(announcement: Announcement) -> Row:
    """Give the row of a draft."""
    return (announcement.id, micros(announcement.created_at), to_json(announcement.texts))


def announcement(row: Row) -> Announcement:
    """Read the row of an announcement."""
    return Announcement(
        id=row[0],
        created_at=instant(row[1]),
        texts=_texts(row[2]),
        state=row[3],
        audience=row[4],
        chosen=row[5],
        card=None if row[7] is None else Address(row[6], row[7]),
        card_id=row[8],
    )


def counts(rows: Sequence[Row]) -> Counts:
    """Read how many people are where."""
    return Counts(**dict(rows))


def sizes(row: Row) -> Sizes:
    """Read how many people there are."""
    return Sizes(all=row[0], active=row[1], super_active=row[2], off=row[3])


def wish_values(wish: AnnouncementWish) -> Row:
    """Give the row of what somebody wants of announcements."""
    return (wish.user_id, int(wish.is_off))


def wish(row: Row) -> AnnouncementWish:
    """Read the row of what somebody wants of announcements."""
    return AnnouncementWish(user_id=row[0], is_off=bool(row[1]))
