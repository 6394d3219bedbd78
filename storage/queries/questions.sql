-- save_asking: Insert how a user is asked, or replace it.
INSERT INTO questions (user_id, every_days, local_time, asked_on, next_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (user_id) DO UPDATE SET
    every_days = excluded.every_days, local_time = excluded.local_time, asked_on = excluded.asked_on,
    next_at = excluded.next_at;

-- asking: How a user is asked.
SELECT user_id, every_days, local_time, asked_on, next_at FROM questions WHERE user_id = ?;

-- next_question: When the first question to somebody who can be written to is due.
SELECT min(next_at) FROM questions WHERE next_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM identities WHERE identities.user_id = questions.user_id AND muted_at IS NULL
);

-- due_questions: The questions that are due to people who can be written to, the oldest first.
SELECT user_id, next_at FROM questions WHERE next_at <= ? AND EXISTS (
    SELECT 1 FROM identities WHERE identities.user_id = questions.user_id AND muted_at IS NULL
)
ORDER BY next_at, user_id LIMIT ?;
