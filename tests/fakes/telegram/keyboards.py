"""Reply markup: what an inline keyboard may be made of."""

from typing import Any

from .errors import bad_request

MAX_BUTTONS = 100
MAX_DATA_BYTES = 64

Keyboard = list[list[dict[str, Any]]]

_ACTIONS = (
    "url",
    "callback_data",
    "callback_game",
    "pay",
    "switch_inline_query",
    "switch_inline_query_chosen_chat",
    "switch_inline_query_current_chat",
    "login_url",
    "web_app",
    "copy_text",
)
_PLAIN = frozenset({"text", "callback_data"})
_LOOKS = ("icon_custom_emoji_id", "style")


def inline_keyboard(markup: object) -> Keyboard | None:
    """Check a ``reply_markup`` argument and give its inline keyboard, normalised, if it is one.

    Other kinds of markup (reply keyboards, their removal, forced replies) pass without a look inside: no message
    shows them to the API again.
    """
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    keyboard = [[_button(button) for button in row] for row in rows if row]
    if sum(map(len, keyboard)) > MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    return keyboard or None


def _button(button: object) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise _unparsable("InlineKeyboardButton must be an Object")
    if button.keys() == _PLAIN:  # nearly every button; what follows takes three times as long
        text, data = button["text"], button["callback_data"]
        if isinstance(text, str) and isinstance(data, str) and text.strip() and 0 < 4 * len(data) <= MAX_DATA_BYTES:
            return button
    text = button.get("text")
    if text is None:
        raise _unparsable('Can\'t find field "text"')
    if not isinstance(text, str):
        raise _unparsable('Field "text" must be of type String')
    action = next((name for name in _ACTIONS if button.get(name) is not None and button[name] != ""), None)
    if action is None:
        raise _unparsable("Text buttons are unallowed in the inline keyboard")
    if not text.strip():
        raise bad_request("BUTTON_TEXT_INVALID")
    _check_data(action, button[action])
    kept = {name: button[name] for name in _LOOKS if button.get(name)}
    return {"text": text, action: button[action], **kept}


def _check_data(action: str, data: object) -> None:
    if action != "callback_data":
        return
    if not isinstance(data, str):
        raise _unparsable('Field "callback_data" must be of type String')
    if len(data.encode("utf-8", "surrogatepass")) > MAX_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")


def _unparsable(reason: str) -> Exception:
    return bad_request(f"can't parse inline keyboard button: {reason}")
