"""The form that asks the owner for the token of the Yandex Disk, and what becomes of a token.

Nothing is asked of the network here: the wish is stored, and the backup actor answers it. A token is never part of an
answer that is kept, of a reply or of the log.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrebot.dialogue.form import Complaint, Form, Step, View
from migrebot.dialogue.turn import Answer, say
from migrebot.messages import Outgoing, Withdraw
from storage.changes import DropWish, Enqueue, Note, SaveWish
from storage.facts import Wishes
from storage.names import DISK_ACCESS
from storage.records import Wish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrebot.dialogue.turn import Turn
    from storage.changes import Change

_STEP = "token"
_OFF = "off"
_LOOKS_LIKE_ONE = re.compile(r"[!-~]{8,500}")
"""One word in ASCII: Yandex does not say what is in a token."""


def take(turn: Turn, text: str) -> Answer:
    """Have a token checked and kept, or with "off" forget the one that is kept."""
    if text.casefold() == _OFF:
        return _forget(turn)
    if not _LOOKS_LIKE_ONE.fullmatch(text):
        return _withdrawn(turn) + say(turn.tr("That is no token: it is one long word without spaces."))
    wish = Wish(
        kind="token",
        id=turn.new_id(),
        user_id=turn.user.id,
        address=turn.conversation.identity.address,
        asked_at=turn.now,
        token=text,
    )
    said = turn.tr("I am checking the token with Yandex Disk.")
    return Answer(changes=(SaveWish(wish),)) + _withdrawn(turn) + say(said + " " + _about_message(turn))


def _forget(turn: Turn) -> Answer:
    tr = turn.tr
    asked = [wish for wish in turn.facts(Wishes(turn.user.id)) if wish.kind == "token"]
    said = (
        tr("The token is deleted. The one in the configuration is used from now on.")
        if turn.setup.has_disk_token
        else tr("The token is deleted. Backups stay on this machine from now on.")
    )
    changes: tuple[Change, ...] = (Note(DISK_ACCESS, ""), *(DropWish(wish.user_id, wish.id) for wish in asked))
    return Answer(changes=changes) + say(said)


def _withdrawn(turn: Turn) -> Answer:
    return Answer(changes=tuple(_withdrawal(turn)))


def _withdrawal(turn: Turn) -> Iterator[Change]:
    """Have the message that carried the token deleted: in the chat by Telegram, at the carrier by Twilio."""
    address = turn.conversation.identity.address
    if turn.message_id and address.channel != "local":
        yield Enqueue(Outgoing(address=address, body=Withdraw(turn.message_id), user_id=turn.user.id))


def _about_message(turn: Turn) -> str:
    if turn.conversation.identity.address.channel == "telegram":
        return turn.tr("I am deleting your message with it.")
    return turn.tr("I cannot delete your message with it in this chat: please do that yourself.")


def _parse(view: View, text: str) -> str | Complaint:
    if text.casefold() != _OFF and not _LOOKS_LIKE_ONE.fullmatch(text):
        return Complaint(view.tr("That is no token: it is one long word without spaces."))
    return text


FORM = Form(
    name="disk_token",
    wire_name="DiskTokenForm",
    wire_steps=(_STEP,),
    steps=(
        Step(
            name=_STEP,
            wire_name=_STEP,
            question=lambda view: view.tr(
                "Please send me the token of your Yandex Disk. How to get one is told in docs/backup.md. /token off"
                " makes me forget the one I have."
            ),
            parse=_parse,
        ),
    ),
    following=lambda view, step: None,  # noqa: ARG005 - there is one step
    finish=lambda view: take(view.turn, view.answers[_STEP]),
    abandon=lambda view: Answer(),  # noqa: ARG005 - nothing is known before the end
)
"""Asks for the token."""
