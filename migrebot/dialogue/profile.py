"""What the bot says of itself in a messenger's own places: the list of commands, its name and descriptions."""

from __future__ import annotations

from migrebot.dialogue.router import COMMANDS, OWNER_COMMANDS
from migrebot.i18n import Translator


def commands(tr: Translator) -> tuple[tuple[str, str], ...]:
    """List the commands with what they do, for the messenger's menu."""
    return tuple((name, tr.plain(command.description)) for name, command in COMMANDS.items())


def owner_commands(tr: Translator) -> tuple[tuple[str, str], ...]:
    """List the commands for the menu in the chat with the person who runs the bot: theirs come first."""
    return tuple((name, tr.plain(command.description)) for name, command in OWNER_COMMANDS.items()) + commands(tr)


def name(tr: Translator) -> str:
    """Name the bot; at most 64 characters (Bot API setMyName)."""
    return tr.plain("Migrebot – headache diary")


def short_description(tr: Translator) -> str:
    """Describe the bot on its profile page; at most 120 characters (Bot API setMyShortDescription)."""
    return tr.plain("A calm headache diary: a few taps after an attack, and you and your doctor see what happens.")


def description(tr: Translator) -> str:
    """Describe the bot in a chat that is still empty; at most 512 characters (Bot API setMyDescription)."""
    return tr.plain(
        "I keep your headache diary: when it hurt, how much, what helped. Record an attack in three taps, look back"
        " with your doctor. Your data stays with the person who runs me; you can export and delete it any time."
    )
