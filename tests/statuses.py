"""How the program may fare, made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from migrebot.reports.status import ActorStatus, ChannelStatus, ReminderStatus, Status

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def actor(name: str, **changed: Any) -> ActorStatus:
    fields: dict[str, Any] = {
        "name": name,
        "state": "running",
        "serving": True,
        "detail": "ok",
        "since": NOW - timedelta(hours=3),
        "restarts": 0,
        "messages": 1234,
        "set_aside": 0,
        "mailbox": 2,
        "mailbox_peak": 17,
        "mailbox_size": 1000,
    }
    return ActorStatus(**(fields | changed))


def status(**changed: Any) -> Status:
    """Something of everything: one actor down, one channel in trouble."""
    broken = actor("delivery", state="failed", serving=False, detail="failed with OSError", restarts=3, set_aside=1)
    limited = actor("mirror", detail="redis: cannot be reached")
    fields: dict[str, Any] = {
        "version": "0.1.0",
        "now": NOW,
        "started": NOW - timedelta(days=2, hours=3, minutes=4),
        "storage": "sqlite",
        "storage_trouble": "",
        "redis": False,
        "actors": (actor("dialogue"), broken, limited, actor("web")),
        "channels": (
            ChannelStatus(
                name="telegram",
                sent=4321,
                failures={"recipient_gone": 2, "refused": 1},
                postponements={"rate_limit": 5, "unreachable": 1},
                waiting=12,
                oldest_seconds=95.5,
            ),
            ChannelStatus(name="local", sent=7, failures={}, postponements={}, waiting=0, oldest_seconds=0.0),
        ),
        "reminders": ReminderStatus(
            pending=58, fired=10, punctual=8, bounds=(0.5, 1.0, 60.0), late=(6, 2, 1, 1), late_seconds=3700.5
        ),
        "jobs": {"report": NOW - timedelta(hours=14), "purge": NOW - timedelta(minutes=20), "backup": None},
    }
    return Status(**(fields | changed))
