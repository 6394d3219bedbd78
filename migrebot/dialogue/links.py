"""Several messengers with one diary: `/link` joins two by a one-time code, `/unlink` lets one go.

Who has the diary asks for a code and writes it in the other messenger; whoever has a diary there too is told first who
will read it. Then the first one is shown who entered the code, and only when that is confirmed the two become one.
Codes are stored hashed, valid for ten minutes and for one use; guesses are counted by who guesses and in all.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.dialogue.withdrawing import withdrawn
from migrebot.i18n import Translator, messenger_name, translator
from migrebot.messages import Button, Outgoing, Say
from storage.changes import (
    ClaimLinkCode,
    DropLinkCode,
    EndSession,
    Enqueue,
    MergeUsers,
    SaveLinkCode,
    SaveLinkTry,
    SaveUser,
    Unlink,
)
from storage.facts import AllOf, IdentitiesOf, LinkCodeByHash, LinkCodeOf, LinkTries, UserAt
from storage.records import LinkCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.messages import Address
    from storage.records import Identity, User

VALID = timedelta(minutes=10)
"""How long a code can be entered, and then how long that can be confirmed."""

TRIES_SINCE = timedelta(hours=1)
TRIES_EACH, TRIES_IN_ALL = 5, 100
"""Wrong guesses in that time by one person, and by everybody: of 2**60 codes that finds none."""

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""The letters and digits that are not taken for one another."""

_LENGTH = 12
_BITS = 22
"""Random bits at the end of each fresh id, see `migrebot.ids`."""

NAMELESS = "?"
"""Stands for a name that the messenger does not tell."""


# --- joining -----------------------------------------------------------------------------------------------------


