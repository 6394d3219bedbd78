CREATE TABLE announcement_recipients (
    announcement_id INTEGER NOT NULL REFERENCES announcements ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    outcome TEXT NOT NULL
        CHECK (outcome IN ('waiting', 'queued', 'sent', 'blocked', 'outside', 'off', 'unknown', 'failed')),
    outbox_id INTEGER REFERENCES outbox ON DELETE CASCADE,
    PRIMARY KEY (announcement_id, user_id)
) STRICT;

CREATE INDEX announcement_recipients_outbox ON announcement_recipients (outbox_id) WHERE outbox_id IS NOT NULL;

CREATE INDEX announcement_recipients_outcome ON announcement_recipients (announcement_id, outcome, user_id);

CREATE INDEX announcement_recipients_user ON announcement_recipients (user_id);

CREATE TABLE announcement_wishes (
    user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    is_off INTEGER NOT NULL
) STRICT;

CREATE TABLE announcements (
    id INTEGER PRIMARY KEY,
    created_at INTEGER NOT NULL,
    texts TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'sending', 'paused', 'cancelled', 'done')),
    audience TEXT NOT NULL CHECK (audience IN ('all', 'active', 'super-active')),
    chosen INTEGER NOT NULL,
    channel TEXT,
    address TEXT,
    message_id TEXT NOT NULL,
    ended_at INTEGER
) STRICT;

CREATE INDEX announcements_ended ON announcements (ended_at);

