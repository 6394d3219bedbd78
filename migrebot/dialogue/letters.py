"""Messages to the person who runs the bot, and the answers to them.

What somebody writes outside a form goes to the owner once the person agreed to that. The owner answers by a reply to
the copy, or by its button; the answer goes to the chat the message came from. No text is kept: a message is in the
outbox until it is sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from migrebot.dialogue import engine, owner
from migrebot.dialogue.form import Choice, Form, Rows, Step, View
from migrebot.dialogue.forms.medicines import parse_yes_or_no
from migrebot.dialogue.outcome import TEXT_LIMITS
from migrebot.dialogue.turn import Answer, say
from migrebot.i18n import translator
from migrebot.messages import Button, Outgoing, Say, Text
from migrebot.splitting import split
from migrebot.typed import parse_id
from storage.changes import Enqueue, SaveCorrespondence, SaveLetter
from storage.facts import CorrespondenceOf, LetterById, LetterCopiedIn, UserAt
from storage.records import Letter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.dialogue.turn import Turn
    from migrebot.messages import Address, Keyboard, Profile

TEXT, LETTER = "text", "letter"
"""The answers that the forms have from the start: the text to be sent, the id of the message to be answered."""

_NUMBERED = re.compile(r"\+?\d[\d\s().-]{5,}\d")
"""What may be a phone number in a name."""

_REMINDING = re.compile(
    r"(?:please |can you )?remind|(?:пожалуйста,? )?напомни|(?:будь ласка,? )?нагадай|(?:peux-tu me |me )?rappel"
    r"|(?:puedes )?recu[eé]rda",
    re.IGNORECASE,
)


# --- from a person to the owner ----------------------------------------------------------------------------------


def hear(turn: Turn, text: str) -> Answer:
    """Take a text that is nothing else: send it to the owner, ask whether to, or tell what would do."""
    tr = turn.tr
    if owner.is_owner(turn):
        return say(
            tr("I did not understand that. To answer somebody, reply to their message. /help tells what I can do.")
        )
    if _REMINDING.match(text):
        return say(tr("For a reminder write for example: /add remind me to drink water at 9:00. More is in /help."))
    wishes = turn.facts(CorrespondenceOf(turn.user.id))
    if wishes.form_expired_at is not None:
        return late(turn)
    if owner.user(turn) is None:
        return _nobody(turn)
    return send(turn, text) if wishes.agreed_at else engine.begin(AGREE, turn, answers={TEXT: text})


def _nobody(turn: Turn) -> Answer:
    return say(
        turn.tr(
            "I did not understand that. Nobody reads here, and nothing of it is kept. /pain records a headache, /help"
            " tells what else I can do."
        )
    )


def late(turn: Turn) -> Answer:
    """Tell that a text may be the answer to a form that is closed; the next one is taken as it is."""
    wishes = msgspec.structs.replace(turn.facts(CorrespondenceOf(turn.user.id)), form_expired_at=None)
    said = turn.tr(
        "If that was an answer: the question is closed by now, and nothing of this message was kept. If it was for the"
        " person who runs this bot, please write it again. /help tells what I can do."
    )
    return Answer(changes=(SaveCorrespondence(wishes),)) + say(said)


def expired(turn: Turn) -> Answer:
    """Note that a form expired: the next text may be meant for it."""
    wishes = msgspec.structs.replace(turn.facts(CorrespondenceOf(turn.user.id)), form_expired_at=turn.now)
    return Answer(changes=(SaveCorrespondence(wishes),))


def send(turn: Turn, text: str) -> Answer:
    """Send the text to the owner, with a receipt."""
    to, reader = owner.address(turn), owner.user(turn)
    if to is None or reader is None:
        return _nobody(turn)
    tr = translator(reader.language)
    sender = turn.conversation.identity
    letter = Letter(id=turn.new_id(), user_id=turn.user.id, address=sender.address, written_at=turn.now)
    heading = tr("✉️ <b>%(name)s</b> (id %(id)s) writes:", name=called(sender.profile), id=turn.user.id)
    keyboard = ((Button(tr.plain("Answer"), f"l:answer:{letter.id}"),),)
    copies = posted(to, Markup("{}\n{}").format(heading, text), keyboard, reader.id)
    keyed = [msgspec.structs.replace(copy, key=f"letter:{letter.id}:{n}") for n, copy in enumerate(copies)]
    saved = SaveLetter(letter, tuple(copy.key or "" for copy in keyed))
    receipt = turn.tr(
        "Sent. The person who runs this bot may read it later. In an emergency, call your emergency services."
    )
    return Answer(changes=(*map(Enqueue, keyed), saved)) + say(receipt, in_place=True)


def called(profile: Profile) -> str:
    """Give the name the messenger shows, without anything that may be a phone number."""
    name = " ".join(part for part in (profile.first_name, profile.last_name) if part)
    shown = _NUMBERED.sub("", name).strip()
    return f"{shown} @{profile.username}".strip() if profile.username else shown or "?"


def posted(to: Address, text: Markup, keyboard: Keyboard, user_id: int) -> list[Outgoing]:
    """Give the messages of a text that may be too long for one; the buttons are below the last of them."""
    *before, last = (str(part) for part in split(text, TEXT_LIMITS[to.channel]))
    bodies = (*(Say(part) for part in before), Say(last, keyboard))
    return [Outgoing(address=to, body=body, user_id=user_id) for body in bodies]


# --- from the owner to a person ----------------------------------------------------------------------------------


def reply(turn: Turn, text: str) -> Answer | None:
    """Take the owner's reply to a copy; None if it is not the owner's, or not to a copy."""
    told = turn.content
    if not isinstance(told, Text) or not told.reply_to or turn.conversation.is_new or not owner.is_owner(turn):
        return None
    letter = turn.facts(LetterCopiedIn(turn.user.id, turn.conversation.identity.address, told.reply_to))
    return None if letter is None else _answer(turn, letter, text)


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on the button of a copy, which is the owner's alone; None if there is no such button."""
    letter_id = parse_id(arguments[0]) if action == "answer" and len(arguments) == 1 else None
    if letter_id is None or not owner.is_owner(turn):
        return None
    if turn.facts(LetterById(turn.user.id, letter_id)) is None:
        return _gone(turn)
    return engine.begin(ANSWER, turn, answers={LETTER: letter_id})


