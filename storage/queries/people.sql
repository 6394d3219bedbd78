-- save_user: Insert the user, or replace all but the id.
INSERT INTO users (id, language, created_at, timezone, zone_offered, greeted_at, agreed_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    language = excluded.language, created_at = excluded.created_at, timezone = excluded.timezone,
    zone_offered = excluded.zone_offered, greeted_at = excluded.greeted_at, agreed_at = excluded.agreed_at;

-- user: One user.
SELECT id, language, created_at, timezone, zone_offered, greeted_at, agreed_at FROM users WHERE id = ?;

-- save_identity: Insert the address, or replace all but the address.
INSERT INTO identities (channel, address, user_id, profile, seen_at, muted_at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (channel, address) DO UPDATE SET
    user_id = excluded.user_id, profile = excluded.profile, seen_at = excluded.seen_at, muted_at = excluded.muted_at;

-- conversation: One address, whose it is and the form in progress: the columns of all three.
SELECT identities.channel, identities.address, identities.user_id, profile, seen_at, muted_at,
    id, language, created_at, timezone, zone_offered, greeted_at, agreed_at,
    sessions.user_id, form, step, state, token, sessions.channel, sessions.address, started_at, updated_at, expires_at,
    progress
FROM identities JOIN users ON id = identities.user_id LEFT JOIN sessions ON sessions.user_id = id
WHERE identities.channel = ? AND identities.address = ?;

-- latest_identity: The address of a channel that was seen last.
SELECT channel, address, user_id, profile, seen_at, muted_at FROM identities
WHERE channel = ? ORDER BY seen_at DESC LIMIT 1;

-- identities_of: All addresses of a user, the one seen last first.
SELECT channel, address, user_id, profile, seen_at, muted_at FROM identities
WHERE user_id = ? ORDER BY seen_at DESC, channel, address;

-- mute: Note that nothing may be sent to an address.
UPDATE identities SET muted_at = ? WHERE channel = ? AND address = ? AND muted_at IS NULL;

-- mute_recipient: Note that nothing may be sent to the address of a message.
UPDATE identities SET muted_at = ?
WHERE (channel, address) = (SELECT channel, address FROM outbox WHERE id = ?) AND muted_at IS NULL
RETURNING channel, address;

-- unmute: Note that an address can be written to again.
UPDATE identities SET muted_at = NULL WHERE channel = ? AND address = ?;

-- offer_keyboard: Replace the buttons that are on offer at an address.
INSERT INTO keyboards (channel, address, keyboard)
VALUES (?, ?, ?)
ON CONFLICT (channel, address) DO UPDATE SET keyboard = excluded.keyboard;

-- keyboard: The buttons that are on offer at a user's address.
SELECT keyboard FROM keyboards JOIN identities USING (channel, address)
WHERE user_id = ? AND channel = ? AND address = ?;

-- save_session: Insert or replace the user's form in progress.
INSERT INTO sessions (
    user_id, form, step, state, token, channel, address, started_at, updated_at, expires_at, progress
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (user_id) DO UPDATE SET
    form = excluded.form, step = excluded.step, state = excluded.state, token = excluded.token,
    channel = excluded.channel, address = excluded.address, started_at = excluded.started_at,
    updated_at = excluded.updated_at, expires_at = excluded.expires_at, progress = excluded.progress;

-- session: The form a user has in progress.
SELECT user_id, form, step, state, token, channel, address, started_at, updated_at, expires_at, progress
FROM sessions WHERE user_id = ?;

-- end_session: Delete the user's form in progress.
DELETE FROM sessions WHERE user_id IN (VALUES (CAST(? AS BIGINT)));

-- next_expiry: When the first open form expires.
SELECT min(expires_at) FROM sessions;

-- expired: The forms that have expired, the oldest first.
SELECT user_id, token FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?;

-- active_forms: The forms touched after an instant, the longest idle first.
SELECT user_id, state, updated_at FROM sessions WHERE updated_at > ? ORDER BY updated_at, user_id;

-- erase_waiting: Delete the messages of a user and those to the user's addresses.
DELETE FROM outbox WHERE user_id = ?
OR (channel, address) IN (SELECT channel, address FROM identities WHERE user_id = ?);

-- erase_inbox: Forget whose the messages from outside were, and what the set-aside ones said; keep their keys.
UPDATE inbox SET user_id = NULL, raw = NULL, reason = NULL WHERE user_id = ?;

-- erase_user: Delete the user; all that refers to the user goes with it.
DELETE FROM users WHERE id = ?;

-- remember_erasure: Keep the mark of an address that was erased, and when it last was.
INSERT INTO erasures (hash, erased_at) VALUES (?, ?)
ON CONFLICT (hash) DO UPDATE SET erased_at = excluded.erased_at;

-- erasure_marks: All marks, and when each was erased last.
SELECT hash, erased_at FROM erasures;

-- remember_erased: Keep the lowest id that was given out and erased, so that it is not given out again.
INSERT INTO meta (name, value) VALUES ('lowest_erased_user', ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value < meta.value;

-- lowest_user: The lowest id in use, and the lowest that was erased.
SELECT min(id), (SELECT value FROM meta WHERE name = 'lowest_erased_user') FROM users;

-- reserve_newcomers: The lowest id that was promised to somebody so far, locked until the end of the transaction.
INSERT INTO meta (name, value) VALUES ('lowest_promised_user', 0)
ON CONFLICT (name) DO UPDATE SET value = meta.value
RETURNING value;

-- promise_newcomers: Note the lowest id that is promised now.
UPDATE meta SET value = ? WHERE name = 'lowest_promised_user';

-- purge_forms: Delete some forms left long ago.
DELETE FROM sessions WHERE user_id IN (SELECT user_id FROM sessions WHERE updated_at < ? LIMIT ?);
