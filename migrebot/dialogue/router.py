"""From what came in to who answers it: commands, buttons, answers to an open form, everything else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, Struct

from migrebot.dialogue import (
    announcement_switch,
    backups,
    donations,
    engine,
    letters,
    links,
    maintenance,
    numbered,
    overuse,
    owner,
    writing,
)
from migrebot.dialogue.forms import (
    announcement_text,
    asking,
    consent,
    disk_token,
    donation,
    drug,
    intake,
    one_line,
    pain,
    pressure,
    reminder,
    snooze,
    which_reminder,
    zone,
)
from migrebot.dialogue.menus import (
    announcement,
    calendar,
    firing,
    headaches,
    intakes,
    medications,
    own_data,
    pressures,
    question,
    reminders,
    report,
    settings,
    statistics,
    welcome,
)
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.i18n import N_
from migrebot.messages import INERT, Inbound, InGroup, Left, Location, Paid, Press, Refunded, Returned, Text, Unreadable
from migrebot.reminders.phrases import Understood
from migrebot.typed import MAX_TEXT, clean, folded, parse_id
from storage.changes import EraseUser, Mute, Unmute
from storage.facts import BelongsToAnother, OccurrenceById, OfferedKeyboard

if TYPE_CHECKING:
    from migrebot.dialogue.form import Form
    from migrebot.messages import Content
    from storage.records import Session


def respond(turn: Turn) -> Answer:
    """Decide what is said and stored in answer to what came in. Raises `FactsMissing` when it has to know more."""
    unfit = _closing(turn)
    if unfit is not None:
        then = turn.after(unfit)
        is_late = isinstance(turn.content, Text) and not turn.content.text.lstrip().startswith("/")
        return unfit + _introduced(then, letters.late(then) if is_late else _answer(then))
    return _introduced(turn, _answer(turn))


def meanwhile(turn: Turn, message: Inbound, *, is_over: bool) -> Answer:
    """Answer somebody who has to wait, see `maintenance.concerns`: help comes at once, all else afterwards."""
    if isinstance(turn.content, Text) and not is_over and _named(clean(turn.content.text)) == "help":
        return _introduced(turn, say(maintenance.notice(turn)) + _help(turn, ""))
    return maintenance.wait(turn, message, is_over=is_over)


def released(turn: Turn, *, is_first: bool) -> Answer:
    """Answer what waited, now that it is its turn; the first message of somebody is a greeting's occasion."""
    if not is_first:
        return respond(turn)
    back = maintenance.back(turn)
    return back + respond(turn)


def _closing(turn: Turn) -> Answer | None:
    """Close a form that may not go on: of an older version of the program, or of somebody who has yet to agree."""
    session = turn.session
    if session is None:
        return None
    form = FORMS.get(session.form)
    is_known = form is not None and any(step.name == session.step for step in form.steps)
    must_stop = session.form in ENTRY_FORMS and _must_agree(turn)
    must_stop |= session.form in OWNER_FORMS and not owner.is_owner(turn)
    return None if is_known and not must_stop else Answer(session=None)


def _must_agree(turn: Turn) -> bool:
    return turn.setup.require_consent and turn.user.agreed_at is None


def _ask_consent(turn: Turn, command: str) -> Answer:
    asked = engine.begin(FORMS["consent"], turn, answers={consent.COMMAND: command})
    return asked + Answer(user=welcome.greeted(turn))


def _answer(turn: Turn) -> Answer:
    match turn.content:
        case Text(text):
            return _hear(turn, clean(text), len(text))
        case Press() as press:
            return _press(turn, press)
        case Location() as place:
            return _locate(turn, place)
        case Unreadable("live_location"):
            return Answer()  # it comes every few seconds for as long as it is shared
        case Unreadable("edit"):
            said = turn.tr("You changed a message. I go by what it said at first: please write it anew.")
            return _cannot_read(turn, said)
        case Unreadable():
            return _cannot_read(turn, turn.tr("I can only read text and buttons."))
        case Paid() | Refunded() as payment:
            return donations.hear(turn, payment)
        case Left() | Returned() as change:
            address = turn.conversation.identity.address
            return Answer(changes=(Mute(address, "left") if isinstance(change, Left) else Unmute(address),))
        case InGroup():
            return say(turn.tr("I keep health diaries and speak in private chats only. Goodbye!"))


