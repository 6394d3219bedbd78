"""Every key of the configuration, declared once: the parser, `config.toml` and the error texts share this table."""

from __future__ import annotations

from msgspec import Struct

from migrebot.config import kinds
from migrebot.config.kinds import Kind, choice, positive, secret, text, whole
from migrebot.languages import LANGUAGES
from migrebot.money import CURRENCIES

# Settled and unsettled alike, nothing is kept longer than a century: it catches a slip of the keyboard.
CENTURY_IN_DAYS = 36_500
CENTURY_IN_HOURS = CENTURY_IN_DAYS * 24


class Knob(Struct, frozen=True):
    """One key: its name `section.name`, its kind, its default as TOML holds it, and one line of meaning.

    `secret` values hide themselves and may be given as a file; `private` ones are not repeated in error texts
    either, for they hold a phone number. `old` are variables of the original deployments that mean the same.
    """

    key: str
    kind: Kind
    default: str | int | float | bool
    meaning: str
    secret: bool = False
    private: bool = False
    old: tuple[str, ...] = ()

    @property
    def section(self) -> str:
        """The part of the key before the dot."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """The part of the key after the dot."""
        return self.key.partition(".")[2]

    @property
    def variable(self) -> str:
        """The environment variable that sets this key."""
        return "MIGREBOT_" + self.key.replace(".", "_").upper()

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that set this key, the one that wins first."""
        return (self.variable, *self.old)


