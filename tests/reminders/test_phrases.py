"""Phrases people say, and what they are understood as: a corpus a language, and what holds for any text at all."""

from __future__ import annotations

import subprocess
import sys
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrebot.languages import LANGUAGES
from migrebot.reminders.phrases import Answer, Asked, Assumed, NotUnderstood, Question, Reason, Understood, understand
from migrebot.reminders.phrases.lexicon import VOCABULARIES
from migrebot.reminders.phrases.understanding import MOST_CHARACTERS
from migrebot.reminders.reminder import Medicine
from migrebot.reminders.schedule import Once
from migrebot.zones import find_zones, is_zone
from tests.reminders.notation import note

CORPUS = Path(__file__).parent / "corpus"
NOW = datetime(2026, 11, 18, 13, 0, tzinfo=UTC)
"""A Wednesday."""


def corpus(language: str) -> list[tuple[str, str, str, datetime, str]]:
    data = tomllib.loads((CORPUS / f"{language}.toml").read_text("utf-8"))
    return [(language, data["zone"], text, data["now"], means) for text, means in data["phrases"]]


PHRASES = [phrase for language in LANGUAGES for phrase in corpus(language)]


def ask(text: str, language: str = "en", timezone: str = "Europe/Paris", now: datetime = NOW) -> Answer:
    return understand(text, language=language, timezone=timezone, now=now)


def understood(text: str, language: str = "en", timezone: str = "Europe/Paris", now: datetime = NOW) -> Understood:
    answer = ask(text, language, timezone, now)
    assert isinstance(answer, Understood), answer
    return answer


def refused(text: str, language: str = "en", timezone: str = "Europe/Paris") -> NotUnderstood:
    answer = ask(text, language, timezone)
    assert isinstance(answer, NotUnderstood), answer
    return answer


# --- the corpora ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "zone", "text", "now", "means"), PHRASES)
def test_a_phrase_means_what_people_mean_by_it(language: str, zone: str, text: str, now: datetime, means: str) -> None:
    assert note(ask(text, language, zone, now), zone) == means


@pytest.mark.parametrize(("language", "zone", "text", "now", "means"), PHRASES)
def test_its_letter_case_does_not_matter(language: str, zone: str, text: str, now: datetime, means: str) -> None:
    for written in (text.upper(), text.lower()):
        if " EST" not in text:
            assert note(ask(written, language, zone, now), zone).casefold() == means.casefold()


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_many_phrases_of_each_language(language: str) -> None:
    assert len({text for _, _, text, _, _ in corpus(language)}) >= 60


def test_what_is_understood_in_one_language_is_never_misunderstood_by_a_speaker_of_another() -> None:
    for language, zone, text, now, means in PHRASES:
        if means[0] in "?!" or "day_first" in means:
            continue
        for other in LANGUAGES:
            answer = ask(text, other, zone, now)
            if isinstance(answer, Understood):
                assert note(answer, zone) == means, (language, other, text)


# --- the form that always works ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("zone", "named"),
    [
        ("Europe/Rome", "Europe/Rome"),
        ("EUROPE/ROME", "Europe/Rome"),
        ("new york", "America/New_York"),
        ("america/new york", "America/New_York"),
        ("America/New_York", "America/New_York"),
        ("Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh"),
        ("UTC", "UTC"),
        ("Київ", "Europe/Kyiv"),
    ],
)
def test_the_form_is_understood_in_every_language_and_with_zones_as_people_write_them(
    language: str, zone: str, named: str
) -> None:
    answer = understood(f"remind me to Meet Tom at 9 in Rome at 2026-12-01 18:00 in {zone}", language)
    assert answer.task == "Meet Tom at 9 in Rome"
    assert answer.schedule.timezone == named
    assert answer.first == datetime(2026, 12, 1, 18, tzinfo=ZoneInfo(named))


@given(
    st.datetimes(datetime.fromisoformat("2026-11-20"), datetime.fromisoformat("2036-11-01")).map(
        lambda at: at.replace(microsecond=0)
    ),
    st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"]),
    st.sampled_from(["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d  %H:%M:%S"]),
    st.sampled_from(["call mom", "Meet at 9 in Rome", "pay 20 on monday", "купить 2 хлеба в 5"]),
    st.sampled_from(LANGUAGES),
)
def test_any_moment_written_into_the_form_comes_back(
    at: datetime, zone: str, shape: str, task: str, language: str
) -> None:
    if "%S" not in shape:
        at = at.replace(second=0)
    answer = understood(f"remind me to {task} at {at:{shape}} in {zone}", language)
    assert (answer.task, answer.schedule.pattern, answer.schedule.timezone) == (task, Once(at), zone)


