-- Every table keeps its record as JSON in "body"; the other columns are what queries look at.
-- Times are text in UTC of one width, so their order as text is their order in time.

CREATE TABLE groups (
    tenant_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    deleting INTEGER NOT NULL,
    marked INTEGER,              -- the generation of the dirty mark; NULL when there is none
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, group_id)
);
CREATE INDEX groups_shown ON groups (tenant_id, group_id) WHERE deleting = 0;
CREATE INDEX groups_marked ON groups (group_id, tenant_id) WHERE marked IS NOT NULL;

CREATE TABLE policies (
    tenant_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, group_id, policy_id)
);

CREATE TABLE webhooks (
    tenant_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    digest TEXT NOT NULL,        -- SHA-256 of the capability, in hexadecimal
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, group_id, policy_id, webhook_id)
);
CREATE INDEX webhooks_digest ON webhooks (digest);

CREATE TABLE convergences (
    tenant_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, group_id)
) WITHOUT ROWID;

CREATE TABLE entries (
    tenant_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    live INTEGER NOT NULL,       -- 0 once the state is terminal
    orphan INTEGER NOT NULL,     -- 1 when written after the group was gone
    changed TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, group_id, instance_id)
);
CREATE INDEX entries_live ON entries (tenant_id, group_id, instance_id) WHERE live = 1;
CREATE INDEX entries_orphan ON entries (tenant_id, instance_id) WHERE live = 1 AND orphan = 1;
CREATE INDEX entries_ended ON entries (changed) WHERE live = 0;

CREATE TABLE activities (
    tenant_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    activity_id TEXT NOT NULL,
    at TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, group_id, activity_id)
) WITHOUT ROWID;
CREATE INDEX activities_at ON activities (at);

CREATE TABLE notifications (
    notification_id TEXT NOT NULL PRIMARY KEY,
    due TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX notifications_due ON notifications (due, notification_id);

CREATE TABLE schedules (
    tenant_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    due TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, group_id, policy_id)
) WITHOUT ROWID;
CREATE INDEX schedules_due ON schedules (due, tenant_id, group_id, policy_id);

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,         -- empty when given back; the epoch is kept so that it only grows
    epoch INTEGER NOT NULL,
    expires TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE deployment (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    body TEXT NOT NULL
);
