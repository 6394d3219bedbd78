"""The methods this fake knows and the arguments each cannot do without, as the Bot API's documentation has them."""

from .errors import Refused, bad_request

REQUIRED: dict[str, tuple[str, ...]] = {
    "answerCallbackQuery": ("callback_query_id",),
    "answerPreCheckoutQuery": ("pre_checkout_query_id", "ok"),
    "deleteMessage": ("chat_id", "message_id"),
    "deleteMyCommands": (),
    "deleteWebhook": (),
    "editMessageReplyMarkup": (),
    "editMessageText": (),
    "getChat": ("chat_id",),
    "getFile": ("file_id",),
    "getMe": (),
    "getMyCommands": (),
    "getMyDescription": (),
    "getMyName": (),
    "getMyShortDescription": (),
    "getUpdates": (),
    "getWebhookInfo": (),
    "leaveChat": ("chat_id",),
    "refundStarPayment": ("user_id", "telegram_payment_charge_id"),
    "sendChatAction": ("chat_id", "action"),
    "sendDocument": ("chat_id", "document"),
    "sendInvoice": ("chat_id", "title", "description", "payload", "currency", "prices"),
    "sendMessage": ("chat_id", "text"),
    "sendPhoto": ("chat_id", "photo"),
    "setMyCommands": ("commands",),
    "setMyDescription": (),
    "setMyName": (),
    "setMyShortDescription": (),
    "setWebhook": ("url",),
}
"""Method to required arguments; the tests compare it with the published specification."""

NEEDED_WITHOUT_INLINE_ID: dict[str, tuple[str, ...]] = {
    "editMessageReplyMarkup": ("chat_id", "message_id"),
    "editMessageText": ("chat_id", "message_id", "text"),
}
"""What the documentation's prose asks for, since this fake has no inline messages."""

CANONICAL = {name.lower(): name for name in REQUIRED}
"""Lower case to the documented spelling: the Bot API does not mind letter case."""

_MAY_BE_EMPTY = frozenset({"url"})
_WORDS = {
    "action": "wrong parameter action in request",
    "chat_id": "chat_id is empty",
    "document": "there is no document in the request",
    "file_id": "file_id not specified",
    "message_id": "message identifier is not specified",
    "photo": "there is no photo in the request",
    "text": "message text is empty",
}
_NEEDS = {name: needed + NEEDED_WITHOUT_INLINE_ID.get(name, ()) for name, needed in REQUIRED.items()}


def needs(method: str) -> tuple[str, ...]:
    """List the arguments a call of this method must carry."""
    return _NEEDS[method]


def may_be_empty(argument: str) -> bool:
    """Tell whether an empty value counts as given."""
    return argument in _MAY_BE_EMPTY


def missing(argument: str) -> Refused:
    """Make the refusal of a call without this argument."""
    return bad_request(_WORDS.get(argument, f'parameter "{argument}" is required'))