@pytest.mark.parametrize("zone", ["EST", "MSK", "IST", "CST", "est", "UTC+3", "GMT-5", "+03:00", "Mars/Olympus"])
def test_what_does_not_tell_where_is_no_zone(zone: str) -> None:
    answer = refused(f"remind me to sleep at 2026-12-01 18:00 in {zone}")
    assert answer.reason is Reason.UNKNOWN_ZONE


def test_a_zone_that_is_nearly_right_is_suggested() -> None:
    assert refused("sleep at 2026-12-01 18:00 in Europe/Kyivv").suggestions[:1] == ("Europe/Kyiv",)
    assert refused("sleep at 2026-12-01 18:00 in Londn").suggestions[:1] == ("Europe/London",)


def test_a_place_of_several_zones_is_asked_for() -> None:
    answer = refused("sleep at 2026-12-01 18:00 in Valencia")
    assert answer.reason is Reason.UNKNOWN_ZONE
    assert set(answer.suggestions) == set(find_zones("Valencia"))


# --- clocks that change -----------------------------------------------------------------------------------------------


def test_a_time_that_the_clocks_skip_is_the_first_after_and_said() -> None:
    answer = understood("sleep at 2027-03-28 02:30")
    assert answer.first == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    assert answer.assumed == (Assumed.SKIPPED_TIME,)


def test_a_time_that_the_clocks_show_twice_is_the_first_and_said() -> None:
    answer = understood("sleep at 2027-10-31 02:30")
    assert answer.first == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert answer.assumed == (Assumed.REPEATED_TIME,)


@pytest.mark.parametrize("minutes", [1, 30, 59, 60, 61, 90, 119, 120, 121, 180, 600])
def test_a_length_of_time_is_elapsed_time_whatever_the_clocks_do(minutes: int) -> None:
    for now in (datetime(2026, 10, 25, 0, 10, tzinfo=UTC), datetime(2027, 3, 28, 0, 10, tzinfo=UTC)):
        assert understood(f"in {minutes} minutes check", now=now).first == now + timedelta(minutes=minutes)


# --- medicine ---------------------------------------------------------------------------------------------------------


def test_one_of_the_persons_own_medicines_needs_no_amount() -> None:
    text = "take Sumatriptan tomorrow at 9"
    assert understood(text).medicine is None
    answer = understand(text, language="en", timezone="UTC", now=NOW, drugs=["Ibuprofen", "sumatriptan"])
    assert isinstance(answer, Understood)
    assert answer.medicine == Medicine("sumatriptan")


@pytest.mark.parametrize("text", ["take the dog out", "take 2", "take 2 pills", "take bus 7", "take 5 minutes of rest"])
def test_what_else_is_taken_is_no_medicine(text: str) -> None:
    assert understood(f'"{text}" tomorrow at 9').medicine is None


def test_the_alternatives_of_a_question_tell_the_medicine_too() -> None:
    answer = ask("every day at 5 take ibuprofen 400 mg")
    assert isinstance(answer, Question)
    assert [each.medicine for each in answer.alternatives] == [Medicine("ibuprofen", 400, "mg")] * 2


