"""From a method's name and arguments to its effect on the world."""

from collections.abc import Callable

from . import profile, sending, webhook
from .errors import Refused, too_many_requests
from .journal import SHOWING, Call
from .schema import may_be_empty, missing, needs
from .wire import Arguments
from .world import World

Handler = Callable[[World, Arguments, Call], object]

HANDLERS: dict[str, Handler] = {
    "answerCallbackQuery": sending.answer_callback_query,
    "answerPreCheckoutQuery": sending.answer_pre_checkout_query,
    "deleteMessage": sending.delete_message,
    "deleteMyCommands": profile.delete_my_commands,
    "deleteWebhook": webhook.delete_webhook,
    "editMessageReplyMarkup": sending.edit_message_reply_markup,
    "editMessageText": sending.edit_message_text,
    "getChat": profile.get_chat,
    "getFile": profile.get_file,
    "getMe": profile.get_me,
    "getMyCommands": profile.get_my_commands,
    "getMyDescription": profile.get_my_description,
    "getMyName": profile.get_my_name,
    "getMyShortDescription": profile.get_my_short_description,
    "getWebhookInfo": webhook.get_webhook_info,
    "leaveChat": profile.leave_chat,
    "refundStarPayment": sending.refund_star_payment,
    "sendChatAction": sending.send_chat_action,
    "sendDocument": sending.send_document,
    "sendInvoice": sending.send_invoice,
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_photo,
    "setMyCommands": profile.set_my_commands,
    "setMyDescription": profile.set_my_description,
    "setMyName": profile.set_my_name,
    "setMyShortDescription": profile.set_my_short_description,
    "setWebhook": webhook.set_webhook,
}
"""Every method but getUpdates, the only one that may wait."""


def carry_out(world: World, method: str, arguments: Arguments, call: Call) -> object:
    """Do what a call asks and give its result, or refuse it; everything happens at once."""
    check_required(method, arguments)
    handler = HANDLERS.get(method)
    if handler is None:
        raise Refused(404, "Not Found: method not found")
    _check_flood(world, call)
    result = handler(world, arguments, call)
    world.journal.took_effect(call)
    return result


def check_required(method: str, arguments: Arguments) -> None:
    """Refuse a call that lacks something it needs."""
    for name in needs(method):
        if not arguments.has(name) and not (name in arguments.values and may_be_empty(name)):
            raise missing(name)


def _check_flood(world: World, call: Call) -> None:
    if world.flood is None or call.chat_id is None or call.method not in SHOWING:
        return
    wait = world.flood.retry_after(call.chat_id)
    if wait is not None:
        raise too_many_requests(wait)
