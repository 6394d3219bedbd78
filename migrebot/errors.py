"""The errors that cross a boundary, each saying what its catcher must do.

Driver and client errors (sqlite3, aiogram, aiohttp …) are translated into these at one place each, so that no
other module has to know them.
"""

from __future__ import annotations


class UserError(Exception):
    """What the operator can mend: the command line prints its one line and ends with exit status 1."""


class StorageUnavailable(Exception):
    """The storage could not do its work now (disk full, locked, unreachable): nothing was stored, ask again later."""


class NotSent(Exception):
    """The messenger provably did not take the message: sending it again cannot double it.

    `retry_after` is in seconds (None: the sender of the message chooses); `whole_channel` tells that every chat of
    the channel has to wait, not this one alone. `until_person_writes`: nothing goes to this chat before that.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float | None = None,
        whole_channel: bool = False,
        until_person_writes: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.whole_channel = whole_channel
        self.until_person_writes = until_person_writes


class Uncertain(Exception):
    """The connection broke after the request had left: the messenger may or may not have taken the message."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Exception):
    """The messenger will never take this message; `recipient_gone` tells that it will take none for this chat."""

    def __init__(self, reason: str, *, recipient_gone: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.recipient_gone = recipient_gone
