-- save_announcement: Insert a draft, or replace its texts; touches nothing that is a draft no longer.
INSERT INTO announcements (id, created_at, texts, state, audience, chosen, channel, address, message_id, ended_at)
VALUES (?, ?, ?, 'draft', 'all', 0, NULL, NULL, '', NULL)
ON CONFLICT (id) DO UPDATE SET texts = excluded.texts WHERE announcements.state = 'draft';

-- drop_announcement: Delete a draft.
DELETE FROM announcements WHERE id = ? AND state = 'draft';

-- start_announcement: Send a draft; touches nothing if it is none, or another announcement is under way.
UPDATE announcements SET state = 'sending', audience = ?, channel = ?, address = ?, message_id = ?
WHERE id = ? AND state = 'draft' AND NOT EXISTS (
    SELECT 1 FROM announcements AS other WHERE other.state IN ('sending', 'paused')
);

-- choose_recipients: Note who gets an announcement: people with entries since an instant, or all without one.
INSERT INTO announcement_recipients (announcement_id, user_id, outcome, outbox_id)
SELECT announcements.id, users.id,
    CASE WHEN EXISTS (SELECT 1 FROM announcement_wishes WHERE user_id = users.id AND is_off = 1)
        THEN 'off' ELSE 'waiting' END, NULL
FROM (SELECT CAST(? AS BIGINT) AS since) AS lately CROSS JOIN announcements CROSS JOIN users
WHERE announcements.id = ? AND (
    since IS NULL
    OR EXISTS (SELECT 1 FROM headaches WHERE user_id = users.id AND created_at >= since AND deleted_at IS NULL)
    OR EXISTS (SELECT 1 FROM intakes WHERE user_id = users.id AND created_at >= since AND deleted_at IS NULL)
    OR EXISTS (SELECT 1 FROM pressures WHERE user_id = users.id AND created_at >= since AND deleted_at IS NULL)
);

-- count_chosen: Note how many people were chosen for an announcement.
UPDATE announcements SET chosen = (
    SELECT count(*) FROM announcement_recipients WHERE announcement_id = announcements.id
)
WHERE id = ?;

-- steer_announcement: Pause, resume or cancel an announcement; touches nothing that is not under way.
UPDATE announcements SET state = ?, channel = ?, address = ?, message_id = ?
WHERE id = ? AND state IN ('sending', 'paused');

-- withdraw_announcement: Take back what waits to be sent; what is being sent at this moment is not sent again.
UPDATE outbox SET
    state = CASE state WHEN 'queued' THEN 'given_up' ELSE state END,
    settled_at = CASE state WHEN 'queued' THEN CAST(? AS BIGINT) END,
    reason = 'withdrawn', body = NULL, key = NULL
WHERE settled_at IS NULL AND id IN (
    SELECT outbox_id FROM announcement_recipients WHERE announcement_id = ? AND outcome = 'queued'
);

-- withdraw_announcements: Take back what of all announcements waits to be sent, and is not being sent.
UPDATE outbox SET state = 'given_up', settled_at = ?, reason = 'withdrawn', body = NULL, key = NULL
WHERE state = 'queued' AND priority = 3 AND key LIKE 'announcement:%';

-- settle_recipients: Note what became of what was sent; what was taken back waits again, so does who has another address.
UPDATE announcement_recipients SET
    outcome = CASE
        WHEN outbox.state = 'sent' THEN 'sent'
        WHEN outbox.reason IN ('withdrawn', 'unlinked') THEN 'waiting'
        WHEN outbox.reason = 'window' THEN 'outside'
        WHEN outbox.reason IN ('interrupted', 'outcome unknown') THEN 'unknown'
        WHEN NOT EXISTS (
            SELECT 1 FROM identities
            WHERE channel = outbox.channel AND address = outbox.address AND muted_at IS NOT NULL
        ) THEN 'failed'
        WHEN EXISTS (
            SELECT 1 FROM identities WHERE user_id = announcement_recipients.user_id AND muted_at IS NULL
        ) THEN 'waiting'
        ELSE 'blocked'
    END,
    outbox_id = NULL
FROM outbox
WHERE outbox.id = outbox_id AND announcement_id = ? AND outcome = 'queued' AND settled_at IS NOT NULL;

-- in_flight: How many messages of an announcement wait to be sent; a local chat's do until somebody opens it.
SELECT count(*) FROM announcement_recipients JOIN outbox ON outbox.id = outbox_id
WHERE announcement_id = ? AND outcome = 'queued' AND channel <> 'local';

-- end_announcement: Note that nothing more comes of an announcement; touches nothing if that is not so.
UPDATE announcements SET state = CASE state WHEN 'sending' THEN 'done' ELSE state END, ended_at = ?
WHERE id = ? AND ended_at IS NULL AND state IN ('sending', 'cancelled');

-- open_announcements: The announcements that are prepared or under way.
SELECT id, created_at, texts, state, audience, chosen, channel, address, message_id
FROM announcements WHERE ended_at IS NULL ORDER BY id;

-- announcement_counts: How many of the people chosen for an announcement are where.
SELECT outcome, count(*) FROM announcement_recipients WHERE announcement_id = ? GROUP BY outcome;

-- audiences: How many people there are who want announcements: all, with entries, with some since an instant; who not.
SELECT
    count(CASE WHEN is_off = 0 THEN 1 END),
    count(CASE WHEN is_off = 0 AND last_at IS NOT NULL THEN 1 END),
    count(CASE WHEN is_off = 0 AND last_at >= CAST(? AS BIGINT) THEN 1 END),
    count(CASE WHEN is_off = 1 THEN 1 END)
