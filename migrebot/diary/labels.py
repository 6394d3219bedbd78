"""What the codes of the diary are called: factors, symptoms, units, classes of medicine; all in English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot.i18n import N_

if TYPE_CHECKING:
    from migrebot.i18n import Translator

TRIGGERS: dict[str, str] = {
    "stress": N_("Stress"),
    "stress_letdown": N_("End of stress"),
    "skipped_meal": N_("Skipped meal"),
    "sleep_short": N_("Too little sleep"),
    "sleep_long": N_("Too much sleep"),
    "alcohol": N_("Alcohol"),
    "light": N_("Bright light"),
    "chocolate": N_("Chocolate"),
    "cheese": N_("Cheese"),
    "caffeine": N_("Coffee"),
    "odour": N_("Strong smells"),
    "weather": N_("Weather"),
    "hormones": N_("Hormones"),
    "exertion": N_("Exertion"),
}
"""Suspected factors: the code stored and the English label."""

SYMPTOMS: dict[str, str] = {
    "nausea": N_("Nausea"),
    "vomiting": N_("Vomiting"),
    "neck_pain": N_("Neck pain"),
    "photophobia": N_("Light hurts"),
    "phonophobia": N_("Sound hurts"),
}
"""Symptoms: the code stored and the English label."""

UNITS: dict[str, str] = {
    "mg": N_("mg"),
    "g": N_("g"),
    "mcg": N_("mcg"),
    "ml": N_("ml"),
    "IU": N_("IU"),
    "tablet": N_("tab."),
    "drop": N_("drops"),
    "spray": N_("doses"),
}
"""Units of an amount: the code stored and the English abbreviation."""

CLASSES: dict[str, str] = {
    "triptan": N_("Triptans"),
    "ditan": N_("Ditans"),
    "gepant": N_("Gepants"),
    "ergot": N_("Ergot medicines"),
    "nonopioid": N_("Non-opioid painkillers"),
    "opioid": N_("Opioids"),
    "combination": N_("Combination painkillers"),
    "other": N_("Other acute medicine"),
}
"""Classes of acute medicine (ICHD-3 8.2): the code and the English label, in the plural."""


def choice_label(labels: dict[str, str], value: str, tr: Translator) -> str:
    """Write a choice: the label of a known code, own words as they are."""
    return tr.plain(labels[value]) if value in labels else value
