"""What the drivers do within a transaction: named SQL executed, rows read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrebot.messages import Address, FormExpired, QuestionDue
from migrebot.reminders.timers import Timer
from storage import columns, reminder_rows, report_rows, rows
from storage.applying import Foreign, Posting, PreparedUnit
from storage.columns import clean
from storage.interface import Result, Settled
from storage.newcomers import telegram_id
from storage.records import Conversation, Recipient
from storage.retrying import may_go_again
from storage.statements import NeedsSavepoints
from storage.together import IN_ORDER, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from migrebot.messages import Channel, Ticket
    from migrebot.reminders.questions import Asking
    from migrebot.reminders.reminder import Reminder
    from migrebot.reports.daily import Day, Span, Totals
    from storage.answering import Question
    from storage.applying import Statement
    from storage.columns import Row
    from storage.facts import Fact
    from storage.interface import Retention
    from storage.records import Due, InboxKey, OutboxRow
    from storage.statements import Statements

PURGED_AT_ONCE = 1_000
"""Rows deleted in one transaction of a purge: some 10 ms, for which others wait."""

# --- units -------------------------------------------------------------------------------------------------------


async def store(units: Sequence[PreparedUnit | Result], sql: Statements) -> list[Result]:
    """Store each unit, all of it or none; those that failed beforehand stay failed.

    Raises `NeedsSavepoints` if a unit fails and the others were not guarded against that.
    """
    good = [unit for unit in units if isinstance(unit, PreparedUnit)]
    if sql.with_savepoints:
        stored = iter([await _store_guarded(unit, sql) for unit in good])
    else:
        stored = iter(await _store_trustfully(good, sql))
    return [unit if isinstance(unit, Result) else next(stored) for unit in units]


async def _store_trustfully(units: list[PreparedUnit], sql: Statements) -> list[Result]:
    results: list[Result] = []
    foreseen: tuple[type[Exception], ...] = (*sql.unstorable, Foreign)
    try:
        for run in runs(units):
            results += await _execute_together(run, sql) if len(run) > 1 else [await _execute(run[0], sql)]
    except foreseen as error:
        raise NeedsSavepoints from error
    return results


async def _store_guarded(unit: PreparedUnit, sql: Statements) -> Result:
    await sql.plain("SAVEPOINT unit")
    try:
        result = await _execute(unit, sql)
    except Foreign as error:
        result = await _taken_back(str(error), sql)
    except sql.unstorable as error:
        result = await _taken_back(sql.told(error), sql)
    await sql.plain("RELEASE SAVEPOINT unit")
    return result


async def _taken_back(reason: str, sql: Statements) -> Result:
    await sql.plain("ROLLBACK TO SAVEPOINT unit")
    return Result(outcome="failed", error=reason)


async def _execute_together(run: list[PreparedUnit], sql: Statements) -> list[Result]:
    received = [unit.receive.values for unit in run if unit.receive is not None]
    if await sql.execute_many("receive", received) != len(received):
        raise NeedsSavepoints  # one of them was handled before
    values: dict[str, list[Row]] = {}
    for unit in run:
        for step in unit.steps:
            statement = step.add if isinstance(step, Posting) else step
            values.setdefault(statement.sql, []).append(statement.values)
    ids = iter(await _add(values.pop("enqueue", []), sql))
    for name in IN_ORDER:
        if name in values:
            touched = await sql.execute_many(name, values[name])
            if touched != len(values[name]) and name.startswith("save_"):
                raise NeedsSavepoints  # one of the rows is another user's
    return [
        Result(
            outcome="done",
            tickets=tuple([step.ticket(next(ids)) for step in unit.steps if type(step) is Posting]),
        )
        for unit in run
    ]


async def _add(messages: list[Row], sql: Statements) -> list[int]:
    ids = await sql.insert("enqueue", messages)
    if ids and await sql.fetch("any_muted", (ids[0], ids[-1])):
        raise NeedsSavepoints  # it has to be known which
    return ids


async def _execute(unit: PreparedUnit, sql: Statements) -> Result:
    if unit.receive is not None and await sql.execute(unit.receive.sql, unit.receive.values) == 0:
        return Result(outcome="repeated")
    tickets: list[Ticket] = []
    for step in unit.steps:
        if isinstance(step, Posting):
            tickets.extend(await _post(step, sql))
        elif await sql.execute(step.sql, step.values) == 0 and step.owned:
            raise Foreign("a row of another user")
    return Result(outcome="done", tickets=tuple(tickets))


async def _post(posting: Posting, sql: Statements) -> Iterable[Ticket]:
    for row_id in await sql.insert(posting.add.sql, [posting.add.values]):
        check = posting.give_up_if_muted(row_id)
        if not await sql.execute(check.sql, check.values):
            return (posting.ticket(row_id),)
    return ()


# --- people ------------------------------------------------------------------------------------------------------


async def find_people(addresses: Sequence[Address], sql: Statements) -> tuple[dict[Address, Conversation], set[int]]:
    """Find who is known to write from these addresses, and which ids of Telegram's are taken among the others."""
    found = await sql.fetch_each("conversation", [(address.channel, clean(address.value)) for address in addresses])
    # By the address as it is stored, which is not always the one that was asked for.
    known = {(row[0], row[1]): rows.conversation(row) for of in found for row in of}
    people = {}
    others = []
    for address in addresses:
        conversation = known.get((address.channel, clean(address.value)))
        if conversation is not None:
            people[address] = conversation
        elif (user_id := telegram_id(address)) is not None:
            others.append((user_id,))
    taken = await sql.fetch_each("user", others)
    return people, {user_id for (user_id,), user in zip(others, taken, strict=True) if user}


