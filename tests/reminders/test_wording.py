"""Schedules and instants in words, as a native speaker would say them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from migrebot.i18n import translator, translators
from migrebot.reminders import wording
from migrebot.reminders.schedule import Calendar, Cron, Interval, Once, Pattern, Schedule

TODAY = date(2026, 11, 22)
EIGHT = (time(8),)
MORNING_AND_EVENING = (time(8), time(20))


def say(language: str, pattern: Pattern, until: date | None = None, count: int | None = None) -> str:
    schedule = Schedule(pattern=pattern, timezone="UTC", until=until, count=count)
    return wording.schedule(schedule, translator(language), TODAY)


def interval(minutes: int) -> Interval:
    return Interval(minutes=minutes, start=datetime(2026, 11, 22, tzinfo=UTC))


def daily(every: int = 1, weekdays: tuple[int, ...] = ()) -> Calendar:
    return Calendar(unit="day", times=MORNING_AND_EVENING, start=TODAY, every=every, weekdays=weekdays)


def weekly(*weekdays: int, every: int = 1) -> Calendar:
    return Calendar(unit="week", times=EIGHT, start=TODAY, every=every, weekdays=weekdays)


def monthly(*days: int, every: int = 1) -> Calendar:
    return Calendar(unit="month", times=EIGHT, start=TODAY, every=every, month_days=days)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (interval(60), "every hour|каждый час|щогодини|toutes les heures|cada hora"),
        (interval(480), "every 8 hours|каждые 8 часов|кожні 8 годин|toutes les 8 heures|cada 8 horas"),
        (interval(21), "every 21 minutes|каждую 21 минуту|кожну 21 хвилину|toutes les 21 minutes|cada 21 minutos"),
        (interval(90), "every 1 h 30 min|каждые 1 ч 30 мин|кожні 1 год 30 хв|toutes les 1 h 30 min|cada 1 h 30 min"),
        (
            daily(),
            (
                "every day at 08:00 and 20:00|каждый день в 08:00 и 20:00|щодня о 08:00 і 20:00"
                "|tous les jours à 08:00 et 20:00|todos los días a las 08:00 y 20:00"
            ),
        ),
        (
            weekly(0, 1, 2, 3, 4),
            (
                "on weekdays at 08:00|по будням в 08:00|у будні о 08:00|du lundi au vendredi à 08:00"
                "|de lunes a viernes a las 08:00"
            ),
        ),
        (
            weekly(4),
            (
                "every Friday at 08:00|каждую пятницу в 08:00|щоп’ятниці о 08:00|tous les vendredis à 08:00"
                "|todos los viernes a las 08:00"
            ),
        ),
        (
            weekly(1, 5, every=2),
            (
                "every 2 weeks on Tuesdays and Saturdays at 08:00|каждые 2 недели по вторникам и субботам в 08:00"
                "|кожні 2 тижні у вівторок і суботу о 08:00|toutes les 2 semaines le mardi et le samedi à 08:00"
                "|cada 2 semanas los martes y sábados a las 08:00"
            ),
        ),
        (
            daily(2, (0, 4)),
            (
                "every 2 days, only on Mondays and Fridays at 08:00 and 20:00"
                "|каждые 2 дня, только по понедельникам и пятницам в 08:00 и 20:00"
                "|кожні 2 дні, лише у понеділок і п’ятницю о 08:00 і 20:00"
                "|tous les 2 jours, seulement le lundi et le vendredi à 08:00 et 20:00"
                "|cada 2 días, solo los lunes y viernes a las 08:00 y 20:00"
            ),
        ),
        (
            monthly(-1, 5),
            (
                "on the 5th and the last day of every month at 08:00|каждый месяц 5-го и последнего числа в 08:00"
                "|щомісяця 5-го і останнього числа о 08:00|le 5 et le dernier jour de chaque mois à 08:00"
                "|el 5 y el último día de cada mes a las 08:00"
            ),
        ),
        (
            monthly(1, every=3),
            (
                "every 3 months on the 1st at 08:00|каждые 3 месяца 1-го числа в 08:00"
                "|кожні 3 місяці 1-го числа о 08:00|tous les 3 mois le 1er à 08:00|cada 3 meses el 1 a las 08:00"
            ),
        ),
        (
            Once(datetime.fromisoformat("2026-12-01T11:00")),
            (
                "Tuesday, 1 December at 11:00|Вторник, 1 декабря, в 11:00|Вівторок, 1 грудня, об 11:00"
                "|Mardi 1er décembre à 11:00|Martes, 1 de diciembre, a las 11:00"
            ),
        ),
        (
            Cron("0 8 * * 1-5"),
            (
                "by the cron schedule 0 8 * * 1-5|по расписанию cron 0 8 * * 1-5|за розкладом cron 0 8 * * 1-5"
                "|selon le calendrier cron 0 8 * * 1-5|según la expresión cron 0 8 * * 1-5"
            ),
        ),
    ],
)
def test_a_schedule_is_said_in_each_language(pattern: Pattern, said: str) -> None:
    assert [say(tr.language, pattern) for tr in translators()] == said.split("|")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "every 8 hours, 2 times, until 5 March inclusive"),
        ("ru", "каждые 8 часов, 2 раза, до 5 марта включительно"),
        ("uk", "кожні 8 годин, 2 рази, до 5 березня включно"),
        ("fr", "toutes les 8 heures, 2 fois, jusqu’au 5 mars inclus"),
        ("es", "cada 8 horas, 2 veces, hasta el 5 de marzo inclusive"),
    ],
)
def test_its_end_is_said_too(language: str, said: str) -> None:
    assert say(language, interval(480), until=date(2027, 3, 5), count=2) == said


def test_what_fires_once_has_no_end_to_speak_of() -> None:
    assert say("en", Once(datetime.fromisoformat("2026-12-01T11:00")), count=1) == "Tuesday, 1 December at 11:00"


@pytest.mark.parametrize(
    ("days", "said"),
    [((1, 2, 3, 4), "the 1st, the 2nd, the 3rd and the 4th"), ((11, 12, 13), "the 11th, the 12th and the 13th"),
     ((21, 22, 23, 31), "the 21st, the 22nd, the 23rd and the 31st")],
)  # fmt: skip
def test_english_ordinals_are_right(days: tuple[int, ...], said: str) -> None:
    assert say("en", monthly(*days)) == f"on {said} of every month at 08:00"


def test_the_preposition_suits_the_hour() -> None:
    assert wording.at([time(1)], translator("es")) == "a la 01:00"
    assert wording.at([time(2)], translator("es")) == "a las 02:00"
    assert wording.at([time(11)], translator("uk")) == "об 11:00"
    assert wording.at([time(12)], translator("uk")) == "о 12:00"


def test_seconds_are_not_worth_saying() -> None:
    assert wording.at([time(8, 0, 30)], translator("en")) == "at 08:00"


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(seconds=20), ("in less than a minute|меньше чем через минуту|менш ніж за хвилину"
         "|dans moins d’une minute|en menos de un minuto")),
        (timedelta(minutes=20, seconds=59), ("in 21 minutes|через 21 минуту|через 21 хвилину|dans 21 minutes"
         "|dentro de 21 minutos")),
        (timedelta(hours=2, minutes=5), ("in 2 hours 5 minutes|через 2 часа 5 минут|через 2 години 5 хвилин"
         "|dans 2 heures 5 minutes|dentro de 2 horas y 5 minutos")),
        (timedelta(hours=1, minutes=59, seconds=59), ("in 2 hours|через 2 часа|через 2 години|dans 2 heures"
         "|dentro de 2 horas")),
        (timedelta(days=1, hours=1, minutes=9), ("in 1 day 1 hour|через 1 день 1 час|через 1 день 1 годину"
         "|dans 1 jour 1 heure|dentro de 1 día y 1 hora")),
        (timedelta(days=4, hours=13), "in 5 days|через 5 дней|через 5 днів|dans 5 jours|dentro de 5 días"),
    ],
)  # fmt: skip
def test_the_time_left_is_said_in_each_language(left: timedelta, said: str) -> None:
    assert [wording.time_left(left, tr) for tr in translators()] == said.split("|")


def test_what_fires_further_away_than_most_of_a_year_is_said_with_its_year() -> None:
    assert wording.moment(datetime.fromisoformat("2027-11-01T09:00"), translator("en"), TODAY).endswith("2027 at 09:00")
