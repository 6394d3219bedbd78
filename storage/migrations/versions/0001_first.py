"""People, forms in progress, the diary, messages in and out."""

from storage.migrations.dialects import execute

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value {integer} NOT NULL
) {keyed};

CREATE TABLE users (
    id {integer} PRIMARY KEY,
    language TEXT NOT NULL,
    created_at {integer} NOT NULL,
    timezone TEXT,
    zone_offered {integer} NOT NULL,
    greeted_at {integer},
    agreed_at {integer}
) {options};

CREATE TABLE identities (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    profile TEXT NOT NULL,
    seen_at {integer} NOT NULL,
    muted_at {integer},
    PRIMARY KEY (channel, address)
) {keyed};
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE sessions (
    user_id {integer} PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    form TEXT NOT NULL,
    step TEXT NOT NULL,
    state TEXT NOT NULL,
    token TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    started_at {integer} NOT NULL,
    updated_at {integer} NOT NULL,
    expires_at {integer} NOT NULL,
    progress TEXT NOT NULL
) {options};
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE headaches (
    id {integer} PRIMARY KEY,
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    day TEXT NOT NULL,
    timezone TEXT NOT NULL,
    created_at {integer} NOT NULL,
    onset_at {integer},
    end_at {integer},
    duration_h {real},
    intensity {integer},
    aura {integer},
    triggers TEXT,
    symptoms TEXT,
    medicine_taken {integer},
    note TEXT,
    deleted_at {integer},
    -- For the intakes to refer to: one of another user's attack cannot be stored.
    UNIQUE (user_id, id)
) {options};
CREATE INDEX headaches_day ON headaches (user_id, day);
CREATE INDEX headaches_deleted ON headaches (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE intakes (
    id {integer} PRIMARY KEY,
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    day TEXT NOT NULL,
    timezone TEXT NOT NULL,
    drug TEXT NOT NULL,
    created_at {integer} NOT NULL,
    amount {real},
    unit TEXT NOT NULL,
    headache_id {integer},
    deleted_at {integer},
    position {integer} NOT NULL,
    FOREIGN KEY (user_id, headache_id) REFERENCES headaches (user_id, id) ON DELETE CASCADE
) {options};
CREATE INDEX intakes_day ON intakes (user_id, day);
CREATE INDEX intakes_headache ON intakes (user_id, headache_id);
CREATE INDEX intakes_deleted ON intakes (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE pressures (
    id {integer} PRIMARY KEY,
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    measured_at {integer} NOT NULL,
    timezone TEXT NOT NULL,
    systolic {integer} NOT NULL,
    diastolic {integer} NOT NULL,
    created_at {integer} NOT NULL,
    pulse {integer},
    deleted_at {integer}
) {options};
CREATE INDEX pressures_measured ON pressures (user_id, measured_at);
CREATE INDEX pressures_deleted ON pressures (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE drugs (
    id {integer} PRIMARY KEY,
    user_id {integer} NOT NULL REFERENCES users ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at {integer} NOT NULL,
    daily_max_mg {real},
    is_painkiller {integer},
    is_antipyretic {integer}
) {options};
CREATE INDEX drugs_user ON drugs (user_id);

-- Messages in and out may be of people who are not stored, or are no more: their users are no foreign keys.
CREATE TABLE inbox (
    channel TEXT NOT NULL,
    key TEXT NOT NULL,
    user_id {integer},
    status TEXT NOT NULL CHECK (status IN ('attempted', 'done', 'quarantined')),
    handled_at {integer} NOT NULL,
    attempts {integer} NOT NULL,
    raw {blob},
    reason TEXT,
    PRIMARY KEY (channel, key)
) {keyed};
CREATE INDEX inbox_handled ON inbox (handled_at);

CREATE TABLE outbox (
    id {serial},
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    user_id {integer},
    priority {integer} NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'given_up')),
    body TEXT,
    callback_id TEXT NOT NULL,
    not_before {integer},
    key TEXT,
    attempts {integer} NOT NULL,
    created_at {integer} NOT NULL,
    settled_at {integer},
    reason TEXT,
    message_id TEXT,
    CHECK ((settled_at IS NULL) = (state IN ('queued', 'sending'))),
    CHECK (body IS NULL OR settled_at IS NULL)
) {options};
-- "Waits" is told by settled_at, not by state: then a claim, which changes the state, leaves the indexes alone.
CREATE INDEX outbox_waiting ON outbox (channel, address) WHERE settled_at IS NULL;
CREATE UNIQUE INDEX outbox_key ON outbox (key) WHERE settled_at IS NULL AND key IS NOT NULL;
CREATE INDEX outbox_settled ON outbox (settled_at) WHERE settled_at IS NOT NULL;
"""


def upgrade() -> None:
    """Create the first schema."""
    execute(_TABLES)
