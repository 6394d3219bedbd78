"""The catalogues: complete, sound, and written as each language is."""

from __future__ import annotations

import ast
import gettext
import re
import shlex
import subprocess
import sys
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from babel import Locale
from babel.messages.pofile import read_po

from migrebot.dialogue import controls, profile, words
from migrebot.dialogue.forms.one_line import parse_intake, parse_line
from migrebot.dialogue.router import COMMANDS, OWNER_COMMANDS
from migrebot.diary import labels
from migrebot.diary.dictionary import find
from migrebot.diary.parsing import parse_amount, parse_day, parse_duration, parse_intensity, parse_yes_no
from migrebot.diary.pressures import parse_reading
from migrebot.i18n import translator, translators
from migrebot.languages import LANGUAGES
from migrebot.typed import clean, folded
from migrebot.zones import find_zones

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from babel.messages.catalog import Catalog

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 22)

PLACEHOLDER = re.compile(r"%\((\w+)\)([a-z])")
TAG = re.compile(r"</?[a-z][^>]*>")
COMMAND = re.compile(r"(?<![\w/<])/[a-z_]+")
MARK = re.compile(r"^[^\w\s<%/“(¿¡«]+ ")
WORD = re.compile(r"[^\W\d_]+")
CYRILLIC = re.compile(r"[\u0400-\u04ff]")
LATIN = re.compile(r"[a-z\u00c0-\u024f]", re.IGNORECASE)
EXAMPLE = re.compile(r"/pain (\d[^–—\n]*\d)")


class Text(NamedTuple):
    """One form of a message beside the source it translates."""

    source: str
    said: str

    def __str__(self) -> str:
        return f"{self.source!r} → {self.said!r}"


