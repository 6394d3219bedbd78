"""Text as the Bot API takes it: cleaned, parsed from HTML into entities, trimmed, measured in UTF-16 units.

The rules and the words of the errors follow the real server. Left out: Markdown, and the links, hashtags and
mentions that the server finds in plain text by itself.
"""

import re
from typing import Any

import msgspec

from .errors import Refused, bad_request

MAX_TEXT = 4096
MAX_CAPTION = 1024

Entity = dict[str, Any]

_SIMPLE_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
}
_OTHER_TAGS = {"a", "code", "pre", "blockquote", "tg-emoji", "tg-time"}
_NAMED_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}

_CHARACTER_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-zA-Z]+));?")
_TAG_NAME = re.compile(r"[^\s\0>]*")
_ATTRIBUTE_NAME = re.compile(r"[^\s\0=>/\"']*")
_NAME_TOKEN = re.compile(r"[A-Za-z0-9.-]*")
_SPACES = re.compile(r"[\s\0]*")
_WORDS = re.compile(r"[^<&]+")
_DIRTY = re.compile("[\x00-\x09\x0b-\x1f\u2028-\u202e\u0333\u033f\u030a]")
_REMOVED = re.compile("[\r\u2028-\u202e\u0333\u033f\u030a]")
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_LINK = re.compile(r"(?i)(?:https?|tg|ton)://\S+|(?:[\w-]+\.)+\w{2,}(?:[/?#]\S*)?")
_PERSON_LINK = re.compile(r"tg://user\?id=(\d+)")


class Formatted(msgspec.Struct, frozen=True):
    """Text as a chat shows it, with what is bold, a link and so on in ``entities``."""

    text: str
    entities: list[Entity]


