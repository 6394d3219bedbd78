-- note_instant: Remember an instant, or a number.
INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- noted_instant: An instant that was remembered, or a number.
SELECT value FROM meta WHERE name = ?;

-- running: A row if the run before did not end cleanly.
SELECT value FROM meta WHERE name = 'running';

-- begin_run: Note that the program runs.
INSERT INTO meta (name, value) VALUES ('running', 1) ON CONFLICT (name) DO NOTHING;

-- end_run: Note that the run ended cleanly.
DELETE FROM meta WHERE name = 'running';

-- forget_instant: Remember it no longer.
DELETE FROM meta WHERE name = ?;
