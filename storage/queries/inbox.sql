-- receive: Note a message from outside as handled or set aside; touches nothing if it already was.
INSERT INTO inbox (channel, key, user_id, status, handled_at, attempts, raw, reason)
VALUES (?, ?, ?, ?, ?, 0, ?, ?)
ON CONFLICT (channel, key) DO UPDATE SET
    user_id = excluded.user_id, status = excluded.status, handled_at = excluded.handled_at, raw = excluded.raw,
    reason = excluded.reason
WHERE inbox.status = 'attempted';

-- handled: Whether a message from outside was handled or set aside.
SELECT 1 FROM inbox WHERE channel = ? AND key = ? AND status <> 'attempted';

-- attempt: Count an attempt at handling a message from outside.
INSERT INTO inbox (channel, key, status, handled_at, attempts) VALUES (?, ?, 'attempted', ?, 1)
ON CONFLICT (channel, key) DO UPDATE SET attempts = inbox.attempts + 1
RETURNING attempts;

-- purge_quarantine: Delete some input set aside long ago.
DELETE FROM inbox WHERE (channel, key) IN (
    SELECT channel, key FROM inbox WHERE handled_at < ? AND status = 'quarantined' LIMIT ?
);

-- purge_inbox: Delete some keys handled long ago.
DELETE FROM inbox WHERE (channel, key) IN (
    SELECT channel, key FROM inbox WHERE handled_at < ? AND status <> 'quarantined' LIMIT ?
);
