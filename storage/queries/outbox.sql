-- enqueue: Add a message to be sent; one whose key already waits is not added.
INSERT INTO outbox (
    channel, address, user_id, priority, callback_id, not_before, key, body, created_at, state, attempts
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0)
ON CONFLICT DO NOTHING;

-- give_up_if_muted: Give up a waiting message if nothing may be sent to its address.
UPDATE outbox SET state = 'given_up', body = NULL, reason = 'muted', settled_at = ?
WHERE id = ? AND state = 'queued' AND EXISTS (
    SELECT 1 FROM identities
    WHERE channel = outbox.channel AND address = outbox.address AND muted_at IS NOT NULL
);

-- cancel: Take back the waiting message with a key; one being sent at this moment is not sent a second time.
UPDATE outbox SET
    state = CASE state WHEN 'queued' THEN 'given_up' ELSE state END,
    settled_at = CASE state WHEN 'queued' THEN CAST(? AS BIGINT) END,
    reason = 'cancelled', body = NULL, key = NULL
WHERE key = ? AND settled_at IS NULL;

-- give_up_address: Give up all that waits for an address; what is being sent at this moment is not sent again.
UPDATE outbox SET
    state = CASE state WHEN 'queued' THEN 'given_up' ELSE state END,
    settled_at = CASE state WHEN 'queued' THEN CAST(? AS BIGINT) END,
    reason = ?, body = NULL
WHERE channel = ? AND address = ? AND settled_at IS NULL;

-- reroute: Let reminders and questions that wait for the address of a message go to the latest other one of their user.
INSERT INTO outbox (
    channel, address, user_id, priority, callback_id, not_before, body, created_at, state, attempts
)
SELECT other.channel, other.address, waiting.user_id, waiting.priority, '', waiting.not_before, waiting.body,
    waiting.created_at, 'queued', 0
FROM outbox AS waiting JOIN identities AS other ON other.user_id = waiting.user_id
WHERE (waiting.channel, waiting.address) = (SELECT channel, address FROM outbox WHERE id = ?)
    AND waiting.settled_at IS NULL AND waiting.priority IN (1, 2) AND waiting.body LIKE '{"type":"Say"%'
    AND other.muted_at IS NULL AND (other.channel, other.address) <> (waiting.channel, waiting.address)
    AND NOT EXISTS (
        SELECT 1 FROM identities AS later
        WHERE later.user_id = other.user_id AND later.muted_at IS NULL
            AND (later.channel, later.address) <> (waiting.channel, waiting.address)
            AND (later.seen_at, later.channel, later.address) > (other.seen_at, other.channel, other.address)
    )
ORDER BY waiting.id
RETURNING id, channel, address, priority, not_before;

-- give_up_recipient: The same for the address of a message.
UPDATE outbox SET
    state = CASE state WHEN 'queued' THEN 'given_up' ELSE state END,
    settled_at = CASE state WHEN 'queued' THEN CAST(? AS BIGINT) END,
    reason = ?, body = NULL
WHERE (channel, address) = (SELECT channel, address FROM outbox WHERE id = ?) AND settled_at IS NULL;

-- any_muted: A message of these if nothing may be sent to its address.
SELECT 1 FROM outbox JOIN identities USING (channel, address)
WHERE id BETWEEN ? AND ? AND muted_at IS NOT NULL LIMIT 1;

-- sendable: Waiting messages, unless nothing may be sent to their address; with the attempt that is about to begin.
SELECT id, channel, address, user_id, priority, callback_id, body, attempts + 1, created_at FROM outbox
WHERE id IN (VALUES (CAST(? AS BIGINT))) AND state = 'queued' AND NOT EXISTS (
    SELECT 1 FROM identities
    WHERE channel = outbox.channel AND address = outbox.address AND muted_at IS NOT NULL
);

-- claim: Mark waiting messages as being sent, by whom, and until when that holds.
WITH taken (id, claimed_by, claimed_until) AS (
    VALUES (CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT))
)
UPDATE outbox SET
    state = 'sending', attempts = attempts + 1, claimed_by = taken.claimed_by, claimed_until = taken.claimed_until
FROM taken WHERE outbox.id = taken.id;

-- sent: Note that the messenger took messages; whom one went to is kept only for people who are known.
WITH taken (message_id, settled_at, id) AS (VALUES (?, CAST(? AS BIGINT), CAST(? AS BIGINT)))
UPDATE outbox SET
    state = 'sent', message_id = taken.message_id, body = NULL, reason = '', settled_at = taken.settled_at,
    address = CASE WHEN user_id IS NULL THEN '' ELSE address END
