-- Comparisons of bucket, database and vector store. Why: docs/decisions/0086-reconciliation.md.

CREATE TABLE reconciliations (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed')),
    -- Only report.
    dry_run boolean NOT NULL,
    -- Where it goes on: the first look repairs, the second finds what is left. `pages` grows with each page that was
    -- looked at, so that of two deliveries of one message only one is counted.
    second_look boolean NOT NULL DEFAULT false,
    step text NOT NULL CHECK (step IN ('objects', 'documents', 'vectors', 'index')),
    after text,
    pages integer NOT NULL DEFAULT 0,
    -- Counts by kind. `remaining` is what the second look found, or of a dry run the first.
    looked_at jsonb NOT NULL DEFAULT '{}',
    found jsonb NOT NULL DEFAULT '{}',
    repaired jsonb NOT NULL DEFAULT '{}',
    remaining jsonb NOT NULL DEFAULT '{}',
    -- The first few differences, each with what it concerns.
    examples jsonb NOT NULL DEFAULT '[]',
    error_code text,
    lease_expires_at timestamptz,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX reconciliations_newest ON reconciliations (organization_id, bot_id, id DESC);
CREATE UNIQUE INDEX reconciliations_one_at_a_time ON reconciliations (bot_id) WHERE status = 'running';

ALTER TABLE reconciliations ENABLE ROW LEVEL SECURITY;
ALTER TABLE reconciliations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reconciliations TO chatsphere_app
    USING (organization_id = app.current_organization()) WITH CHECK (organization_id = app.current_organization());
GRANT SELECT, INSERT, UPDATE, DELETE ON reconciliations TO chatsphere_app;
CREATE POLICY reaper ON reconciliations FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (id, organization_id, bot_id, status, lease_expires_at, started_at) ON reconciliations
    TO chatsphere_reaper;

-- Notes of objects that are nobody's are kept for a while, and only so many of them.
GRANT SELECT (id, created_at), DELETE ON quarantined_objects TO chatsphere_reaper;
