"""A webhook in FastAPI's style that checks Twilio's signature and does nothing else: `python fastapi_webhook.py PORT`.

Nothing is stored. The form is read as Twilio's own examples for FastAPI read it.
"""

from __future__ import annotations

import os
import sys

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from twilio.request_validator import RequestValidator

app = FastAPI()
validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])


@app.post("/webhooks/twilio")  # type: ignore[untyped-decorator]  # FastAPI is not installed where this is checked
async def inbound(request: Request) -> Response:
    """Acknowledge a message that Twilio signed."""
    form = await request.form()
    url = os.environ["PUBLIC_URL"] + "/webhooks/twilio"
    if not validator.validate(url, dict(form), request.headers.get("X-Twilio-Signature", "")):
        raise HTTPException(403)
    return Response("<Response/>", media_type="text/xml")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
