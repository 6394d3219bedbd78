from __future__ import annotations

import pytest

from migrebot.languages import LANGUAGES, choose


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_we_speak_is_spoken(language: str) -> None:
    assert choose(language, "en") == language
    assert choose(language.upper(), "en") == language


@pytest.mark.parametrize("tag", ["uk-UA", "uk_UA", "UK-ua"])
def test_only_the_language_of_a_tag_counts(tag: str) -> None:
    assert choose(tag, "en") == "uk"


@pytest.mark.parametrize("code", ["be", "kk", "ky", "uz", "tg", "hy", "az", "ka", "tk", "kk-Cyrl-KZ"])
def test_where_most_read_russian_it_is_russian(code: str) -> None:
    assert choose(code, "en") == "ru"


@pytest.mark.parametrize("code", ["et", "lv", "lt", "de", "pt-br", "zh-hans", "", "-", "x" * 1000, "\0", "ukr", "rue"])
def test_everybody_else_gets_the_default(code: str) -> None:
    assert choose(code, "es") == "es"
