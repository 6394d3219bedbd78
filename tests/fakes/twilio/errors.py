"""Twilio's errors: the HTTP status each comes with and its words, and the body they are told in."""

import json

ERRORS: dict[int, tuple[int, str]] = {
    20003: (401, "Authenticate"),
    20009: (409, "Cannot delete message because delivery has not been completed."),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21211: (400, "The 'To' number is not a valid phone number."),
    21602: (400, "Message body is required."),
    21604: (400, "A 'To' phone number is required."),
    21609: (400, "The 'StatusCallback' URL is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21656: (400, "The ContentVariables Parameter is invalid."),
    63003: (400, "Channel could not find To address"),
    63007: (400, "Twilio could not find a Channel with the specified From address"),
    63014: (400, "Message was blocked by a user action"),
    63016: (400, "Failed to send freeform message because you are outside the allowed window."),
    63018: (429, "Rate limit exceeded for Channel"),
    63021: (400, "Channel invalid content error"),
    63024: (400, "Invalid message recipient"),
}
"""Code to HTTP status and message, as www.twilio.com/docs/api/errors lists them."""


class Refused(Exception):
    """A call that is refused with an error of the table."""

    def __init__(self, code: int, *, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.words = ERRORS[code]
        self.retry_after = retry_after

    @property
    def body(self) -> bytes:
        """The JSON Twilio answers with; `status` is the HTTP status once more."""
        about = {
            "code": self.code,
            "message": self.words,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return json.dumps(about).encode()
