"""How a message that is held looks in a row. Shared by the drivers."""

from __future__ import annotations

import msgspec

from migrebot.messages import Inbound
from storage.columns import Row, clean, to_json
from storage.records import Held

_inbound = msgspec.json.Decoder(Inbound).decode


def held_values(user_id: int, message: Inbound, *, is_first: bool) -> Row:
    """Give the row of a message; what the messenger sent is not kept beside what was read of it."""
    address = message.address
    kept = to_json(msgspec.structs.replace(message, raw=b""))
    return (user_id, address.channel, clean(address.value), clean(message.key), kept, int(is_first))


def as_raw(held: Held) -> bytes:
    """Give a held message as input that is set aside."""
    return to_json(held.message).encode()


def held(row: Row) -> Held:
    """Read a message that is held."""
    return Held(id=row[0], user_id=row[1], is_first=bool(row[2]), message=_inbound(row[3]))
