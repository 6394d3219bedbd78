"""Webhooks as Twilio posts them: signed over the public address, retried within fifteen seconds by `#rc=5&rp=all`.

The signature is worked out here anew from Twilio's description of it, so that the program's is checked by another.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from urllib.parse import urlencode

import aiohttp

RETRIES = 5
PATIENCE = 15.0
"""Seconds for a webhook with all its retries."""

Fields = Sequence[tuple[str, str]]


def signature(token: str, url: str, fields: Fields) -> str:
    """Sign a form that is posted to an address: names and values by name, run together after the address."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


class Postman:
    """Posts to the program: `public_url` is signed, `local_url` is where it really listens."""

    def __init__(self, token: str, public_url: str) -> None:
        self.token = token
        self.public_url = public_url
        self.local_url = ""

    async def post(self, path: str, fields: Fields, *, retries: int = RETRIES) -> int:
        """Post a form until it is answered well; gives the last HTTP status, 0 for none."""
        headers = {
            "X-Twilio-Signature": signature(self.token, self.public_url + path, fields),
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        }
        status = 0
        with_time_left = asyncio.get_running_loop().time() + PATIENCE
        async with aiohttp.ClientSession() as session:
            for _ in range(1 + retries):
                status = await self._try(session, path, urlencode(fields), headers)
                if 200 <= status < 300 or asyncio.get_running_loop().time() > with_time_left:
                    break
                await asyncio.sleep(0.05)
        return status

    async def _try(self, session: aiohttp.ClientSession, path: str, body: str, headers: dict[str, str]) -> int:
        try:
            async with session.post(
                self.local_url + path, data=body, headers=headers, timeout=aiohttp.ClientTimeout(total=PATIENCE)
            ) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
