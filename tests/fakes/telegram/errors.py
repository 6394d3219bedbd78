"""How the Bot API says no."""


class Refused(Exception):
    """A call the Bot API does not carry out; nothing has changed when it is raised.

    Attributes:
        code: the HTTP status, repeated as ``error_code`` in the body.
        description: the words a client shows or matches on, prefix included.
        retry_after: seconds to wait, for 429 alone.
    """

    def __init__(self, code: int, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after


def bad_request(reason: str) -> Refused:
    """Make the 400 for a call that can never work as it stands."""
    return Refused(400, f"Bad Request: {reason}")


def forbidden(reason: str) -> Refused:
    """Make the 403 for a chat that does not want the bot."""
    return Refused(403, f"Forbidden: {reason}")


def too_many_requests(retry_after: int) -> Refused:
    """Make the 429 that tells how many seconds to wait."""
    return Refused(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)