def _locate(turn: Turn, place: Location) -> Answer:
    if turn.session and turn.session.form != zone.FORM.name:
        return _cannot_read(turn, turn.tr("I can only use a place to find out your time zone."))
    answer = zone.locate(turn, place)
    if answer is None:
        return _cannot_read(turn, turn.tr("I know no time zone of that place. Please write the nearest big city."))
    return answer


def expire(turn: Turn) -> Answer:
    """End a form that was left alone too long."""
    closing = _closing(turn)
    return (closing if closing is not None else _left(turn)) + letters.expired(turn)


def _left(turn: Turn) -> Answer:
    """Leave the form that is open, if one is, keeping what is worth it."""
    return engine.leave(FORMS[turn.session.form], turn, turn.session) if turn.session else Answer()


class Command(Struct, frozen=True):
    """A command: who answers it and what the messengers' menus say of it.

    `answer` gets the text behind the command; `description` is English, and so is `usage`, what has to be written
    behind it; one that `makes_entry` may need consent first.
    """

    answer: Callable[[Turn, str], Answer]
    description: str
    makes_entry: bool = False
    usage: str = ""


def _pain(turn: Turn, arguments: str) -> Answer:
    if not arguments:
        return engine.begin(pain.FORM, turn)
    answers = one_line.parse_line(arguments, turn.today)
    if answers is None:
        said = turn.tr(
            "I did not understand all of that, so let us go step by step. In one line it would be: /pain 7 3h"
            " ibuprofen 400"
        )
        return engine.begin(pain.FORM, turn, said=said)
    return pain.record(turn, answers)


def _druguse(turn: Turn, arguments: str) -> Answer:
    if not arguments:
        return engine.begin(intake.FORM, turn)
    answers = one_line.parse_intake(arguments, turn.today)
    if answers is None:
        said = turn.tr(
            "I did not understand all of that, so let us go step by step. In one line it would be: /druguse ibuprofen"
            " 400"
        )
        return engine.begin(intake.FORM, turn, said=said)
    return intake.record(turn, answers)


def _pressure(turn: Turn, arguments: str) -> Answer:
    return pressure.record(turn, arguments) if arguments else engine.begin(pressure.FORM, turn)


def _cancel(turn: Turn, arguments: str) -> Answer:  # noqa: ARG001 - the signature of `Command.answer`
    return say(turn.tr("There is nothing to cancel. /help tells what I can do."))


def _help(turn: Turn, arguments: str) -> Answer:  # noqa: ARG001 - the signature of `Command.answer`
    """Tell what the bot can do; the owner is told of the owner's commands too."""
    tr = turn.tr
    shown = OWNER_COMMANDS if owner.is_owner(turn) else {}
    return welcome.help_(
        turn,
        [
            (f"/{name} {tr.plain(command.usage)}" if command.usage else f"/{name}", tr.plain(command.description))
            for name, command in shown.items()
        ],
    )


