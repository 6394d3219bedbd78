"""Which backups are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from storage.backups.thinning import name_of, superfluous, thin

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
instants = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as asked for


@given(made=st.sets(instants, max_size=40), now=instants, keep_days=st.integers(1, 1_000))
def test_the_newest_is_kept_and_nothing_else_longer_than_promised(
    made: set[datetime], now: datetime, keep_days: int
) -> None:
    gone = superfluous(made, now, keep_days)
    kept = made - gone
    assert not made or max(made) in kept
    assert all(now - each <= timedelta(days=keep_days) for each in kept - {max(made, default=now)})
    assert superfluous(kept, now, keep_days) == set(), "thinning again finds nothing more"


def test_seven_days_four_weeks_and_six_months_remain_of_a_year_of_nights() -> None:
    kept: set[datetime] = set()
    for night in range(365):
        now = NOW + timedelta(days=night)
        kept.add(now)
        kept -= superfluous(kept, now, 180)
    ages = sorted((NOW + timedelta(days=364) - each).days for each in kept)
    assert ages[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert 12 <= len(ages) <= 15
    assert 120 <= ages[-1] <= 180


def test_what_was_made_by_hand_today_is_kept_beside_the_others() -> None:
    today = {NOW - timedelta(minutes=minutes) for minutes in range(30)}
    assert superfluous(today, NOW, 180) == set()


def test_only_files_with_the_name_of_a_backup_are_deleted(tmp_path: Path) -> None:
    old, new = (name_of(NOW - timedelta(days=days), encrypted=True) for days in (200, 0))
    others = {"diary.txt", "migrebot-20260101T000000Z.db.gz.txt", "my-" + old, "migrebot-20269999T000000Z.db.gz", new}
    for name in others | {old, f".{old}.0a1b2c3d.part"}:
        (tmp_path / name).touch()
    assert thin(tmp_path, NOW, 180) == 1
    assert {path.name for path in tmp_path.iterdir()} == others