KNOBS = (
    Knob(
        "bot.owner",
        kinds.OWNER,
        0,
        'Who operates the bot: a Telegram id, "whatsapp:+..." or "local"; 0 is nobody.',
        private=True,
        old=("MY_TG_ID",),
    ),
    Knob("bot.language", choice(*LANGUAGES), "en", "Language for people whose messenger names none: en ru uk fr es."),
    Knob("bot.timezone", kinds.TIME_ZONE, "UTC", "Time zone of the schedules below and of people who gave none."),
    Knob("bot.data_dir", kinds.PATH, "data", "Directory of the database and the backups, unless they are set below."),
    Knob(
        "bot.production",
        kinds.FLAG,
        False,
        "true writes the log as JSON lines.",
        old=("IN_PRODUCTION",),
    ),
    Knob("bot.require_consent", kinds.FLAG, False, "true holds a person's first entry until they agreed."),
    Knob(
        "storage.url",
        kinds.STORAGE_URL,
        "sqlite:///data/migrebot.db",
        "The database: a file (sqlite:////var/lib/... is absolute), or postgresql://user:password@host:5432/database.",
        secret=True,
        old=("POSTGRES_HOST",),
    ),
    Knob(
        "storage.connections",
        whole(3, 1000),
        8,
        "How many connections to a PostgreSQL server are opened at most; a SQLite file needs none.",
    ),
    Knob(
        "telegram.token",
        secret("a bot token as BotFather gives it, 123456:ABC...", r"\d{1,20}:\S+"),
        "",
        "The bot's token from BotFather; empty: Telegram is off.",
        secret=True,
        old=("API_TOKEN",),
    ),
    Knob("telegram.api_base", kinds.WEB_ADDRESS, "https://api.telegram.org", "Server of the Bot API."),
    Knob("telegram.mode", choice("polling", "webhook"), "polling", "polling, or webhook (Telegram calls public_url)."),
    Knob(
        "telegram.webhook_secret",
        # core.telegram.org/bots/api#setwebhook names these characters and this length.
        secret("1 to 256 letters, digits, underscores and hyphens", r"[A-Za-z0-9_-]{1,256}"),
        "",
        "What Telegram proves itself with in webhook mode; empty: a new random one at each start.",
        secret=True,
    ),
    Knob(
        "telegram.messages_per_second",
        positive(100_000),
        30,
        "Telegram's own limit over all chats; paid broadcasts allow up to 1000.",
    ),
    Knob("telegram.messages_per_chat_second", positive(100_000), 1, "Telegram's own limit within one chat."),
    Knob(
        "telegram.provider_token",
        secret("a payment provider's token as BotFather gives it, 123456:LIVE:...", r"\d+:\S+"),
        "",
        "The token of a payment provider from BotFather, for donations in money; empty: in Telegram Stars alone.",
        secret=True,
    ),
    Knob(
        "twilio.account_sid",
        text("text on one line, without spaces", r"\S+"),
        "",
        "Twilio account, AC...; empty: WhatsApp is off.",
        old=("TWILIO_ACCOUNT_SID",),
    ),
    Knob(
        "twilio.auth_token",
        secret(),
        "",
        "The account's auth token; empty: WhatsApp is off.",
        secret=True,
        old=("TWILIO_AUTH_TOKEN",),
    ),
    Knob(
        "twilio.whatsapp_number",
        kinds.WHATSAPP_NUMBER,
        "",
        "The bot's own number, +14155238886, with or without whatsapp: before it; empty: WhatsApp is off.",
        private=True,
        old=("TWILIO_WHATSAPP_NUMBER",),
    ),
    Knob("twilio.api_base", kinds.WEB_ADDRESS, "https://api.twilio.com", "Server of Twilio's API."),
    Knob(
        "twilio.reminder_content_sid",
        text("text on one line, without spaces", r"\S+"),
        "",
        "Approved template, HX..., with the variable {{1}}: for reminders to people silent for a day.",
    ),
    Knob("twilio.messages_per_second", positive(100_000), 80, "Twilio's limit for one WhatsApp sender."),
    Knob(
        "donate.url",
        kinds.LINK,
        "",
        "A page for donations: /donate shows it; empty: none. On Telegram there are Telegram Stars besides.",
    ),
    Knob(
        "donate.currency",
        choice(*CURRENCIES, folded=str.upper),
        "EUR",
        "What /donate takes on Telegram besides Stars, once telegram.provider_token is set: EUR, USD, UAH ...",
    ),
    Knob("http.host", kinds.HOST, "127.0.0.1", "Address the web server listens on.", old=("HOST",)),
    Knob("http.port", whole(0, 65535), 8080, "Its port; 0 picks a free one.", old=("PORT",)),
    Knob(
        "http.public_url",
        kinds.WEB_ADDRESS,
        "http://127.0.0.1:8080",
        "How the server is reached from outside; by default made of host and port.",
    ),
    Knob(
        "http.token",
        secret(),
        "",
        "Opens the owner's pages, the API and the chat; empty: they answer to this machine alone.",
        secret=True,
    ),
    Knob(
        "http.local_chat",
        kinds.FLAG_OR_AUTO,
        "auto",
        "The chat at /chat; auto: on while no messenger is set up, or while it has entries.",
    ),
    Knob(
        "redis.url",
        kinds.REDIS_URL,
        "",
        "redis://host:6379 mirrors the states to a Redis server; empty: they stay in the process.",
        secret=True,
        old=("REDIS_HOST",),
    ),
    Knob("reports.daily", kinds.CRON, "30 21 * * *", "When the owner gets the daily report (cron); empty: never."),
    Knob("backup.schedule", kinds.CRON, "30 3 * * *", "When a backup is made (cron); empty: never."),
    Knob("backup.directory", kinds.PATH, "data/backups", "Where backups go."),
    Knob("backup.keep_days", whole(1, CENTURY_IN_DAYS), 180, "How long a backup is kept."),
    Knob(
        "backup.recipient",
        text("an age public key, age1...", r"age1[0-9a-z]+"),
        "",
        "An age public key that backups are encrypted to; empty: they stay plain.",
    ),
    Knob("backup.allow_plain_upload", kinds.FLAG, False, "true uploads backups even if they are not encrypted."),
    Knob(
        "backup.yandex_token",
        secret(),
        "",
        "Yandex Disk token for uploads; /token sets it at run time.",
        secret=True,
    ),
    Knob("backup.yandex_api_base", kinds.WEB_ADDRESS, "https://cloud-api.yandex.net", "Server of Yandex Disk's API."),
    Knob("forms.timeout_hours", positive(CENTURY_IN_HOURS), 24, "After how long an unfinished form is closed."),
    Knob(
        "retention.abandoned_form_hours",
        positive(CENTURY_IN_HOURS),
        48,
        "After how long the answers of an abandoned form are deleted.",
    ),
    Knob(
        "retention.quarantine_days",
        positive(CENTURY_IN_DAYS),
        14,
        "After how long input that could not be handled is deleted.",
    ),
)

BY_KEY = {knob.key: knob for knob in KNOBS}
