-- What goes when: policies, legal holds, runs. Why: docs/decisions/0101-retention.md.

-- ----------------------------------------------------------------------------------------------- policies

-- What an organization decided (`bot_id` NULL), and where a bot differs. `rules` names only what was decided: a field
-- that is not there is the organization's, or the default; null is for ever.
CREATE TABLE retention_policies (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    bot_id uuid,
    rules jsonb NOT NULL CHECK (jsonb_typeof(rules) = 'object'),
    updated_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (organization_id, bot_id),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);

-- -------------------------------------------------------------------------------------------------- holds

-- What must not be deleted, by whomever, until it is released. The row stays as a record, also when what it was about
-- is gone: no foreign key to that.
CREATE TABLE legal_holds (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    subject text NOT NULL CHECK (subject IN ('organization', 'bot', 'conversation', 'end_user')),
    bot_id uuid,
    conversation_id uuid,
    -- NULL also where the end user was erased after the release.
    end_user_id text CHECK (length(end_user_id) <= 255),
    reason text NOT NULL CHECK (length(reason) <= 2000),
    -- Pseudonyms, as in the audit log.
    made_by uuid,
    made_by_key uuid,
    made_at timestamptz NOT NULL,
    released_by uuid,
    released_by_key uuid,
    released_at timestamptz,
    UNIQUE (organization_id, id),
    CHECK ((subject = 'organization') = (bot_id IS NULL)),
    CHECK ((subject = 'conversation') = (conversation_id IS NOT NULL)),
    CHECK (subject <> 'end_user' OR end_user_id IS NOT NULL OR released_at IS NOT NULL),
    CHECK (subject = 'end_user' OR end_user_id IS NULL)
);
CREATE INDEX legal_holds_newest ON legal_holds (organization_id, id DESC);
CREATE INDEX legal_holds_open ON legal_holds (organization_id) WHERE released_at IS NULL;

