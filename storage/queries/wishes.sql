-- save_wish: Insert what the owner asked for, or replace what was asked of that kind before.
INSERT INTO wishes (kind, id, user_id, channel, address, asked_at, token) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (kind) DO UPDATE SET id = excluded.id, user_id = excluded.user_id, channel = excluded.channel,
    address = excluded.address, asked_at = excluded.asked_at, token = excluded.token;

-- drop_wish: Delete what the owner asked for; touches nothing if it is not there any more.
DELETE FROM wishes WHERE id = ? AND user_id = ?;

-- wishes: All that the owner asked for, in order.
SELECT kind, id, user_id, channel, address, asked_at, token FROM wishes ORDER BY asked_at, id;

-- merge_wishes: Let what one user asked for be what another one did.
UPDATE wishes SET user_id = ? WHERE user_id = ?;

-- note: Remember a text under a name.
INSERT INTO program_notes (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- forget_note: Remember nothing under a name.
DELETE FROM program_notes WHERE name = ?;

-- noted: What is remembered under a name.
SELECT value FROM program_notes WHERE name = ?;
