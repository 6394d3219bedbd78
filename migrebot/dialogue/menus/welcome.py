"""The first words, help and privacy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from migrebot.dialogue import safety
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.messages import Button, Keyboard
from storage.facts import Noted
from storage.names import DISK_ACCESS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrebot.i18n import Translator
    from storage.records import User


def start(turn: Turn) -> Answer:
    """Greet; the first time together with what is stored and who can read it."""
    return greeting(turn) if turn.user.greeted_at is None else welcome_back(turn)


def greeting(turn: Turn) -> Answer:
    """Greet somebody new: what the bot is, and in four lines what happens to what they write."""
    text = Markup("\n\n").join((_hello(turn.tr), storage_notice(turn), turn.tr("Everything I can do: /help")))
    return say(text, _start_keyboard(turn.tr)) + Answer(user=greeted(turn))


def notice(turn: Turn) -> Answer:
    """Tell somebody new, who began with something else, what happens to what they write."""
    return say(storage_notice(turn)) + Answer(user=greeted(turn))


def welcome_back(turn: Turn) -> Answer:
    """Greet somebody known."""
    tr = turn.tr
    text = tr("Hello again. Press the button or write /pain to record a headache. Everything I can do: /help")
    return say(text, _start_keyboard(tr))


def help_(turn: Turn, owners: Sequence[tuple[str, str]] = ()) -> Answer:
    """Tell what the bot can do, what it is not, and the emergency signs.

    `owners` are the commands of the person who runs the bot, if that is who asks, each with what it does.
    """
    tr = turn.tr
    commands = [Markup("\n").join(group) for group in _commands(tr)]
    if owners:
        lines = [
            tr("%(command)s – %(what)s", command=command, what=f"{what[:1].lower()}{what[1:]}")
            for command, what in owners
        ]
        commands.append(Markup("\n").join((tr("<b>For you alone, since you run this bot</b>"), *lines)))
    about = tr(
        "I keep your diary so that you and your doctor see what happens. I am a program, not a doctor: I never make a"
        " diagnosis, and I cannot call for help."
    )
    return say(Markup("\n\n").join((tr("<b>What I can do</b>"), *commands, about, safety.emergency(tr))))


def _commands(tr: Translator) -> tuple[tuple[Markup, ...], ...]:
    """Give a line for each command, in groups."""
    return (
        (
            tr("/pain – record a headache"),
            tr("/pain 7 3h ibuprofen 400 – the same in one line"),
            tr("/druguse – record a medicine, or in one line: /druguse ibuprofen 400"),
            tr("/pressure – record a blood pressure, or in one line: /pressure 120/80 65"),
            tr("/medications – your medicines and daily maxima"),
        ),
        (
            tr("/add remind me to drink water tomorrow at 9 – a reminder; /add alone asks step by step"),
            tr("/list – your reminders, to change or pause them"),
            tr("/delete 2 or /delete k7 – delete a reminder by its number or code"),
        ),
        (
            tr("/calendar – your days, what you recorded on them, and days without headache"),
            tr("/statistics – a summary, and a workbook for your doctor"),
        ),
        (
            tr("/settings – language, time zone, the regular question"),
            tr("/cancel – leave a question"),
            tr("/link, /unlink – use the same diary in another messenger, or no longer"),
            tr("/export – all your entries as a file: Excel, CSV or JSON"),
            tr("/forget – delete everything about you"),
            tr("/privacy – what is stored and who can read it"),
            tr("/donate – give something to whoever runs this bot"),
            tr("/paysupport – questions about a payment"),
        ),
    )


def privacy(turn: Turn) -> Answer:
    """Tell in full what is stored, who can read it, and for how long."""
    tr = turn.tr
    return say(
        Markup("\n\n").join(
            (
                tr("<b>What is stored about you</b>"),
                storage_notice(turn),
                *_about_disk(turn),
                tr(
                    "Not stored: our conversation itself. What you write is kept only as the entry it becomes; a form"
                    " you left open goes after two days. Your messenger keeps its own copy of this chat, and only you"
                    " can delete that."
                ),
                tr(
                    "What you choose to send to the person who runs this bot is kept in their messenger; here only who"
                    " wrote it, for 30 days, so that they can answer."
                ),
                tr(
                    "After /forget a mark without your name stays, so that you are erased again should a backup be"
                    " restored."
                ),
                tr(
                    "If you donate: the amount, the day and the number of the payment. /forget takes your name off"
                    " them, but they stay in the accounts of the person who runs this bot. Cards and bank accounts I"
                    " never see."
                ),
                tr("Nothing is sold, shown in advertising or used to train anything."),
            )
        )
    )


def _about_disk(turn: Turn) -> Iterator[Markup]:
    """Tell that backups leave this machine, if they do."""
    tr, how = turn.tr, turn.setup.uploads
    if how == "never" or not (turn.setup.has_disk_token or turn.facts(Noted(0, DISK_ACCESS))):
        return
    yield (
        tr("Backups also go to the Yandex Disk of the person who runs this bot, encrypted: Yandex cannot read them.")
        if how == "encrypted"
        else tr("Backups also go to the Yandex Disk of the person who runs this bot, and Yandex could read them there.")
    )


def greeted(turn: Turn) -> User:
    """Note that the user was told what is stored."""
    return msgspec.structs.replace(turn.user, greeted_at=turn.user.greeted_at or turn.now)


def _start_keyboard(tr: Translator) -> Keyboard:
    return ((Button(tr.plain("Record a headache"), "c:pain"),),)


def _hello(tr: Translator) -> Markup:
    return tr(
        "Hello! I am <b>Migrebot</b>, a headache diary that also reminds you. A few taps, and you and your doctor can"
        " see what happens; /add sets a reminder."
    )


def storage_notice(turn: Turn) -> Markup:
    """Tell in four lines what is stored, who can read it, how long it is kept and how it goes."""
    tr = turn.tr
    return Markup("\n").join(
        (
            tr("• I store the entries you make, your language, your time zone and the name your messenger shows me."),
            tr("• Whoever runs this bot, and the messenger, can technically read them."),
            tr.n(
                "• Backups keep them for up to %(n)s day.",
                "• Backups keep them for up to %(n)s days.",
                turn.setup.backup_days,
            ),
            tr("• /export gives you everything, /forget deletes it, /privacy tells you more."),
        )
    )
