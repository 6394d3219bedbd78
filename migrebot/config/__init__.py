"""The configuration: what can be set, where it comes from, and its typed, frozen result."""

from migrebot.config.loading import load, read_database
from migrebot.config.model import (
    Backup,
    Bot,
    Config,
    ConfigError,
    Donate,
    Forms,
    Http,
    Redis,
    Reports,
    Retention,
    Storage,
    Telegram,
    Twilio,
)
from migrebot.config.values import Owner, Secret

__all__ = [
    "Backup",
    "Bot",
    "Config",
    "ConfigError",
    "Donate",
    "Forms",
    "Http",
    "Owner",
    "Redis",
    "Reports",
    "Retention",
    "Secret",
    "Storage",
    "Telegram",
    "Twilio",
    "load",
    "read_database",
]