def catalogue(language: str) -> Catalog:
    with (ROOT / "migrebot" / "locales" / language / "LC_MESSAGES" / "migrebot.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@cache
def texts(language: str) -> tuple[Text, ...]:
    return tuple(_texts(catalogue(language)))


def _texts(catalog: Catalog) -> Iterator[Text]:
    for message in catalog:
        # Every plural form stands beside the English plural, which has all that may be in it.
        yield from (Text(forms(message.id)[-1], said) for said in forms(message.string) if message.id)


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def ids(catalog: Catalog) -> set[tuple[str, ...]]:
    return {forms(message.id) for message in catalog if message.id}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What the sources say, extracted by the very command of `make catalogues`."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = re.search(r"\$\(BIN\)/pybabel (.* extract (?:.*\\\n)*.*)", makefile)
    assert recipe
    file = tmp_path_factory.mktemp("catalogues") / "migrebot.pot"
    arguments = shlex.split(recipe[1].replace("\\\n", " ").replace("$(VENV)/migrebot.pot", str(file)))
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", *arguments], cwd=ROOT, check=True, timeout=60)
    with file.open("rb") as found:
        return read_po(found)


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# --- complete ---------------------------------------------------------------------------------------------------------


def test_every_message_of_the_sources_is_in_the_catalogue_and_no_other(template: Catalog, language: str) -> None:
    assert len(ids(template)) > 100
    assert ids(template) - ids(catalogue(language)) == set(), "run `make catalogues`, then translate"
    assert ids(catalogue(language)) - ids(template) == set(), "run `make catalogues`"


def test_no_message_hides_inside_an_f_string() -> None:
    # Before Python 3.12 an f-string is one token, and Babel finds nothing in it.
    for file in (*ROOT.glob("migrebot/**/*.py"), *ROOT.glob("actors/*.py")):
        formatted = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.JoinedStr)]
        for call in (inner for node in formatted for inner in ast.walk(node) if isinstance(inner, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            is_message = bool(call.args) and isinstance(call.args[0], ast.Constant)
            assert not (name in {"tr", "plain", "n", "N_"} and is_message), f"{file.name}: {ast.unparse(call)}"


def test_every_message_is_translated_for_certain_and_nothing_obsolete_is_kept(language: str) -> None:
    catalog = catalogue(language)
    assert [message.id for message in catalog if message.id and message.fuzzy] == []
    assert [text.source for text in texts(language) if not text.said.strip()] == []
    assert list(catalog.obsolete) == []


def test_english_says_what_the_sources_say() -> None:
    for message in catalogue("en"):
        if message.id:
            assert message.string == message.id


def test_babel_finds_nothing_wrong(language: str) -> None:
    assert [(message.id, [str(error) for error in errors]) for message, errors in catalogue(language).check()] == []


def test_the_header_is_of_this_project_and_language(language: str) -> None:
    catalog = catalogue(language)
    headers = dict(catalog.mime_headers)
    assert headers["Language"] == language
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert catalog.project == "Migrebot"
    assert "EMAIL@ADDRESS" not in f"{catalog.header_comment} {headers}"
    assert not catalog.fuzzy


# --- plurals ----------------------------------------------------------------------------------------------------------


def test_the_plural_forms_are_those_of_cldr(language: str) -> None:
    catalog = catalogue(language)
    form = gettext.c2py(catalog.plural_expr)
    category = Locale.parse(language).plural_form
    pairs = {(form(number), category(number)) for number in range(1000)}
    assert len(pairs) == len({number for number, _ in pairs}) == len({name for _, name in pairs}) == catalog.num_plurals


def test_a_message_that_counts_has_every_plural_form(language: str) -> None:
    catalog = catalogue(language)
    counting = [message for message in catalog if isinstance(message.id, list | tuple)]
    assert counting
    for message in counting:
        assert len(forms(message.string)) == catalog.num_plurals, message.id
        assert all(form.strip() for form in forms(message.string)), message.id


# --- sound ------------------------------------------------------------------------------------------------------------


def test_the_same_values_are_put_in(language: str) -> None:
    for text in texts(language):
        assert Counter(PLACEHOLDER.findall(text.said)) == Counter(PLACEHOLDER.findall(text.source)), text
        if PLACEHOLDER.search(text.source):
            assert "%" not in PLACEHOLDER.sub("", text.said).replace("%%", ""), text


def test_the_same_marks_of_html_stand_in_it_and_nothing_else_looks_like_one(language: str) -> None:
    for text in texts(language):
        assert Counter(TAG.findall(text.said)) == Counter(TAG.findall(text.source)), text
        assert not re.search(r"[<>&]", TAG.sub("", text.said)), text


def test_the_same_commands_are_named_and_all_of_them_exist(language: str) -> None:
    for text in texts(language):
        named = COMMAND.findall(TAG.sub("", text.said))
        assert Counter(named) == Counter(COMMAND.findall(TAG.sub("", text.source))), text
        assert {command.removeprefix("/") for command in named} <= COMMANDS.keys() | OWNER_COMMANDS.keys(), text


def test_lines_and_leading_marks_are_kept(language: str) -> None:
    for text in texts(language):
        assert re.findall(r"\n+", text.said) == re.findall(r"\n+", text.source), text
        mark = MARK.match(text.source)
        found = MARK.match(text.said)
        assert (found and found[0]) == (mark and mark[0]), text


def test_a_question_stays_one_and_so_does_what_leaves_something_open(language: str) -> None:
    for text in texts(language):
        for end in "?:…":
            assert text.said.endswith(end) == text.source.endswith(end), text


def test_no_spaces_too_many_and_no_typewriter_quotes(language: str) -> None:
    for text in texts(language):
        assert text.said == text.said.strip(), text
        assert "  " not in text.said, text
        assert not re.search(r"[\"'`]|\.\.\.|\t", text.said), text


# --- as the language is written ---------------------------------------------------------------------------------------


def test_no_word_mixes_alphabets(language: str) -> None:
    for text in texts(language):
        for word in WORD.findall(TAG.sub("", PLACEHOLDER.sub("", text.said))):
            assert not (CYRILLIC.search(word) and LATIN.search(word)), f"{word!r} in {text}"


@pytest.mark.parametrize("language", ["en", "fr", "es"])
def test_what_is_written_in_latin_letters_has_no_cyrillic_ones(language: str) -> None:
    assert [str(text) for text in texts(language) if CYRILLIC.search(text.said)] == []


@pytest.mark.parametrize("language", ["ru", "uk"])
def test_what_is_written_in_cyrillic_letters_has_no_latin_words_of_its_own(language: str) -> None:
    for text in texts(language):
        bare = COMMAND.sub("", TAG.sub("", PLACEHOLDER.sub("", text.said)))
        latin = {word for word in WORD.findall(bare) if LATIN.search(word)}
        assert latin <= set(WORD.findall(text.source)), text


def test_russian_and_ukrainian_keep_to_their_own_letters() -> None:
    assert [str(text) for text in texts("ru") if re.search("[іїєґ]", text.said.lower())] == []
    assert [str(text) for text in texts("uk") if re.search("[ыэёъ]", text.said.lower())] == []


def test_french_puts_its_unbreakable_spaces() -> None:
    for text in texts("fr"):
        said = PLACEHOLDER.sub("x", text.said)
        assert not re.search(r"(?<!\u202f)[?!]", said), text
        assert not re.search(r"(?<!\u202f);(?=\s|$)", said), text
        assert not re.search(r"(?<!\u00a0):(?=\s|$)", said), text
        assert not re.search(r"«(?!\u00a0)|(?<!\u00a0)»", said), text


def test_spanish_opens_what_it_closes() -> None:
    for text in texts("es"):
        assert text.said.count("¿") == text.said.count("?"), text
        assert text.said.count("¡") == text.said.count("!"), text


@pytest.mark.parametrize(
    ("language", "other"),
    [
        ("ru", r"\b(?:ты|тебя|тебе|тво[йяеи]\w*)\b"),
        ("uk", r"\b(?:ти|тебе|тобі|тв[оі]\w+)\b"),
        ("fr", r"\b(?:tu|toi|ton|ta|tes)\b"),
        ("es", r"\b(?:usted|ustedes|vosotr[oa]s|vuestr[oa]s?)\b"),
    ],
)
def test_a_person_is_addressed_in_one_way(language: str, other: str) -> None:
    assert [str(text) for text in texts(language) if re.search(other, text.said.lower())] == []


def test_nobody_reads_a_choice_of_endings(language: str) -> None:
    # Such as "рад(а)" or "prêt·e".
    assert [str(text) for text in texts(language) if re.search(r"[^\W\d][(/·]-?[^\W\d]{1,3}\b", text.said)] == []


def test_a_label_that_is_quoted_reads_as_its_button(language: str) -> None:
    said = {text.source: text.said for text in texts(language)}
    quoted = [(text, label) for text in texts(language) for label in re.findall("“([^”]*)”", text.source)]
    labels = [(text, label) for text, label in quoted if label in said]
    assert labels
    for text, label in labels:
        assert re.search(rf"[“«]\s?{re.escape(said[label])}\s?[”»]", text.said), text


# --- what can be pressed ----------------------------------------------------------------------------------------------


def constants(function: str) -> Iterator[tuple[str, bool]]:
    """Find what `.plain(…)` is called with, and whether it is a toast; a profile and a bill have no labels."""
    for file in sorted(ROOT.glob("migrebot/dialogue/**/*.py")):
        if file.name in ("profile.py", "donation.py", "donations.py"):
            continue
        tree = ast.parse(file.read_text("utf-8"))
        toasts = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "toast"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == function:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value, id(node) in toasts


def test_a_button_is_short_and_a_toast_not_too_long(language: str) -> None:
    tr = translator(language)
    found = list(constants("plain"))
    assert len(found) > 30
    for label, is_toast in found:
        said = PLACEHOLDER.sub("", tr.plain(label))
        assert len(said) <= (200 if is_toast else 40), said
        assert not TAG.search(said), said


def test_what_stands_two_or_three_in_a_row_fits_a_phone(language: str) -> None:
    tr = translator(language)
    for label in (*labels.TRIGGERS.values(), *labels.SYMPTOMS.values(), *controls.LABELS.values()):
        assert len(tr.plain(label)) <= 20, tr.plain(label)


def test_what_the_messenger_shows_of_the_bot_keeps_its_limits(language: str) -> None:
    tr = translator(language)
    assert len(profile.name(tr)) <= 64
    assert len(profile.short_description(tr)) <= 120
    assert len(profile.description(tr)) <= 512
    assert all(len(description) <= 256 for _, description in profile.commands(tr))


def test_english_buttons_have_the_words_that_are_promised() -> None:
    promised = ("Today", "Yesterday", "All day", "Yes", "No", "Next", "Skip", "Back", "Cancel")
    assert all(translator("en").plain(word) == word for word in promised)
    labels = {label for label, _ in constants("plain")} | set(controls.LABELS.values())
    assert set(promised) <= labels


def test_a_control_word_means_one_thing_in_all_languages_together() -> None:
    meanings: dict[str, set[str]] = {}
    for tr in translators():
        assert len({folded(tr.plain(label)) for label in controls.LABELS.values()}) == len(controls.LABELS)
        for control, label in controls.LABELS.items():
            meanings.setdefault(folded(tr.plain(label)), set()).add(control)
    assert [word for word, meant in meanings.items() if len(meant) > 1] == []


def test_a_control_word_is_no_answer_to_a_question() -> None:
    steering = {folded(tr.plain(label)) for tr in translators() for label in controls.LABELS.values()}
    for word in steering:
        assert parse_yes_no(word) is None, word
        assert parse_day(word, TODAY) is None, word
        assert parse_duration(word) is None, word
        assert parse_intensity(word) is None, word
        assert parse_amount(word) is None, word


def test_a_control_word_is_on_no_other_button() -> None:
    steering = {folded(tr.plain(label)) for tr in translators() for label in controls.LABELS.values()}
    others = {label for label, _ in constants("plain")} - set(controls.LABELS.values())
    others |= {*labels.TRIGGERS.values(), *labels.SYMPTOMS.values()}
    for tr in translators():
        for label in others:
            assert folded(tr.plain(label)) not in steering, (tr.language, label)


def test_no_two_choices_of_a_question_read_the_same(language: str) -> None:
    tr = translator(language)
    for choices in (labels.TRIGGERS, labels.SYMPTOMS, labels.UNITS):
        assert len({folded(tr.plain(label)) for label in choices.values()}) == len(choices)


def test_what_can_be_pressed_can_be_typed_in_any_language(language: str) -> None:
    tr = translator(language)
    for shout in (str, str.upper, str.lower):
        assert parse_yes_no(shout(tr.plain("Yes"))) is True
        assert parse_yes_no(shout(tr.plain("No"))) is False
        assert parse_day(shout(tr.plain("Today")), TODAY) == TODAY
        assert parse_day(shout(tr.plain("Yesterday")), TODAY) == date(2026, 11, 21)
        assert parse_duration(shout(tr.plain("All day"))) == 24
        assert parse_duration(shout(tr.plain("Under an hour"))) == 0.5


@pytest.mark.parametrize("unit", labels.UNITS)
@pytest.mark.parametrize("number", [0.125, 0.5, 1, 2.5, 25, 400, 1000])
def test_an_amount_reads_back_as_it_was_written(language: str, number: float, unit: str) -> None:
    assert parse_amount(clean(words.amount(number, unit, translator(language)))) == (number, unit)


@pytest.mark.parametrize("hours", [0.5, 0.75, 1, 1.5, 3, 24, 47.5, 48, 49, 72.25, 168])
def test_a_duration_reads_back_as_it_was_written(language: str, hours: float) -> None:
    assert parse_duration(clean(words.duration(hours, translator(language)))) == hours


# --- the examples work ------------------------------------------------------------------------------------------------


def test_the_attack_in_one_line_is_understood_as_it_is_shown(language: str) -> None:
    examples = [example for text in texts(language) for example in EXAMPLE.findall(text.said)]
    assert len(examples) >= 2
    for example in examples:
        answers = parse_line(clean(example), TODAY)
        assert answers is not None, example
        (medicine,) = answers["medicines"]
        assert (answers["intensity"], answers["duration"], medicine["amount"]) == (7, 3.0, [400.0, "mg"]), example


def test_a_medicine_and_a_pressure_in_one_line_are_understood_as_they_are_shown(language: str) -> None:
    said = [TAG.sub("", text.said) for text in texts(language)]
    medicines = [example for text in said for example in re.findall(r"/druguse ([^–—\n]*\d)", text)]
    assert len(medicines) >= 2
    for example in medicines:
        answers = parse_intake(clean(example), TODAY)
        assert answers is not None, example
        assert find(answers["medicines"][0]["drug"])[0].generic == "ibuprofen"
    pressures = [example for text in said for example in re.findall(r"\b(\d{3}/\d{2} \d{2})\b", text)]
    assert len(pressures) >= 4
    assert all(parse_reading(example) for example in pressures)


def test_the_durations_and_the_amount_given_as_examples_are_understood(language: str) -> None:
    said = {text.source: text.said for text in texts(language)}
    (durations,) = (said[source] for source in said if source.startswith("I need a duration"))
    (amount,) = (said[source] for source in said if source.startswith("I did not understand that amount"))
    assert [parse_duration(clean(shown)) for shown in re.findall("[“«]([^”»]*)[”»]", durations)] == [3, 1.5, 1.5]
    assert [parse_amount(clean(shown)) for shown in re.findall("[“«]([^”»]*)[”»]", amount)] == [(400, "mg")]


def test_the_cities_given_as_examples_are_known(language: str) -> None:
    (said,) = (text.said for text in texts(language) if text.source.startswith("Where do you live?"))
    cities = re.split(
        r", | (?:or|или|або|ou|o) ", re.split(r"(?:example|например|наприклад|exemple|ejemplo) ", said)[1]
    )
    zones = [find_zones(clean(city)) for city in cities]
    assert [len(found) for found in zones] == [1, 1, 1], zones


def test_a_new_language_is_greeted_by_its_own_name(language: str) -> None:
    name = Locale.parse(language).get_display_name(language)
    assert name is not None
    assert name[:6].casefold() in translator(language)("From now on I speak English.").casefold()
