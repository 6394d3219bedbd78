-- save_headache: Insert the attack, or replace all but its id and owner; touches nothing of another user.
INSERT INTO headaches (
    id, user_id, day, timezone, created_at, onset_at, end_at, duration_h, intensity, aura, triggers, symptoms,
    medicine_taken, note, deleted_at, last_day
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    day = excluded.day, timezone = excluded.timezone, created_at = excluded.created_at,
    onset_at = excluded.onset_at, end_at = excluded.end_at, duration_h = excluded.duration_h,
    intensity = excluded.intensity, aura = excluded.aura, triggers = excluded.triggers,
    symptoms = excluded.symptoms, medicine_taken = excluded.medicine_taken, note = excluded.note,
    deleted_at = excluded.deleted_at, last_day = excluded.last_day
WHERE headaches.user_id = excluded.user_id;

-- mark_free: Record a day as free of headache, if it is still unknown.
INSERT INTO free_days (user_id, day, source)
SELECT ?, ?, ? WHERE NOT EXISTS (
    SELECT 1 FROM headaches WHERE user_id = ? AND day <= ? AND last_day >= ? AND deleted_at IS NULL
)
ON CONFLICT (user_id, day) DO NOTHING;

-- clear_free: No longer record days as free of headache.
DELETE FROM free_days WHERE (user_id, day) IN (VALUES (CAST(? AS BIGINT), ?));

-- free_days: The days a user recorded as free of headache.
SELECT user_id, day, source FROM free_days WHERE user_id = ? ORDER BY day;

-- free_days_between: Those of them from one day to another.
SELECT day FROM free_days WHERE user_id = ? AND day >= ? AND day <= ?;

-- headaches_between: The attacks that touch a day between two, in order of their days.
SELECT id, user_id, day, timezone, created_at, onset_at, end_at, duration_h, intensity, aura, triggers, symptoms,
    medicine_taken, note, deleted_at
FROM headaches WHERE user_id = ? AND day <= ? AND last_day >= ? AND deleted_at IS NULL ORDER BY day, created_at, id;

-- headache: One attack of a user, deleted or not.
SELECT id, user_id, day, timezone, created_at, onset_at, end_at, duration_h, intensity, aura, triggers, symptoms,
    medicine_taken, note, deleted_at
FROM headaches WHERE id = ? AND user_id = ?;

-- open_headache: The latest attack recorded while it hurt and not known to be over.
SELECT id, user_id, day, timezone, created_at, onset_at, end_at, duration_h, intensity, aura, triggers, symptoms,
    medicine_taken, note, deleted_at
FROM headaches
WHERE user_id = ? AND onset_at IS NOT NULL AND end_at IS NULL AND duration_h IS NULL AND deleted_at IS NULL
ORDER BY onset_at DESC, id DESC LIMIT 1;

-- headaches: All attacks of a user in order of their days.
SELECT id, user_id, day, timezone, created_at, onset_at, end_at, duration_h, intensity, aura, triggers, symptoms,
    medicine_taken, note, deleted_at
FROM headaches WHERE user_id = ? AND deleted_at IS NULL ORDER BY day, created_at, id;

-- aura: An attack with an aura, apart from one.
SELECT 1 FROM headaches WHERE user_id = ? AND id <> ? AND aura = 1 AND deleted_at IS NULL LIMIT 1;

-- recent_triggers: What was chosen as triggers in the latest attacks.
SELECT triggers FROM headaches
WHERE user_id = ? AND triggers IS NOT NULL AND deleted_at IS NULL ORDER BY day DESC, created_at DESC LIMIT 200;

-- recent_symptoms: What was chosen as symptoms in the latest attacks.
SELECT symptoms FROM headaches
WHERE user_id = ? AND symptoms IS NOT NULL AND deleted_at IS NULL ORDER BY day DESC, created_at DESC LIMIT 200;

-- save_intake: Insert the intake, or replace all but its id and owner; touches nothing of another user.
INSERT INTO intakes (
    id, user_id, day, timezone, drug, created_at, amount, unit, headache_id, deleted_at, position
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    day = excluded.day, timezone = excluded.timezone, drug = excluded.drug, created_at = excluded.created_at,
    amount = excluded.amount, unit = excluded.unit, headache_id = excluded.headache_id,
    deleted_at = excluded.deleted_at, position = excluded.position
WHERE intakes.user_id = excluded.user_id;

-- clear_intakes: Delete all intakes of attacks.
DELETE FROM intakes WHERE (headache_id, user_id) IN (VALUES (CAST(? AS BIGINT), CAST(? AS BIGINT)));

-- intakes_of: The medicines of an attack, in the order they were recorded, also of a deleted one.
SELECT id, user_id, day, timezone, drug, created_at, amount, unit, headache_id, deleted_at FROM intakes
WHERE user_id = ? AND headache_id = ? ORDER BY created_at, position, id;

-- last_intakes: The medicines of the latest attack that has any, apart from one.
SELECT id, user_id, day, timezone, drug, created_at, amount, unit, headache_id, deleted_at FROM intakes
WHERE user_id = ? AND deleted_at IS NULL AND headache_id = (
    SELECT headaches.id FROM headaches JOIN intakes ON intakes.headache_id = headaches.id
    WHERE headaches.user_id = ? AND headaches.id <> ? AND headaches.deleted_at IS NULL
        AND intakes.deleted_at IS NULL
    ORDER BY headaches.day DESC, headaches.created_at DESC, headaches.id DESC LIMIT 1
)
ORDER BY created_at, position, id;

-- recent_intakes: What was taken lately, how much of it.
SELECT drug, amount, unit FROM intakes
WHERE user_id = ? AND deleted_at IS NULL ORDER BY day DESC, created_at DESC, id DESC LIMIT 200;

-- intakes: All intakes of a user in order of their days.
SELECT id, user_id, day, timezone, drug, created_at, amount, unit, headache_id, deleted_at FROM intakes
WHERE user_id = ? AND deleted_at IS NULL ORDER BY day, created_at, position, id;

-- intake: One intake of a user, deleted or not.
SELECT id, user_id, day, timezone, drug, created_at, amount, unit, headache_id, deleted_at
FROM intakes WHERE id = ? AND user_id = ?;

-- last_intake: The latest intake of a user.
SELECT id, user_id, day, timezone, drug, created_at, amount, unit, headache_id, deleted_at FROM intakes
WHERE user_id = ? AND deleted_at IS NULL ORDER BY day DESC, created_at DESC, position DESC, id DESC LIMIT 1;

-- intakes_between: The intakes from one day to another, in order of their days.
SELECT id, user_id, day, timezone, drug, created_at, amount, unit, headache_id, deleted_at FROM intakes
WHERE user_id = ? AND day >= ? AND day <= ? AND deleted_at IS NULL ORDER BY day, created_at, position, id;

-- save_pressure: Insert the reading, or replace all but its id and owner; touches nothing of another user.
INSERT INTO pressures (id, user_id, measured_at, timezone, systolic, diastolic, created_at, pulse, deleted_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    measured_at = excluded.measured_at, timezone = excluded.timezone, systolic = excluded.systolic,
    diastolic = excluded.diastolic, created_at = excluded.created_at, pulse = excluded.pulse,
    deleted_at = excluded.deleted_at
WHERE pressures.user_id = excluded.user_id;

-- pressures: All readings of a user in order of time.
SELECT id, user_id, measured_at, timezone, systolic, diastolic, created_at, pulse, deleted_at FROM pressures
WHERE user_id = ? AND deleted_at IS NULL ORDER BY measured_at, id;

-- pressures_between: The readings between two instants, in order of time.
SELECT id, user_id, measured_at, timezone, systolic, diastolic, created_at, pulse, deleted_at FROM pressures
WHERE user_id = ? AND measured_at >= ? AND measured_at < ? AND deleted_at IS NULL ORDER BY measured_at, id;

-- pressure: One reading of a user, deleted or not.
SELECT id, user_id, measured_at, timezone, systolic, diastolic, created_at, pulse, deleted_at FROM pressures
WHERE id = ? AND user_id = ?;

-- save_drug: Insert the drug, or replace all but its id and owner; touches nothing of another user.
INSERT INTO drugs (id, user_id, name, created_at, daily_max_mg, is_painkiller, is_antipyretic, deleted_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, created_at = excluded.created_at, daily_max_mg = excluded.daily_max_mg,
    is_painkiller = excluded.is_painkiller, is_antipyretic = excluded.is_antipyretic,
    deleted_at = excluded.deleted_at
WHERE drugs.user_id = excluded.user_id;

-- drugs: The user's own list of medicines, in the order they were added.
SELECT id, user_id, name, created_at, daily_max_mg, is_painkiller, is_antipyretic, deleted_at FROM drugs
WHERE user_id = ? AND deleted_at IS NULL ORDER BY created_at, id;

-- drug: One medicine of a user's list, deleted or not.
SELECT id, user_id, name, created_at, daily_max_mg, is_painkiller, is_antipyretic, deleted_at FROM drugs
WHERE id = ? AND user_id = ?;

-- save_overuse_notice: Insert what a user wants of the notice on frequent medicine, or replace it.
INSERT INTO overuse_notices (user_id, is_off, told_at) VALUES (?, ?, ?)
ON CONFLICT (user_id) DO UPDATE SET is_off = excluded.is_off, told_at = excluded.told_at;

-- overuse_notice: What a user wants of the notice on frequent medicine.
SELECT user_id, is_off, told_at FROM overuse_notices WHERE user_id = ?;

-- purge_headaches: Delete some attacks deleted by their owner long ago, with their medicines.
DELETE FROM headaches WHERE id IN (SELECT id FROM headaches WHERE deleted_at < ? LIMIT ?);

-- purge_intakes: Delete some intakes deleted by their owner long ago.
DELETE FROM intakes WHERE id IN (SELECT id FROM intakes WHERE deleted_at < ? LIMIT ?);

-- purge_pressures: Delete some readings deleted by their owner long ago.
DELETE FROM pressures WHERE id IN (SELECT id FROM pressures WHERE deleted_at < ? LIMIT ?);

-- purge_drugs: Delete some medicines of lists deleted by their owner long ago.
DELETE FROM drugs WHERE id IN (SELECT id FROM drugs WHERE deleted_at < ? LIMIT ?);

-- belongs_to_another: A row if what has this id is of somebody else: an entry, a medicine, a reminder or a firing.
SELECT 1 FROM headaches WHERE id = ? AND user_id <> ?
UNION ALL SELECT 1 FROM intakes WHERE id = ? AND user_id <> ?
UNION ALL SELECT 1 FROM pressures WHERE id = ? AND user_id <> ?
UNION ALL SELECT 1 FROM drugs WHERE id = ? AND user_id <> ?
UNION ALL SELECT 1 FROM reminders WHERE id = ? AND user_id <> ?
UNION ALL SELECT 1 FROM occurrences WHERE id = ? AND user_id <> ?;