-- Until the end of the transaction: whoever makes or releases a hold, or changes a policy, is alone (`alone`); whoever
-- deletes shares the lock with others who delete. To be the first lock that a transaction takes.
CREATE FUNCTION app.lock_holds(organization uuid, alone boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
DECLARE
    key bigint := hashtextextended('legal_holds:' || organization::text, 0);
BEGIN
    IF alone THEN
        PERFORM pg_advisory_xact_lock(key);
    ELSE
        PERFORM pg_advisory_xact_lock_shared(key);
    END IF;
END
$$;

-- The first hold that keeps a conversation. NULL: none.
CREATE FUNCTION app.hold_on(conversation uuid, bot uuid, end_user text) RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    RETURN (
        SELECT h.id FROM legal_holds h
        WHERE h.organization_id = app.current_organization() AND h.released_at IS NULL
          AND (h.subject = 'organization'
               OR (h.bot_id = bot AND (
                   h.subject = 'bot'
                   OR (h.subject = 'conversation' AND h.conversation_id = conversation)
                   OR (h.subject = 'end_user' AND h.end_user_id = end_user))))
        ORDER BY h.id LIMIT 1);
END
$$;

-- --------------------------------------------------------------------------------------------------- runs

CREATE TABLE retention_runs (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    -- NULL: all bots, and what belongs to none. No foreign key: the report outlives the bot.
    bot_id uuid,
    -- Only list.
    dry_run boolean NOT NULL,
    -- Pseudonyms, as in the audit log. NULL: the daily job.
    requested_by uuid,
    api_key_id uuid,
    -- The words `running`, `done` and `failed` are what webhooks go by.
    status text NOT NULL CHECK (status IN ('running', 'done', 'failed')),
    -- What time it is for the run: what is older than a policy's days before it goes.
    as_of timestamptz NOT NULL,
    -- First everything is listed, then it is done; `place` is where the listing is.
    step text NOT NULL CHECK (step IN ('list', 'act', 'done')),
    place jsonb NOT NULL DEFAULT '{}',
    -- The policies that the list was made by. Others by now: it is made anew.
    policies jsonb,
    listed bigint NOT NULL DEFAULT 0,
    -- How often somebody began to work on it since it last got further.
    attempts integer NOT NULL DEFAULT 0,
    lease_token uuid,
    -- In the past: nobody is at it.
    lease_expires_at timestamptz,
    files bigint NOT NULL DEFAULT 0,
    file_bytes bigint NOT NULL DEFAULT 0,
    -- Rows that were deleted, by kind.
    removed jsonb NOT NULL DEFAULT '{}',
    report jsonb,
    error_code text,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (organization_id, id)
);
CREATE INDEX retention_runs_newest ON retention_runs (organization_id, id DESC);
CREATE UNIQUE INDEX retention_runs_one_at_a_time ON retention_runs (organization_id, dry_run) WHERE status = 'running';
CREATE INDEX retention_runs_stalled ON retention_runs (lease_expires_at) WHERE status = 'running';

-- What a run does, or would do. No names, no text: ids and counts.
CREATE TABLE retention_items (
    organization_id uuid NOT NULL,
    run_id uuid NOT NULL,
    position bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('messages', 'conversation', 'document', 'error_logs')),
    bot_id uuid,
    -- A conversation or a document.
    subject_id uuid,
    -- Of messages, by UTC.
    day date,
    action text NOT NULL CHECK (action IN ('archive', 'delete', 'keep')),
    -- The policy's field by which it is due.
    reason text NOT NULL,
    -- What keeps it: then it counts all that is kept of the bot by this hold for this reason.
    hold_id uuid,
    rows bigint NOT NULL,
    -- Those that go with a conversation.
    messages bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL,
    oldest_at timestamptz,
    newest_at timestamptz,
    -- `skipped`: it was held, or used, after it had been listed.
    status text NOT NULL DEFAULT 'listed' CHECK (status IN ('listed', 'done', 'skipped')),
    deletion_id uuid,
    PRIMARY KEY (run_id, position),
    CHECK ((action = 'keep') = (hold_id IS NOT NULL)),
    FOREIGN KEY (organization_id, run_id) REFERENCES retention_runs (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX retention_items_open ON retention_items (run_id, position) WHERE status = 'listed' AND action <> 'keep';
CREATE UNIQUE INDEX retention_items_kept ON retention_items (run_id, kind, bot_id, reason, hold_id) NULLS NOT DISTINCT
    WHERE action = 'keep';

-- ------------------------------------------------------------------------------------- what is deleted singly

-- Messages of a conversation that itself stays. NULL: all of them.
ALTER TABLE memory_deletions ADD COLUMN messages uuid[];

-- Another one takes its place at once; what is there was checked by it.
-- squawk-ignore ban-drop-constraint
ALTER TABLE deletions DROP CONSTRAINT deletions_reason_check;
ALTER TABLE deletions ADD CONSTRAINT deletions_reason_check
    CHECK (reason IN ('api', 'bucket', 'source', 'reconcile', 'retention')) NOT VALID;

-- Which messages of a bot are older than a cutoff. As messages_words in 0014: built for partitions with rows outside of
-- this transaction (chatsphere.db.concurrent_indexes). System messages are few among many, and go earlier.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX messages_age ON ONLY messages (organization_id, bot_id, created_at);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX messages_system ON ONLY messages (organization_id, bot_id, created_at) WHERE role = 'system';
DO $$
DECLARE
    partition_name name;
    used boolean;
BEGIN
    FOR partition_name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.messages'::regclass
    LOOP
        EXECUTE format('SELECT pg_relation_size(%L::regclass) > 0', 'public.' || partition_name) INTO used;
        IF NOT used THEN
            EXECUTE format('CREATE INDEX %I ON public.%I (organization_id, bot_id, created_at)',
                partition_name || '_age', partition_name);
            EXECUTE format('ALTER INDEX public.messages_age ATTACH PARTITION public.%I', partition_name || '_age');
            EXECUTE format('CREATE INDEX %I ON public.%I (organization_id, bot_id, created_at) WHERE role = ''system''',
                partition_name || '_system', partition_name);
            EXECUTE format('ALTER INDEX public.messages_system ATTACH PARTITION public.%I', partition_name || '_system');
        END IF;
    END LOOP;
END
$$;

-- ------------------------------------------------------------------------------------ row level security, audit

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['retention_policies', 'legal_holds', 'retention_runs', 'retention_items'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', tenant_table);
    END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE, DELETE ON retention_policies, retention_runs, retention_items TO chatsphere_app;
-- Its holds nobody deletes but with the organization.
GRANT SELECT, INSERT, UPDATE ON legal_holds TO chatsphere_app;

-- Nobody is erased, with an organization that is held: who proved who they are belongs to several.
CREATE POLICY authenticator ON legal_holds FOR SELECT TO chatsphere_authenticator USING (true);
GRANT SELECT (organization_id, released_at) ON legal_holds TO chatsphere_authenticator;

-- The reaper finds runs that nobody is at; the maintainer whose daily run is due, and since when anybody keeps messages.
CREATE POLICY reaper ON retention_runs FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (id, organization_id, status, lease_expires_at) ON retention_runs TO chatsphere_reaper;
CREATE POLICY maintainer ON retention_policies FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (organization_id, bot_id, rules) ON retention_policies TO chatsphere_maintainer;
CREATE POLICY maintainer ON legal_holds FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (organization_id, subject, bot_id, conversation_id, end_user_id, released_at) ON legal_holds
    TO chatsphere_maintainer;
CREATE POLICY maintainer ON retention_runs FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (id, organization_id, bot_id, dry_run, requested_by, status, as_of, started_at) ON retention_runs
    TO chatsphere_maintainer;
CREATE POLICY retention ON organizations FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (id, status) ON organizations TO chatsphere_maintainer;
CREATE POLICY retention ON conversations FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (id, organization_id, bot_id, end_user_id, created_at) ON conversations TO chatsphere_maintainer;

-- What is pruned every day, in every tenant: nothing of what it says.
CREATE POLICY retention ON idempotency_keys TO chatsphere_maintainer USING (true);
GRANT SELECT (organization_id, principal_id, key_hash, expires_at), DELETE ON idempotency_keys TO chatsphere_maintainer;
CREATE POLICY retention ON rate_limits TO chatsphere_maintainer USING (true);
GRANT SELECT (organization_id, principal_id, theoretical_arrival_at), DELETE ON rate_limits TO chatsphere_maintainer;
GRANT SELECT (id, received_at), DELETE ON stripe_events TO chatsphere_maintainer;
CREATE POLICY retention ON bots FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (id, organization_id, version) ON bots TO chatsphere_maintainer;
CREATE POLICY retention ON bot_versions TO chatsphere_maintainer USING (true);
GRANT SELECT (bot_id, version), DELETE ON bot_versions TO chatsphere_maintainer;

CREATE TRIGGER audit AFTER INSERT OR UPDATE ON retention_policies FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'retention_policy', 'id', 'organization_id', '', '{id,organization_id,updated_at}', '{}', '{bot_id}');
CREATE TRIGGER audit_delete AFTER DELETE ON retention_policies FOR EACH ROW WHEN (app.current_actor() IS NOT NULL)
    EXECUTE FUNCTION app.audit('retention_policy', 'id', 'organization_id', '', '{}', '{}', '{bot_id}');
CREATE TRIGGER audit AFTER INSERT ON legal_holds FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'legal_hold', 'id', 'organization_id', '', '{id,organization_id,made_by,made_by_key,made_at}',
        '{reason,end_user_id}', '{subject,bot_id,conversation_id}');
