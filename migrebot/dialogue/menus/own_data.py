"""One's own data: export as a file, and deletion for real."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from migrebot.dialogue.turn import Answer, Attachment, Turn, say
from migrebot.diary.exports import EXPORTS
from migrebot.i18n import N_
from migrebot.messages import Button, Outgoing, Priority, Withdraw
from migrebot.typed import folded
from storage.changes import Change, Enqueue, EraseUser
from storage.facts import AllOf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


WITHDRAWING = frozenset({"whatsapp"})
"""The channels whose messenger keeps copies of its own that the program can delete."""

WITHDRAWN_AFTER = timedelta(minutes=15)

_FORMATS = {
    "xlsx": N_("Excel: to read and print"),
    "csv": N_("CSV: for any spreadsheet"),
    "json": N_("JSON: complete, for programs"),
}
"""The formats and their labels; the others of `EXPORTS`, if any, can be typed."""


def export(turn: Turn, arguments: str = "") -> Answer:
    """Send everything stored about the user as a file, or ask in which format."""
    word = folded(arguments)
    form = "xlsx" if word == "excel" else word
    return _send(turn, form) if form in EXPORTS else _ask_format(turn)


def _ask_format(turn: Turn) -> Answer:
    tr = turn.tr
    text = tr("Everything stored about you, as a file. In which form?")
    keyboard = tuple((Button(tr.plain(label), f"f:export:{form}"),) for form, label in _FORMATS.items())
    return say(text, keyboard, in_place=True)


def _send(turn: Turn, form: str) -> Answer:
    document = Attachment(
        recipe="export",
        filename=f"migrebot-{turn.today}.{EXPORTS[form]}",
        caption=turn.tr("Everything stored about you."),
        arguments={"format": form, "language": turn.user.language},
    )
    return Answer(replies=(document,))


def forget(turn: Turn) -> Answer:
    """Show what there is and ask whether it shall go."""
    tr, everything = turn.tr, turn.facts(AllOf(turn.user.id))
    if turn.conversation.is_new:
        return say(tr("There is nothing stored about you."))
    text = tr(
        "Stored about you: headaches %(headaches)s, medicines taken %(intakes)s, blood pressures %(pressures)s, your"
        " list of medicines %(drugs)s, and your settings. Shall I delete all of it? This cannot be undone; /export"
        " first, if you want to keep a copy.",
        headaches=len(everything.headaches),
        intakes=len(everything.intakes),
        pressures=len(everything.pressures),
        drugs=len(everything.drugs),
    )
    keyboard = (
        (Button(tr.plain("Delete everything"), "f:sure"),),
        (Button(tr.plain("Keep it"), "f:keep"),),
    )
    return say(text, keyboard, in_place=True)


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on one of these buttons; None if there is no such button."""
    tr = turn.tr
    match action, *arguments:
        case "export", form if form in EXPORTS:
            return _send(turn, form)
        case ["sure"]:
            keyboard = ((Button(tr.plain("Yes, delete"), "f:erase"),), (Button(tr.plain("Keep it"), "f:keep"),))
            return say(tr("Are you sure? All of your diary will be gone."), keyboard, in_place=True)
        case ["erase"]:
            return _erase(turn)
        case ["keep"]:
            return say(tr("Nothing was deleted."), in_place=True)
        case _:
            return None


def _erase(turn: Turn) -> Answer:
    tr = turn.tr
    said = tr.n(
        "Everything about you is deleted here. What remains: this chat in your messenger, and backups for up to %(n)s"
        " day. Write /start if you want to begin anew.",
        "Everything about you is deleted here. What remains: this chat in your messenger, and backups for up to %(n)s"
        " days. Write /start if you want to begin anew.",
        turn.setup.backup_days,
    )
    changes = (EraseUser(turn.user.id), *_withdrawn(turn))
    return Answer(changes=changes, session=None) + say(said, in_place=True)


def _withdrawn(turn: Turn) -> Iterator[Change]:
    """Have the messengers delete what they keep of the conversations, where they do so at our wish.

    Later, since a message that is on its way cannot be deleted, and the last one has yet to go.
    """
    for identity in turn.facts(AllOf(turn.user.id)).identities:
        if identity.address.channel in WITHDRAWING:
            at = turn.now + WITHDRAWN_AFTER
            yield Enqueue(
                Outgoing(address=identity.address, body=Withdraw(), priority=Priority.QUESTION, not_before=at)
            )
