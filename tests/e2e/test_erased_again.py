"""Somebody is erased, the disk is lost, and the backup that is left does not bring them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.test_telegram import polls

if TYPE_CHECKING:
    from tests.e2e.program import Program
    from tests.fakes.telegram import RemoteFakeTelegram


def test_a_restored_backup_erases_again(program: Program, telegram: RemoteFakeTelegram) -> None:
    ann, bob = (telegram.user(number, first_name=name, language_code="en") for number, name in ((1, "Ann"), (2, "Bob")))
    marks = program.directory / "data" / "backups" / "erased"
    with program:
        polls(telegram)
        for each in (ann, bob):
            each.says("/pain 7 3h ibuprofen 400")
            each.sees("Pain 7 of 10, 3 h")
        program.waits_until(marks.exists)
        assert program.command("backup", "copy.gz").returncode == 0
        before = marks.read_text()
        ann.says("/forget")
        ann.presses("Delete everything")
        ann.presses("Yes, delete")
        ann.sees("a mark without your name")
        program.waits_until(lambda: marks.read_text() != before)
        program.kill()
    for path in (program.directory / "data").glob("migrebot.db*"):
        path.unlink()
    restored = program.command("restore", "copy.gz")
    assert (restored.returncode, restored.stderr) == (0, "")
    assert "erased again: 1 person who had deleted everything after that" in restored.stdout
    with program:
        polls(telegram)
        ann.says("/forget")
        ann.sees("There is nothing stored about you.")
        bob.says("/forget")
        bob.sees("headaches: 1")
        assert program.stop() == 0
    assert "Traceback" not in program.log
