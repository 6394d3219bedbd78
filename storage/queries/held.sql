-- hold: Keep a message from outside until it is handled.
INSERT INTO held_messages (user_id, channel, address, key, message, is_first) VALUES (?, ?, ?, ?, ?, ?);

-- release: Keep it no longer; touches nothing if it is not kept.
DELETE FROM held_messages WHERE id = ?;

-- set_aside_held: Set the input aside that is kept as this message.
UPDATE inbox SET status = 'quarantined', raw = ?, reason = ?
WHERE (channel, key) = (SELECT channel, key FROM held_messages WHERE id = ?);

-- next_held: The messages that have been kept longest.
SELECT id, user_id, is_first, message FROM held_messages ORDER BY id LIMIT ?;

-- held_from: Whether messages from an address are kept.
SELECT 1 FROM held_messages WHERE channel = ? AND address = ? LIMIT 1;

-- held_in_all: How many messages are kept.
SELECT count(*) FROM held_messages;

-- merge_held_messages: Let the messages that are kept of one user be another's.
UPDATE held_messages SET user_id = ? WHERE user_id = ?;
