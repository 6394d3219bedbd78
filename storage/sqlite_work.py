"""What the SQLite driver does in its worker thread: named SQL executed, rows read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrebot.messages import Address
from storage import columns, rows
from storage.applying import Foreign, Posting, PreparedUnit
from storage.columns import clean
from storage.interface import Result
from storage.newcomers import telegram_id
from storage.records import Conversation
from storage.retrying import may_go_again
from storage.sqlite_errors import UNSTORABLE
from storage.sqlite_writer import NeedsSavepoints
from storage.together import IN_ORDER, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from migrebot.messages import Ticket
    from storage.answering import Question
    from storage.applying import Statement
    from storage.columns import Row
    from storage.facts import Fact
    from storage.interface import Retention
    from storage.records import InboxKey, OutboxRow, Session
    from storage.sqlite_writer import Statements

PURGED_AT_ONCE = 1_000
"""Rows deleted in one transaction of a purge: some 10 ms, for which others wait."""

# --- units -------------------------------------------------------------------------------------------------------


def store(units: Sequence[PreparedUnit | Result], sql: Statements) -> list[Result]:
    """Store each unit, all of it or none; those that failed beforehand stay failed.

    Raises `NeedsSavepoints` if a unit fails and the others were not guarded against that.
    """
    good = [unit for unit in units if isinstance(unit, PreparedUnit)]
    if sql.with_savepoints:
        stored = iter([_store_guarded(unit, sql) for unit in good])
    else:
        stored = iter(_store_trustfully(good, sql))
    return [unit if isinstance(unit, Result) else next(stored) for unit in units]


def _store_trustfully(units: list[PreparedUnit], sql: Statements) -> list[Result]:
    try:
        return [
            result
            for run in runs(units)
            for result in (_execute_together(run, sql) if len(run) > 1 else [_execute(run[0], sql)])
        ]
    except (*UNSTORABLE, Foreign) as error:
        raise NeedsSavepoints from error


def _store_guarded(unit: PreparedUnit, sql: Statements) -> Result:
    sql.plain("SAVEPOINT unit")
    try:
        result = _execute(unit, sql)
    except (*UNSTORABLE, Foreign) as error:
        result = Result(outcome="failed", error=_told(error))
        sql.plain("ROLLBACK TO unit")
    sql.plain("RELEASE unit")
    return result


def _execute_together(run: list[PreparedUnit], sql: Statements) -> list[Result]:
    received = [unit.receive.values for unit in run if unit.receive is not None]
    if sql.many("receive", received) != len(received):
        raise NeedsSavepoints  # one of them was handled before
    values: dict[str, list[Row]] = {}
    for unit in run:
        for step in unit.steps:
            statement = step.add if isinstance(step, Posting) else step
            values.setdefault(statement.sql, []).append(statement.values)
    ids = iter(_add(values.pop("enqueue", []), sql))
    for name in IN_ORDER:
        if name in values and sql.many(name, values[name]) != len(values[name]) and name.startswith("save_"):
            raise NeedsSavepoints  # one of the rows is another user's
    return [Result(outcome="done", tickets=_tickets(unit, ids)) for unit in run]


def _add(messages: list[Row], sql: Statements) -> list[int]:
    ids = sql.added("enqueue", messages)
    if ids and sql("any_muted", (ids[0], ids[-1])).fetchall():
        raise NeedsSavepoints  # it has to be known which
    return ids


def _tickets(unit: PreparedUnit, ids: Iterator[int]) -> tuple[Ticket, ...]:
    return tuple(step.ticket(next(ids)) for step in unit.steps if isinstance(step, Posting))


def _execute(unit: PreparedUnit, sql: Statements) -> Result:
    if unit.receive is not None and sql(unit.receive.sql, unit.receive.values).rowcount == 0:
        return Result(outcome="repeated")
    tickets: list[Ticket] = []
    for step in unit.steps:
        if isinstance(step, Posting):
            tickets.extend(_post(step, sql))
        elif sql(step.sql, step.values).rowcount == 0 and step.owned:
            raise Foreign("a row of another user")
    return Result(outcome="done", tickets=tuple(tickets))


def _post(posting: Posting, sql: Statements) -> Iterable[Ticket]:
    cursor = sql(posting.add.sql, posting.add.values)
    row_id = cursor.lastrowid  # RETURNING would cost 6 µs more
    if cursor.rowcount == 0 or row_id is None:
        return ()
    check = posting.give_up_if_muted(row_id)
    return () if sql(check.sql, check.values).rowcount else (posting.ticket(row_id),)


def _told(error: Exception) -> str:
    """Say what happened without a word of the values: SQLite names columns only, Python quotes what it got."""
    return str(error) if not isinstance(error, UnicodeEncodeError | OverflowError) else type(error).__name__


# --- people ------------------------------------------------------------------------------------------------------


def find_people(addresses: Sequence[Address], sql: Statements) -> tuple[dict[Address, Conversation], set[int]]:
    """Find who is known to write from these addresses, and which ids of Telegram's are taken among the others."""
    found: dict[Address, Conversation] = {}
    taken: set[int] = set()
    for address in addresses:
        conversation = _find_one(address, sql)
        user_id = telegram_id(address)
        if conversation is not None:
            found[address] = conversation
        elif user_id is not None and sql("user", (user_id,)).fetchall():
            taken.add(user_id)
    return found, taken


