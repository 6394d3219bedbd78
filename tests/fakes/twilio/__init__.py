"""A fake Twilio that behaves like the real one: Messages over REST, signed webhooks, status callbacks, and people.

In a test::

    async with FakeTwilio() as fake:
        # the program under test: twilio.api_base = fake.api_base, account_sid, auth_token, whatsapp_number likewise,
        # http.public_url = fake.public_url
        fake.calls_back(program.url)
        ann = fake.person("+15550001111")
        await ann.says("/pain")
        question = await ann.sees("When")
        fake.goes_wrong(Fault.reset_after(), "create", times=1)
        await fake.reports(question.sid, "delivered")

Its facts come from Twilio's OpenAPI files, documentation and behaviour; where it is simpler, the module says so.
"""

from tests.fakes.telegram import Fault

from .fake import ACCOUNT, NUMBER, PUBLIC_URL, TOKEN, FakeTwilio
from .people import Phone
from .world import Message

__all__ = ["ACCOUNT", "NUMBER", "PUBLIC_URL", "TOKEN", "FakeTwilio", "Fault", "Message", "Phone"]