def utf16_length(text: str) -> int:
    """Count text as Telegram does: a character outside the basic plane is two units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def format_text(raw: str, parse_mode: str, given: list[Entity] | None = None) -> Formatted:
    """Turn a ``text`` or ``caption`` argument into what the chat will show; empty is allowed here."""
    if _DIRTY.search(raw):
        raw = _DIRTY.sub(" ", _REMOVED.sub("", raw))
    mode = parse_mode.lower()
    if not mode:
        return _trim(raw, sorted(given or [], key=lambda e: (e["offset"], -e["length"])))
    if mode != "html":
        if mode in {"markdown", "markdownv2"}:
            raise Refused(501, "Not Implemented: this fake reads HTML alone")
        raise bad_request("unsupported parse_mode")
    if "<" not in raw and "&" not in raw:
        return _trim(raw, [])
    return _trim(*_HtmlReader(raw).read())


def is_blank(text: str) -> bool:
    """Tell whether a chat would show nothing at all."""
    return not text.strip().strip(_INVISIBLE).strip()


def _trim(text: str, entities: list[Entity]) -> Formatted:
    """Cut white space off both ends, at the front no further than the first entity."""
    text = text.rstrip()
    end = utf16_length(text)
    kept = [_clipped(entity, end) for entity in entities if entity["offset"] < end]
    limit = kept[0]["offset"] if kept else end
    leading = min(len(text) - len(text.lstrip(" \n")), limit)
    if leading:
        kept = [{**entity, "offset": entity["offset"] - leading} for entity in kept]
    return Formatted(text[leading:], kept)


def _clipped(entity: Entity, end: int) -> Entity:
    length = min(entity["length"], end - entity["offset"])
    return entity if length == entity["length"] else {**entity, "length": length}


class _Open(msgspec.Struct):
    """A start tag whose end tag has not come yet."""

    tag: str
    attributes: dict[str, str]
    offset: int
    part: int


class _HtmlReader:
    """One pass over one text; a position in it is told in bytes, as the server does."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.offset = 0
        self.parts: list[str] = []
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def read(self) -> tuple[str, list[Entity]]:
        """Give the plain text and its entities, or refuse with the server's words."""
        while self.position < len(self.source):
            words = _WORDS.match(self.source, self.position)
            if words:
                self._add(words[0])
                self.position = words.end()
            elif self.source[self.position] == "&":
                self._character()
            elif self.source.startswith("</", self.position):
                self._end_tag()
            else:
                self._start_tag()
        if self.open:
            raise _unparsable(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        for entity in self.entities:
            if entity["type"] == "code":
                entity.pop("language", None)  # only a block of code has one
        return "".join(self.parts), sorted(self.entities, key=lambda e: (e["offset"], -e["length"]))

    def _add(self, words: str) -> None:
        self.parts.append(words)
        self.offset += utf16_length(words)

    def _character(self) -> None:
        words, self.position = _resolve(self.source, self.position)
        self._add(words)

    def _start_tag(self) -> None:
        start = self.position
        tag = self._take(_TAG_NAME, start + 1).lower()
        if self.position >= len(self.source):
            raise _unparsable(f"Unclosed start tag at byte offset {self._bytes(start)}")
        if tag not in _SIMPLE_TAGS and tag not in _OTHER_TAGS:
            raise _unparsable(f'Unsupported start tag "{tag}" at byte offset {self._bytes(start)}')
        attributes = self._attributes(tag, start)
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise _unparsable(f'Tag "span" must have class "tg-spoiler" at byte offset {self._bytes(start)}')
        self.open.append(_Open(tag, attributes, self.offset, len(self.parts)))

    def _attributes(self, tag: str, start: int) -> dict[str, str]:
        found: dict[str, str] = {}
        while True:
            self._take(_SPACES, self.position)
            if self.source.startswith(">", self.position):
                self.position += 1
                return found
            name = self._take(_ATTRIBUTE_NAME, self.position)
            if not name:
                where = f"at byte offset {self._bytes(start)}"
                raise _unparsable(
                    f'Empty attribute name in the tag "{tag}" {where}'
                    if self._more()
                    else f"Unclosed start tag {where}"
                )
            self._take(_SPACES, self.position)
            if not self._more():
                raise self._unclosed(tag, start)
            found[name] = self._value(tag, start) if self.source[self.position] == "=" else ""

    def _unclosed(self, tag: str, start: int) -> Refused:
        return _unparsable(f'Unclosed start tag "{tag}" at byte offset {self._bytes(start)}')

    def _value(self, tag: str, start: int) -> str:
        self._take(_SPACES, self.position + 1)
        if not self._more():
            raise self._unclosed(tag, start)
        if self.source[self.position] in "\"'":
            value = self._quoted(self.source[self.position])
        else:
            begun = self.position
            value = self._take(_NAME_TOKEN, begun).lower()
            if self._more() and self.source[self.position] not in " \t\r\n\v\0>":
                raise _unparsable(f"Unexpected end of name token at byte offset {self._bytes(begun)}")
        if not self._more():
            raise _unparsable(f"Unclosed start tag at byte offset {self._bytes(start)}")
        return value

    def _quoted(self, quote: str) -> str:
        closing = self.source.find(quote, self.position + 1)
        closing = len(self.source) if closing < 0 else closing
        inner = self.source[self.position + 1 : closing]
        self.position = closing + 1
        out, position = [], 0
        while position < len(inner):
            words, position = _resolve(inner, position)
            out.append(words)
        return "".join(out)

    def _end_tag(self) -> None:
        start = self.position
        if not self.open:
            raise _unparsable(f"Unexpected end tag at byte offset {self._bytes(start)}")
        tag = self._take(_TAG_NAME, start + 2).lower()
        self._take(_SPACES, self.position)
        if not self.source.startswith(">", self.position):
            raise _unparsable(f"Unclosed end tag at byte offset {self._bytes(start)}")
        self.position += 1
        opened = self.open.pop()
        if tag and tag != opened.tag:
            found = f'expected "</{opened.tag}>", found "</{tag}>"'
            raise _unparsable(f"Unmatched end tag at byte offset {self._bytes(start)}, {found}")
        if self.offset > opened.offset:
            self._close(opened)

    def _close(self, opened: _Open) -> None:
        entity: Entity = {"offset": opened.offset, "length": self.offset - opened.offset}
        if opened.tag in {"pre", "code"}:
            return self._close_code(opened, entity)
        if opened.tag == "a":
            about = _link(opened.attributes.get("href") or "".join(self.parts[opened.part :]))
        elif opened.tag == "blockquote":
            about = {"type": "expandable_blockquote" if "expandable" in opened.attributes else "blockquote"}
        elif opened.tag == "tg-emoji":
            about = _custom_emoji(opened.attributes.get("emoji-id", ""))
        elif opened.tag == "tg-time":
            about = _moment(opened.attributes)
        else:
            about = {"type": _SIMPLE_TAGS[opened.tag]}
        if about:
            self.entities.append({**about, **entity})
        return None

    def _close_code(self, opened: _Open, entity: Entity) -> None:
        """Join ``<pre><code class="language-x">`` into one entity, whichever of the two is outside."""
        language = opened.attributes.get("class", "").removeprefix("language-") if opened.tag == "code" else ""
        inner = self.entities[-1] if self.entities else {}
        same_place = inner.get("offset") == entity["offset"] and inner.get("length") == entity["length"]
        if same_place and opened.tag == "pre" and inner["type"] == "code" and inner.get("language"):
            inner["type"] = "pre"
        elif same_place and language and inner["type"] == "pre":
            inner["language"] = language
        else:
            kind: Entity = {"type": opened.tag, **entity}
            self.entities.append({**kind, "language": language} if language else kind)

    def _take(self, pattern: re.Pattern[str], position: int) -> str:
        match = pattern.match(self.source, position)
        if match is None:
            return ""
        self.position = match.end()
        return match[0]

    def _more(self) -> bool:
        return self.position < len(self.source)

    def _bytes(self, position: int) -> int:
        return len(self.source[:position].encode("utf-8", "surrogatepass"))


def _resolve(source: str, position: int) -> tuple[str, int]:
    """Read one character or character reference; an unknown reference is plain text."""
    match = _CHARACTER_REFERENCE.match(source, position)
    if match is None:
        return source[position], position + 1
    if match[3]:
        character = _NAMED_CHARACTERS.get(match[3], "")
    else:
        code = int(match[1], 16) if match[1] else int(match[2])
        usable = 0 < code < 0x10FFFF and not 0xD800 <= code <= 0xDFFF
        character = chr(code) if usable else ""
    return (character, match.end()) if character else (source[position], position + 1)


def _link(address: str) -> Entity:
    person = _PERSON_LINK.fullmatch(address)
    if person:
        return {"type": "text_mention", "user": {"id": int(person[1]), "is_bot": False, "first_name": ""}}
    if not _LINK.fullmatch(address):
        return {}
    return {"type": "text_link", "url": address if "://" in address else f"http://{address}"}


def _custom_emoji(number: str) -> Entity:
    if not number.isdecimal() or int(number) == 0:
        raise _unparsable("Invalid custom emoji identifier specified")
    return {"type": "custom_emoji", "custom_emoji_id": number}


def _moment(attributes: dict[str, str]) -> Entity:
    unix = attributes.get("unix", "")
    if not unix.isdecimal() or int(unix) == 0:
        return {}
    about: Entity = {"type": "date_time", "unix_time": int(unix)}
    return {**about, "date_time_format": attributes["format"]} if attributes.get("format") else about


def _unparsable(reason: str) -> Refused:
    return bad_request(f"can't parse entities: {reason}")
