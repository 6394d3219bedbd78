"""Twilio's errors, mapped once: from an HTTP status and an error code to what the catcher must do. Pure.

The codes are those of www.twilio.com/docs/api/errors.
"""

from __future__ import annotations

from migrebot.errors import NotSent, Refused, Uncertain

OUTSIDE_WINDOW = 63016
"""The person has not written for a day: WhatsApp takes approved templates alone."""

OPTED_OUT = frozenset({21610, 63014})
"""The person wants nothing any more."""

NO_RECIPIENT = frozenset({21211, 21214, 21217, 21614, 63003, 63024})
"""The number is none, or has no WhatsApp."""

UNDERWAY = 20009
"""The message cannot be deleted yet, being on its way."""

NOT_FOUND = 20404

_NO_ACCOUNT = 20003
_TOO_MANY = frozenset({20429, 63018})
_PAUSES = {63018: 5.0, UNDERWAY: 60.0}
"""Seconds to wait where Twilio names none: a WhatsApp sender's own limit takes longer to recover than the API's."""


class OutsideWindow(NotSent):
    """The messenger takes no text of our own before the person writes again."""

    def __init__(self) -> None:
        super().__init__("outside the 24-hour window", until_person_writes=True)


class AccountUnknown(Exception):
    """The account or its token is wrong."""


def translated(status: int, code: int, retry_after: float | None = None) -> NotSent | Uncertain | Refused:
    """Say what an answer of 400 and above means; raises `AccountUnknown`. No word of Twilio's is repeated: some quote.

    `code` is Twilio's own, 0 if the answer has none.
    """
    reason = f"error {code or status}"
    if code == _NO_ACCOUNT or status in {401, 403}:
        raise AccountUnknown
    if code in _TOO_MANY or status == 429:
        return NotSent(reason, retry_after=retry_after or _PAUSES.get(code, 1.0), whole_channel=True)
    if code == OUTSIDE_WINDOW:
        return OutsideWindow()
    if code == UNDERWAY:
        return NotSent(reason, retry_after=_PAUSES[UNDERWAY])
    if status >= 500:
        return Uncertain(reason)
    return Refused(reason, recipient_gone=ends_contact(code))


def ends_contact(code: int) -> bool:
    """Tell whether nothing will ever reach this person, until they write themselves."""
    return code in OPTED_OUT or code in NO_RECIPIENT
