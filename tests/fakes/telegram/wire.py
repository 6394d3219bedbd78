"""Requests read, answers written: the Bot API's HTTP without the Bot API's meaning.

Arguments may come in the query string, urlencoded, as multipart/form-data or as JSON. The parsers work on the whole
body at once, because aiohttp's own streaming multipart reader costs more than everything else in a call.
"""

import binascii
import re
from typing import Any
from urllib.parse import unquote

import msgspec

from .errors import Refused, bad_request

MAX_BODY = 52 * 1024 * 1024
"""Bytes: Telegram takes files up to 50 MB, plus the fields around them."""

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(r'[;\s]name="((?:\\.|[^"\\])*)"', re.IGNORECASE)
_FILENAME = re.compile(r'filename="((?:\\.|[^"\\])*)"', re.IGNORECASE)
_ENCODED_FILENAME = re.compile(r"filename\*=utf-8''([^;\s]+)", re.IGNORECASE)
_MIME = re.compile(r"^content-type:\s*([^\r\n;]+)", re.IGNORECASE | re.MULTILINE)
_TRUE = frozenset({"true", "1", "yes"})

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Upload(msgspec.Struct, frozen=True):
    """A file that came with a call."""

    name: str
    content: bytes
    mime: str


class Arguments:
    """What a call was given: strings from a form or any value from JSON, read the same way either way."""

    __slots__ = ("uploads", "values")

    def __init__(self, values: dict[str, Any], uploads: dict[str, Upload] | None = None) -> None:
        self.values = values
        self.uploads = uploads or {}

    def has(self, name: str) -> bool:
        """Tell whether the argument was given and is not empty."""
        value = self.values.get(name)
        return name in self.uploads or not (value is None or value == "")

    def text(self, name: str) -> str:
        """Read a string; missing is empty, a number becomes its digits."""
        value = self.values.get(name)
        return value if isinstance(value, str) else "" if value is None else _encode(value).decode()

    def integer(self, name: str, default: int = 0) -> int:
        """Read a number; missing or unreadable is the default, as the server has it."""
        value = self.values.get(name)
        if isinstance(value, int):
            return int(value)
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        """Read a boolean: ``true``, ``1`` and ``yes`` are true, all else is false."""
        return self.text(name).lower() in _TRUE

    def structure(self, name: str, what: str) -> Any:
        """Read an object or array, given as JSON text in a form and as itself in a JSON body.

        Args:
            name: the argument's name.
            what: how the refusal calls it when it is not JSON.
        """
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return _decode(value)
        except msgspec.DecodeError as error:
            raise bad_request(f"can't parse {what} JSON object") from error

    def upload(self, name: str) -> Upload | None:
        """Find the file of an argument, sent under its own name or as ``attach://`` another part."""
        reference = self.text(name) if name in self.values else ""
        return self.uploads.get(reference.removeprefix("attach://") if reference.startswith("attach://") else name)


def read_arguments(query: str, content_type: str, body: bytes) -> Arguments:
    """Read everything a request carries; the body wins over the query string."""
    if len(body) > MAX_BODY:
        raise Refused(413, "Request Entity Too Large")
    values: dict[str, Any] = _form(query.encode()) if query else {}
    uploads: dict[str, Upload] = {}
    kind = content_type.partition(";")[0].strip().lower()
    if body and kind == "application/x-www-form-urlencoded":
        values |= _form(body)
    elif body and kind == "application/json":
        values |= _json_object(body)
    elif body and kind == "multipart/form-data":
        _multipart(body, content_type, values, uploads)
    return Arguments(values, uploads)


def ok(result: object) -> bytes:
    """Write the answer to a call that was carried out."""
    return b'{"ok":true,"result":' + _encode(result) + b"}"


def ok_list(items: list[bytes]) -> bytes:
    """Write an answer whose result is a list of things already encoded, valid JSON or not."""
    return b'{"ok":true,"result":[' + b",".join(items) + b"]}"


def not_ok(refusal: Refused) -> bytes:
    """Write the answer to a call that was refused."""
    answer: dict[str, Any] = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.retry_after is not None:
        answer["parameters"] = {"retry_after": refusal.retry_after}
    return _encode(answer)


def _form(body: bytes) -> dict[str, str]:
    values = {}
    for field in body.replace(b"+", b" ").split(b"&"):
        name, _, value = field.partition(b"=")
        if name:
            values[_utf8(_unquoted(name))] = _utf8(_unquoted(value))
    return values


def _unquoted(value: bytes) -> bytes:
    # Quoted-printable is the same escape with another sign, and the standard library decodes that one in C: on a
    # keyboard's JSON seven times as fast as urllib.parse, which was half of all the time a call took.
    return binascii.a2b_qp(value.replace(b"=", b"=3D").replace(b"%", b"=")) if b"%" in value else value


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = _decode(body)
    except msgspec.DecodeError as error:
        raise bad_request("can't parse JSON object") from error
    if not isinstance(value, dict):
        raise bad_request("object expected as the request")
    return value


def _multipart(body: bytes, content_type: str, values: dict[str, Any], uploads: dict[str, Upload]) -> None:
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise bad_request("boundary of the multipart form not found")
    for part in (b"\r\n" + body).split(b"\r\n--" + match[1].encode())[1:]:
        head, found, content = part.partition(b"\r\n\r\n")
        if not found:
            continue
        headers = head.decode("utf-8", "replace")
        name = _NAME.search(headers)
        if name is None:
            continue
        filename = _filename(headers)
        if filename is None:
            values[name[1]] = _utf8(content)
        else:
            mime = _MIME.search(headers)
            uploads[name[1]] = Upload(filename, content, mime[1].strip() if mime else "application/octet-stream")


def _filename(headers: str) -> str | None:
    encoded = _ENCODED_FILENAME.search(headers)
    if encoded:
        return unquote(encoded[1])
    plain = _FILENAME.search(headers)
    return re.sub(r"\\(.)", r"\1", plain[1]) if plain else None


def _utf8(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise bad_request("strings must be encoded in UTF-8") from error
