"""The drug dictionary: what it says is what the clinical facts say, and it is found by any name."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.diary import dictionary
from migrebot.diary.dictionary import find, kind_of, label_maximum, maximum_of, products, substance_name, suggest
from migrebot.languages import LANGUAGES

CLINICAL = Path(__file__).parents[2].parent / "shared" / "CLINICAL.md"


def shipped() -> list[dict[str, str]]:
    text = Path(dictionary.__file__).with_name("drugs.csv").read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def clinical() -> list[dict[str, str]]:
    block = re.search(r"```csv\n(.*?)```", CLINICAL.read_text("utf-8"), re.DOTALL)
    assert block
    return list(csv.DictReader(io.StringIO(block[1])))


@pytest.mark.skipif(not CLINICAL.exists(), reason="the clinical facts are not beside the program")
def test_every_row_says_what_the_clinical_facts_say() -> None:
    same = ("generic", "atc", "class", "brands", "strengths_mg", "source")
    assert [[row[name] for name in same] for row in shipped()] == [[row[name] for name in same] for row in clinical()]


@pytest.mark.skipif(not CLINICAL.exists(), reason="the clinical facts are not beside the program")
def test_every_maximum_is_that_of_the_clinical_facts_and_none_is_from_memory() -> None:
    for row, fact in zip(shipped(), clinical(), strict=True):
        parts = [] if fact["source"] == "M" else fact["max_daily_mg"].split(";")
        assert row["max_daily_mg"] == ";".join(part for part in parts if not part.endswith("M)")), row


def test_a_row_from_memory_has_no_maximum() -> None:
    assert [row["generic"] for row in shipped() if row["source"] == "M" and row["max_daily_mg"]] == []
    assert all(product.maxima == () for product, row in zip(products(), shipped(), strict=True) if row["source"] == "M")


def test_every_maximum_that_is_written_is_understood() -> None:
    for product, row in zip(products(), shipped(), strict=True):
        # A semicolon in brackets parts places.
        written = [part for part in re.split(r"; ?(?![^(]*\))", row["max_daily_mg"]) if part not in {"", "?", "n/a"}]
        days = [part for part in written if part.startswith("at most")]
        assert len(product.maxima) == len(written) - len(days), row
        assert (product.most_days is not None) == bool(days), row


def test_every_strength_is_of_the_substance_it_belongs_to() -> None:
    # No tablet holds more codeine than paracetamol.
    most = {"codeine": 60, "dihydrocodeine": 10, "caffeine": 100, "hydrocodone": 10, "ergotamine": 1, "tramadol": 200}
    for product in products():
        for strength in product.strengths:
            assert len(strength) == len(product.substances)
            for substance, amount in zip(product.substances, strength, strict=True):
                assert amount <= most.get(substance, 1000), product


@pytest.mark.parametrize(
    ("name", "composition"),
    [
        ("Co-codamol", {"paracetamol": 500, "codeine": 8}),
        ("Solpadeine Plus", {"paracetamol": 500, "codeine": 8, "caffeine": 30}),
        ("Nurofen Plus", {"ibuprofen": 200, "codeine": 12.8}),
        ("Co-dydramol", {"paracetamol": 500, "dihydrocodeine": 7.46}),
        ("Цитрамон П", {"acetylsalicylic acid": 240, "paracetamol": 180, "caffeine": 30}),
        ("Залдиар", {"tramadol": 37.5, "paracetamol": 325}),
        ("Cafergot", {"ergotamine": 1, "caffeine": 100}),
    ],
)
def test_a_combination_holds_what_its_box_says(name: str, composition: dict[str, float]) -> None:
    (product,) = find(name)
    assert dict(zip(product.substances, product.strengths[0], strict=True)) == composition


def test_every_substance_has_a_name_in_every_language() -> None:
    for product in products():
        for substance in product.substances:
            for language in LANGUAGES:
                name = substance_name(substance, language)
                assert bool(re.search("[а-яіїє]", name)) == (language in {"ru", "uk"}), (substance, language)


def test_every_brand_and_every_substance_alone_is_found_by_its_name() -> None:
    for product in products():
        for brand in product.brands:
            for written in (brand, brand.upper(), f" {brand.lower()} "):
                assert product in find(written), written
        if product.is_single:
            for language in LANGUAGES:
                assert product in find(substance_name(product.substances[0], language))


@pytest.mark.parametrize(
    ("name", "generic", "kind"),
    [
        ("ибупрофен", "ibuprofen", "nonopioid"),
        ("IBUPROFENE", "ibuprofen", "nonopioid"),
        ("ібупрофен", "ibuprofen", "nonopioid"),
        ("Нурофен форте", "ibuprofen", "nonopioid"),
        ("Ибупрофен-Тева 400", "ibuprofen", "nonopioid"),
        ("Acetaminophen", "paracetamol", "nonopioid"),
        ("aspirine", "acetylsalicylic acid", "nonopioid"),
        ("Панадол Экстра", "paracetamol+caffeine", "combination"),
        ("paracetamol + codeine", "codeine+paracetamol", "combination"),
        ("Efferalgan codéine", "codeine+paracetamol", "combination"),
        ("парацетамол с кодеином", "codeine+paracetamol", "combination"),
        ("ибупрофен и парацетамол", "ibuprofen+paracetamol", "nonopioid"),
        ("суматриптан", "sumatriptan oral", "triptan"),
        ("Reyvow", "lasmiditan", "ditan"),
        ("Vydura", "rimegepant", "gepant"),
        ("Церукал", "metoclopramide", "excl_antiemetic"),
        ("Aimovig", "erenumab/galcanezumab/fremanezumab/eptinezumab", "excl_preventive"),
    ],
)
def test_a_name_is_found_in_any_language_however_it_is_written(name: str, generic: str, kind: str) -> None:
    found = find(name)
    assert found[0].generic == generic
    assert kind_of(found) == kind


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "B12",
        "ибупрофн",
        "sumatriptn",
        "парацетамол экстра",
        "aspirin c",
        "Найз гель",
        "Вольтарен эмульгель",
        "coffee",
    ],
)
def test_what_is_only_similar_or_may_be_another_product_is_not_guessed(name: str) -> None:
    assert find(name) == ()


def test_the_first_word_of_several_brands_means_what_they_have_in_common() -> None:
    assert kind_of(find("Цитрамон")) == "combination"
    assert kind_of(find("миг")) == "nonopioid"
    assert {product.substances for product in find("Excedrin")} == {("acetylsalicylic acid", "paracetamol", "caffeine")}


def test_acetylsalicylic_acid_with_paracetamol_is_a_combination_only_with_caffeine_or_codeine() -> None:
    for product in products():
        plain = {"acetylsalicylic acid", "paracetamol", "ibuprofen"} >= set(product.substances)
        assert not (plain and product.kind == "combination"), product


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ибупрофн", "Ибупрофен"),
        ("нурафен", "Нурофен"),
        ("dolipran", "Doliprane"),
        ("цитромон", "Цитрамон П"),
        ("пара", "Парацетамол"),
        ("Ibuprofene", "Ibuprofène"),
        ("sumatriptn", "Sumatriptán"),
    ],
)
def test_a_name_half_typed_or_mistyped_is_suggested(typed: str, meant: str) -> None:
    assert suggest(typed)[0] == meant


@given(st.text(max_size=120))
def test_any_text_is_looked_up_without_trouble(text: str) -> None:
    for product in find(text):
        assert product in products()
    assert all(find(name) for name in suggest(text))


@pytest.mark.parametrize(
    ("key", "amount", "places"),
    [
        ("paracetamol", 3000, ("FR", "OTC")),
        ("sumatriptan", 200, ("US",)),
        ("acetylsalicylic acid", 3900, ("US",)),
        ("naproxen", 660, ("US", "OTC")),
        ("ergotamine", 6, ()),
        ("sumatriptan nasal", 40, ()),
    ],
)
def test_the_lowest_label_counts_and_names_its_country(key: str, amount: float, places: tuple[str, ...]) -> None:
    maximum = label_maximum(key)
    assert maximum is not None
    assert (maximum.amount, maximum.places) == (amount, places)


def test_the_maximum_of_one_brand_is_not_that_of_the_others() -> None:
    (spray,) = find("Tosymra")
    lower, usual = maximum_of(spray, "Tosymra"), maximum_of(spray, "Imigran")
    assert lower is not None
    assert usual is not None
    assert (lower.amount, usual.amount) == (30, 40)