FROM (
    SELECT coalesce((SELECT is_off FROM announcement_wishes WHERE user_id = users.id), 0) AS is_off, (
        SELECT max(created_at) FROM (
            SELECT created_at FROM headaches WHERE user_id = users.id AND deleted_at IS NULL
            UNION ALL SELECT created_at FROM intakes WHERE user_id = users.id AND deleted_at IS NULL
            UNION ALL SELECT created_at FROM pressures WHERE user_id = users.id AND deleted_at IS NULL
        ) AS entries
    ) AS last_at
    FROM users
) AS people;

-- recipient_zones: The time zones of those who have yet to get an announcement; empty for the program's default.
SELECT DISTINCT coalesce(timezone, '') FROM announcement_recipients JOIN users ON users.id = user_id
WHERE announcement_id = ? AND outcome IN ('waiting', 'queued');

-- waiting_recipients: Who waits for an announcement in some time zones, the language, and whether it is wanted.
SELECT user_id, language, coalesce((
    SELECT is_off FROM announcement_wishes WHERE user_id = users.id
), 0)
FROM announcement_recipients JOIN users ON users.id = user_id
WHERE outcome = 'waiting' AND (announcement_id, coalesce(timezone, '')) IN (
    VALUES (CAST(? AS BIGINT), CAST(? AS TEXT))
)
ORDER BY user_id LIMIT 100;

-- take_recipient: Note that the message with a key is somebody's; touches nothing unless it waits and is still wanted.
UPDATE announcement_recipients SET
    outcome = 'queued', outbox_id = (SELECT id FROM outbox WHERE key = ? AND settled_at IS NULL)
WHERE announcement_id = ? AND user_id = ? AND outcome = 'waiting'
    AND EXISTS (SELECT 1 FROM outbox WHERE key = ? AND settled_at IS NULL)
    AND EXISTS (SELECT 1 FROM announcements WHERE id = announcement_id AND state = 'sending');

-- skip_recipient: Note why somebody who waits for an announcement gets none.
UPDATE announcement_recipients SET outcome = ? WHERE announcement_id = ? AND user_id = ? AND outcome = 'waiting';

-- miss_recipient: Note that what was taken by the messenger did not arrive, its window being closed.
UPDATE announcement_recipients SET outcome = 'outside', outbox_id = NULL
FROM outbox
WHERE outbox.channel = ? AND outbox.message_id = ? AND outbox.user_id = announcement_recipients.user_id
    AND outbox.key LIKE 'announcement:' || announcement_id || ':%' AND outcome IN ('queued', 'sent');

-- save_announcement_wish: Insert whether a user wants announcements, or replace it.
INSERT INTO announcement_wishes (user_id, is_off) VALUES (?, ?)
ON CONFLICT (user_id) DO UPDATE SET is_off = excluded.is_off;

-- announcement_wish: Whether a user wants announcements.
SELECT user_id, is_off FROM announcement_wishes WHERE user_id = ?;

-- merge_announcement_wishes: Let what one user wants of announcements be another's, if nothing is known of that.
UPDATE announcement_wishes SET user_id = ?
WHERE user_id = ? AND NOT EXISTS (SELECT 1 FROM announcement_wishes WHERE user_id = ?);

-- merge_twice_announced: Take back what waits to be sent to one user who is another one, if that one has it or will.
UPDATE outbox SET
    state = CASE state WHEN 'queued' THEN 'given_up' ELSE state END,
    settled_at = CASE state WHEN 'queued' THEN CAST(? AS BIGINT) END,
    reason = 'withdrawn', body = NULL, key = NULL
WHERE settled_at IS NULL AND id IN (
    SELECT mine.outbox_id FROM announcement_recipients AS mine JOIN announcement_recipients AS other
        ON other.announcement_id = mine.announcement_id
    WHERE mine.user_id = ? AND mine.outcome = 'queued'
        AND other.user_id = ? AND other.outcome IN ('queued', 'sent', 'unknown')
);

-- merge_already_announced: Let a user wait for no announcement that another one, who is the same, has or will have.
DELETE FROM announcement_recipients WHERE user_id = ? AND outcome = 'waiting' AND EXISTS (
    SELECT 1 FROM announcement_recipients AS other
    WHERE other.announcement_id = announcement_recipients.announcement_id AND other.user_id = ?
        AND other.outcome IN ('queued', 'sent', 'unknown')
);

-- merge_announcement_recipients: Let the announcements to one user be another's, who has no part in them.
UPDATE announcement_recipients SET user_id = ? WHERE user_id = ? AND NOT EXISTS (
    SELECT 1 FROM announcement_recipients AS other
    WHERE other.announcement_id = announcement_recipients.announcement_id AND other.user_id = ?
);

-- erase_announcement_cards: Forget that announcements are steered from a user's addresses.
UPDATE announcements SET channel = NULL, address = NULL, message_id = ''
WHERE (channel, address) IN (SELECT channel, address FROM identities WHERE user_id = ?);

-- purge_recipients: Delete some notes of who got announcements that ended long ago.
DELETE FROM announcement_recipients WHERE (announcement_id, user_id) IN (
    SELECT announcement_id, user_id FROM announcement_recipients JOIN announcements ON announcements.id = announcement_id
    WHERE ended_at < ? LIMIT ?
);

-- purge_announcements: Delete some announcements that ended long ago.
DELETE FROM announcements WHERE id IN (SELECT id FROM announcements WHERE ended_at < ? AND NOT EXISTS (
    SELECT 1 FROM announcement_recipients WHERE announcement_id = announcements.id
) LIMIT ?);
