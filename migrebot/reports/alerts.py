"""What the owner is told when something is wrong: in plain words what it means and what to do, by its cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from markupsafe import Markup

from migrebot.i18n import N_
from migrebot.messages import Channel

if TYPE_CHECKING:
    from migrebot.i18n import Translator
    from migrebot.messages import Alert

MEANINGS = {
    "actor": N_(
        "A part of the program keeps failing and is tried again and again. If that goes on, restart the program; the"
        " log says why it fails."
    ),
    "set_aside": N_("A part of the program could not handle something and went on without it. Nothing else is lost."),
    "storage": N_(
        "The database did not work for a while. Messages wait at the messengers meanwhile. If it happens again, look at"
        " the disk’s free space and at the database server."
    ),
    "backup": N_("No backup could be made. It is tried again every hour; look at the disk and its free space."),
    "backup rehearsal": N_(
        "A backup was made, but could not be restored on trial, so it was not kept. It is tried again every hour. If it"
        " happens again, check the disk, and keep the older backups."
    ),
    "backup upload": N_("The last backup is on this machine only. The upload is tried again every hour."),
    "erasures": N_("It could not be noted beside the backups who asked to be forgotten. It is tried again every hour."),
    "clock": N_(
        "The clock of the machine jumped, or the machine slept. Reminders that fell due meanwhile went at once, none of"
        " them twice. If nobody set the clock, have it kept by a time server."
    ),
    "reminder": N_("A reminder could not be sent when it was due. It is tried again; the log says why it failed."),
    "reminder paused": N_("A reminder could not be worked out and was paused; its owner can set it anew."),
    "message set aside": N_(
        "A message from somebody could not be handled and was set aside. It is a fault of the program: the log says"
        " more, without the message’s words."
    ),
    "somebody else's button": N_(
        "Somebody pressed a button of somebody else’s diary. It was refused, and nothing was shown or changed."
    ),
    "telegram-token-refused": N_(
        "Telegram refuses the bot’s token. Ask BotFather for the right one, put it into telegram.token and restart the"
        " program. Until then nothing comes from Telegram or goes there."
    ),
    "twilio-account-refused": N_(
        "Twilio refuses the account. Put the right twilio.account_sid and twilio.auth_token into the configuration and"
        " restart the program. Until then nothing goes to WhatsApp."
    ),
    "whatsapp-window": N_(
        "A message waits until its person writes again: after a day of silence WhatsApp takes approved templates alone."
        " With a template in twilio.reminder_content_sid reminders get through."
    ),
    "lost": N_("A message could not be delivered and was given up."),
    "sender": N_("Sending a message met an unforeseen error. Whether it arrived is unknown; the log says more."),
}
"""What each cause means; English, to be translated. A name, a number or a messenger in the cause is left out."""


def told(alert: Alert, tr: Translator) -> Markup:
    """Write the alert for the owner: what it means in their language, then its own text, which is English."""
    meaning = MEANINGS.get(_kind(alert.cause))
    if meaning is None:
        return Markup("⚙️ {}").format(alert.text)
    return Markup("⚙️ {}\n\n<i>{}</i>").format(tr(meaning), alert.text)


def _kind(cause: str) -> str:
    words = cause.partition(":")[0].split(" ")
    if words[0] in get_args(Channel):
        return words[1]
    return " ".join(words)
