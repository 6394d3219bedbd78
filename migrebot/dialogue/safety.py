"""The emergency signs: what they mean is CLINICAL fact, the words are ours.

Source: SNNOOP10, Do et al., Neurology 2019;92:134–144. The bot informs, it never diagnoses, and it never says that
without these signs all is well.
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