async def find_holder(user_id: int, sql: Statements) -> Conversation | None:
    """Find the user's open form and where it is held: if not there any more, where the user wrote last."""
    sessions = await sql.fetch("session", (user_id,))
    identities = [rows.identity(row) for row in await sql.fetch("identities_of", (user_id,))]
    if not sessions or not identities:
        return None
    session = rows.session(sessions[0])
    identity = next((known for known in identities if known.address == session.address), identities[0])
    user = rows.user((await sql.fetch("user", (user_id,)))[0])
    return Conversation(user=user, identity=identity, session=session)


async def lowest_user(sql: Statements) -> int:
    """Tell the lowest negative id that was ever given out and stored; 0 for none."""
    in_use, erased = (await sql.fetch("lowest_user"))[0]
    return min(in_use or 0, erased or 0, 0)


async def latest_address(channel: Channel, sql: Statements) -> Address | None:
    """Tell the address of a channel that was seen last."""
    found = await sql.fetch("latest_identity", (channel,))
    return rows.identity(found[0]).address if found else None


async def next_expiry(sql: Statements) -> datetime | None:
    """Tell when the first open form expires."""
    return columns.maybe_instant((await sql.fetch("next_expiry"))[0][0])


async def expired(now: int, limit: int, sql: Statements) -> list[FormExpired]:
    """List forms that have expired, the oldest first."""
    found = await sql.fetch("expired", (now, limit))
    return [FormExpired(user_id=user_id, token=token) for user_id, token in found]


async def active_forms(since: int, sql: Statements) -> list[tuple[int, str, datetime]]:
    """List the forms touched after an instant, the longest idle first: whose, the state, and when."""
    found = await sql.fetch("active_forms", (since,))
    return [(user_id, state, columns.instant(updated_at)) for user_id, state, updated_at in found]


async def promise_newcomers(count: int, sql: Statements) -> int:
    """Keep so many negative ids for newcomers, and nobody else's; returns the lowest in use or promised before."""
    promised: int = (await sql.fetch("reserve_newcomers"))[0][0]
    lowest = min(promised, await lowest_user(sql))
    await sql.execute("promise_newcomers", (lowest - count,))
    return lowest


# --- the regular question ----------------------------------------------------------------------------------------


async def find_reachable(user_id: int, sql: Statements) -> Conversation | None:
    """Find the user where the user wrote last, of the addresses that can be written to."""
    identities = [rows.identity(row) for row in await sql.fetch("identities_of", (user_id,))]
    identity = next((known for known in identities if known.muted_at is None), None)
    if identity is None:
        return None
    user = rows.user((await sql.fetch("user", (user_id,)))[0])
    sessions = await sql.fetch("session", (user_id,))
    return Conversation(user=user, identity=identity, session=rows.session(sessions[0]) if sessions else None)


async def pending_reminders(sql: Statements) -> int:
    """Count the reminders that are still to fire."""
    return int((await sql.fetch("pending_reminders"))[0][0])


async def next_question(sql: Statements) -> datetime | None:
    """Tell when the first regular question is due."""
    return columns.maybe_instant((await sql.fetch("next_question"))[0][0])


