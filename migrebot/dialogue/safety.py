"""The emergency signs: what they mean is CLINICAL fact, the words are ours.

Sources: SNNOOP10, Do et al., Neurology 2019;92:134–144; for blood pressure ESH 2023 (grade 3 from 180/110) and the
American Heart Association ("When to call 911 about high blood pressure"). The bot informs, it never diagnoses, and it
never says that without these signs all is well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

    from migrebot.i18n import Translator


def reminder(tr: Translator) -> Markup:
    """One line for a very strong pain or a first aura."""
    return tr(
        "⚠️ If it came suddenly and is the worst of your life, or comes with weakness, numbness, trouble speaking or"
        " seeing, confusion or a fever with a stiff neck, call emergency services now. All signs: /help"
    )


def high_pressure(tr: Translator) -> Markup:
    """What to do about a reading from 180 or from 110 on."""
    return tr(
        "⚠️ That is very high. Rest for 5 minutes and measure again. If it is still this high (180 or more, or 110 or"
        " more), contact a doctor today. <b>Call emergency services</b> if there is chest pain, breathlessness, back"
        " pain, weakness or numbness, a change in vision, trouble speaking, confusion or a seizure.\n"
        "<i>Sources: ESH 2023; American Heart Association.</i>"
    )


def emergency(tr: Translator) -> Markup:
    """All signs that call for emergency services, and those for an appointment soon, with their source."""
    return tr(
        "⚠️ <b>Call emergency services now</b> if a headache is sudden and the worst of your life, or comes with"
        " weakness or numbness, a drooping face, trouble speaking or seeing, confusion, fainting, a seizure, a fever"
        " with a stiff neck, a painful red eye, or follows a head injury.\n\n"
        "<b>See a doctor soon</b> if headaches are new, changing or getting worse, began after the age of 50, come"
        " with cancer or a weak immune system, in pregnancy or after birth, or are brought on by coughing, effort or"
        " a change of position.\n\n"
        "<i>Source: SNNOOP10, Neurology 2019;92:134–144.</i>"
    )
