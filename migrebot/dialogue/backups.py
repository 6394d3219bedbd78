"""What the owner asks of the backups: to make one now, and to use a token of the Yandex Disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot.dialogue import engine
from migrebot.dialogue.forms import disk_token
from migrebot.dialogue.turn import Answer, say
from storage.changes import SaveWish
from storage.facts import Wishes
from storage.records import Wish

if TYPE_CHECKING:
    from migrebot.dialogue.turn import Turn


def backup(turn: Turn, arguments: str) -> Answer:  # noqa: ARG001 - the signature of `Command.answer`
    """Have a backup made now; the backup actor tells what came of it."""
    if any(wish.kind == "backup" for wish in turn.facts(Wishes(turn.user.id))):
        return say(turn.tr("A backup is being made already. I will write when it is done."))
    wish = Wish(
        kind="backup",
        id=turn.new_id(),
        user_id=turn.user.id,
        address=turn.conversation.identity.address,
        asked_at=turn.now,
    )
    return Answer(changes=(SaveWish(wish),)) + say(turn.tr("I am making a backup. I will write when it is done."))


def token(turn: Turn, arguments: str) -> Answer:
    """Take the token that stands behind the command, or ask for it."""
    return disk_token.take(turn, arguments) if arguments else engine.begin(disk_token.FORM, turn)