FROM taken WHERE outbox.id = taken.id AND state = 'sending';

-- postpone: Let a message wait again, unless it was taken back meanwhile (its body is gone) or found to have been sent.
UPDATE outbox SET
    state = CASE WHEN message_id IS NOT NULL THEN 'sent' WHEN body IS NULL THEN 'given_up' ELSE 'queued' END,
    settled_at = CASE WHEN message_id IS NOT NULL OR body IS NULL THEN CAST(? AS BIGINT) END,
    not_before = ?, attempts = attempts - ?,
    reason = CASE WHEN message_id IS NOT NULL THEN '' WHEN body IS NULL THEN reason ELSE ? END,
    body = CASE WHEN message_id IS NULL THEN body END,
    address = CASE WHEN message_id IS NOT NULL AND user_id IS NULL THEN '' ELSE address END
WHERE id = ? AND state = 'sending';

-- give_up: Note that a message will not be sent, unless the messenger was found to have it.
UPDATE outbox SET
    state = CASE WHEN message_id IS NULL THEN 'given_up' ELSE 'sent' END, body = NULL,
    reason = CASE WHEN message_id IS NULL THEN ? ELSE '' END, settled_at = ?
WHERE id = ? AND state = 'sending'
RETURNING id, message_id;

-- confirmable: A message that was given to the messenger, perhaps, with nothing known of what became of it.
SELECT id, channel, address, user_id, priority, callback_id, body, attempts, created_at FROM outbox
WHERE id = ? AND channel = ? AND address = ? AND settled_at IS NULL AND attempts > 0 AND message_id IS NULL;

-- confirm: Note that the messenger has a message; if it waits to be sent once more, it is over.
UPDATE outbox SET
    message_id = ?, state = CASE state WHEN 'queued' THEN 'sent' ELSE state END,
    settled_at = CASE state WHEN 'queued' THEN CAST(? AS BIGINT) END,
    reason = CASE state WHEN 'queued' THEN '' ELSE reason END,
    body = CASE state WHEN 'queued' THEN NULL ELSE body END,
    address = CASE WHEN state = 'queued' AND user_id IS NULL THEN '' ELSE address END
WHERE id = ?;

-- message_known: A message that the messenger calls by this name.
SELECT 1 FROM outbox WHERE channel = ? AND message_id = ? LIMIT 1;

-- note_fate: Note how a sent message fares, unless more is known already.
UPDATE outbox SET fate = ?, fate_rank = ?, reason = coalesce(?, reason)
WHERE channel = ? AND message_id = ? AND fate_rank < ?;

-- is_announcement: A row if a message that was sent is of this priority.
SELECT 1 FROM outbox WHERE channel = ? AND message_id = ? AND priority = ?;

-- held_back: How many messages of a user and a priority wait for a reason, or behind one that does.
SELECT count(*) FROM outbox WHERE user_id = ? AND priority = ? AND settled_at IS NULL AND EXISTS (
    SELECT 1 FROM outbox AS first
    WHERE first.channel = outbox.channel AND first.address = outbox.address AND first.settled_at IS NULL
    AND first.reason = ? AND (outbox.not_before IS NULL OR outbox.not_before <= first.not_before)
);

-- offer_sent_keyboard: Offer the buttons of a message that was sent, if its address is still known.
INSERT INTO keyboards (channel, address, keyboard)
SELECT identities.channel, identities.address, ?
FROM identities JOIN outbox ON outbox.channel = identities.channel AND outbox.address = identities.address
WHERE outbox.id = ?
ON CONFLICT (channel, address) DO UPDATE SET keyboard = excluded.keyboard;

-- interrupted: The messages left in the middle of sending: by nobody who still does, or by whom it is that asks.
SELECT id, channel, address, user_id, priority, callback_id, body, attempts, created_at FROM outbox
WHERE settled_at IS NULL AND state = 'sending'
    AND (claimed_until IS NULL OR claimed_until < ? OR claimed_by = ?)
ORDER BY id;

-- waiting: All that waits to be sent.
SELECT id, channel, address, priority, not_before FROM outbox
WHERE settled_at IS NULL AND state = 'queued' ORDER BY priority, id;

-- purge_outbox: Delete some messages settled long ago.
DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE settled_at < ? LIMIT ?);