def _gone(turn: Turn) -> Answer:
    return say(turn.tr("That message is too old, or its sender had everything deleted."))


def _answer(turn: Turn, letter: Letter, text: str) -> Answer:
    addressee = turn.facts(UserAt(turn.user.id, letter.address))
    if addressee is None or addressee.id != letter.user_id:
        return _gone(turn)
    tr = translator(addressee.language)
    heading = tr("✉️ The person who runs this bot answers:")
    answers = posted(letter.address, Markup("{}\n{}").format(heading, text), (), addressee.id)
    said = turn.tr("Your answer is on its way.")
    return Answer(changes=tuple(map(Enqueue, answers))) + say(said, in_place=True)


# --- the forms ---------------------------------------------------------------------------------------------------


def _agreed(view: View) -> Answer:
    turn = view.turn
    if not view.answers["agree"]:
        return _not_sent(view)
    wishes = msgspec.structs.replace(turn.facts(CorrespondenceOf(turn.user.id)), agreed_at=turn.now)
    return Answer(changes=(SaveCorrespondence(wishes),)) + send(turn, view.answers[TEXT])


def _not_sent(view: View) -> Answer:
    return say(view.tr("Not sent, and not kept."), in_place=True)


def _agree_choices(view: View) -> Rows:
    return [[Choice(view.tr.plain("Yes, send it"), value=True), Choice(view.tr.plain("No"), value=False)]]


def _agree_question(view: View) -> Markup:
    return Markup("{}\n\n<i>{}</i>").format(
        view.tr(
            "Send this to the person who runs the bot? They see your name here, may read it later, and can answer. From"
            " then on I send what you write outside of questions without asking."
        ),
        _shortened(view.answers[TEXT]),
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_SHOWN = 300
"""Characters of one's own message that are shown again."""

AGREE = Form(
    name="letter",
    wire_name="MessageForm",
    wire_steps=("agree",),
    steps=(
        Step(
            name="agree",
            wire_name="agree",
            question=_agree_question,
            choices=_agree_choices,
            parse=parse_yes_or_no,
        ),
    ),
    following=lambda view, step: None,  # noqa: ARG005 - there is one step
    finish=_agreed,
    abandon=lambda view: Answer(),  # noqa: ARG005 - nothing was agreed to
    cancel=_not_sent,
)
"""Asks once whether messages shall be sent."""


def _answered(view: View) -> Answer:
    letter = view.facts(LetterById(view.user_id, view.answers[LETTER]))
    return _gone(view.turn) if letter is None else _answer(view.turn, letter, view.answers[TEXT])


ANSWER = Form(
    name="answer",
    wire_name="AnswerForm",
    wire_steps=("text",),
    steps=(
        Step(
            name=TEXT,
            wire_name="text",
            question=lambda view: view.tr("What shall I answer? Write it."),
            parse=lambda view, text: text,  # noqa: ARG005 - any text will do
        ),
    ),
    following=lambda view, step: None,  # noqa: ARG005 - there is one step
    finish=_answered,
    abandon=lambda view: Answer(),  # noqa: ARG005 - nothing is known before the end
)
"""Asks the owner for the answer to a message."""
