-- What was archived where. Why: docs/decisions/0102-archive-files.md.

-- Until then no retention run archives the conversation: it came back from the archive.
ALTER TABLE conversations ADD COLUMN kept_until timestamptz;
GRANT SELECT (kept_until) ON conversations TO chatsphere_maintainer;

-- One object of the archive's bucket. The row names the version that counts; any other version of the key, and any
-- object without a row, is what an unfinished write left.
CREATE TABLE archive_files (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    -- No foreign key: while there are objects there are rows, however the bot went. NULL: of no bot.
    bot_id uuid,
    dataset text NOT NULL CHECK (
        dataset IN ('conversations', 'messages', 'feedback', 'usage_events', 'audit_log', 'error_logs')),
    -- Its first day; of the rows' created_at, in UTC.
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    key text NOT NULL UNIQUE,
    version_id text NOT NULL,
    status text NOT NULL DEFAULT 'complete' CHECK (status IN ('complete', 'deleting')),
    schema_version integer NOT NULL,
    rows bigint NOT NULL CHECK (rows > 0),
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    first_created_at timestamptz NOT NULL,
    last_created_at timestamptz NOT NULL,
    -- 32-bit hashes of the conversations, end users and users of its rows: which files are read to find them.
    subjects integer[] NOT NULL,
    -- Which copied parts (of retired partitions) are in it: a part is copied once.
    sources text[] NOT NULL DEFAULT '{}',
    -- The retention run that wrote last.
    run_id uuid,
    archived_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    -- NULL: kept until somebody erases it.
    expires_at timestamptz,
    -- Rows of it came back into the tables.
    restored_at timestamptz,
    UNIQUE (organization_id, id)
);
CREATE INDEX archive_files_place ON archive_files (organization_id, bot_id, dataset, month, id);
CREATE INDEX archive_files_expiring ON archive_files (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX archive_files_deleting ON archive_files (id) WHERE status = 'deleting';

-- Who is writing into the files of one bot, dataset and month: one at a time. A row that is left with an expired lease
-- is of a writer that died; what it left in the bucket goes before somebody else writes there.
CREATE TABLE archive_writes (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    bot_id uuid,
    dataset text NOT NULL,
    month date NOT NULL,
    run_id uuid,
    lease_expires_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (organization_id, bot_id, dataset, month)
);
CREATE INDEX archive_writes_lease ON archive_writes (lease_expires_at);

-- Rows that are to come back into the tables.
CREATE TABLE archive_restores (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    -- Who asked; NULL: an API key.
    requested_by uuid,
    -- What is wanted: these files, or a bot's month, or one conversation.
    file_ids uuid[],
    bot_id uuid,
    month date,
    conversation_id uuid,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'done', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    -- In the past: nobody is at it.
    lease_expires_at timestamptz NOT NULL,
    -- The files that are through.
    files_done uuid[] NOT NULL DEFAULT '{}',
    restored jsonb NOT NULL DEFAULT '{}',
    looked_at bigint NOT NULL DEFAULT 0,
    error_code text,
    kept_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (organization_id, id)
);
CREATE INDEX archive_restores_newest ON archive_restores (organization_id, id DESC);
CREATE INDEX archive_restores_open ON archive_restores (lease_expires_at) WHERE status IN ('pending', 'running');

-- Conversations that somebody deleted: what was archived of them before is to go, too.
CREATE TABLE archive_removals (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    bot_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    asked_at timestamptz NOT NULL
);
CREATE INDEX archive_removals_due ON archive_removals (organization_id, asked_at);

-- ------------------------------------------------------------------------------------ row level security, audit

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['archive_files', 'archive_writes', 'archive_restores', 'archive_removals'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', tenant_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_app', tenant_table);
    END LOOP;
END
$$;

-- The maintainer finds whose files end, and what a dead writer left.
CREATE POLICY maintainer ON archive_files FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (id, organization_id, bot_id, status, expires_at) ON archive_files TO chatsphere_maintainer;
CREATE POLICY maintainer ON archive_writes FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (id, organization_id, lease_expires_at) ON archive_writes TO chatsphere_maintainer;
CREATE POLICY maintainer ON archive_removals FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (organization_id, asked_at) ON archive_removals TO chatsphere_maintainer;

-- The reaper finds restores that nobody is at.
CREATE POLICY reaper ON archive_restores FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (id, organization_id, status, lease_expires_at) ON archive_restores TO chatsphere_reaper;

CREATE TRIGGER audit AFTER INSERT ON archive_restores FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'archive_restore', 'id', 'organization_id', '',
        '{id,organization_id,requested_by,status,attempts,lease_expires_at,files_done,restored,looked_at,error_code,kept_until,created_at,finished_at}',
        '{}', '{bot_id,month,conversation_id,file_ids}');
