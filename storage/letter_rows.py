"""How messages to the owner look in a row. Shared by the drivers."""

from __future__ import annotations

from migrebot.messages import Address
from storage.columns import Row, clean, instant, maybe_instant, maybe_micros, micros
from storage.records import Correspondence, Letter


def correspondence_values(correspondence: Correspondence) -> Row:
    """Give the row of what a user wants of messages to the owner."""
    return (
        correspondence.user_id,
        maybe_micros(correspondence.agreed_at),
        maybe_micros(correspondence.form_expired_at),
    )


def correspondence(row: Row) -> Correspondence:
    """Read the row of what a user wants of messages to the owner."""
    return Correspondence(user_id=row[0], agreed_at=maybe_instant(row[1]), form_expired_at=maybe_instant(row[2]))


def letter_values(letter: Letter) -> Row:
    """Give the row of a message to the owner."""
    address = letter.address
    return (letter.id, letter.user_id, address.channel, clean(address.value), micros(letter.written_at))


def letter(row: Row) -> Letter:
    """Read the row of a message to the owner."""
    return Letter(id=row[0], user_id=row[1], address=Address(row[2], row[3]), written_at=instant(row[4]))