def link(turn: Turn, arguments: str) -> Answer:
    """Answer `/link`: give a code, or take one."""
    return _enter(turn, arguments) if arguments else _give(turn)


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on one of these buttons; None if there is no such button."""
    if action == "drop" and len(arguments) == 1:
        return _drop(turn, arguments[0])
    if action == "enter" and len(arguments) == 1:
        return _entered(turn, _unpacked(arguments[0]), is_sure=True)
    if arguments:
        return None
    match action:
        case "yes":
            return _confirmed(turn)
        case "no":
            dropped = Answer(changes=(DropLinkCode(turn.user.id),))
            return dropped + say(turn.tr("Nothing was joined."), in_place=True)
        case "keep":
            return say(turn.tr("Everything stays as it is."), in_place=True)
        case _:
            return None


def _give(turn: Turn) -> Answer:
    letters = _letters(turn)
    shown = "-".join(letters[i : i + 4] for i in range(0, _LENGTH, 4))
    code = LinkCode(
        user_id=turn.user.id,
        hash=_hash(letters),
        address=turn.conversation.identity.address,
        expires_at=turn.now + VALID,
    )
    said = turn.tr(
        "To use this diary in another messenger too, write there within 10 minutes:\n\n<b>/link %(code)s</b>\n\n⚠️ Tell"
        " nobody: whoever enters it can read and delete your diary, once you have confirmed it here.",
        code=shown,
    )
    return Answer(changes=(SaveLinkCode(code),)) + say(said)


def _letters(turn: Turn) -> str:
    """Draw a code of 60 random bits."""
    number = 0
    for _ in range(3):
        number = number << _BITS | turn.new_id() & (1 << _BITS) - 1
    return "".join(_LETTERS[number >> 5 * n & 31] for n in range(_LENGTH))


def _hash(letters: str) -> str:
    return hashlib.sha256(letters.encode()).hexdigest()


def _packed(hash_: str) -> str:
    """Write a hash so that it fits a button."""
    return urlsafe_b64encode(bytes.fromhex(hash_)).decode().rstrip("=")


def _unpacked(written: str) -> str:
    """Read the hash of a button; one that no code has if it is none."""
    try:
        hash_ = urlsafe_b64decode(f"{written}=").hex()
    except ValueError:
        hash_ = ""
    return hash_ or "-"  # a code that was entered has an empty one


def _enter(turn: Turn, text: str) -> Answer:
    letters = "".join(character for character in text.upper() if character.isalnum())[: _LENGTH + 1]
    return _entered(turn, _hash(letters), is_sure=False)


def _entered(turn: Turn, hash_: str, *, is_sure: bool) -> Answer:
    tr = turn.tr
    own, everybodys = turn.facts(LinkTries(turn.user.id, turn.now - TRIES_SINCE))
    if own >= TRIES_EACH or everybodys >= TRIES_IN_ALL:
        return say(tr("There were too many wrong codes. Please try again in an hour."))
    code = turn.facts(LinkCodeByHash(turn.user.id, hash_))
    if code is None or code.expires_at <= turn.now:
        wrong = Answer(changes=(SaveLinkTry(turn.user.id, turn.new_id(), turn.now),))
        return wrong + say(tr("This code is wrong or too old. /link in the other messenger gives a new one."))
    if code.user_id == turn.user.id:
        return say(tr("This is the diary you are in already. Write the code in the other messenger."))
    issuer = turn.facts(UserAt(turn.user.id, code.address))
    if issuer is None or issuer.id != code.user_id:
        return say(tr("This code is wrong or too old. /link in the other messenger gives a new one."))
    if issuer.id > 0 and turn.user.id > 0:
        return say(tr("Two Telegram accounts cannot be joined."))
    if not is_sure and _has_diary(turn):
        return _warn(turn, hash_)
    asked = _ask(turn, code, issuer)
    said = tr("Right. Now please confirm it where you got the code: I have just asked there.")
    return asked + say(said, in_place=is_sure)


def _has_diary(turn: Turn) -> bool:
    found = turn.facts(AllOf(turn.user.id))
    return any((found.headaches, found.intakes, found.pressures, found.drugs, found.free_days, found.reminders))


def _warn(turn: Turn, hash_: str) -> Answer:
    """Ask whoever has something to lose: a code may come from somebody who wants to read their diary."""
    tr = turn.tr
    said = tr(
        "⚠️ Your diary here becomes one with that of whoever gave you this code, and they can read and delete all of"
        " it. Is the other messenger your own?"
    )
    keyboard = ((Button(tr.plain("Yes, join"), f"y:enter:{_packed(hash_)}"), Button(tr.plain("No"), "y:no")),)
    return say(said, keyboard)


def _ask(turn: Turn, code: LinkCode, issuer: User) -> Answer:
    """Show the issuer who entered the code."""
    tr = translator(issuer.language)
    claimant = turn.conversation.identity
    said = tr(
        "Your code was entered in %(messenger)s by <b>%(name)s</b>. Is that you? Then the two diaries become one, and"
        " both messengers can read and delete it.",
        messenger=messenger_name(claimant.address.channel, tr),
        name=name(claimant),
    )
    keyboard = ((Button(tr.plain("Yes, join"), "y:yes"), Button(tr.plain("No"), "y:no")),)
    claim = ClaimLinkCode(code.user_id, code.hash, claimant.address, turn.now + VALID)
    return Answer(changes=(claim, Enqueue(_message(code.address, said, issuer.id, keyboard))))


def _confirmed(turn: Turn) -> Answer:
    tr = turn.tr
    code = turn.facts(LinkCodeOf(turn.user.id))
    other = turn.facts(UserAt(turn.user.id, code.claimed_by)) if code and code.claimed_by else None
    if code is None or code.claimed_by is None or other is None or code.expires_at <= turn.now:
        return say(tr("It is too late for that. /link gives a new code."), in_place=True)
    if other.id == turn.user.id or (other.id > 0 and turn.user.id > 0):
        return say(tr("Nothing was joined."), in_place=True)
    winner, loser = _ranked(turn.user, other)
    merged = SaveUser(
        msgspec.structs.replace(
            winner,
            timezone=winner.timezone or loser.timezone,
            zone_offered=winner.zone_offered or loser.zone_offered,
            greeted_at=winner.greeted_at or loser.greeted_at,
            agreed_at=winner.agreed_at or loser.agreed_at,
        )
    )
    there = translator(other.language)("Joined: both messengers have one diary now. /unlink separates them again.")
    told = Enqueue(_message(code.claimed_by, there, None, ()))
    said = tr("Joined: both messengers have one diary now. /unlink separates them again.")
    return Answer(changes=(MergeUsers(winner.id, loser.id), merged, told)) + say(said, in_place=True)


def _ranked(one: User, other: User) -> tuple[User, User]:
    """Tell whose id stays: Telegram's, else that of the older one."""
    first, second = sorted((one, other), key=lambda user: (user.id < 0, user.created_at, -user.id))
    return first, second


