-- save_reminder: Insert the reminder, or replace all but its id and owner; touches nothing of another user.
INSERT INTO reminders (
    id, user_id, code, channel, address, task, schedule, created_at, next_at, fired, paused_at, medicine, nagging,
    deleted_at
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    code = excluded.code, channel = excluded.channel, address = excluded.address, task = excluded.task,
    schedule = excluded.schedule, created_at = excluded.created_at, next_at = excluded.next_at,
    fired = excluded.fired, paused_at = excluded.paused_at, medicine = excluded.medicine,
    nagging = excluded.nagging, deleted_at = excluded.deleted_at
WHERE reminders.user_id = excluded.user_id;

-- save_next_firing: Let the reminder fire next at another time; touches nothing if it is not due when it was read.
UPDATE reminders SET next_at = moved.column1, fired = fired + moved.column2
FROM (
    VALUES (CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT))
) AS moved
WHERE id = moved.column3 AND user_id = moved.column4 AND next_at = moved.column5;

-- save_occurrence: Insert the firing, or replace what became of it; touches nothing of another user.
INSERT INTO occurrences (
    id, reminder_id, user_id, due_at, fired_at, missed, answer, answered_at, nagged, again_at
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    answer = excluded.answer, answered_at = excluded.answered_at, nagged = excluded.nagged,
    again_at = excluded.again_at
WHERE occurrences.user_id = excluded.user_id AND occurrences.reminder_id = excluded.reminder_id;

-- save_next_repeat: Repeat the firing next at another time; touches nothing if it was answered or moved meanwhile.
UPDATE occurrences SET again_at = moved.column1, nagged = moved.column2, answer = NULL, answered_at = NULL
FROM (
    VALUES (CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT))
) AS moved
WHERE id = moved.column3 AND user_id = moved.column4 AND again_at = moved.column5;

-- silence: Repeat no firing of a reminder any more.
UPDATE occurrences SET again_at = NULL WHERE reminder_id = ? AND user_id = ? AND again_at IS NOT NULL;

-- save_last_list: Note what was listed last.
INSERT INTO last_lists (user_id, codes) VALUES (?, ?)
ON CONFLICT (user_id) DO UPDATE SET codes = excluded.codes;

-- last_list: What was listed last.
SELECT codes FROM last_lists WHERE user_id = ?;

-- reminder: One reminder of a user, deleted or not.
SELECT id, user_id, code, channel, address, task, schedule, created_at, next_at, fired, paused_at, medicine, nagging,
    deleted_at
FROM reminders WHERE id = ? AND user_id = ?;

-- reminders: What a user is still to be reminded of, the next one first, paused ones last.
SELECT id, user_id, code, channel, address, task, schedule, created_at, next_at, fired, paused_at, medicine, nagging,
    deleted_at
FROM reminders
WHERE user_id = ? AND deleted_at IS NULL AND (
    next_at IS NOT NULL OR paused_at IS NOT NULL OR EXISTS (
        SELECT 1 FROM occurrences
        WHERE reminder_id = reminders.id AND again_at IS NOT NULL AND answer = 'snoozed'
    )
)
ORDER BY CASE WHEN paused_at IS NULL THEN 0 ELSE 1 END, coalesce(next_at, 0), id;

-- codes: All codes of a user's reminders, those of deleted and ended ones included.
SELECT code FROM reminders WHERE user_id = ?;

-- occurrence: One firing of a user's reminder.
SELECT id, reminder_id, user_id, due_at, fired_at, missed, answer, answered_at, nagged, again_at
FROM occurrences WHERE id = ? AND user_id = ?;

-- snoozed: The firings of a user's reminders that were put off, the next one first.
SELECT occurrences.id, reminder_id, occurrences.user_id, due_at, fired_at, missed, answer, answered_at, nagged, again_at
FROM occurrences JOIN reminders ON reminders.id = reminder_id
WHERE reminders.user_id = ? AND again_at IS NOT NULL AND answer = 'snoozed' AND deleted_at IS NULL
ORDER BY again_at, occurrences.id;

-- pending_reminders: How many reminders are still to fire.
SELECT count(*) FROM reminders WHERE next_at IS NOT NULL;