async def due_questions(now: int, limit: int, sql: Statements) -> list[QuestionDue]:
    """List regular questions that are due, the oldest first."""
    found = await sql.fetch("due_questions", (now, limit))
    return [QuestionDue(user_id=user_id, due_at=columns.instant(due)) for user_id, due in found]


# --- the inbox, facts --------------------------------------------------------------------------------------------


async def handled(keys: Sequence[InboxKey], sql: Statements) -> set[InboxKey]:
    """Tell which messages from outside were handled or set aside."""
    found = await sql.fetch_each("handled", [(key.channel, clean(key.key)) for key in keys])
    return {key for key, row in zip(keys, found, strict=True) if row}


async def attempt(key: InboxKey, now: int, sql: Statements) -> int:
    """Count an attempt."""
    count: int = (await sql.fetch("attempt", (key.channel, clean(key.key), now)))[0][0]
    return count


async def answer(questions: dict[Fact[Any], Question], sql: Statements) -> dict[Fact[Any], Any]:
    """Answer each question; a query that several questions need is asked once, for all its values together."""
    wanted: dict[str, dict[Row, list[Row]]] = {}
    for question in questions.values():
        for query in question.queries:
            wanted.setdefault(query.sql, {})[query.values] = []
    for name, found in wanted.items():
        values = list(found)
        found.update(zip(values, await sql.fetch_each(name, values), strict=True))
    return {
        fact: question.answer([wanted[query.sql][query.values] for query in question.queries])
        for fact, question in questions.items()
    }


# --- the outbox --------------------------------------------------------------------------------------------------


async def recover(now: int, claimant: int | None, sql: Statements) -> list[Ticket]:
    """Settle what was left in the middle of sending, then list all that waits."""
    for row in await sql.fetch("interrupted", (now, claimant)):
        taken_back = row[6] is None
        if not taken_back and may_go_again(rows.outbox_row(row)):
            await sql.execute("postpone", (now, now, 0, "interrupted", row[0]))
        else:
            await sql.fetch("give_up", ("interrupted", now, row[0]))
    await sql.execute("withdraw_announcements", (now,))
    return [rows.ticket(row) for row in await sql.fetch("waiting")]


async def claim(ids: Sequence[int], now: int, lease: Row, sql: Statements) -> list[OutboxRow]:
    """Mark waiting messages as being sent; `lease` tells by whom, and until when that holds."""
    # Not one UPDATE … RETURNING: measured, that takes SQLite half as long again.
    waiting = await sql.fetch_many("sendable", [(row_id,) for row_id in dict.fromkeys(ids)])
    claimed = [rows.outbox_row(row) for row in waiting]
    await sql.execute_many("claim", [(row.id, *lease) for row in claimed])
    for row_id in set(ids).difference(row.id for row in claimed):
        await sql.execute("give_up_if_muted", (now, row_id))
    return claimed


async def confirm(row_id: int, address: Address, message_id: str, now: int, sql: Statements) -> None:
    """Note that the messenger has the message of a row; its buttons are on offer, as after any that was sent."""
    values = (row_id, address.channel, clean(address.value))
    for row in await sql.fetch("confirmable", values):
        taken_back = row[6] is None
        if not taken_back and (keyboard := rows.outbox_row(row).to_offer):
            await sql.execute("offer_sent_keyboard", (columns.to_json(keyboard), row_id))
        await sql.execute("confirm", (clean(message_id), now, row_id))


async def settle(statements: Sequence[Statement], sql: Statements) -> Settled:
    """Note what became of claimed messages."""
    await sql.execute_many("sent", [statement.values for statement in statements if statement.sql == "sent"])
    settled = Settled([], [], [])
    for statement in statements:
        if statement.sql == "sent":
            continue
        found = await sql.fetch(statement.sql, statement.values)
        match statement.sql:
            case "reroute":
                settled.rerouted.extend(map(rows.ticket, found))
            case "give_up":
                settled.arrived.extend(row_id for row_id, message_id in found if message_id is not None)
            case _:
                settled.muted.extend(Address(*row) for row in found)
    return settled


# --- reminders ---------------------------------------------------------------------------------------------------


async def timers(until: int, limit: int, sql: Statements) -> list[Timer]:
    """List what is due, or to be repeated, the earliest first."""
    firings = [Timer(columns.instant(at), id_) for at, id_ in await sql.fetch("next_firings", (until, limit))]
    repeats = [Timer(columns.instant(at), id_, True) for at, id_ in await sql.fetch("next_repeats", (until, limit))]
    return sorted(firings + repeats)[:limit] if repeats else firings


