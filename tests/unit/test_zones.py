"""Time zones as people name them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.dialogue.forms.zone import MAX_CANDIDATES
from migrebot.zones import canonical, describe_zone, find_zones, is_zone

WINTER = datetime(2026, 1, 15, 12, tzinfo=UTC)
SUMMER = datetime(2026, 7, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("names", "zone"),
    [
        ("Kyiv|Kiev|Киев|Київ|Харків|Одесса|Львов|Івано-Франківськ|Кривий Ріг", "Europe/Kyiv"),
        ("Moscow|Москва|Moscou|Moscú|Санкт-Петербург|Питер|Казань", "Europe/Moscow"),
        ("Paris|Париж|París|Lyon|Marseille|Toulouse", "Europe/Paris"),
        ("London|Лондон|Londres|Manchester", "Europe/London"),
        ("Madrid|Мадрид|Barcelona|Барселона|Sevilla|Málaga", "Europe/Madrid"),
        ("Berlin|Берлин|Берлін|München|Munich|Frankfurt|Кёльн|Köln", "Europe/Berlin"),
        ("Geneva|Genève|Zürich|Zurich|Цюрих|Lausanne", "Europe/Zurich"),
        ("New York|Нью-Йорк|Nueva York|Boston|Washington|NYC", "America/New_York"),
        ("Mexico City|Мехико|Мехіко|Ciudad de México|CDMX|Guadalajara", "America/Mexico_City"),
        ("Montréal|Montreal|Монреаль|Québec", "America/Toronto"),
        ("Buenos Aires|Буэнос-Айрес|Буенос-Айрес|La Plata", "America/Argentina/Buenos_Aires"),
        ("Bogotá|Богота|Medellín", "America/Bogota"),
        ("Almaty|Алматы|Алма-Ата|Астана", "Asia/Almaty"),
        ("Yekaterinburg|Екатеринбург|Єкатеринбург|Челябинск", "Asia/Yekaterinburg"),
        ("Istanbul|İstanbul|Стамбул|Estambul", "Europe/Istanbul"),
        ("Mumbai|Мумбаи|Delhi|New Delhi", "Asia/Kolkata"),
        ("Tel Aviv|Тель-Авив|Jerusalem|Иерусалим|Jérusalem|Jerusalén", "Asia/Jerusalem"),
        ("UTC|gmt", "UTC"),
    ],
)
def test_a_city_is_known_in_every_language_we_speak(names: str, zone: str) -> None:
    for name in names.split("|"):
        assert find_zones(name) == (zone,), name


@pytest.mark.parametrize(
    ("names", "zone"),
    [
        ("France|Франция|Франція|Francia", "Europe/Paris"),
        ("Germany|Германия|Німеччина|Allemagne|Alemania|Deutschland", "Europe/Berlin"),
        ("Poland|Польша|Польща|Pologne|Polonia", "Europe/Warsaw"),
        ("United Kingdom|UK|England|Великобритания|Англія|Royaume-Uni|Inglaterra", "Europe/London"),
        ("Belarus|Беларусь|Белоруссия|Білорусь|Biélorussie|Bielorrusia", "Europe/Minsk"),
        ("Georgia|Грузия|Грузія|Géorgie", "Asia/Tbilisi"),
        ("India|Индия|Індія|Inde", "Asia/Kolkata"),
        ("Turkey|Türkiye|Турция|Туреччина|Turquie|Turquía", "Europe/Istanbul"),
        ("Argentina|Аргентина|Argentine", "America/Argentina/Buenos_Aires"),
    ],
)
def test_a_country_with_one_zone_is_enough(names: str, zone: str) -> None:
    for name in names.split("|"):
        assert find_zones(name) == (zone,), name


@pytest.mark.parametrize(
    ("names", "first"),
    [
        ("USA|U.S.A.|США|United States|États-Unis|Estados Unidos|EE. UU.", "America/New_York"),
        ("Spain|Испания|Іспанія|Espagne|España|espana", "Europe/Madrid"),
        ("Russia|Россия|Росія|Russie|Rusia", "Europe/Moscow"),
        ("Canada|Канада|Canadá", "America/Toronto"),
        ("Portugal|Португалия|Португалія", "Europe/Lisbon"),
        ("Mexico|Мексика|Mexique|México", "America/Mexico_City"),
        ("Australia|Австралия|Австралія|Australie", "Australia/Sydney"),
    ],
)
def test_a_large_country_offers_a_few_zones_with_the_most_peopled_first(names: str, first: str) -> None:
    for name in names.split("|"):
        found = find_zones(name)
        assert found[0] == first, name
        assert 1 < len(found) <= MAX_CANDIDATES, name


@pytest.mark.parametrize("text", ["kyiv", "KYIV", "kYiV", "  Kyiv  ", "Kyiv.", "📍 Kyiv", "europe/kyiv", "EUROPE/KYIV"])
def test_letter_case_spaces_and_marks_do_not_count(text: str) -> None:
    assert find_zones(text) == ("Europe/Kyiv",)


@pytest.mark.parametrize(
    "text", ["New York", "new_york", "New-York", "нью йорк", "America/New_York", "america/new york"]
)
def test_a_hyphen_or_an_underscore_is_as_good_as_a_space(text: str) -> None:
    assert find_zones(text) == ("America/New_York",)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Europe/Kiev", "Europe/Kyiv"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Calcutta", "Asia/Kolkata"),
        ("Asia/Saigon", "Asia/Ho_Chi_Minh"),
        ("Rangoon", "Asia/Yangon"),
        ("US/Eastern", "America/New_York"),
        ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ],
)
def test_an_old_name_means_the_zone_under_its_present_name(old: str, new: str) -> None:
    assert find_zones(old) == (new,)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Paris, France", "Europe/Paris"),
        ("Київ, Україна", "Europe/Kyiv"),
        ("Киев,Украина", "Europe/Kyiv"),
        ("Detroit, USA", "America/Detroit"),
        ("Valencia, España", "Europe/Madrid"),
        ("Valencia, Venezuela", "America/Caracas"),
    ],
)
def test_a_city_with_its_country_means_the_city_there(text: str, zone: str) -> None:
    assert find_zones(text) == (zone,)


@pytest.mark.parametrize("text", ["Paris, USA", "Paris, ", "Nowhere, France", "Paris, Texas", ","])
def test_a_city_that_is_not_in_that_country_is_not_guessed(text: str) -> None:
    assert find_zones(text) == ()


@pytest.mark.parametrize("name", ["Valencia", "San José", "Córdoba", "Mérida"])
def test_a_name_that_several_cities_bear_offers_them_all(name: str) -> None:
    assert len(find_zones(name)) == 2


@pytest.mark.parametrize(
    "text",
    [
        *("+3", "-3", "3", "+03:00", "UTC+3", "GMT+3", "GMT-5", "Etc/GMT+3", "Etc/GMT-14", "Etc/GMT0", "GMT0"),
        *("EST", "MSK", "CET", "EET", "MST", "HST", "PST8PDT", "EST5EDT", "Zulu", "WET"),
        *("localtime", "posixrules", "Factory", "posix/Europe/Paris", "right/UTC", "SystemV/EST5"),
        *("Europe", "America", "Etc", "Europe/", "Europe/Kyiv/", "Europe//Kyiv"),
        *("", " ", ".", "…", "a" * 300, "../../etc/passwd", "/etc/localtime", "zone.tab", "Kyiv\0", "Europe\\Kyiv"),
        *("\ud800", "Atlantis", "Kiew ist schön", "0", "my home"),
    ],
)
def test_offsets_abbreviations_and_junk_mean_no_zone(text: str) -> None:
    assert find_zones(text) == ()


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_at_all_gives_zones_that_may_be_stored(text: str) -> None:
    for zone in find_zones(text):
        assert is_zone(zone)
        ZoneInfo(zone)


def test_every_place_of_the_zone_database_is_found_by_its_name() -> None:
    for zone in available_timezones():
        if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix/", "right/")):
            assert canonical(zone) in find_zones(zone), zone


def test_canonical_names_are_zones_and_stay_as_they_are() -> None:
    for zone in available_timezones():
        assert canonical(canonical(zone)) == canonical(zone)
        ZoneInfo(canonical(zone))
    assert canonical("Middle-earth/Shire") == "Middle-earth/Shire"


@pytest.mark.parametrize("name", ["Europe/Kyiv", "Europe/Kiev", "UTC", "Asia/Kathmandu"])
def test_the_exact_name_of_a_zone_may_be_stored(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize(
    "name", ["kyiv", "europe/kyiv", "localtime", "posixrules", "Factory", "../UTC", "", "MSK", "+3"]
)
def test_anything_else_may_not_be_stored(name: str) -> None:
    assert not is_zone(name)


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("Europe/Kyiv", "Europe/Kyiv (UTC+2)", "Europe/Kyiv (UTC+3)"),
        ("America/New_York", "America/New_York (UTC-5)", "America/New_York (UTC-4)"),
        ("Asia/Kolkata", "Asia/Kolkata (UTC+5:30)", "Asia/Kolkata (UTC+5:30)"),
        ("Asia/Kathmandu", "Asia/Kathmandu (UTC+5:45)", "Asia/Kathmandu (UTC+5:45)"),
        ("America/St_Johns", "America/St_Johns (UTC-3:30)", "America/St_Johns (UTC-2:30)"),
        ("Pacific/Marquesas", "Pacific/Marquesas (UTC-9:30)", "Pacific/Marquesas (UTC-9:30)"),
        ("Australia/Lord_Howe", "Australia/Lord_Howe (UTC+11)", "Australia/Lord_Howe (UTC+10:30)"),
        ("Pacific/Kiritimati", "Pacific/Kiritimati (UTC+14)", "Pacific/Kiritimati (UTC+14)"),
        ("Europe/London", "Europe/London (UTC)", "Europe/London (UTC+1)"),
        ("UTC", "UTC", "UTC"),
    ],
)
def test_a_zone_is_described_with_its_offset_of_the_moment(zone: str, winter: str, summer: str) -> None:
    assert describe_zone(zone, WINTER) == winter
    assert describe_zone(zone, SUMMER) == summer
