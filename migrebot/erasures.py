"""What stays of somebody who was forgotten: a mark that only the holder of the key can tell to be theirs."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrebot.messages import Address


def mark(key: bytes, address: Address) -> str:
    """Give the HMAC-SHA256 of "channel:address" in hexadecimal digits."""
    return hmac.digest(key, f"{address.channel}:{address.value}".encode("utf-8", "replace"), "sha256").hex()


def name_of(key: bytes) -> str:
    """Give a name by which a key is known again, and of which nothing about the key can be told: 16 hex digits."""
    return hmac.digest(key, b"the name of this key", "sha256").hex()[:16]
