-- save_correspondence: Insert what a user wants of messages to the owner, or replace it.
INSERT INTO correspondences (user_id, agreed_at, form_expired_at) VALUES (?, ?, ?)
ON CONFLICT (user_id) DO UPDATE SET agreed_at = excluded.agreed_at, form_expired_at = excluded.form_expired_at;

-- correspondence: What a user wants of messages to the owner.
SELECT user_id, agreed_at, form_expired_at FROM correspondences WHERE user_id = ?;

-- save_letter: Note who wrote a message to the owner.
INSERT INTO letters (id, user_id, channel, address, written_at) VALUES (?, ?, ?, ?, ?);

-- save_letter_copy: Note that a waiting message is a copy of one that somebody wrote to the owner.
INSERT INTO letter_copies (outbox_id, letter_id)
SELECT id, CAST(? AS BIGINT) FROM outbox WHERE key = ? AND settled_at IS NULL;

-- letters: The messages a user wrote to the owner, in their order.
SELECT id, user_id, channel, address, written_at FROM letters WHERE user_id = ? ORDER BY written_at, id;

-- letter: A message somebody wrote to the owner.
SELECT id, user_id, channel, address, written_at FROM letters WHERE id = ?;

-- letter_copied_in: The message whose copy at an address has this name; two chats may have the same names.
SELECT letters.id, letters.user_id, letters.channel, letters.address, letters.written_at
FROM letter_copies
JOIN letters ON letters.id = letter_copies.letter_id
JOIN outbox ON outbox.id = letter_copies.outbox_id
WHERE outbox.channel = ? AND outbox.address = ? AND outbox.message_id = ?;

-- erase_letters: Delete the copies of what a user wrote to the owner.
DELETE FROM outbox WHERE id IN (
    SELECT outbox_id FROM letter_copies JOIN letters ON letters.id = letter_copies.letter_id WHERE letters.user_id = ?
);

-- purge_letters: Delete some notes of messages written long ago.
DELETE FROM letters WHERE id IN (SELECT id FROM letters WHERE written_at < ? LIMIT ?);

-- user_at: Who writes from an address and can be written to there.
SELECT users.id, users.language, users.created_at, users.timezone, users.zone_offered, users.greeted_at, users.agreed_at
FROM users JOIN identities ON identities.user_id = users.id WHERE identities.channel = ? AND identities.address = ?
AND identities.muted_at IS NULL;
