"""The methods about the bot itself, chats and files: who it is, what it says of itself, where it is."""

from typing import Any

from .entities import utf16_length
from .errors import bad_request
from .journal import Call
from .wire import Arguments
from .world import World

_MAX_COMMANDS = 100
_CHAT_SCOPES = frozenset({"chat", "chat_administrators", "chat_member"})
_SCOPES = _CHAT_SCOPES | {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}


def get_me(world: World, arguments: Arguments, call: Call) -> object:
    """Tell who the bot is."""
    del arguments, call
    return world.bot | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def get_chat(world: World, arguments: Arguments, call: Call) -> object:
    """Tell what a chat is called."""
    del call
    chat = world.readable(arguments)
    accepted = {"unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"}
    return chat.wire | {
        "accent_color_id": chat.chat_id % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(sorted(accepted), False),
    }


def leave_chat(world: World, arguments: Arguments, call: Call) -> object:
    """Leave a group or a channel for good."""
    del call
    chat = world.writable(arguments)
    if chat.type == "private":
        raise bad_request("chat member status can't be changed in private chats")
    chat.close_to_bot(f"bot is not a member of the {chat.type} chat")
    return True


def get_file(world: World, arguments: Arguments, call: Call) -> object:
    """Tell where a file can be fetched."""
    del call
    known = world.files.get(arguments.text("file_id"))
    if known is None:
        raise bad_request("invalid file_id")
    path, file = known
    return {
        "file_id": file.file_id,
        "file_unique_id": file.file_id[-16:],
        "file_size": len(file.content),
        "file_path": path,
    }


def set_my_commands(world: World, arguments: Arguments, call: Call) -> object:
    """Set the list of commands for a scope and a language."""
    del call
    commands = arguments.structure("commands", "commands")
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    if len(commands) > _MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    world.profile.commands[_scope(world, arguments), _language(arguments)] = [_command(command) for command in commands]
    return True


def get_my_commands(world: World, arguments: Arguments, call: Call) -> object:
    """Give the list set for exactly this scope and language."""
    del call
    return world.profile.commands.get((_scope(world, arguments), _language(arguments)), [])


def delete_my_commands(world: World, arguments: Arguments, call: Call) -> object:
    """Remove the list of a scope and a language."""
    del call
    world.profile.commands.pop((_scope(world, arguments), _language(arguments)), None)
    return True


def set_my_name(world: World, arguments: Arguments, call: Call) -> object:
    """Set the bot's name for a language; an empty one falls back to everybody's."""
    del call
    _set(world.profile.names, arguments, "name", 64)
    return True


def get_my_name(world: World, arguments: Arguments, call: Call) -> object:
    """Give the bot's name for a language."""
    del call
    return {"name": _get(world.profile.names, arguments) or world.bot["first_name"]}


def set_my_description(world: World, arguments: Arguments, call: Call) -> object:
    """Set what an empty chat shows, for a language."""
    del call
    _set(world.profile.descriptions, arguments, "description", 512)
    return True


def get_my_description(world: World, arguments: Arguments, call: Call) -> object:
    """Give what an empty chat shows, for a language."""
    del call
    return {"description": _get(world.profile.descriptions, arguments)}


def set_my_short_description(world: World, arguments: Arguments, call: Call) -> object:
    """Set what the profile page shows, for a language."""
    del call
    _set(world.profile.short_descriptions, arguments, "short_description", 120)
    return True


def get_my_short_description(world: World, arguments: Arguments, call: Call) -> object:
    """Give what the profile page shows, for a language."""
    del call
    return {"short_description": _get(world.profile.short_descriptions, arguments)}


def _set(texts: dict[str, str], arguments: Arguments, name: str, longest: int) -> None:
    text = arguments.text(name)
    if utf16_length(text) > longest:
        raise bad_request(f"{name} is too long")
    language = _language(arguments)
    if text:
        texts[language] = text
    else:
        texts.pop(language, None)


def _get(texts: dict[str, str], arguments: Arguments) -> str:
    return texts.get(_language(arguments)) or texts.get("", "")


def _language(arguments: Arguments) -> str:
    code = arguments.text("language_code")
    if code and not (len(code) == 2 and code.isascii() and code.isalpha() and code.islower()):
        raise bad_request("invalid language code specified")
    return code


def _scope(world: World, arguments: Arguments) -> str:
    scope = arguments.structure("scope", "BotCommandScope") if arguments.has("scope") else {"type": "default"}
    kind = scope.get("type") if isinstance(scope, dict) else None
    if kind not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    if kind in _CHAT_SCOPES and scope.get("chat_id") not in {*world.chats, *map(str, world.chats)}:
        raise bad_request("chat not found")
    return f"{kind}:{scope.get('chat_id', '')}:{scope.get('user_id', '')}" if kind in _CHAT_SCOPES else str(kind)


def _command(command: object) -> dict[str, str]:
    fields: dict[str, Any] = command if isinstance(command, dict) else {}
    name, description = str(fields.get("command", "")).strip(), str(fields.get("description", "")).strip()
    name = name.removeprefix("/")
    if not name or not description:
        raise bad_request(f"{'command description' if name else 'command'} must be non-empty")
    if len(name) > 32:
        raise bad_request("command length must not exceed 32")
    if len(description) > 256:
        raise bad_request("command description length must not exceed 256")
    if not (name.isascii() and name.replace("_", "a").isalnum() and name == name.lower()):
        raise bad_request("BOT_COMMAND_INVALID")
    return {"command": name, "description": description}
