"""The task of a reminder: what is left of a phrase without its words of time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrebot.diary.parsing import parse_amount
from migrebot.reminders.reminder import Medicine
from migrebot.typed import folded

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from collections.abc import Set as AbstractSet

    from migrebot.reminders.phrases.lexing import Lexeme

_EDGE = " \t\n,;:–—-"
_LINK = re.compile(r"(?:to|that|de|que|d['’]|щоб|чтобы|про то,? що|о том,? что)(?:\s+|(?<=['’]))", re.IGNORECASE)
_QUOTED = re.compile(r"\"([^\"]+)\"|«([^»]+)»|“([^”]+)”|„([^“”]+)[“”]")
_TAKE = re.compile(
    r"(?:take|have|drink|принять|принимать|прими|выпить|пить|выпей|прийняти|приймати|прийми|випити|пити|випий"
    r"|prendre|prends|tomar|tomarme|toma|tómate|tomarte)\s+(?:my |мой |мою |мої |мій |mon |ma |mes |mi |mis |el |la "
    r"|le |l['’]|de l['’]|du |de la )?(?P<rest>\S.*)",
    re.IGNORECASE,
)
_LONGEST_NAME = 60
_MOST_WORDS = 6


def task(text: str, lexemes: Sequence[Lexeme], used: AbstractSet[int]) -> str:
    """Give the text without the used lexemes, its case kept, and without what linked it to them."""
    kept: list[str] = []
    start = 0
    for at in sorted(used):
        kept.append(text[start : lexemes[at].start] if lexemes[at].start > start else "")
        start = max(start, lexemes[at].end)
    kept.append(text[start:])
    joined = " ".join(part.strip(_EDGE) for part in kept if part.strip(_EDGE))
    whole = _LINK.sub("", joined, count=1) if _LINK.match(joined) else joined
    return _unquoted(_without_stop(whole.strip(_EDGE)))


def _without_stop(text: str) -> str:
    return text[:-1] if text.endswith(".") and not text.endswith("..") else text


def _unquoted(text: str) -> str:
    match = _QUOTED.fullmatch(text)
    return next(part for part in match.groups() if part) if match else text


def medicine(said: str, drugs: Collection[str] = ()) -> Medicine | None:
    """Recognise a medicine to be taken: "take ibuprofen 400 mg"; without an amount only one of the person's own drugs.

    An amount has its unit: "take 2" is no medicine.
    """
    match = _TAKE.fullmatch(said)
    words = match["rest"].split() if match else []
    if not words or len(words) > _MOST_WORDS:
        return None
    known = next((drug for drug in drugs if folded(drug) == folded(" ".join(words))), None)
    if known is not None:
        return Medicine(known)
    for length in (2, 1):
        for amount, name in ((words[-length:], words[:-length]), (words[:length], words[length:])):
            parsed = parse_amount(" ".join(amount)) if _has_unit(amount) else None
            drug = " ".join(name[1:] if name and folded(name[0]) in {"of", "de", "d'"} else name)
            if parsed and drug and len(drug) <= _LONGEST_NAME and not any(map(str.isdigit, drug.split())):
                return Medicine(drug, *parsed)
    return None


def _has_unit(amount: Sequence[str]) -> bool:
    """Tell whether an amount is more than a number; one word alone has to have digits too."""
    joined = "".join(amount)
    return any(map(str.isalpha, joined)) and (len(amount) > 1 or any(map(str.isdigit, joined)))
