"""Long texts in parts."""

from __future__ import annotations

import re
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.splitting import split, visible, visible_length

TAG = re.compile(r"<(/?)([bia])(?: href=\"[^\"<>]*\")?>")


def is_balanced(part: str) -> bool:
    stack: list[str] = []
    for closing, name in TAG.findall(part):
        if not closing:
            stack.append(name)
        elif not stack or stack.pop() != name:
            return False
    return not stack


def holes(text: str, parts: list[str]) -> list[str]:
    """What is seen of the text but of none of the parts."""
    left = visible(text)
    found = []
    for part in parts:
        before, _, left = left.partition(visible(part))
        found.append(before)
    return [*found, left]


words = st.text(st.sampled_from("abü &<>\"'.!?…😀👩‍🚀e\u0301\n \u00a0"), min_size=1, max_size=12)
plain = words.map(lambda text: escape(text, quote=True))
marked = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=6).map("".join),
        st.tuples(st.sampled_from(["<b>{}</b>", "<i>{}</i>", '<a href="https://x.y/?a=1&amp;b=2">{}</a>']), inner).map(
            lambda pair: pair[0].format(pair[1].replace("{", "").replace("}", ""))
        ),
    ),
    max_leaves=25,
)


@given(marked, st.integers(2, 40))
def test_every_part_fits_is_balanced_and_only_white_space_is_lost(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert parts
    for part in parts:
        assert visible_length(part) <= limit
        assert is_balanced(part)
    assert not "".join(holes(text, parts)).strip()


@given(marked, st.integers(2, 40))
def test_no_part_is_blank_unless_the_text_is(text: str, limit: int) -> None:
    parts = split(text, limit)
    if len(parts) > 1:
        assert all(visible(part).strip(" \n") for part in parts)


@given(marked)
def test_a_text_that_fits_is_left_as_it_is(text: str) -> None:
    assert split(text, max(2, visible_length(text))) == [text]


@given(st.text(st.characters(codec=None), min_size=1, max_size=60), st.integers(2, 9))
def test_any_characters_at_all_are_cut_into_parts_that_fit(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(visible_length(part) <= limit for part in parts)
    assert not "".join(holes(text, parts)).strip()


def test_paragraph_ends_are_taken_before_line_sentence_and_word_ends() -> None:
    assert split("One. Two\nthree\n\nFour. Five", 20) == ["One. Two\nthree", "Four. Five"]
    assert split("Aaa\n\nbbb\nccc ddd", 12) == ["Aaa", "bbb\nccc ddd"]
    assert split("One. Two\nthree. Four five six", 20) == ["One. Two", "three. Four five six"]
    assert split("One two. Three four five", 20) == ["One two.", "Three four five"]
    assert split("One two three four five", 20) == ["One two three four", "five"]


def test_the_last_good_end_that_fits_is_taken() -> None:
    assert split("a b\n\nc d\n\ne f\n\ng h", 15) == ["a b\n\nc d\n\ne f", "g h"]


def test_a_paragraph_may_fill_its_part_to_the_last_place() -> None:
    assert split("abcd\n\nefgh", 4) == ["abcd", "efgh"]
    assert split("ab\n\ncdef\n\nghij", 8) == ["ab\n\ncdef", "ghij"]
    assert split("abcd efgh", 4) == ["abcd", "efgh"]
    assert split("Abc. Efg.", 4) == ["Abc.", "Efg."]


def test_a_title_is_not_sent_alone() -> None:
    parts = split("<b>Hi</b>\n\n" + "word " * 30, 60)
    assert parts[0].startswith("<b>Hi</b>\n\nword")


def test_a_closing_quote_belongs_to_its_sentence() -> None:
    assert split("«Say this now.» And this", 20) == ["«Say this now.»", "And this"]


def test_a_question_mark_is_not_torn_from_its_unbreakable_space() -> None:
    assert split("un deux trois quatre\u00a0? cinq", 21) == ["un deux trois", "quatre\u00a0? cinq"]


def test_a_tag_is_closed_at_the_cut_and_opened_again() -> None:
    assert split('<b>one <a href="https://x.y/">two three</a> four</b>', 8) == [
        '<b>one <a href="https://x.y/">two</a></b>',
        '<b><a href="https://x.y/">three</a></b>',
        "<b>four</b>",
    ]


def test_an_entity_counts_one_and_is_never_cut() -> None:
    assert split("&amp;&lt;&#128512;&#x1F600;&gt;", 3) == ["&amp;&lt;", "&#128512;", "&#x1F600;&gt;"]


def test_an_emoji_counts_two_and_keeps_its_parts() -> None:
    astronaut = "👩\u200d🚀"
    assert visible_length(astronaut) == 5
    assert split(f"aaa{astronaut}", 7) == ["aaa", astronaut]


def test_a_letter_keeps_its_accent() -> None:
    assert split("abce\u0301f", 4) == ["abc", "e\u0301f"]


def test_what_is_no_tag_of_ours_is_text() -> None:
    assert visible("1 <2 <u>x</u> & &nope;") == "1 <2 <u>x</u> & &nope;"


def test_a_number_that_is_no_character_still_takes_a_place() -> None:
    assert visible("a&#1;b&#0;") == "a\ufffdb\ufffd"
    assert split("a&#1;b", 2) == ["a&#1;", "b"]


def test_a_long_text_of_nothing_but_white_space_is_one_empty_part() -> None:
    assert split("\n" * 50, 10) == [""]


def test_a_limit_that_no_emoji_fits_into_is_refused() -> None:
    with pytest.raises(ValueError, match="two code units"):
        split("😀", 1)
