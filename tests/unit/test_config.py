from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.config import Config, ConfigError, Owner, Secret, load
from migrebot.config.cron import complaint
from migrebot.config.knobs import KNOBS
from migrebot.config.old_names import with_addresses
from migrebot.config.sources import Findings, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = "4242424242:AAE-made-up-token-of-thirty-five-chars"


class Place:
    """A working directory of its own, in which a configuration can be read."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def load(self, environ: Mapping[str, str] | None = None, *, dotenv: str = "", toml: str | None = None) -> Config:
        if dotenv:
            self.write(".env", dotenv)
        file = self.write("config.toml", toml) if toml is not None else None
        return load(environ or {}, self.directory, file)

    def errors(
        self, environ: Mapping[str, str] | None = None, *, dotenv: str = "", toml: str | None = None
    ) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            self.load(environ, dotenv=dotenv, toml=toml)
        return list(caught.value.errors)

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(text, "utf-8")
        return path.relative_to(self.directory)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_nothing_given_means_the_documented_defaults(place: Place) -> None:
    config = place.load()
    assert config.bot.owner is None
    assert (config.bot.language, config.bot.timezone, config.bot.production) == ("en", "UTC", False)
    assert config.storage.file == place.directory / "data/migrebot.db"
    assert config.telegram.token == Secret("")
    assert (config.telegram.messages_per_second, config.telegram.messages_per_chat_second) == (30, 1)
    assert (config.http.host, config.http.port) == ("127.0.0.1", 8080)
    assert config.http.public_url == "http://127.0.0.1:8080"
    assert config.http.local_chat is None
    assert (config.reports.daily, config.backup.schedule) == ("30 21 * * *", "30 3 * * *")
    assert config.backup.directory == place.directory / "data/backups"
    assert (config.backup.keep_days, config.forms.timeout_hours) == (180, 24)
    assert (config.retention.abandoned_form_hours, config.retention.quarantine_days) == (48, 14)
    assert config.notices == ()


def test_every_knob_is_a_field_and_every_field_a_knob(place: Place) -> None:
    config = place.load()
    fields = {
        f"{section.name}.{field.name}"
        for section in msgspec.structs.fields(Config)
        if section.name != "notices"
        for field in msgspec.structs.fields(getattr(config, section.name))
    }
    assert fields - {"storage.file"} == {knob.key for knob in KNOBS}


def test_the_environment_beats_dotenv_which_beats_the_file(place: Place) -> None:
    toml = "[http]\nport = 1001\nhost = '10.0.0.1'\n[bot]\nlanguage = 'fr'\n"
    config = place.load({"MIGREBOT_HTTP_PORT": "1003"}, dotenv="HOST=10.0.0.2\nPORT=1002\n", toml=toml)
    assert (config.http.port, config.http.host, config.bot.language) == (1003, "10.0.0.2", "fr")


def test_an_old_name_in_the_environment_beats_the_new_name_in_dotenv(place: Place) -> None:
    assert place.load({"PORT": "1"}, dotenv="MIGREBOT_HTTP_PORT=2").http.port == 1


def test_at_the_same_level_the_new_name_beats_the_old_one(place: Place) -> None:
    assert place.load({"PORT": "1", "MIGREBOT_HTTP_PORT": "2"}).http.port == 2
    assert place.load(dotenv="PORT=3\nMIGREBOT_HTTP_PORT=4").http.port == 4


def test_an_env_file_of_the_original_deployments_starts_this_program(place: Place) -> None:
    config = place.load(
        dotenv=f"""
        export API_TOKEN='{TOKEN}'
        MY_TG_ID=77   # the owner
        IN_PRODUCTION=True
        TWILIO_ACCOUNT_SID=AC123
        TWILIO_AUTH_TOKEN="asecret"
        TWILIO_WHATSAPP_NUMBER=whatsapp:+14155238886
        PORT=5000
        HOST=0.0.0.0
        REDIS_HOST=redis
        REDIS_PORT=6380
        CELERY_BROKER_URL=redis://redis
        PAYMENTS_TOKEN_RU=
        """
    )
    assert config.telegram.token.reveal() == TOKEN
    assert config.bot.owner == Owner("telegram", "77")
    assert config.bot.production
    assert (config.twilio.account_sid, config.twilio.whatsapp_number) == ("AC123", "+14155238886")
    assert (config.http.host, config.http.port, config.http.public_url) == ("0.0.0.0", 5000, "http://0.0.0.0:5000")
    assert config.redis.url.reveal() == "redis://redis:6380"


def test_an_unknown_key_names_the_nearest_known_one(place: Place) -> None:
    assert place.errors(toml="[http]\nprot = 1") == [
        "config.toml: http.prot: there is no such key; the nearest known one is http.port"
    ]
    assert "http.port" in place.errors(toml="[htp]\nport = 1")[0]
    assert "telegram.token" in place.errors(toml="token = 'x'")[0]


def test_an_unknown_variable_of_ours_names_the_nearest_known_one(place: Place) -> None:
    assert place.errors({"MIGREBOT_HTTP_PROT": "1"}, dotenv="MIGREBOT_TELEGRAM_TOKE=1") == [
        "environment: MIGREBOT_HTTP_PROT: there is no such variable; the nearest known one is MIGREBOT_HTTP_PORT",
        ".env: MIGREBOT_TELEGRAM_TOKE: there is no such variable; the nearest known one is MIGREBOT_TELEGRAM_TOKEN",
    ]


def test_other_names_are_ignored(place: Place) -> None:
    assert place.load({"PATH": "/bin", "CELERY_BROKER": "x", "migrebot_http_port": "x", "LANG": "C"}) == place.load()


def test_all_errors_come_at_once_each_on_one_line(place: Place) -> None:
    errors = place.errors(
        {"PORT": "70000", "MIGREBOT_BOT_LANGUAGE": "de", "MIGREBOT_BOT_TIMEZONE": "Europe/Viena"},
        dotenv="IN_PRODUCTION=perhaps",
        toml="[backup]\nkeep_days = 'long'\nschedule = '* * * * * *'\n[forms]\ntimeout_hours = true\n",
    )
    assert errors == [
        "environment: MIGREBOT_BOT_LANGUAGE (bot.language): 'de' is not one of en, ru, uk, fr, es",
        (
            "environment: MIGREBOT_BOT_TIMEZONE (bot.timezone): 'Europe/Viena': there is no such zone, "
            "the nearest name is Europe/Vienna; allowed: a time zone of the IANA database such as Europe/Madrid"
        ),
        ".env: IN_PRODUCTION (bot.production): 'perhaps' is not true or false",
        "environment: PORT (http.port): '70000' is not a whole number from 0 to 65535",
        (
            "config.toml: backup.schedule: '* * * * * *': it has 6 fields, not 5; allowed: "
            'a cron expression "minute hour day month weekday", or empty (off)'
        ),
        "config.toml: backup.keep_days: 'long' is not a whole number from 1 to 36500",
        "config.toml: forms.timeout_hours: True is not a number above 0, at most 876000",
    ]


def test_a_broken_file_is_told_by_line(place: Place) -> None:
    assert re.fullmatch(r"config\.toml: this is not TOML: .*line 2.*", place.errors(toml="[http]\nport = = 1")[0])


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"other\.toml: there is no such file"):
        load({}, tmp_path, Path("other.toml"))


def test_files_that_are_not_text_are_errors(place: Place) -> None:
    (place.directory / ".env").write_bytes(b"API_TOKEN=\xff\xfe")
    (place.directory / "config.toml").mkdir()
    with pytest.raises(ConfigError) as caught:
        load({}, place.directory, place.directory / "config.toml")
    assert caught.value.errors[0] == ".env: cannot be read: it is not UTF-8 text"
    assert "cannot be read: Is a directory" in caught.value.errors[1]


def test_a_line_of_dotenv_that_is_no_assignment_is_a_notice(place: Place) -> None:
    config = place.load(dotenv="PORT=1\n'unclosed = x\nMY_TG_ID=5\n")
    assert (config.http.port, config.bot.owner) == (1, Owner("telegram", "5"))
    assert config.notices == (".env: line 2 is not NAME=value and was passed over",)


def test_dotenv_does_not_expand_what_looks_like_a_variable(place: Place) -> None:
    assert place.load({"HOME": "x"}, dotenv="MIGREBOT_HTTP_TOKEN=a${HOME}b").http.token == Secret("a${HOME}b")


@pytest.mark.parametrize("name", ["API_TOKEN", "MIGREBOT_TELEGRAM_TOKEN"])
def test_a_secret_can_stand_in_a_file(place: Place, name: str) -> None:
    place.write("token", TOKEN + "\n")
    assert place.load({f"{name}_FILE": "token"}).telegram.token == Secret(TOKEN)
    assert place.load({f"{name}_FILE": str(place.directory / "token")}).telegram.token == Secret(TOKEN)
    assert place.load(dotenv=f"{name}_FILE=token").telegram.token == Secret(TOKEN)


def test_a_secret_in_the_file_can_stand_in_another_file(place: Place) -> None:
    place.write("token", TOKEN)
    assert place.load(toml="[telegram]\ntoken_file = 'token'").telegram.token == Secret(TOKEN)


def test_a_secret_and_its_file_at_once_are_an_error(place: Place) -> None:
    place.write("token", TOKEN)
    assert place.errors({"API_TOKEN": TOKEN, "API_TOKEN_FILE": "token"}) == [
        "environment: API_TOKEN and API_TOKEN_FILE are both given; allowed: one of them"
    ]


def test_a_secret_file_that_cannot_be_used_is_an_error(place: Place) -> None:
    place.write("empty", "\n")
    (place.directory / "binary").write_bytes(b"\xff")
    wrong = [place.errors({"API_TOKEN_FILE": name})[0] for name in ("absent", "empty", "binary", ".")]
    assert wrong[0] == "environment: API_TOKEN_FILE: 'absent' cannot be read: No such file or directory"
    assert wrong[1] == "environment: API_TOKEN_FILE: 'empty' is empty; allowed: a file with the secret"
    assert wrong[2] == "environment: API_TOKEN_FILE: 'binary' cannot be read: it is not UTF-8 text"
    assert wrong[3] == "environment: API_TOKEN_FILE: '.' cannot be read: Is a directory"


def test_only_secrets_have_a_file_name(place: Place) -> None:
    assert "no such variable" in place.errors({"MIGREBOT_HTTP_PORT_FILE": "x"})[0]


def test_an_empty_variable_counts_as_not_given(place: Place) -> None:
    names = [name for knob in KNOBS for name in knob.variables if not knob.kind.empty_means_off]
    assert place.load(dict.fromkeys(names, "")) == place.load()
    assert place.load({"MIGREBOT_HTTP_PORT": " "}, dotenv="PORT=7").http.port == 7


def test_an_empty_schedule_means_off_wherever_it_is_given(place: Place) -> None:
    assert place.load({"MIGREBOT_REPORTS_DAILY": ""}).reports.daily == ""
    assert place.load(dotenv="MIGREBOT_BACKUP_SCHEDULE=").backup.schedule == ""
    assert place.load(toml="[reports]\ndaily = ''").reports.daily == ""


@pytest.mark.parametrize("word", ["true", "1", "yes", "on", "TRUE", " On "])
def test_words_for_true(place: Place, word: str) -> None:
    assert place.load({"IN_PRODUCTION": word}).bot.production is True


@pytest.mark.parametrize("word", ["false", "0", "no", "off", "False"])
def test_words_for_false(place: Place, word: str) -> None:
    assert place.load({"IN_PRODUCTION": word}).bot.production is False


@pytest.mark.parametrize(("word", "value"), [("auto", None), ("true", True), ("0", False)])
def test_the_local_chat_can_be_left_to_the_program(place: Place, word: str, value: bool | None) -> None:
    assert place.load({"MIGREBOT_HTTP_LOCAL_CHAT": word}).http.local_chat is value


@pytest.mark.parametrize(
    ("given", "owner"),
    [
        ("0", None),
        ("12345", Owner("telegram", "12345")),
        ("local", Owner("local", "")),
        ("WhatsApp:+4366012345678", Owner("whatsapp", "+4366012345678")),
    ],
)
def test_the_owner_has_three_forms(place: Place, given: str, owner: Owner | None) -> None:
    assert place.load({"MY_TG_ID": given}).bot.owner == owner
    assert place.load(toml=f"[bot]\nowner = '{given}'").bot.owner == owner


@pytest.mark.parametrize("given", ["-5", "+43660", "whatsapp:0660123456", "@me", "1.5", "99999999999999999999"])
def test_anything_else_is_no_owner_and_is_not_repeated(place: Place, given: str) -> None:
    (error,) = place.errors({"MIGREBOT_BOT_OWNER": given})
    assert error == (
        "environment: MIGREBOT_BOT_OWNER (bot.owner): the value is not 0 (nobody), a Telegram id, whatsapp:+… or local"
    )


def test_time_zones_are_found_in_any_letter_case(place: Place) -> None:
    assert place.load({"MIGREBOT_BOT_TIMEZONE": "america/argentina/buenos_aires"}).bot.timezone == (
        "America/Argentina/Buenos_Aires"
    )


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory", "../../etc/passwd", "Europe", "a" * 300, "\0"])
def test_what_only_looks_like_a_time_zone_is_refused(place: Place, zone: str) -> None:
    (error,) = place.errors({"MIGREBOT_BOT_TIMEZONE": zone})
    assert len(error) < 300
    assert error.isprintable()


def test_storage_and_backups_follow_the_data_directory(place: Place) -> None:
    config = place.load({"MIGREBOT_BOT_DATA_DIR": "/data"})
    assert config.storage.url == Secret("sqlite:////data/migrebot.db")
    assert (str(config.storage.file), str(config.backup.directory)) == ("/data/migrebot.db", "/data/backups")


def test_the_data_directory_may_be_called_anything(place: Place) -> None:
    config = place.load({"MIGREBOT_BOT_DATA_DIR": "my data? #1/"})
    assert config.storage.file == place.directory / "my data? #1/migrebot.db"
    assert config.backup.directory == place.directory / "my data? #1/backups"


def test_a_database_file_is_relative_with_three_slashes_and_absolute_with_four(place: Place) -> None:
    assert place.load({"MIGREBOT_STORAGE_URL": "sqlite:///a/b.db"}).storage.file == place.directory / "a/b.db"
    assert str(place.load({"MIGREBOT_STORAGE_URL": "sqlite:////a/b.db"}).storage.file) == "/a/b.db"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://x", "a.db", "sqlite:///a/"])
def test_any_other_database_is_refused(place: Place, url: str) -> None:
    assert "sqlite:///FILE" in place.errors({"MIGREBOT_STORAGE_URL": url})[0]


def test_a_postgres_database_has_an_address_and_no_file(place: Place) -> None:
    for url in ("postgresql://me:pw@db:5433/mine", "postgres://db", "postgresql://me@/mine?host=/run/pg&port=1"):
        storage = place.load({"MIGREBOT_STORAGE_URL": url}).storage
        assert (storage.url.reveal(), storage.file) == (url, None)


def test_the_connections_to_a_postgres_server_are_few_unless_said_otherwise(place: Place) -> None:
    assert place.load().storage.connections == 8
    assert place.load(toml="[storage]\nconnections = 20").storage.connections == 20
    assert "from 3 to 1000" in place.errors({"MIGREBOT_STORAGE_CONNECTIONS": "1"})[0]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hun#ter2@db/x",
        "postgresql://me:hun?ter2@db/x",
        "postgresql://me:hun/ter2@db/x",
        "postgresql://me:hun@ter2@db/x",
        "postgresql://me:hunter2@db:0x/x",
        "postgresql://me:hun ter2@db/x",
        "postgresql://me:hunter2@db/x/y",
        "postgresql://me:hunter2@db/x?hunter2=1",
    ],
)
def test_a_postgres_address_that_is_not_well_written_is_refused_and_not_repeated(place: Place, url: str) -> None:
    (error,) = place.errors({"MIGREBOT_STORAGE_URL": url})
    assert error.startswith("environment: MIGREBOT_STORAGE_URL (storage.url): the value")
    assert "postgresql://USER:PASSWORD@HOST:PORT/DATABASE" in error
    assert "ter2" not in error


def test_an_unquoted_password_is_told_how_to_be_written(place: Place) -> None:
    (error,) = place.errors({"MIGREBOT_STORAGE_URL": "postgresql://me:p@ss@db/x"})
    assert "@ is written %40" in error


def test_the_old_postgres_names_make_one_address(place: Place) -> None:
    environ = {"POSTGRES_HOST": "db", "POSTGRES_USER": "me", "POSTGRES_PASS": "hunter2", "IN_PRODUCTION": "1"}
    assert place.load(environ).storage.url.reveal() == "postgresql://me:hunter2@db:5432/me"
    environ |= {"POSTGRES_PORT": "1", "POSTGRES_DB": "diary"}
    assert place.load(environ).storage.url.reveal() == "postgresql://me:hunter2@db:1/diary"
    assert place.load({"POSTGRES_HOST": "/run/pg"}).storage.url.reveal() == "postgresql://%2Frun%2Fpg:5432/"


@given(password=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_any_password_survives_its_way_into_the_address(
    password: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    storage = load(
        {"POSTGRES_HOST": "::1", "POSTGRES_USER": "a:b", "POSTGRES_PASS": password},
        tmp_path_factory.getbasetemp(),
        None,
    ).storage
    assert storage.password == Secret(password)


def test_a_password_of_postgres_can_stand_in_a_file(place: Place) -> None:
    place.write("password", "p@ss\n")
    storage = place.load({"POSTGRES_HOST": "db", "POSTGRES_PASS_FILE": "password"}).storage
    assert (storage.password, storage.url.reveal()) == (Secret("p@ss"), "postgresql://:p%40ss@db:5432/")
    place.write("address", "postgresql://me:hunter2@db/x\n")
    storage = place.load({"MIGREBOT_STORAGE_URL_FILE": "address"}).storage
    assert storage.password == Secret("hunter2")
    assert "hunter2" not in repr(storage)


def test_a_file_has_no_password(place: Place) -> None:
    assert place.load({"MIGREBOT_STORAGE_URL": "sqlite:///a:b@c"}).storage.password == Secret("")


def test_postgres_names_without_a_host_are_one_notice(place: Place) -> None:
    config = place.load({"POSTGRES_HOST": "", "POSTGRES_PORT": "5432"}, dotenv="POSTGRES_USER=me\nPOSTGRES_PASS=x")
    assert config.notices == ("POSTGRES_PORT, POSTGRES_USER, POSTGRES_PASS have no effect without POSTGRES_HOST",)
    assert config.storage.file == place.directory / "data/migrebot.db"


def test_an_address_of_the_database_beats_the_old_postgres_names_at_the_same_level(place: Place) -> None:
    config = place.load({"POSTGRES_HOST": "db", "MIGREBOT_STORAGE_URL": "sqlite:///mine.db"})
    assert config.storage.file == place.directory / "mine.db"


def test_the_parts_of_a_postgres_address_come_from_wherever_they_are_given(place: Place) -> None:
    place.write("password", "p@ss/word\n")
    findings = Findings([], [])
    given = (
        Source("environment", {"POSTGRES_USER": "me", "POSTGRES_PASS_FILE": "password"}),
        Source(".env", {"POSTGRES_HOST": "db", "POSTGRES_USER": "other", "POSTGRES_PORT": "1"}),
    )
    environment, dotenv = with_addresses(given, place.directory, findings)
    assert environment == given[0]
    assert dotenv.values["POSTGRES_HOST"] == "postgresql://me:p%40ss%2Fword@db:1/me"
    assert findings == Findings([], [])


def test_a_wrong_part_of_a_postgres_address_is_named(place: Place) -> None:
    errors = place.errors(
        {"POSTGRES_HOST": "db", "POSTGRES_PORT": "tcp://x", "POSTGRES_PASS": "hush", "POSTGRES_PASS_FILE": "x"}
    )
    assert errors[:2] == [
        "environment: POSTGRES_PASS and POSTGRES_PASS_FILE are both given; allowed: one of them",
        "environment: POSTGRES_PORT: 'tcp://x' is not a whole number from 1 to 65535",
    ]


def test_a_wrong_redis_port_is_named(place: Place) -> None:
    assert place.errors({"REDIS_HOST": "r", "REDIS_PORT": "x"}) == [
        "environment: REDIS_PORT: 'x' is not a whole number from 1 to 65535"
    ]


def test_the_new_redis_address_beats_the_old_host_at_the_same_level(place: Place) -> None:
    environ = {"REDIS_HOST": "old", "MIGREBOT_REDIS_URL": "rediss://:pw@new:1/2"}
    assert place.load(environ).redis.url.reveal() == "rediss://:pw@new:1/2"
    assert place.load(dotenv="MIGREBOT_REDIS_URL=redis://n", toml="[redis]\nurl='redis://t'").redis.url.reveal() == (
        "redis://n"
    )
    assert place.load({"REDIS_HOST": "::1"}).redis.url.reveal() == "redis://[::1]:6379"


def test_the_public_address_is_made_of_host_and_port_unless_it_is_set(place: Place) -> None:
    assert place.load({"HOST": "::1", "PORT": "81"}).http.public_url == "http://[::1]:81"
    assert place.load({"MIGREBOT_HTTP_PUBLIC_URL": "https://bot.example/"}).http.public_url == "https://bot.example"
    http = place.load({"PORT": "0"}).http
    assert (http.public_url, http.address(4711)) == ("", "http://127.0.0.1:4711")


def test_what_donations_need_is_read(place: Place) -> None:
    page = "https://give.example.org/?to=me&for=coffee#now"
    given = {
        "MIGREBOT_DONATE_URL": page,
        "MIGREBOT_DONATE_CURRENCY": "uah",
        "MIGREBOT_TELEGRAM_PROVIDER_TOKEN": "123456:LIVE:hush",
    }
    config = place.load(given)
    assert (config.donate.url, config.donate.currency) == (page, "UAH")
    assert config.telegram.provider_token.reveal() == "123456:LIVE:hush"
    assert "hush" not in repr(config)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("DONATE_URL", "give.example.org"),
        ("DONATE_URL", "ftp://give.example.org"),
        ("DONATE_URL", "https://me:pass@give.example.org"),
        ("DONATE_URL", "javascript:alert(1)"),
        ("DONATE_CURRENCY", "XTR"),
        ("DONATE_CURRENCY", "doubloons"),
        ("TELEGRAM_PROVIDER_TOKEN", "LIVE:hush"),
    ],
)
def test_what_donations_cannot_use_is_refused(place: Place, name: str, wrong: str) -> None:
    [error] = place.errors({f"MIGREBOT_{name}": wrong})
    assert f"MIGREBOT_{name}" in error
    assert "hush" not in error


@pytest.mark.parametrize(
    "variable",
    ["MIGREBOT_TELEGRAM_API_BASE", "MIGREBOT_TWILIO_API_BASE", "MIGREBOT_HTTP_PUBLIC_URL"],
)
@pytest.mark.parametrize(
    "url", ["ftp://x", "https://", "x", "http://a b", "http://x:99999", "http://x/?y", "http://[::"]
)
def test_an_address_that_is_none_is_refused(place: Place, variable: str, url: str) -> None:
    assert "is not an http:// or https:// address" in place.errors({variable: url})[0]


@pytest.mark.parametrize("host", ["a b", "http://x", "1.2.3", "x" * 300, "[::1", "h:80"])
def test_a_host_that_is_none_is_refused(place: Place, host: str) -> None:
    assert "is not a host name or an IP address" in place.errors({"MIGREBOT_HTTP_HOST": host})[0]


def test_toml_values_of_the_wrong_type_are_refused(place: Place) -> None:
    toml = (
        "[http]\nport = true\nhost = 5\n[bot]\nproduction = 2\n[telegram]\ntoken = [1]\nmessages_per_second = 'nan'\n"
    )
    assert [error.partition(" is not ")[0] for error in place.errors(toml=toml)] == [
        "config.toml: bot.production: 2",
        "config.toml: telegram.token: the value",
        "config.toml: telegram.messages_per_second: 'nan'",
        "config.toml: http.host: 5",
        "config.toml: http.port: True",
    ]


def test_numbers_without_quotes_are_taken_where_they_make_sense(place: Place) -> None:
    config = place.load(toml="[bot]\nowner = 5\n[twilio]\nwhatsapp_number = +14155238886\n[forms]\ntimeout_hours = 0.5")
    assert (config.bot.owner, config.twilio.whatsapp_number) == (Owner("telegram", "5"), "+14155238886")
    assert config.forms.timeout_hours == 0.5


def test_half_of_a_twilio_account_is_a_notice(place: Place) -> None:
    assert place.load({"TWILIO_ACCOUNT_SID": "AC1"}).notices == ("WhatsApp stays off: twilio.auth_token is missing",)


def test_no_representation_shows_a_secret_or_a_phone_number(place: Place) -> None:
    config = place.load(
        {
            "API_TOKEN": TOKEN,
            "TWILIO_AUTH_TOKEN": "hush-hush",
            "TWILIO_ACCOUNT_SID": "AC1",
            "TWILIO_WHATSAPP_NUMBER": "+14155238886",
            "MY_TG_ID": "whatsapp:+4366012345678",
            "MIGREBOT_REDIS_URL": "redis://:hunter2@r",
            "MIGREBOT_HTTP_TOKEN": "open-sesame",
        }
    )
    for text in (repr(config), str(config), f"{config.telegram.token}", repr(config.bot.owner)):
        assert not re.search(r"AAE-made|hush|4155238886|66012345678|hunter2|sesame", text)
    with pytest.raises(TypeError):
        msgspec.json.encode(config.telegram)


def test_a_secret_that_is_refused_is_not_repeated(place: Place) -> None:
    for knob in KNOBS:
        if knob.secret:
            (error,) = place.errors({knob.variable: "hun ter2"})
            assert "ter2" not in error


def test_the_configuration_cannot_be_changed(place: Place) -> None:
    with pytest.raises(AttributeError):
        place.load().http.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "expression",
    ["30 21 * * *", "*/15 0-6,22 1 JAN-mar *", "0 0 29 2 *", "0 0 31 4 mon", "5 4 * * 7", "0 8-18/2 * * mon-fri"],
)
def test_cron_expressions_that_are_right(expression: str) -> None:
    assert complaint(expression) == ""


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("@daily", "it has 1 fields, not 5"),
        ("* * * * * *", "it has 6 fields, not 5"),
        ("60 * * * *", "the minute must be from 0 to 59, or *"),
        ("* 24 * * *", "the hour must be from 0 to 23, or *"),
        ("* * 0 * *", "the day must be from 1 to 31, or *"),
        ("* * * 13 *", "the month must be from 1 to 12, or *"),
        ("* * * * 8", "the weekday must be from 0 to 7, or *"),
        ("5-1 * * * *", "the minute must be from 0 to 59, or *"),
        ("*/0 * * * *", "the minute must be from 0 to 59, or *"),
        ("1,,2 * * * *", "the minute must be from 0 to 59, or *"),
        ("* * L * *", "the day must be from 1 to 31, or *"),
        ("0 0 30 2 *", "that day never comes"),
        ("0 0 31 4,6 *", "that day never comes"),
    ],
)
def test_cron_expressions_that_are_wrong(expression: str, wrong: str) -> None:
    assert complaint(expression) == wrong


@given(minute=st.integers(0, 59), hours=st.lists(st.integers(0, 23), min_size=1), step=st.integers(1, 31))
def test_any_numbers_within_the_bounds_are_a_cron_expression(minute: int, hours: list[int], step: int) -> None:
    assert complaint(f"{minute} {','.join(map(str, hours))} */{step} * *") == ""


VARIABLES = [name + suffix for knob in KNOBS for name in knob.variables for suffix in ("", "_FILE")]
VALUES = st.one_of(st.text(max_size=40), st.integers().map(str), st.sampled_from(["sqlite:///", "0 0 30 2 *", "[::1]"]))


@given(environ=st.dictionaries(st.sampled_from(VARIABLES), VALUES, max_size=6))
def test_whatever_the_environment_holds_the_answer_is_a_configuration_or_readable_lines(
    environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    errors: tuple[str, ...] = ()
    try:
        load(environ, tmp_path_factory.getbasetemp(), None)
    except ConfigError as error:
        errors = error.errors
    for line in errors:
        assert line.isprintable()
        assert len(line) < 400
