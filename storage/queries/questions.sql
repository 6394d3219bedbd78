-- save_asking: Insert how a user is asked, or replace it.
INSERT INTO questions (user_id, every_days, local_time, asked_on, next_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (user_id) DO UPDATE SET
    every_days = excluded.every_days, local_time = excluded.local_time, asked_on = excluded.asked_on,
    next_at = excluded.next_at;

-- asking: How a user is asked.
SELECT user_id, every_days, local_time, asked_on, next_at FROM questions WHERE user_id = ?;

-- move_question: Ask at another time; touches nothing if it is not planned as it was when it was read.
UPDATE questions SET next_at = ? WHERE user_id = ? AND next_at = ?;

-- planned_questions: The questions planned beyond a place in their order, with their people's time zones.
SELECT questions.user_id, every_days, local_time, asked_on, next_at, timezone
FROM questions JOIN users ON users.id = questions.user_id
WHERE next_at IS NOT NULL AND (next_at, questions.user_id) > (?, ?) AND timezone IS NOT NULL
ORDER BY next_at, questions.user_id LIMIT ?;

-- next_question: When the first question to somebody who can be written to is due.
SELECT min(next_at) FROM questions WHERE next_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM identities WHERE identities.user_id = questions.user_id AND muted_at IS NULL
);

-- due_questions: The questions that are due to people who can be written to, the oldest first.
SELECT user_id, next_at FROM questions WHERE next_at <= ? AND EXISTS (
    SELECT 1 FROM identities WHERE identities.user_id = questions.user_id AND muted_at IS NULL
)
ORDER BY next_at, user_id LIMIT ?;
