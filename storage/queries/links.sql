-- save_link_code: Insert the code by which a user's diary can be joined, or replace it.
INSERT INTO link_codes (user_id, hash, channel, address, expires_at, claimed_channel, claimed_address)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (user_id) DO UPDATE SET
    hash = excluded.hash, channel = excluded.channel, address = excluded.address, expires_at = excluded.expires_at,
    claimed_channel = excluded.claimed_channel, claimed_address = excluded.claimed_address;

-- claim_link_code: Note who entered the code of a user; touches nothing if it is not that code any more.
UPDATE link_codes SET hash = '', expires_at = ?, claimed_channel = ?, claimed_address = ?
WHERE user_id = ? AND hash = ? AND hash <> '' AND claimed_address IS NULL;

-- drop_link_code: Delete the code of a user.
DELETE FROM link_codes WHERE user_id = ?;

-- link_code: The code of a user.
SELECT user_id, hash, channel, address, expires_at, claimed_channel, claimed_address FROM link_codes WHERE user_id = ?;

-- link_code_by_hash: Whose code has this hash.
SELECT user_id, hash, channel, address, expires_at, claimed_channel, claimed_address FROM link_codes WHERE hash = ?;

-- save_link_try: Note a guess at a code.
INSERT INTO link_tries (id, user_id, tried_at) VALUES (?, ?, ?);

-- link_tries: How often a user guessed since an instant, and how often anybody did.
SELECT count(CASE WHEN user_id = ? THEN 1 END), count(*) FROM link_tries WHERE tried_at > ?;

-- purge_link_codes: Delete some codes that expired long ago.
DELETE FROM link_codes WHERE user_id IN (SELECT user_id FROM link_codes WHERE expires_at < ? LIMIT ?);

-- purge_link_tries: Delete some guesses made long ago.
DELETE FROM link_tries WHERE id IN (SELECT id FROM link_tries WHERE tried_at < ? LIMIT ?);

-- unlink: Delete an address of a user who has another one.
DELETE FROM identities WHERE channel = ? AND address = ? AND user_id = ?
AND EXISTS (SELECT 1 FROM identities AS others WHERE others.user_id = identities.user_id
    AND (others.channel <> identities.channel OR others.address <> identities.address));

-- unlink_reminders: Let the reminders of a user that fire at one address fire at another one.
UPDATE reminders SET channel = ?, address = ? WHERE user_id = ? AND channel = ? AND address = ?;

-- unlink_session: Delete the form a user has in progress at an address.
DELETE FROM sessions WHERE user_id = ? AND channel = ? AND address = ?;

-- unlink_letters: Delete the notes of what was written to the owner from an address.
DELETE FROM letters WHERE user_id = ? AND channel = ? AND address = ?;

-- merge_identities: Let the addresses of one user be another's.
UPDATE identities SET user_id = ? WHERE user_id = ?;

-- merge_note_intakes: Note which attacks the medicines of a user belong to.
INSERT INTO merging (intake_id, headache_id)
SELECT id, headache_id FROM intakes WHERE user_id = ? AND headache_id IS NOT NULL;

-- merge_intakes: Let the medicines of one user be another's.
UPDATE intakes SET user_id = ?, headache_id = NULL WHERE user_id = ?;

-- merge_headaches: Let the attacks of one user be another's.
UPDATE headaches SET user_id = ? WHERE user_id = ?;

-- merge_join_intakes: Let the medicines noted belong to their attacks again.
UPDATE intakes SET headache_id = merging.headache_id FROM merging WHERE merging.intake_id = intakes.id;

-- merge_end: Forget which attacks the medicines belong to.
DELETE FROM merging;

-- merge_pressures: Let the readings of one user be another's.
UPDATE pressures SET user_id = ? WHERE user_id = ?;

-- merge_drugs: Let the list of medicines of one user be another's, too.
UPDATE drugs SET user_id = ? WHERE user_id = ?;

-- merge_free_days: Let the days recorded by one user be another's, unless recorded there as well.
UPDATE free_days SET user_id = ? WHERE user_id = ?
AND NOT EXISTS (SELECT 1 FROM free_days AS others WHERE others.user_id = ? AND others.day = free_days.day);

-- merge_clear_free: Take back days recorded as free on which an attack hurt.
DELETE FROM free_days WHERE user_id = ? AND EXISTS (
    SELECT 1 FROM headaches WHERE headaches.user_id = free_days.user_id AND headaches.deleted_at IS NULL
        AND free_days.day BETWEEN headaches.day AND headaches.last_day
);

-- merge_rename_reminders: Give the reminders of one user other codes where another one uses them.
UPDATE reminders SET code = code || CAST(id % 1000 AS TEXT) WHERE user_id = ?
AND EXISTS (SELECT 1 FROM reminders AS others WHERE others.user_id = ? AND others.code = reminders.code);

-- merge_reminders: Let the reminders of one user be another's.
UPDATE reminders SET user_id = ? WHERE user_id = ?;

-- merge_occurrences: Let the firings of one user's reminders be another's.
UPDATE occurrences SET user_id = ? WHERE user_id = ?;

-- merge_letters: Let what one user wrote to the owner be another's.
UPDATE letters SET user_id = ? WHERE user_id = ?;

-- merge_link_tries: Let the guesses of one user be another's.
UPDATE link_tries SET user_id = ? WHERE user_id = ?;

-- merge_inbox: Let the messages from one user be another's.
UPDATE inbox SET user_id = ? WHERE user_id = ?;

-- merge_outbox: Let the messages to one user be another's.
UPDATE outbox SET user_id = ? WHERE user_id = ?;

-- merge_sessions: Let the form of one user be another's, who has none.
UPDATE sessions SET user_id = ? WHERE user_id = ? AND NOT EXISTS (SELECT 1 FROM sessions WHERE user_id = ?);

-- merge_questions: Let one user be asked as another one was, if nothing is set.
UPDATE questions SET user_id = ? WHERE user_id = ? AND NOT EXISTS (SELECT 1 FROM questions WHERE user_id = ?);

-- merge_correspondences: Let what one user wants of messages to the owner be another's, if nothing is known of that.
UPDATE correspondences SET user_id = ?
WHERE user_id = ? AND NOT EXISTS (SELECT 1 FROM correspondences WHERE user_id = ?);

-- merge_overuse_notices: The same for the notice on frequent medicine.
UPDATE overuse_notices SET user_id = ?
WHERE user_id = ? AND NOT EXISTS (SELECT 1 FROM overuse_notices WHERE user_id = ?);

-- merge_last_lists: The same for what was listed last.
UPDATE last_lists SET user_id = ? WHERE user_id = ? AND NOT EXISTS (SELECT 1 FROM last_lists WHERE user_id = ?);

-- merge_link_codes: The codes of both are void.
DELETE FROM link_codes WHERE user_id IN (?, ?);
