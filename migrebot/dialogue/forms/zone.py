"""The form that asks for the time zone: a city, a country or the zone's name, typed."""

from __future__ import annotations

import msgspec

from migrebot.dialogue.form import Choice, Complaint, Form, Rows, Step, View
from migrebot.dialogue.turn import Answer, say
from migrebot.zones import describe_zone, find_zones, is_zone

MAX_CANDIDATES = 12
"""How many zones are offered when a name means several."""


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


def _choices(view: View) -> Rows:
    candidates = view.answers.get("zone")
    if isinstance(candidates, list):
        return [[Choice(describe_zone(zone, view.turn.now), zone)] for zone in candidates]
    return ()


def _question(view: View) -> str:
    if isinstance(view.answers.get("zone"), list):
        return view.tr("There are several. Which one is yours?")
    return view.tr("Where do you live? Write your city, for example Kyiv, Paris or Mexico City.")


def _following(view: View, step: str) -> tuple[str, int] | None:
    return (step, 0) if isinstance(view.answers["zone"], list) else None


def _finish(view: View) -> Answer:
    turn, zone = view.turn, view.answers["zone"]
    if not is_zone(zone):
        return say(view.tr("That zone is not known here. Please try /settings again."))
    user = msgspec.structs.replace(turn.user, timezone=zone, zone_offered=True)
    after = turn.after(Answer(user=user))
    said = view.tr(
        "Your time zone is %(zone)s. It is %(clock)s there now.",
        zone=describe_zone(zone, turn.now),
        clock=view.tr.time(after.local_now),
    )
    return say(said, in_place=True) + Answer(user=user)


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
