"""The form that asks for the time zone: typed, chosen by continent and country, or by a place that was shared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from migrebot import atlas
from migrebot.dialogue import engine
from migrebot.dialogue.form import Choice, Complaint, Form, Rows, Step, View
from migrebot.dialogue.home import first_words, moved_to
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.dialogue.whereabouts import ZonesAt
from migrebot.i18n import N_
from migrebot.zones import describe_zone, find_zones, is_zone
from storage.facts import RemindersOf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.messages import Location

MAX_CANDIDATES = 12
"""How many zones are offered when a name means several."""

COUNTRIES_A_PAGE = 16

_CONTINENTS = {
    "europe": N_("Europe"),
    "asia": N_("Asia"),
    "america": N_("America"),
    "africa": N_("Africa"),
    "oceania": N_("Australia and Oceania"),
    "antarctica": N_("Antarctica"),
}


def begin(turn: Turn, said: str = "") -> Answer:
    """Ask for the time zone."""
    return engine.begin(FORM, turn, said=said)


def locate(turn: Turn, place: Location) -> Answer | None:
    """Take a place that was shared: the form's answer, or what it is about to ask; None if the place has no zone.

    Nothing of the place is stored but its zone.
    """
    if not (math.isfinite(place.latitude) and math.isfinite(place.longitude)):
        return None
    found = turn.facts(ZonesAt(turn.user.id, place.latitude, place.longitude))
    zones = list(found)
    if not zones:
        return None
    if turn.session is None:
        return engine.begin(FORM, turn, answers={"zone": zones})
    return engine.take(FORM, turn, turn.session, zones[0] if len(zones) == 1 else zones)


def _parse(view: View, text: str) -> str | Complaint | list[str]:
    zones = find_zones(text) if len(text) <= 100 else ()
    if len(zones) == 1:
        return zones[0]
    if zones:
        return list(zones[:MAX_CANDIDATES])
    return Complaint(
        view.tr(
            "I do not know that place. Please write the nearest big city or a zone such as %(example)s. Offsets like"
            " +3 do not do, because they know no summer time.",
            example="Europe/Paris",
        )
    )


# --- the pages: continents, countries, zones ---------------------------------------------------------------------


def _choices(view: View) -> Rows:
    """Offer what a name may mean, or the page on show: the world, `europe:16` (countries), `UA` or `US:all` (zones)."""
    candidates = view.answers.get("zone")
    place, _, more = view.session.page.partition(":")
    if isinstance(candidates, list) and not place:
        return [*([_zone(view, zone)] for zone in candidates), [_elsewhere(view)]]
    if place in atlas.CONTINENTS:
        return _countries(view, place, int(more or 0))
    if atlas.is_country(place):
        return _zones(view, place, all_of_them=more == "all")
    pages = [Choice(view.tr.plain(name), continent, turns_page=True) for continent, name in _CONTINENTS.items()]
    return _by_twos(pages)


def _countries(view: View, continent: str, first: int) -> Rows:
    countries = atlas.countries(continent, view.tr.language)
    shown = countries[first : first + COUNTRIES_A_PAGE]
    return [
        *_by_twos([_country(view, name, code) for name, code in shown]),
        [
            *([_page("‹", f"{continent}:{first - COUNTRIES_A_PAGE}")] if first else []),
            _elsewhere(view),
            *([_page("›", f"{continent}:{first + COUNTRIES_A_PAGE}")] if shown[-1] != countries[-1] else []),
        ],
    ]


def _country(view: View, name: str, code: str) -> Choice:
    zones = atlas.zones_of(code, view.turn.now)
    return Choice(name, zones[0]) if len(zones) == 1 else _page(f"{name} …", code)


def _zones(view: View, country: str, *, all_of_them: bool) -> Rows:
    now = view.turn.now
    zones = atlas.zones_of(country, now, all_of_them=all_of_them)
    rest = [] if len(zones) == len(atlas.zones_of(country, now, all_of_them=True)) else [_more(view, country)]
    return [*_by_twos([_zone(view, zone) for zone in zones]), [_elsewhere(view), *rest]]


def _zone(view: View, zone: str) -> Choice:
    return Choice(atlas.zone_name(zone, view.tr.language, view.turn.now), zone)


def _elsewhere(view: View) -> Choice:
    return _page(view.tr.plain("Elsewhere"), "world")


def _more(view: View, country: str) -> Choice:
    return _page(view.tr.plain("More zones…"), f"{country}:all")


def _page(label: str, page: str) -> Choice:
    return Choice(label, page, turns_page=True)


def _by_twos(choices: Sequence[Choice]) -> list[Sequence[Choice]]:
    return [choices[i : i + 2] for i in range(0, len(choices), 2)]


# --- the form ----------------------------------------------------------------------------------------------------


def _question(view: View) -> str:
    candidates = view.answers.get("zone")
    if isinstance(candidates, list) and not view.session.page:
        if len(candidates) == 1:
            return view.tr("Shall this be your time zone?")
        return view.tr("There are several. Which one is yours?")
    return Markup(" ").join(
        (
            view.tr("Where do you live? Write your city, for example Kyiv, Paris or Mexico City."),
            view.tr("Or choose below. If your messenger can share a location, that does too: only the zone is kept."),
        )
    )


def _following(view: View, step: str) -> tuple[str, int] | None:
    return (step, 0) if isinstance(view.answers["zone"], list) else None


def _finish(view: View) -> Answer:
    turn, zone = view.turn, view.answers["zone"]
    if not is_zone(zone):
        return say(view.tr("That zone is not known here. Please try /settings again."))
    moved = moved_to(turn, zone)
    said = view.tr(
        "Your time zone is %(zone)s. It is %(clock)s there now.",
        zone=describe_zone(zone, turn.now),
        clock=view.tr.time(turn.after(moved).local_now),
    )
    words = [said, *filter(None, [first_words(turn), _about_reminders(view)])]
    return say(Markup("\n\n").join(words), in_place=True) + moved


def _about_reminders(view: View) -> Markup | str:
    if view.turn.user.timezone is None or not view.facts(RemindersOf(view.user_id)):
        return ""
    return view.tr("Your reminders keep the time zone they were set in.")


FORM = Form(
    name="zone",
    wire_name="TimeZoneForm",
    wire_steps=("zone",),
    steps=(Step(name="zone", wire_name="zone", question=_question, choices=_choices, parse=_parse),),
    following=_following,
    finish=_finish,
    abandon=lambda view: Answer(),  # noqa: ARG005 - nothing is known before the end
)
"""The form as the engine conducts it."""