async def planned_reminders(beyond: Row, limit: int, sql: Statements) -> list[Reminder]:
    """List reminders that are still to fire, in order of time and id."""
    return [reminder_rows.reminder(row) for row in await sql.fetch("planned_reminders", (*beyond, limit))]


async def planned_questions(beyond: Row, limit: int, sql: Statements) -> list[tuple[Asking, str]]:
    """List regular questions that are planned, with the time zone of each."""
    return [(rows.asking(row), row[-1]) for row in await sql.fetch("planned_questions", (*beyond, limit))]


async def due(timers: Sequence[Timer], sql: Statements) -> list[Due]:
    """Give those that still hold."""
    firings = await sql.fetch_many("due_reminders", [(timer.id,) for timer in timers if not timer.repeats])
    repeats = await sql.fetch_many("due_repeats", [(timer.id,) for timer in timers if timer.repeats])
    wanted = set(timers)
    return [found for found in map(reminder_rows.due, (*firings, *repeats)) if found.timer in wanted]


# --- announcements -----------------------------------------------------------------------------------------------


async def settle_announcement(announcement_id: int, sql: Statements) -> int:
    """Note what became of what was sent of an announcement; tell how much of it waits, local chats left out."""
    await sql.execute("settle_recipients", (announcement_id,))
    return int((await sql.fetch("in_flight", (announcement_id,)))[0][0])


async def execute_all(statements: Sequence[Statement], sql: Statements) -> None:
    """Execute statements in order."""
    for statement in statements:
        await sql.execute(statement.sql, statement.values)


async def recipient_zones(announcement_id: int, sql: Statements) -> list[str]:
    """List the time zones of those who have yet to get an announcement."""
    return [zone for (zone,) in await sql.fetch("recipient_zones", (announcement_id,))]


async def waiting_recipients(
    announcement_id: int, zones: Sequence[str], limit: int, sql: Statements
) -> list[Recipient]:
    """List some who wait for an announcement in these zones."""
    found = await sql.fetch_many("waiting_recipients", [(announcement_id, zone) for zone in zones])
    return [Recipient(user_id=row[0], language=row[1], is_off=bool(row[2])) for row in found[:limit]]


# --- the run -----------------------------------------------------------------------------------------------------


async def begin_run(sql: Statements) -> bool:
    """Note that the program runs; tell whether the run before ended cleanly."""
    crashed = bool(await sql.fetch("running"))
    await sql.execute("begin_run")
    return not crashed


async def end_run(sql: Statements) -> None:
    """Note that the run ended cleanly."""
    await sql.execute("end_run")


async def purge_some(retention: Retention, sql: Statements) -> bool:
    """Delete some of what is no longer needed; tell whether there is more."""
    deleted = columns.micros(retention.deleted)
    limits = {
        "purge_forms": columns.micros(retention.forms),
        "purge_quarantine": columns.micros(retention.quarantine),
        "purge_outbox": columns.micros(retention.settled),
        "purge_link_codes": columns.micros(retention.forms),
        "purge_link_tries": columns.micros(retention.forms),
        "purge_letters": columns.micros(retention.settled),
        "purge_bills": columns.micros(retention.settled),
        "purge_inbox": columns.micros(retention.inbox),
        "purge_headaches": deleted,
        "purge_intakes": deleted,
        "purge_pressures": deleted,
        "purge_occurrences": columns.micros(retention.settled),
        "purge_reminders": deleted,
        "purge_ended": columns.micros(retention.settled),
        "purge_drugs": deleted,
        "purge_recipients": columns.micros(retention.settled),
        "purge_announcements": columns.micros(retention.settled),
    }
    counts = [await sql.execute(name, (limit, PURGED_AT_ONCE)) for name, limit in limits.items()]
    return PURGED_AT_ONCE in counts


# --- the daily report --------------------------------------------------------------------------------------------


async def span(since: int, until: int, sql: Statements) -> Span:
    """Tell what happened from one instant up to another."""
    found = [await sql.fetch(name, (since, until)) for name in ("day_counts", "newcomers", "departures")]
    return report_rows.span(columns.instant(since), columns.instant(until), *found)


async def totals(lately: int, sql: Statements) -> Totals:
    """Tell how many people and entries there are."""
    return report_rows.totals((await sql.fetch("totals", (lately,)))[0])


async def closed_days(first: date, last: date, sql: Statements) -> list[Day]:
    """List closed days in order."""
    return [report_rows.day(row) for row in await sql.fetch("day_reports", (first.isoformat(), last.isoformat()))]