# --- never silently wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "tomorrow at 9 or 10 call"),
        ("en", "every second day except Sunday at 9 run"),
        ("en", "tomorrow at 9 at 10 call"),
        ("en", "call between 9 and 10 tomorrow"),
        ("en", "tomorrow at 9-10 call"),
        ("en", "tomorrow and Friday at 9 call"),
        ("en", "every day from 9 to 17 drink"),
        ("en", "every 2 hours from 8 to 20 drink"),
        ("en", "every day unless Monday at 9 run"),
        ("en", "two hours before midnight sleep"),
        ("en", "Thursdays 18 March at 9 run"),
        ("en", "every day at 9 tomorrow run"),
        ("en", "call mom 9.10"),
        ("en", "finish by 9 tomorrow"),
        ("en", "tomorrow at noon minus ten call"),
        ("en", "call mom tomorrow at 5 in Rome"),
        ("en", "3 times a week at 9 run"),
        ("en", "every 3rd Friday of the month at 9 meet"),
        ("en", "the first Monday of every month at 9 meet"),
        ("en", "tomorrow call at nine or ten"),
        ("ru", "завтра с 9 до 10 позвонить"),
        ("ru", "завтра между 9 и 10 позвонить"),
        ("ru", "завтра к 15 подготовить отчёт"),
        ("ru", "3 раза в неделю в 9 бег"),
        ("ru", "каждую первую пятницу месяца в 9 встреча"),
        ("ru", "за час до полуночи спать"),
        ("ru", "каждый день, кроме воскресенья, в 9 бег"),
        ("uk", "завтра між 9 і 10 подзвонити"),
        ("uk", "тричі на тиждень о 9 біг"),
        ("fr", "demain entre 9h et 10h appeler"),
        ("fr", "trois fois par semaine à 9h courir"),
        ("fr", "le premier lundi du mois à 9h réunion"),
        ("es", "mañana entre las 9 y las 10 llamar"),
        ("es", "tres veces por semana a las 9 correr"),
        ("es", "el primer lunes de cada mes a las 9 reunión"),
    ],
)
def test_what_is_beyond_the_grammar_is_never_taken_for_something_else(language: str, text: str) -> None:
    assert not isinstance(ask(text, language), Understood), note(ask(text, language), "Europe/Paris")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_time_that_is_not_used_is_noticed(language: str) -> None:
    vocabulary = VOCABULARIES[language]
    words = {form for forms in (*vocabulary.weekdays, *vocabulary.every_weekday) for form in forms.split("|")}
    words -= vocabulary.weak
    at = {"en": "at 9:45", "ru": "в 19:45", "uk": "о 19:45", "fr": "à 19:45", "es": "a las 19:45"}[language]
    for word in words:
        answer = ask(f"2026-12-01 {at} xxx {word} yyy", language)
        if isinstance(answer, Understood):
            assert word not in answer.task, answer
        elif isinstance(answer, Question):
            assert answer.asked is Asked.WHICH_TASK, answer


anything = st.text(st.characters(codec=None), max_size=200)

pieces = st.lists(
    st.one_of(
        st.sampled_from([form for _, _, text, _, _ in PHRASES for form in text.split()]),
        st.integers(0, 99).map(str),
        st.text(st.characters(codec=None), max_size=5),
    ),
    max_size=15,
).map(" ".join)


@given(st.one_of(anything, pieces), st.sampled_from(LANGUAGES), st.sampled_from(["UTC", "America/Santiago"]))
@example("99:99", "en", "UTC")
@example("in 999999999 years", "en", "UTC")
@example("every 999999999 months", "en", "UTC")
@example("every 1000000 days at 9", "en", "UTC")
@example("9999-12-31 23:59", "en", "UTC")
@example("0000-00-00 00:00", "en", "UTC")
@example("every 31st until 31.12.9999", "en", "UTC")
@example("for 0 days every day", "en", "UTC")
@example("every 0 days", "en", "UTC")
@example("0 times every day at 9", "en", "UTC")
def test_anything_at_all_is_answered(text: str, language: str, zone: str) -> None:
    answer = ask(text, language, zone)
    assert isinstance(answer, Understood | Question | NotUnderstood)
    for each in (answer,) if isinstance(answer, Understood) else getattr(answer, "alternatives", ()):
        assert each.first > NOW
        assert is_zone(each.schedule.timezone)


@pytest.mark.parametrize(
    "word", ["every ", "1 ", "at 9 and ", "tomorrow ", "о ", "9:00, ", "in Rome ", "((((", "a/b/", '"', "«", "a_", "."]
)
def test_a_long_text_takes_no_longer_than_it_should(word: str) -> None:
    for length in (MOST_CHARACTERS, 10_000):
        text = (word * length)[:length]
        start = time.perf_counter()
        ask(text)
        # Some five times what it takes, while everybody else waits.
        assert time.perf_counter() - start < 0.4


def test_the_words_of_all_languages_are_known_before_the_program_is_ready() -> None:
    program = (
        "from migrebot.app import _warm_up; _warm_up();"
        " from migrebot.reminders.phrases.lexicon import lexicon; print(lexicon.cache_info().currsize)"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert int(told.stdout) == len(LANGUAGES)
