-- sendable: Like SQLite's, but what another process is about to claim is passed over instead of waited for.
SELECT id, channel, address, user_id, priority, callback_id, body, attempts + 1, created_at FROM outbox
WHERE id IN (VALUES (CAST(? AS BIGINT))) AND state = 'queued' AND NOT EXISTS (
    SELECT 1 FROM identities
    WHERE channel = outbox.channel AND address = outbox.address AND muted_at IS NOT NULL
)
FOR UPDATE OF outbox SKIP LOCKED;

-- interrupted: Like SQLite's, but a claim is over too as soon as the process that made it holds its lock no longer.
SELECT id, channel, address, user_id, priority, callback_id, body, attempts, created_at FROM outbox
WHERE settled_at IS NULL AND state = 'sending'
    AND (claimed_until IS NULL OR claimed_until < ? OR claimed_by = ? OR NOT EXISTS (
        SELECT 1 FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND classid = 1835491956 AND objsubid = 2
            AND CAST(objid AS BIGINT) = claimed_by
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ))
ORDER BY id
FOR UPDATE OF outbox SKIP LOCKED;