CREATE TABLE bills (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;

CREATE INDEX bills_made ON bills (made_at);

CREATE INDEX bills_user ON bills (user_id);

CREATE TABLE correspondences (
    user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    agreed_at INTEGER,
    form_expired_at INTEGER
) STRICT;

CREATE TABLE day_reports (
    day TEXT PRIMARY KEY,
    new_users INTEGER NOT NULL,
    deleted_users INTEGER NOT NULL,
    active_users INTEGER NOT NULL,
    notified_users INTEGER NOT NULL,
    headaches INTEGER NOT NULL,
    intakes INTEGER NOT NULL,
    pressures INTEGER NOT NULL,
    drugs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE departures (
    user_id INTEGER NOT NULL,
    left_at INTEGER NOT NULL,
    headaches INTEGER NOT NULL,
    intakes INTEGER NOT NULL,
    pressures INTEGER NOT NULL,
    drugs INTEGER NOT NULL,
    PRIMARY KEY (left_at, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE drugs (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    daily_max_mg REAL,
    is_painkiller INTEGER,
    is_antipyretic INTEGER
, deleted_at INTEGER) STRICT;

CREATE INDEX drugs_created ON drugs (created_at);

CREATE INDEX drugs_deleted ON drugs (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE INDEX drugs_user ON drugs (user_id);

CREATE TABLE erasures (
    hash TEXT PRIMARY KEY,
    erased_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE free_days (
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    day TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (user_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE headaches (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    day TEXT NOT NULL,
    timezone TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    onset_at INTEGER,
    end_at INTEGER,
    duration_h REAL,
    intensity INTEGER,
    aura INTEGER,
    triggers TEXT,
    symptoms TEXT,
    medicine_taken INTEGER,
    note TEXT,
    deleted_at INTEGER, last_day TEXT NOT NULL DEFAULT '',
    -- For the intakes to refer to: one of another user's attack cannot be stored.
    UNIQUE (user_id, id)
) STRICT;

CREATE INDEX headaches_created ON headaches (created_at);

CREATE INDEX headaches_day ON headaches (user_id, day);

CREATE INDEX headaches_deleted ON headaches (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE held_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    key TEXT NOT NULL,
    message TEXT NOT NULL,
    is_first INTEGER NOT NULL
) STRICT;

CREATE INDEX held_messages_address ON held_messages (channel, address);

CREATE INDEX held_messages_user ON held_messages (user_id);

CREATE TABLE identities (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    profile TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    muted_at INTEGER,
    PRIMARY KEY (channel, address)
) STRICT, WITHOUT ROWID;

CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE inbox (
    channel TEXT NOT NULL,
    key TEXT NOT NULL,
    user_id INTEGER,
    status TEXT NOT NULL CHECK (status IN ('attempted', 'done', 'quarantined')),
    handled_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    raw BLOB,
    reason TEXT,
    PRIMARY KEY (channel, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX inbox_handled ON inbox (handled_at);

CREATE TABLE intakes (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    day TEXT NOT NULL,
    timezone TEXT NOT NULL,
    drug TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    amount REAL,
    unit TEXT NOT NULL,
    headache_id INTEGER,
    deleted_at INTEGER,
    position INTEGER NOT NULL,
    FOREIGN KEY (user_id, headache_id) REFERENCES headaches (user_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX intakes_created ON intakes (created_at);

CREATE INDEX intakes_day ON intakes (user_id, day);

CREATE INDEX intakes_deleted ON intakes (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE INDEX intakes_headache ON intakes (user_id, headache_id);

CREATE TABLE keyboards (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    keyboard TEXT NOT NULL,
    PRIMARY KEY (channel, address),
    FOREIGN KEY (channel, address) REFERENCES identities ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE last_lists (
    user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    codes TEXT NOT NULL
) STRICT;

CREATE TABLE letter_copies (
    outbox_id INTEGER PRIMARY KEY REFERENCES outbox ON DELETE CASCADE,
    letter_id INTEGER NOT NULL REFERENCES letters ON DELETE CASCADE
) STRICT;

CREATE INDEX letter_copies_letter ON letter_copies (letter_id);

CREATE TABLE letters (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    written_at INTEGER NOT NULL
) STRICT;

CREATE INDEX letters_user ON letters (user_id);

CREATE INDEX letters_written ON letters (written_at);

CREATE TABLE link_codes (
    user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    hash TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    claimed_channel TEXT,
    claimed_address TEXT
) STRICT;

CREATE INDEX link_codes_expires ON link_codes (expires_at);

CREATE INDEX link_codes_hash ON link_codes (hash);

CREATE TABLE link_tries (
    id INTEGER PRIMARY KEY,
    user_id INTEGER REFERENCES users ON DELETE SET NULL,
    tried_at INTEGER NOT NULL
) STRICT;

CREATE INDEX link_tries_tried ON link_tries (tried_at);

CREATE INDEX link_tries_user ON link_tries (user_id);

CREATE TABLE merging (
    intake_id INTEGER PRIMARY KEY,
    headache_id INTEGER NOT NULL
) STRICT;

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE occurrences (
    id INTEGER PRIMARY KEY,
    reminder_id INTEGER NOT NULL REFERENCES reminders ON DELETE CASCADE,
    user_id INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    fired_at INTEGER NOT NULL,
    missed INTEGER NOT NULL,
    answer TEXT,
    answered_at INTEGER,
    nagged INTEGER NOT NULL,
    again_at INTEGER,
    UNIQUE (reminder_id, due_at)
) STRICT;

CREATE INDEX occurrences_again ON occurrences (again_at) WHERE again_at IS NOT NULL;

CREATE INDEX occurrences_fired ON occurrences (fired_at);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    user_id INTEGER,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'given_up')),
    body TEXT,
    callback_id TEXT NOT NULL,
    not_before INTEGER,
    key TEXT,
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    settled_at INTEGER,
    reason TEXT,
    message_id TEXT, fate TEXT, fate_rank INTEGER NOT NULL DEFAULT 0, claimed_by INTEGER, claimed_until INTEGER,
    CHECK ((settled_at IS NULL) = (state IN ('queued', 'sending'))),
    CHECK (body IS NULL OR settled_at IS NULL)
) STRICT;

CREATE UNIQUE INDEX outbox_key ON outbox (key) WHERE settled_at IS NULL AND key IS NOT NULL;

CREATE INDEX outbox_message ON outbox (message_id) WHERE channel = 'whatsapp' AND message_id IS NOT NULL;

CREATE INDEX outbox_settled ON outbox (settled_at) WHERE settled_at IS NOT NULL;

CREATE INDEX outbox_waiting ON outbox (channel, address) WHERE settled_at IS NULL;

CREATE TABLE overuse_notices (
    user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    is_off INTEGER NOT NULL,
    told_at INTEGER
) STRICT;

CREATE TABLE payments (
    charge_id TEXT PRIMARY KEY,
    user_id INTEGER REFERENCES users ON DELETE SET NULL,
    bill_id INTEGER,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    paid_at INTEGER NOT NULL,
    refunded_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX payments_bill ON payments (bill_id);

CREATE INDEX payments_user ON payments (user_id);

CREATE TABLE pressures (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    measured_at INTEGER NOT NULL,
    timezone TEXT NOT NULL,
    systolic INTEGER NOT NULL,
    diastolic INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    pulse INTEGER,
    deleted_at INTEGER
) STRICT;

CREATE INDEX pressures_created ON pressures (created_at);

CREATE INDEX pressures_deleted ON pressures (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE INDEX pressures_measured ON pressures (user_id, measured_at);

CREATE TABLE program_notes (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE questions (
    user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    every_days INTEGER NOT NULL,
    local_time TEXT NOT NULL,
    asked_on TEXT,
    next_at INTEGER
) STRICT;

CREATE INDEX questions_next ON questions (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE reminders (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    code TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    task TEXT NOT NULL,
    schedule TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    next_at INTEGER,
    fired INTEGER NOT NULL,
    paused_at INTEGER,
    medicine TEXT,
    nagging TEXT,
    deleted_at INTEGER,
    UNIQUE (user_id, code)
) STRICT;

CREATE INDEX reminders_next ON reminders (next_at) WHERE next_at IS NOT NULL;

CREATE INDEX reminders_resting ON reminders (id) WHERE next_at IS NULL;

CREATE TABLE sessions (
    user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    form TEXT NOT NULL,
    step TEXT NOT NULL,
    state TEXT NOT NULL,
    token TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    progress TEXT NOT NULL
) STRICT;

CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    language TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    timezone TEXT,
    zone_offered INTEGER NOT NULL,
    greeted_at INTEGER,
    agreed_at INTEGER
) STRICT;

CREATE INDEX users_created ON users (created_at);

CREATE TABLE wishes (
    kind TEXT PRIMARY KEY,
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    token TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX wishes_user ON wishes (user_id);
