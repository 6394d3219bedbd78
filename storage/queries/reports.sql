-- day_counts: What was recorded in a span of time, by kind; how many people did, and how many were asked.
WITH span (since, until) AS (VALUES (CAST(? AS BIGINT), CAST(? AS BIGINT)))
SELECT
    (SELECT count(*) FROM headaches WHERE created_at >= since AND created_at < until AND deleted_at IS NULL),
    (SELECT count(*) FROM intakes WHERE created_at >= since AND created_at < until AND deleted_at IS NULL),
    (SELECT count(*) FROM pressures WHERE created_at >= since AND created_at < until AND deleted_at IS NULL),
    (SELECT count(*) FROM drugs WHERE created_at >= since AND created_at < until AND deleted_at IS NULL),
    (SELECT count(DISTINCT user_id) FROM (
        SELECT user_id FROM headaches WHERE created_at >= since AND created_at < until
        UNION ALL SELECT user_id FROM intakes WHERE created_at >= since AND created_at < until
        UNION ALL SELECT user_id FROM pressures WHERE created_at >= since AND created_at < until
    ) AS recorded),
    (SELECT count(DISTINCT user_id) FROM outbox
    WHERE settled_at >= since AND settled_at < until AND state = 'sent' AND priority = 2)
FROM span;

-- newcomers: Who came in a span of time, the first ones, with the name last seen and the number of entries.
SELECT
    users.id, users.language,
    (SELECT profile FROM identities WHERE user_id = users.id ORDER BY seen_at DESC LIMIT 1),
    (SELECT count(*) FROM headaches WHERE user_id = users.id AND deleted_at IS NULL),
    (SELECT count(*) FROM intakes WHERE user_id = users.id AND deleted_at IS NULL),
    (SELECT count(*) FROM pressures WHERE user_id = users.id AND deleted_at IS NULL),
    (SELECT count(*) FROM drugs WHERE user_id = users.id AND deleted_at IS NULL)
FROM users WHERE created_at >= ? AND created_at < ? ORDER BY created_at, id LIMIT 1000;

-- departures: Who left in a span of time.
SELECT user_id, headaches, intakes, pressures, drugs FROM departures
WHERE left_at >= ? AND left_at < ? ORDER BY left_at, user_id LIMIT 1000;

-- note_departure: Note that a user leaves, with the number of entries, before all of it is deleted.
INSERT INTO departures (user_id, left_at, headaches, intakes, pressures, drugs)
SELECT
    id, CAST(? AS BIGINT),
    (SELECT count(*) FROM headaches WHERE user_id = users.id AND deleted_at IS NULL),
    (SELECT count(*) FROM intakes WHERE user_id = users.id AND deleted_at IS NULL),
    (SELECT count(*) FROM pressures WHERE user_id = users.id AND deleted_at IS NULL),
    (SELECT count(*) FROM drugs WHERE user_id = users.id AND deleted_at IS NULL)
FROM users WHERE id = ?
ON CONFLICT DO NOTHING;

-- totals: How many people and entries there are: all, with entries, with entries since an instant, with a question.
WITH lately (since) AS (VALUES (CAST(? AS BIGINT)))
SELECT
    (SELECT count(*) FROM users),
    (SELECT count(*) FROM users WHERE
        EXISTS (SELECT 1 FROM headaches WHERE user_id = users.id AND deleted_at IS NULL)
        OR EXISTS (SELECT 1 FROM intakes WHERE user_id = users.id AND deleted_at IS NULL)
        OR EXISTS (SELECT 1 FROM pressures WHERE user_id = users.id AND deleted_at IS NULL)),
    (SELECT count(DISTINCT user_id) FROM (
        SELECT user_id FROM headaches WHERE created_at >= since AND deleted_at IS NULL
        UNION ALL SELECT user_id FROM intakes WHERE created_at >= since AND deleted_at IS NULL
        UNION ALL SELECT user_id FROM pressures WHERE created_at >= since AND deleted_at IS NULL
    ) AS recorded),
    (SELECT count(*) FROM questions WHERE next_at IS NOT NULL),
    (SELECT count(*) FROM headaches WHERE deleted_at IS NULL),
    (SELECT count(*) FROM intakes WHERE deleted_at IS NULL),
    (SELECT count(*) FROM pressures WHERE deleted_at IS NULL),
    (SELECT count(*) FROM drugs WHERE deleted_at IS NULL)
FROM lately;

-- close_day: Keep the counts of a day; a day that is closed twice has the sum.
INSERT INTO day_reports (
    day, new_users, deleted_users, active_users, notified_users, headaches, intakes, pressures, drugs
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (day) DO UPDATE SET
    new_users = day_reports.new_users + excluded.new_users,
    deleted_users = day_reports.deleted_users + excluded.deleted_users,
    active_users = day_reports.active_users + excluded.active_users,
    notified_users = day_reports.notified_users + excluded.notified_users,
    headaches = day_reports.headaches + excluded.headaches, intakes = day_reports.intakes + excluded.intakes,
    pressures = day_reports.pressures + excluded.pressures, drugs = day_reports.drugs + excluded.drugs;

-- forget_departures: Forget who left before an instant.
DELETE FROM departures WHERE left_at < ?;

-- day_reports: The closed days of a span, both ends included, in order.
SELECT day, new_users, deleted_users, active_users, notified_users, headaches, intakes, pressures, drugs
FROM day_reports WHERE day >= ? AND day <= ? ORDER BY day;