COMMANDS: dict[str, Command] = {
    "pain": Command(_pain, N_("Record a headache"), makes_entry=True),
    "druguse": Command(_druguse, N_("Record a medicine"), makes_entry=True),
    "pressure": Command(_pressure, N_("Record a blood pressure"), makes_entry=True),
    "medications": Command(
        lambda turn, _: medications.medications(turn), N_("Your medicines and daily maxima"), makes_entry=True
    ),
    "add": Command(reminder.add, N_("Set a reminder"), makes_entry=True),
    "list": Command(lambda turn, _: reminders.list_(turn), N_("Your reminders")),
    "delete": Command(which_reminder.delete, N_("Delete a reminder")),
    "calendar": Command(calendar.calendar, N_("Your days and their entries")),
    "statistics": Command(lambda turn, _: statistics.statistics(turn), N_("Summary and a workbook for your doctor")),
    "settings": Command(lambda turn, _: settings.settings(turn), N_("Language, time zone, the regular question")),
    "help": Command(_help, N_("What I can do, and emergency signs")),
    "cancel": Command(_cancel, N_("Leave the question that is open")),
    "link": Command(links.link, N_("Use the same diary in another messenger")),
    "unlink": Command(lambda turn, _: links.unlink(turn), N_("Let a messenger leave the diary")),
    "export": Command(own_data.export, N_("All your entries as a file")),
    "forget": Command(lambda turn, _: own_data.forget(turn), N_("Delete everything about you")),
    "privacy": Command(lambda turn, _: welcome.privacy(turn), N_("What is stored and who can read it")),
    "donate": Command(lambda turn, _: donation.donate(turn), N_("Give something to whoever runs this bot")),
    "paysupport": Command(lambda turn, _: donations.paysupport(turn), N_("Questions about a payment")),
    "start": Command(lambda turn, _: welcome.start(turn), N_("Say hello")),
}
"""All commands for everybody, in the order of the menus."""

OWNER_COMMANDS: dict[str, Command] = {
    "report": Command(lambda turn, _: report.report(turn), N_("What happened since the last report, and your page")),
    "write": Command(writing.write, N_("Write to somebody"), usage=N_("ID text")),
    "maintenance_on": Command(lambda turn, _: maintenance.on(turn), N_("Let what others write wait")),
    "maintenance_off": Command(lambda turn, _: maintenance.off(turn), N_("Handle what waited, and go on")),
    "trigger": Command(lambda turn, _: question.ask_now(turn), N_("The regular question, now and to you alone")),
    "announcement": Command(lambda turn, _: announcement.announcement(turn), N_("Write to everybody")),
    "backup": Command(backups.backup, N_("Make a backup now")),
    "token": Command(backups.token, N_("Keep backups on your Yandex Disk, too")),
}
"""Those of the person who runs the bot; for anybody else they are unknown commands."""

ALIASES = {"announcements": "announcement"}
"""Other names of commands, which no menu shows."""


def known_command(turn: Turn, name: str) -> Command | None:
    """Find the command of that name that whoever writes may use."""
    name = ALIASES.get(name, name)
    command = COMMANDS.get(name)
    if command is None and name in OWNER_COMMANDS and owner.is_owner(turn):
        return OWNER_COMMANDS[name]
    return command


def _hear(turn: Turn, text: str, length: int) -> Answer:
    if length > MAX_TEXT:
        said = turn.tr("That is very long. Please keep it within %(limit)s characters.", limit=MAX_TEXT)
        return _cannot_read(turn, said)
    if not text:
        return _cannot_read(turn, turn.tr("I can only read text and buttons."))
    if text.startswith("/"):
        return _command(turn, text)
    if (answered := letters.reply(turn, text)) is not None:
        return answered
    chosen = _chosen(turn, text)
    if chosen is not None:
        return chosen
    if turn.session:
        return engine.hear(FORMS[turn.session.form], turn, turn.session, text)
    if (day := calendar.typed(turn, text)) is not None:
        return day
    if _asks_for_reminder(turn, text):
        return reminder.add(turn, text)
    return letters.hear(turn, text)


def _asks_for_reminder(turn: Turn, text: str) -> bool:
    """Tell whether a text clearly asks for a reminder: "remind me to … tomorrow at 9", in any of the languages."""
    if not _REMIND_ME.match(text) or _must_agree(turn):
        return False
    understood = reminder.read(turn, text)
    return isinstance(understood, Understood) and bool(understood.task)


_REMIND_ME = re.compile(r"(please )?remind me|напомни|нагада|rappelle|recu[eé]rd[ae]", re.IGNORECASE)


