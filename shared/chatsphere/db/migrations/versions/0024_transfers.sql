-- Bots that leave and come in as one file. Why: docs/decisions/0109-portable-bots.md.

-- `importing`: not whole yet, so that nobody sees it but the job. Only this release's routes begin an import.
-- squawk-ignore ban-drop-constraint
ALTER TABLE bots DROP CONSTRAINT bots_status_check;
-- Not validated: what is there obeys the narrower one that it replaces.
ALTER TABLE bots
    ADD CONSTRAINT bots_status_check
    CHECK (status IN ('draft', 'uploading', 'training', 'trained', 'error', 'archived', 'deleting', 'importing'))
    NOT VALID;

-- One file of a bot. The file itself is in the archive bucket, under a key made from these ids.
CREATE TABLE bot_exports (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'expired')),
    -- Which of the parts that may be left out are in it.
    include text[] NOT NULL,
    documents_done integer NOT NULL DEFAULT 0,
    documents_total integer,
    -- Counts of what is in the file; its size in bytes and SHA-256 in hexadecimal.
    counts jsonb NOT NULL DEFAULT '{}',
    size bigint,
    sha256 text,
    attempts integer NOT NULL DEFAULT 0,
    -- Fences off whoever was overtaken.
    lease_token uuid,
    -- By then somebody must have done something for it: gone on, or when it is done deleted the file.
    lease_expires_at timestamptz,
    error_code text,
    error_message text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    expires_at timestamptz,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX bot_exports_newest ON bot_exports (organization_id, bot_id, id DESC);
CREATE UNIQUE INDEX bot_exports_one_at_a_time ON bot_exports (bot_id) WHERE status IN ('queued', 'running');
CREATE INDEX bot_exports_due ON bot_exports (lease_expires_at) WHERE lease_expires_at IS NOT NULL;

-- A bot that comes in. The row outlives a bot that was deleted since, and tells what became of the file.
CREATE TABLE bot_imports (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    -- Who will manage the bot; NULL: left the organization since.
    created_by uuid,
    -- The bot's name, where it is to be another than the file's.
    name text CHECK (length(name) BETWEEN 1 AND 200),
    status text NOT NULL
        CHECK (status IN ('awaiting_upload', 'queued', 'checking', 'importing', 'done', 'failed', 'expired')),
    -- The very file that was checked.
    object_version text,
    object_etag text,
    size bigint,
    manifest_sha256 text,
    bot_id uuid,
    -- With the file's vectors (`kept`), or embedded anew by the model that is named (`made_anew`).
    vectors text CHECK (vectors IN ('kept', 'made_anew')),
    embedding_model text,
    documents_done integer NOT NULL DEFAULT 0,
    documents_total integer,
    counts jsonb NOT NULL DEFAULT '{}',
    attempts integer NOT NULL DEFAULT 0,
    lease_token uuid,
    -- By then somebody must have done something for it; also to delete the file, whatever became of it.
    lease_expires_at timestamptz,
    error_code text,
    error_message text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, created_by) REFERENCES memberships (organization_id, user_id)
        ON DELETE SET NULL (created_by),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE SET NULL (bot_id)
);
CREATE INDEX bot_imports_newest ON bot_imports (organization_id, id DESC);
CREATE INDEX bot_imports_member ON bot_imports (organization_id, created_by);
CREATE INDEX bot_imports_bot ON bot_imports (organization_id, bot_id) WHERE bot_id IS NOT NULL;
CREATE INDEX bot_imports_due ON bot_imports (lease_expires_at) WHERE lease_expires_at IS NOT NULL;

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['bot_exports', 'bot_imports'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', tenant_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_app', tenant_table);
        EXECUTE format('CREATE POLICY reaper ON %I FOR SELECT TO chatsphere_reaper USING (true)', tenant_table);
    END LOOP;
END
$$;
GRANT SELECT (id, organization_id, bot_id, lease_expires_at) ON bot_exports TO chatsphere_reaper;
GRANT SELECT (id, organization_id, lease_expires_at) ON bot_imports TO chatsphere_reaper;

-- A person's erasure looks whether any row still names the person.
CREATE POLICY eraser ON bot_imports FOR SELECT TO chatsphere_eraser USING (true);
GRANT SELECT (created_by) ON bot_imports TO chatsphere_eraser;
