"""How the backups fare, and how that is told to the owner."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec
from markupsafe import Markup
from msgspec import Struct

from migrebot.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from migrebot.i18n import Translator

Kind = Literal["token", "forbidden", "full", "too_large", "busy", "unreachable", "damaged", "refused", "unencrypted"]


class Trouble(Struct, frozen=True, kw_only=True, tag=True):
    """Why something is not on the Yandex Disk; `detail` is English, of `missing` bytes 0 means that it is not known."""

    kind: Kind
    detail: str = ""
    missing: int = 0


class Figures(Struct, frozen=True, kw_only=True):
    """How the backups fare: the last one, when it was restored on trial, when one was uploaded, what failed last.

    `file` is the path of the last one, `uploaded` that of the last one that was uploaded. `failure` (English) is why no
    backup could be made, `trouble` why the last one is not on the Disk; both are empty once it went well.
    `same_disk` tells that the backups would be lost together with the database.
    """

    made_at: datetime | None = None
    verified_at: datetime | None = None
    file: str = ""
    size: int = 0
    rows: int = 0
    same_disk: bool = False
    uploaded_at: datetime | None = None
    uploaded: str = ""
    failed_at: datetime | None = None
    failure: str = ""
    upload_failed_at: datetime | None = None
    trouble: Trouble | None = None

    @property
    def waits(self) -> bool:
        """Tell whether the last backup has yet to be uploaded."""
        return bool(self.file) and self.file != self.uploaded


_TOLD: dict[Kind, str] = {
    "token": N_("Yandex Disk no longer takes the token: please send a new one with /token."),
    "forbidden": N_(
        "The token does not open files: please make one with access to the app’s folder, and send it with /token."
    ),
    "full": N_("Yandex Disk is full: please make room there."),
    "too_large": N_("The backup is larger than any file that Yandex Disk takes."),
    "busy": N_("Yandex Disk takes nothing at the moment."),
    "unreachable": N_("Yandex Disk cannot be reached."),
    "damaged": N_("It arrived on Yandex Disk changed, so I deleted it there."),
    "unencrypted": N_(
        "Backups are not encrypted, so none is uploaded: set backup.recipient, or backup.allow_plain_upload = true."
    ),
}


def remembered(note: str) -> Figures:
    """Read how the backups fare from what is noted of it; nothing is known if the note is empty."""
    return msgspec.json.decode(note, type=Figures) if note else Figures()


def summary(figures: Figures, zone: tzinfo, tr: Translator) -> Markup:
    """Write a few lines on the backups for a report; times are shown in the zone."""
    lines = [_last(figures, zone, tr)]
    if figures.uploaded_at is not None:
        lines.append(tr("On Yandex Disk: %(when)s", when=_moment(figures.uploaded_at, zone, tr)))
    return Markup("\n").join((*lines, *complaints(figures, zone, tr)))


def complaints(figures: Figures, zone: tzinfo, tr: Translator) -> Iterator[Markup]:
    """Write what is wrong with the backups, a line each; times are shown in the zone."""
    if figures.failed_at is not None and figures.failure:
        when = _moment(figures.failed_at, zone, tr)
        yield tr("No backup could be made, last tried %(when)s: %(reason)s", when=when, reason=figures.failure)
    if figures.trouble is not None:
        yield tr("The last backup was not uploaded.") + " " + told(figures.trouble, tr)
    if figures.same_disk:
        yield _same_disk(tr)


def made(figures: Figures, tr: Translator, *, uploads: bool) -> Markup:
    """Tell the owner, who asked for it, that the backup is made; `uploads` tells that there is a token of the Disk."""
    sentences = [
        tr(
            "The backup is ready: %(size)s, %(rows)s records. I restored it on trial, and nothing is missing.",
            size=size(figures.size, tr),
            rows=tr.number(figures.rows),
        )
    ]
    if not uploads:
        sentences.append(tr("It stays on this machine. With /token it goes to your Yandex Disk, too."))
    elif figures.trouble is None:
        sentences.append(tr("It is on Yandex Disk as well, and arrived unchanged."))
    else:
        sentences.append(tr("It is not on Yandex Disk.") + " " + told(figures.trouble, tr))
        if figures.trouble.kind != "unencrypted":
            sentences.append(tr("I will try again every hour."))
    if figures.same_disk:
        sentences.append(_same_disk(tr))
    return Markup("\n\n").join(sentences)


def not_made(reason: str, tr: Translator) -> Markup:
    """Tell the owner, who asked for it, that there is no backup; the reason is English."""
    return tr("No backup could be made: %(reason)s", reason=reason)


def token_taken(free: int | None, tr: Translator, *, encrypted: bool) -> Markup:
    """Tell that a token works and is kept; `free` are bytes, None if the Disk does not tell."""
    said = tr("The token works, and I keep it.")
    if free is not None:
        said += " " + tr("Free on Yandex Disk: %(size)s.", size=size(free, tr))
    said += " " + (tr("Backups go there from now on.") if encrypted else told(Trouble(kind="unencrypted"), tr))
    return said


def token_refused(trouble: Trouble, tr: Translator) -> Markup:
    """Tell that a token was not taken, and what can be done about it."""
    if trouble.kind == "token":
        return tr("Yandex Disk does not know this token. Please check whether all of it was copied, or make a new one.")
    if trouble.kind == "forbidden":
        return told(trouble, tr)
    return (
        tr("I could not check the token, so I did not keep it.")
        + " "
        + told(trouble, tr)
        + " "
        + tr("Please send it again later.")
    )


def told(trouble: Trouble, tr: Translator) -> Markup:
    """Say in a sentence what is wrong with the Disk, and what to do about it if anything."""
    if trouble.kind == "full" and trouble.missing:
        return tr("Yandex Disk is full: %(size)s more are needed.", size=size(trouble.missing, tr))
    if trouble.kind == "refused":
        return tr("Yandex Disk did not take it (%(detail)s).", detail=trouble.detail or "?")
    return tr(_TOLD[trouble.kind])


def size(count: int, tr: Translator) -> str:
    """Write a number of bytes for people."""
    if count < 1_000_000:
        return tr.plain("%(n)s kB", n=tr.number(max(1, round(count / 1_000))))
    if count < 1_000_000_000:
        return tr.plain("%(n)s MB", n=tr.number(round(count / 1_000_000, 1)))
    return tr.plain("%(n)s GB", n=tr.number(round(count / 1_000_000_000, 1)))


def _last(figures: Figures, zone: tzinfo, tr: Translator) -> Markup:
    if figures.made_at is None:
        return tr("Last backup: none yet")
    when = _moment(figures.made_at, zone, tr)
    return tr("Last backup: %(when)s, %(size)s, restored on trial", when=when, size=size(figures.size, tr))


def _moment(moment: datetime, zone: tzinfo, tr: Translator) -> str:
    local = moment.astimezone(zone)
    return f"{tr.digits(local.date())} {tr.time(local)}"


def _same_disk(tr: Translator) -> Markup:
    return tr("The backups lie on the same disk as the database: if it breaks, both are lost.")