-- next_firings: The reminders due up to some time, the earliest first.
SELECT next_at, id FROM reminders WHERE next_at <= ? ORDER BY next_at, id LIMIT ?;

-- planned_reminders: The reminders planned beyond a place in their order.
SELECT id, user_id, code, channel, address, task, schedule, created_at, next_at, fired, paused_at, medicine, nagging,
    deleted_at
FROM reminders WHERE next_at IS NOT NULL AND (next_at, id) > (?, ?) ORDER BY next_at, id LIMIT ?;

-- next_repeats: The firings to be repeated up to some time, the earliest first.
SELECT again_at, occurrences.id FROM occurrences JOIN reminders ON reminders.id = reminder_id
WHERE again_at <= ? AND deleted_at IS NULL ORDER BY again_at, occurrences.id LIMIT ?;

-- due_reminders: Reminders with their owners; where an address is another's now or muted, with the owner's latest one.
SELECT reminders.id, reminders.user_id, code, reminders.channel, reminders.address, task, schedule,
    reminders.created_at, next_at, fired, paused_at, medicine, nagging, deleted_at, language, users.timezone,
    CASE WHEN identities.user_id IS NULL THEN (
        SELECT other.channel FROM identities AS other
        WHERE other.user_id = reminders.user_id
        ORDER BY muted_at IS NOT NULL, seen_at DESC, channel, address LIMIT 1
    ) END,
    CASE WHEN identities.user_id IS NULL THEN (
        SELECT other.address FROM identities AS other
        WHERE other.user_id = reminders.user_id
        ORDER BY muted_at IS NOT NULL, seen_at DESC, channel, address LIMIT 1
    ) END
FROM reminders JOIN users ON users.id = reminders.user_id
LEFT JOIN identities ON identities.channel = reminders.channel AND identities.address = reminders.address
    AND identities.user_id = reminders.user_id AND identities.muted_at IS NULL
WHERE reminders.id IN (VALUES (CAST(? AS BIGINT))) AND next_at IS NOT NULL;

-- due_repeats: Firings to be repeated, with their reminders and owners in the same way.
SELECT reminders.id, reminders.user_id, code, reminders.channel, reminders.address, task, schedule,
    reminders.created_at, next_at, fired, paused_at, medicine, nagging, deleted_at, language, users.timezone,
    CASE WHEN identities.user_id IS NULL THEN (
        SELECT other.channel FROM identities AS other
        WHERE other.user_id = reminders.user_id
        ORDER BY muted_at IS NOT NULL, seen_at DESC, channel, address LIMIT 1
    ) END,
    CASE WHEN identities.user_id IS NULL THEN (
        SELECT other.address FROM identities AS other
        WHERE other.user_id = reminders.user_id
        ORDER BY muted_at IS NOT NULL, seen_at DESC, channel, address LIMIT 1
    ) END,
    occurrences.id, reminder_id, occurrences.user_id, due_at, fired_at, missed, answer, answered_at, nagged, again_at
FROM occurrences JOIN reminders ON reminders.id = reminder_id JOIN users ON users.id = reminders.user_id
LEFT JOIN identities ON identities.channel = reminders.channel AND identities.address = reminders.address
    AND identities.user_id = reminders.user_id AND identities.muted_at IS NULL
WHERE occurrences.id IN (VALUES (CAST(? AS BIGINT))) AND again_at IS NOT NULL AND deleted_at IS NULL;

-- purge_occurrences: Delete some firings of long ago that nothing is to come of any more.
DELETE FROM occurrences WHERE id IN (
    SELECT id FROM occurrences WHERE fired_at < ? AND again_at IS NULL LIMIT ?
);

-- purge_reminders: Delete some reminders deleted by their owner long ago.
DELETE FROM reminders WHERE id IN (
    SELECT id FROM reminders WHERE next_at IS NULL AND deleted_at < ? LIMIT ?
);

-- purge_ended: Delete some reminders that ended and whose firings are all gone.
DELETE FROM reminders WHERE id IN (
    SELECT id FROM reminders
    WHERE next_at IS NULL AND paused_at IS NULL AND deleted_at IS NULL AND created_at < ?
        AND NOT EXISTS (SELECT 1 FROM occurrences WHERE reminder_id = reminders.id)
    LIMIT ?
);