# --- separating --------------------------------------------------------------------------------------------------


def unlink(turn: Turn) -> Answer:
    """Answer `/unlink`: show the messengers of the diary, each with a button to let it go."""
    tr = turn.tr
    identities = turn.facts(IdentitiesOf(turn.user.id))
    if len(identities) < 2:
        return say(tr("This diary is in this messenger alone. /link joins another one."))
    listed = Markup("\n").join(Markup("• {}").format(_described(turn, identity)) for identity in identities)
    said = tr(
        "This diary is used from:\n%(list)s\n\nWhich one shall leave? The diary stays with the others; the one that"
        " leaves begins anew with an empty diary. Its reminders move to one that stays.",
        list=listed,
    )
    rows = tuple((Button(_described(turn, identity), f"y:drop:{_tag(identity)}"),) for identity in identities)
    return say(said, (*rows, (Button(tr.plain("Keep all"), "y:keep"),)), in_place=True)


def _drop(turn: Turn, tag: str) -> Answer:
    tr = turn.tr
    identities = turn.facts(IdentitiesOf(turn.user.id))
    leaving = next((identity for identity in identities if _tag(identity) == tag), None)
    staying = [identity for identity in identities if identity is not leaving]
    if leaving is None or not staying:
        return say(tr("This diary is in this messenger alone. /link joins another one."), in_place=True)
    is_held_there = turn.session is not None and turn.session.address == leaving.address
    ended = (EndSession(turn.user.id),) if is_held_there else ()
    unlinked = Unlink(turn.user.id, leaving.address, staying[0].address)
    # From now on nobody knows that there is something to be deleted: the address is not the user's any more.
    changes = (*ended, unlinked, *withdrawn(leaving.address, turn.now))
    listed = tr.list([_described(turn, identity) for identity in staying])
    said = tr(
        "%(gone)s has left. The diary with all entries stays with %(list)s. Messages already in the chat stay there.",
        gone=_described(turn, leaving),
        list=listed,
    )
    return Answer(changes=changes) + say(said, in_place=True)


def _described(turn: Turn, identity: Identity) -> str:
    named = described(identity, turn.tr)
    is_here = identity.address == turn.conversation.identity.address
    return turn.tr.plain("%(messenger)s (this chat)", messenger=named) if is_here else named


def _tag(identity: Identity) -> str:
    """Name an address in a button, where it must not be seen."""
    address = f"{identity.address.channel}:{identity.address.value}"
    return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()[:16]


def described(identity: Identity, tr: Translator) -> str:
    """Name an address by its messenger and, if that is known, whom it is of: "Telegram: Ann"."""
    messenger = messenger_name(identity.address.channel, tr)
    if name(identity) == NAMELESS:
        return messenger
    return tr.plain("%(messenger)s: %(name)s", messenger=messenger, name=name(identity))


def name(identity: Identity) -> str:
    """Name a person as the messenger does; a question mark where it does not."""
    profile = identity.profile
    full = " ".join(part for part in (profile.first_name, profile.last_name) if part)
    return full or (f"@{profile.username}" if profile.username else NAMELESS)


def _message(to: Address, text: Markup, user_id: int | None, keyboard: tuple[tuple[Button, ...], ...]) -> Outgoing:
    return Outgoing(address=to, body=Say(str(text), keyboard), user_id=user_id)