def _chosen(turn: Turn, text: str) -> Answer | None:
    """Let a typed number or label press the button that it names; None if it names none.

    Where there are buttons, an open form knows best what is meant.
    """
    address = turn.conversation.identity.address
    by_number = address.channel in numbered.CHANNELS
    if turn.conversation.is_new or (turn.session and not by_number) or _is_value(turn, text):
        return None
    keyboard = turn.facts(OfferedKeyboard(turn.user.id, address))
    buttons = numbered.meant(keyboard, text, by_number=by_number)
    if len(buttons) > 1 and turn.session:
        labels = ", ".join(folded(button.label) for button in buttons)
        return engine.hear(FORMS[turn.session.form], turn, turn.session, labels)
    return Answer(took_offer=True) + _press(turn, Press(buttons[0].data, "")) if buttons else None


def _is_value(turn: Turn, text: str) -> bool:
    """Tell whether a typed number answers the open question by itself; 0 goes on, as everywhere."""
    session = turn.session
    return session is not None and text.isdigit() and text != "0" and FORMS[session.form].step(session.step).by_value


def _command(turn: Turn, text: str) -> Answer:
    name, arguments = _named(text), _COMMAND.sub("", text, count=1)
    command = known_command(turn, name)
    if command is None:
        return _cannot_read(turn, turn.tr("I do not know that command. /help lists those I know."))
    if name == "cancel" and turn.session:
        return engine.steer(FORMS[turn.session.form], turn, turn.session, "cancel")
    # Whoever wants to be forgotten wants no last entry.
    left = _left(turn) if name != "forget" or turn.session is None else Answer(session=None)
    then = turn.after(left)
    if command.makes_entry and _must_agree(then):
        return left + _ask_consent(then, text)
    return left + command.answer(then, arguments.strip())


def _named(text: str) -> str:
    """Give the name of the command that a text is; empty if it is none."""
    found = _COMMAND.match(text)
    return found[1].partition("@")[0].casefold() if found else ""


_COMMAND = re.compile(r"/(\S*)\s*")


def may_be_secret(content: Content, session: Session | None) -> bool:
    """Tell whether what came in may be a token, so that it must not be set aside as it is."""
    if not isinstance(content, Text):
        return False
    return _named(clean(content.text)) == "token" or (session is not None and session.form == disk_token.FORM.name)


def _press(turn: Turn, press: Press) -> Answer:
    if press.data == INERT:
        return Answer()
    kind, *parts = press.data.split(":") if len(press.data) <= 64 else [""]
    answer = _pressed(turn, kind, parts) if parts else None
    if answer is None:
        answer = Answer(toast=turn.tr.plain("This button no longer does anything. /help tells what I can do."))
    refused = kind in MENUS and answer.toast and not answer.replies
    return answer + Answer(is_foreign=True) if refused and _names_anothers(turn, parts) else answer


def _names_anothers(turn: Turn, parts: Sequence[str]) -> bool:
    """Tell whether a button names something that is somebody else's: no button of one's own ever does."""
    ids = [id_ for part in parts if (id_ := parse_id(part)) is not None]
    return any(turn.facts(BelongsToAnother(turn.user.id, id_)) for id_ in ids[:2])