def _find_one(address: Address, sql: Statements) -> Conversation | None:
    found = sql("identity", (address.channel, clean(address.value))).fetchall()
    if not found:
        return None
    identity = rows.identity(found[0])
    user = rows.user(sql("user", (identity.user_id,)).fetchall()[0])
    return Conversation(user=user, identity=identity, session=find_session(identity.user_id, sql))


def find_session(user_id: int, sql: Statements) -> Session | None:
    """Find the form a user has in progress."""
    found = sql("session", (user_id,)).fetchall()
    return rows.session(found[0]) if found else None


def find_holder(user_id: int, sql: Statements) -> Conversation | None:
    """Find the user's open form and where it is held: if not there any more, where the user wrote last."""
    session = find_session(user_id, sql)
    identities = [rows.identity(row) for row in sql("identities_of", (user_id,)).fetchall()]
    if session is None or not identities:
        return None
    identity = next((known for known in identities if known.address == session.address), identities[0])
    user = rows.user(sql("user", (user_id,)).fetchall()[0])
    return Conversation(user=user, identity=identity, session=session)


def lowest_user(sql: Statements) -> int:
    """Tell the lowest negative id that was ever given out and stored; 0 for none."""
    in_use, erased = sql("lowest_user").fetchall()[0]
    return min(in_use or 0, erased or 0, 0)


# --- the inbox, facts --------------------------------------------------------------------------------------------


def handled(keys: Sequence[InboxKey], sql: Statements) -> set[InboxKey]:
    """Tell which messages from outside were handled or set aside."""
    return {key for key in keys if sql("handled", (key.channel, clean(key.key))).fetchall()}


def attempt(key: InboxKey, now: int, sql: Statements) -> int:
    """Count an attempt."""
    count: int = sql("attempt", (key.channel, clean(key.key), now)).fetchall()[0][0]
    return count


def answer(questions: dict[Fact[Any], Question], sql: Statements) -> dict[Fact[Any], Any]:
    """Answer each question."""
    return {
        fact: question.answer([sql(query.sql, query.values).fetchall() for query in question.queries])
        for fact, question in questions.items()
    }


# --- the outbox --------------------------------------------------------------------------------------------------


def recover(now: int, sql: Statements) -> list[Ticket]:
    """Settle what was left in the middle of sending, then list all that waits."""
    for row in sql("interrupted").fetchall():
        taken_back = row[6] is None
        if not taken_back and may_go_again(rows.outbox_row(row)):
            sql("postpone", (now, now, 0, "interrupted", row[0]))
        else:
            sql("give_up", ("interrupted", now, row[0]))
    return [rows.ticket(row) for row in sql("waiting").fetchall()]


def claim(ids: Sequence[int], now: int, sql: Statements) -> list[OutboxRow]:
    """Mark waiting messages as being sent."""
    # Not one UPDATE … RETURNING: measured, that takes SQLite half as long again.
    claimed = [rows.outbox_row(row) for row in sql.fetch_many("sendable", [(row_id,) for row_id in dict.fromkeys(ids)])]
    sql.many("claim", [(row.id,) for row in claimed])
    for row_id in set(ids).difference(row.id for row in claimed):
        sql("give_up_if_muted", (now, row_id))
    return claimed


def settle(statements: Sequence[Statement], sql: Statements) -> list[Address]:
    """Note what became of claimed messages; tells which addresses were muted."""
    sql.many("sent", [statement.values for statement in statements if statement.sql == "sent"])
    muted = []
    for statement in statements:
        if statement.sql != "sent":
            muted += [Address(*row) for row in sql(statement.sql, statement.values).fetchall()]
    return muted


# --- the run -----------------------------------------------------------------------------------------------------


def begin_run(sql: Statements) -> bool:
    """Note that the program runs; tell whether the run before ended cleanly."""
    crashed = bool(sql("running").fetchall())
    sql("begin_run")
    return not crashed


def purge_some(retention: Retention, sql: Statements) -> bool:
    """Delete some of what is no longer needed; tell whether there is more."""
    deleted = columns.micros(retention.deleted)
    limits = {
        "purge_forms": columns.micros(retention.forms),
        "purge_quarantine": columns.micros(retention.quarantine),
        "purge_outbox": columns.micros(retention.settled),
        "purge_inbox": columns.micros(retention.inbox),
        "purge_headaches": deleted,
        "purge_intakes": deleted,
        "purge_pressures": deleted,
        "purge_drugs": deleted,
    }
    counts = [sql(name, (limit, PURGED_AT_ONCE)).rowcount for name, limit in limits.items()]
    return PURGED_AT_ONCE in counts
