"""One's own data: export as a file, and deletion for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from migrebot.dialogue.links import described
from migrebot.dialogue.turn import Answer, Attachment, Turn, say
from migrebot.dialogue.withdrawing import WITHDRAWING, withdrawn
from migrebot.diary.exports import EXPORTS
from migrebot.erasures import mark
from migrebot.i18n import N_
from migrebot.messages import Button
from migrebot.typed import folded
from storage.changes import EraseUser
from storage.facts import AllOf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrebot.i18n import Translator
    from storage.facts import Everything

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
    tr = turn.tr
    if turn.conversation.is_new:
        return say(tr("There is nothing stored about you."))
    lines = (
        tr("Stored about you:"),
        *(Markup("• {}").format(line) for line in _stored(tr, turn.facts(AllOf(turn.user.id)))),
    )
    asked = tr(
        "Shall I delete all of it? This cannot be undone; /export first, if you want to keep a copy.",
    )
    keyboard = (
        (Button(tr.plain("Delete everything"), "f:sure"),),
        (Button(tr.plain("Keep it"), "f:keep"),),
    )
    return say(Markup("\n").join((*lines, "", asked)), keyboard, in_place=True)


def _stored(tr: Translator, everything: Everything) -> Iterator[str]:
    """Name each kind of what is stored, with its number; kinds of which there is nothing are left out."""
    counted = (
        (tr("headaches: %(n)s", n=len(everything.headaches)), everything.headaches),
        (tr("medicines taken: %(n)s", n=len(everything.intakes)), everything.intakes),
        (tr("blood pressures: %(n)s", n=len(everything.pressures)), everything.pressures),
        (tr("days without headache: %(n)s", n=len(everything.free_days)), everything.free_days),
        (tr("your list of medicines: %(n)s", n=len(everything.drugs)), everything.drugs),
        (tr("reminders: %(n)s", n=len(everything.reminders)), everything.reminders),
        (
            tr("notes of your messages to the person who runs this bot: %(n)s", n=len(everything.letters)),
            everything.letters,
        ),
        (
            tr("donations: %(n)s; what they came to stays, without your name", n=len(everything.payments)),
            everything.payments,
        ),
    )
    yield from (line for line, entries in counted if entries)
    messengers = [described(identity, tr) for identity in everything.identities]
    yield tr("your name in each messenger (%(list)s)", list=tr.list(messengers))
    yield tr("your settings")


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
    tr, everything = turn.tr, turn.facts(AllOf(turn.user.id))
    hashes = tuple(mark(turn.setup.erasure_key, identity.address) for identity in everything.identities)
    kept = (change for identity in everything.identities for change in withdrawn(identity.address, turn.now))
    changes = (EraseUser(turn.user.id, hashes), *kept)
    lines = (
        tr("Everything about you is deleted here. What remains:"),
        *(Markup("• {}").format(line) for line in _remaining(turn, everything)),
        "",
        tr("Write /start if you want to begin anew."),
    )
    return Answer(changes=changes, session=None) + say(Markup("\n").join(lines), in_place=True)


def _remaining(turn: Turn, everything: Everything) -> Iterator[str]:
    """Name what deleting cannot reach, or not yet."""
    tr = turn.tr
    yield tr("this chat in your messenger: only you can delete that")
    yield tr.n("backups, for up to %(n)s day", "backups, for up to %(n)s days", turn.setup.backup_days)
    if everything.letters or everything.correspondence:
        yield tr("what the person who runs this bot has already read of your messages")
    if everything.payments:
        yield tr("amount, day and number of your donations, but not that they were yours")
    if any(identity.address.channel in WITHDRAWING for identity in everything.identities):
        yield tr("the copies at Twilio, which carries WhatsApp: I delete them there within the next hour")
    yield tr("your number and how many entries there were, until today’s report counts who left")
    yield tr("a mark without your name, by which you are erased again should a backup be restored")