def _press_firing(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Let a reminder that fired answer; its own time to put it off to is asked for by a form."""
    if action == "snooze" and len(arguments) == 2 and arguments[1] == firing.OWN:
        occurrence_id = parse_id(arguments[0])
        known = occurrence_id and turn.facts(OccurrenceById(turn.user.id, occurrence_id))
        if known and firing.may_be_put_off(turn, known):
            return snooze.begin(turn, known.id)
        arguments = (arguments[0], "")
    return firing.press(turn, action, arguments)


MENUS: dict[str, Callable[[Turn, str, Sequence[str]], Answer | None]] = {
    "h": headaches.press,
    "i": intakes.press,
    "b": pressures.press,
    "d": medications.press,
    "o": overuse.press,
    "k": calendar.press,
    "s": settings.press,
    "ask": question.press,
    "t": statistics.press,
    "f": own_data.press,
    "r": _press_firing,
    "rm": reminders.press,
    "l": letters.press,
    "y": links.press,
    "w": writing.press,
    "n": announcement_switch.press,
}
"""Who answers a press outside a form, by the first part of what the button carries."""

OWNER_MENUS: dict[str, Callable[[Turn, str, Sequence[str]], Answer | None]] = {
    "an": announcement.press,
}
"""The same for what the owner alone may press: whoever else does meets a button that does nothing."""

ENTRIES = {"h": "/pain", "ask": "/pain", "i": "/druguse", "b": "/pressure", "d": "/medications"}
"""Of these the menus of entries: the command to go on with once the person agreed."""


def _pressed(turn: Turn, kind: str, parts: Sequence[str]) -> Answer | None:
    action, *arguments = parts
    if (command := _makes_entry(kind, action)) and _must_agree(turn):
        left = _left(turn)
        return left + _ask_consent(turn.after(left), command)
    menu = MENUS.get(kind)
    if menu is None and kind in OWNER_MENUS and owner.is_owner(turn):
        menu = OWNER_MENUS[kind]
    if menu is not None:
        return _menu(turn, lambda then: menu(then, action, arguments))
    match kind:
        case "q":
            return _press_question(turn, action, arguments)
        case "m":
            return _show_more(turn)
        case "c":
            return _press_command(turn, action, arguments)
        case _:
            return None


def _makes_entry(kind: str, action: str) -> str:
    """Tell which command to go on with once the person agreed, if the button makes an entry; else empty."""
    if kind == "k":
        return "/calendar" if action in calendar.MAKES_ENTRY else ""
    return ENTRIES.get(kind, "")


def _menu(turn: Turn, handler: Callable[[Turn], Answer | None]) -> Answer | None:
    """Let a menu answer; if it opens a form, the one that was open is left first."""
    answer = handler(turn)
    if answer is None or turn.session is None or answer.session is UNSET or answer.session is None:
        return answer
    left = _left(turn)
    again = handler(turn.after(left))
    return again and left + again


def _press_question(turn: Turn, token: str, arguments: Sequence[str]) -> Answer | None:
    session = turn.session
    if session is None or session.token != token or len(arguments) != 1:
        return Answer(toast=turn.tr.plain("That question is closed already. Nothing was changed."))
    return engine.press(FORMS[session.form], turn, session, arguments[0])


def _show_more(turn: Turn) -> Answer | None:
    """Show the rest of a list that was too long for one message."""
    rest = numbered.rest(turn.facts(OfferedKeyboard(turn.user.id, turn.conversation.identity.address)))
    return say(turn.tr("More…"), rest) if rest else None


def _press_command(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    if action in COMMANDS and not arguments:
        return _command(turn, f"/{action}")
    return None


def _cannot_read(turn: Turn, said: str) -> Answer:
    """Say why it cannot be read; an open question is put again below."""
    if turn.session:
        return engine.ask(FORMS[turn.session.form], turn, turn.session, said=said)
    return say(said)


def _introduced(turn: Turn, answer: Answer) -> Answer:
    """Put the notice on what is stored in front of the first answer somebody new gets."""
    erased = any(isinstance(change, EraseUser) for change in answer.changes)
    greeted = turn.user.greeted_at or (answer.user and answer.user.greeted_at)
    if greeted or erased or not answer.replies or isinstance(turn.content, InGroup):
        return answer
    first = welcome.notice(turn.after(answer))
    joined = first + answer
    # The answer may have changed the user too: both changes count.
    return msgspec.structs.replace(joined, user=first.user)


ENTRY_FORMS = frozenset({"pain", "intake", "pressure", "pressure_time", "drug"})
"""The forms that make or change entries."""

OWNER_FORMS: frozenset[str] = frozenset({disk_token.FORM.name, "announcement"})
"""The forms in which the owner alone may go on."""

FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        pain.FORM,
        reminder.FORM,
        snooze.FORM,
        which_reminder.FORM,
        intake.FORM,
        pressure.FORM,
        pressure.TIME_FORM,
        drug.FORM,
        zone.FORM,
        asking.FORM,
        donation.FORM,
        letters.AGREE,
        letters.ANSWER,
        writing.BACK,
        disk_token.FORM,
        consent.make(_command),
        announcement_text.FORM,
    )
}
"""All forms by name."""
