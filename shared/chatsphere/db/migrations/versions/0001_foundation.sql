-- Tenancy, identity, bots, documents and conversations. The rules are in docs/data-model.md:
-- every tenant table forces row level security, and its keys carry the organization.

CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO chatsphere_app, chatsphere_authenticator, chatsphere_reaper, chatsphere_search;

-- ---------------------------------------------------------------------------------------------- context

-- After COMMIT a transaction-local setting reads '', hence NULLIF.
CREATE FUNCTION app.current_organization() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.organization_id', true), '')::uuid;

CREATE FUNCTION app.current_actor() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.actor_id', true), '')::uuid;

-- The first statement of every unit of work. The settings are made inside a function and local to the
-- transaction: SET or set_config from the client would pin an RDS Proxy connection.
CREATE FUNCTION app.begin_request(organization uuid, actor uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    PERFORM set_config('app.organization_id', COALESCE(organization::text, ''), true);
    PERFORM set_config('app.actor_id', COALESCE(actor::text, ''), true);
END
$$;

-- -------------------------------------------------------------------------------------- plans and people

CREATE TABLE subscription_plans (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    price_microdollars bigint NOT NULL CHECK (price_microdollars >= 0),
    description text NOT NULL DEFAULT '',
    features jsonb NOT NULL DEFAULT '{}',
    stripe_price_id text,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO subscription_plans (id, name, price_microdollars, description, features) VALUES
    ('01970000-0000-7000-8000-000000000001', 'Free', 0, 'To try it out.',
     '{"max_bots": 3, "max_documents_per_bot": 100, "messages_per_month": 1000, "max_bytes": 1073741824}'),
    ('01970000-0000-7000-8000-000000000002', 'Basic', 19000000, 'For one person.',
     '{"max_bots": 10, "max_documents_per_bot": 1000, "messages_per_month": 10000, "max_bytes": 10737418240}'),
    ('01970000-0000-7000-8000-000000000003', 'Pro', 99000000, 'For a team.',
     '{"max_bots": 100, "max_documents_per_bot": 10000, "messages_per_month": 100000, "max_bytes": 107374182400}'),
    ('01970000-0000-7000-8000-000000000004', 'Enterprise', 0, 'By agreement.', '{}');

CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    plan_id uuid NOT NULL REFERENCES subscription_plans (id),
    subscription_status text NOT NULL DEFAULT 'free',
    stripe_customer_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    username text,
    email text NOT NULL CHECK (length(email) <= 320),
    password_hash text NOT NULL,
    first_name text NOT NULL DEFAULT '',
    last_name text NOT NULL DEFAULT '',
    is_staff boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    is_verified boolean NOT NULL DEFAULT false,
    mfa_secret text,
    date_joined timestamptz NOT NULL DEFAULT now(),
    last_login timestamptz
);
CREATE UNIQUE INDEX users_email_unique ON users (lower(email));
CREATE UNIQUE INDEX users_username_unique ON users (lower(username));

CREATE TABLE memberships (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'editor', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

-- A family is one login; using a rotated token again revokes the family.
CREATE TABLE refresh_tokens (
    id uuid PRIMARY KEY,
    family_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    device text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz,
    FOREIGN KEY (organization_id, user_id) REFERENCES memberships (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_member ON refresh_tokens (organization_id, user_id);

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    created_by uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    prefix text NOT NULL UNIQUE,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    bot_ids uuid[],
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, created_by) REFERENCES memberships (organization_id, user_id) ON DELETE CASCADE
);

-- -------------------------------------------------------------------------------------- bots, documents

CREATE TABLE bots (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '',
    avatar text,
    welcome_message text NOT NULL DEFAULT 'Hi! How can I help you today?',
    system_prompt text NOT NULL DEFAULT '',
    model text,
    temperature real NOT NULL DEFAULT 0.2 CHECK (temperature BETWEEN 0 AND 2),
    configuration jsonb NOT NULL DEFAULT '{}',
    visibility text NOT NULL DEFAULT 'organization' CHECK (visibility IN ('private', 'organization', 'public')),
    is_active boolean NOT NULL DEFAULT true,
    status text NOT NULL DEFAULT 'draft'
        CHECK (status IN ('draft', 'uploading', 'training', 'trained', 'error', 'archived', 'deleting')),
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, id)
);
CREATE INDEX bots_newest ON bots (organization_id, id DESC);

CREATE TABLE documents (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 1024),
    source text NOT NULL CHECK (source IN ('upload', 's3', 'url', 'text')),
    s3_key text,
    s3_version_id text,
    s3_sequencer text,
    s3_event_at timestamptz,
    etag text,
    url text,
    content_type text,
    declared_size bigint,
    size bigint,
    sha256 text,
    status text NOT NULL DEFAULT 'registered'
        CHECK (status IN ('registered', 'extracting', 'embedding', 'ready', 'failed', 'deleting')),
    stage text NOT NULL DEFAULT 'upload' CHECK (stage IN ('upload', 'register', 'extract', 'embed', 'done', 'delete')),
    error_code text,
    error_message text,
    retryable boolean,
    attempts integer NOT NULL DEFAULT 0,
    -- `generation` is the newest one asked for, `live_generation` the one that readers see.
    generation integer NOT NULL DEFAULT 0,
    live_generation integer,
    expected_batches integer,
    lease_token uuid,
    lease_expires_at timestamptz,
    deadline_at timestamptz,
    page_count integer,
    chunk_count integer,
    token_count integer,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    ready_at timestamptz,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, bot_id, id),
    UNIQUE (bot_id, s3_key),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX documents_newest ON documents (organization_id, bot_id, id DESC);
CREATE INDEX documents_unfinished ON documents (lease_expires_at)
    WHERE status IN ('registered', 'extracting', 'embedding', 'deleting');

CREATE TABLE chunks (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    document_id uuid NOT NULL,
    generation integer NOT NULL,
    batch integer NOT NULL,
    ordinal integer NOT NULL,
    content text NOT NULL,
    heading_path text[] NOT NULL DEFAULT '{}',
    page_start integer,
    page_end integer,
    char_start integer NOT NULL,
    char_end integer NOT NULL,
    token_count integer NOT NULL,
    vector_id text NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (document_id, generation, ordinal),
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, bot_id, document_id)
        REFERENCES documents (organization_id, bot_id, id) ON DELETE CASCADE
);
CREATE INDEX chunks_bot ON chunks (bot_id);

-- A batch is embedded when its row exists, a document when all of them do: a counter would count a
-- redelivered message twice.
CREATE TABLE embedding_batches (
    organization_id uuid NOT NULL,
    document_id uuid NOT NULL,
    generation integer NOT NULL,
    batch integer NOT NULL,
    model text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (document_id, generation, batch),
    FOREIGN KEY (organization_id, document_id) REFERENCES documents (organization_id, id) ON DELETE CASCADE
);

-- What retrieval found useful: seed 000's training_source_stats.
CREATE TABLE source_stats (
    organization_id uuid NOT NULL,
    document_id uuid NOT NULL PRIMARY KEY,
    retrieval_count bigint NOT NULL DEFAULT 0,
    citation_count bigint NOT NULL DEFAULT 0,
    last_retrieved timestamptz,
    FOREIGN KEY (organization_id, document_id) REFERENCES documents (organization_id, id) ON DELETE CASCADE
);

-- ------------------------------------------------------------------------------------------ conversations

CREATE TABLE conversations (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    end_user_id text CHECK (length(end_user_id) <= 255),
    title text NOT NULL DEFAULT '',
    channel text NOT NULL DEFAULT 'api',
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    archived_at timestamptz,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX conversations_newest ON conversations (organization_id, bot_id, id DESC);
CREATE INDEX conversations_end_user ON conversations (organization_id, end_user_id);
CREATE INDEX conversations_metadata ON conversations USING gin (metadata);

CREATE TABLE messages (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
    content text NOT NULL,
    answerable boolean,
    reason text,
    finish_reason text,
    citations jsonb NOT NULL DEFAULT '[]',
    sources jsonb NOT NULL DEFAULT '[]',
    model text,
    prompt_tokens integer,
    completion_tokens integer,
    cost_microdollars bigint,
    latency_ms jsonb,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id, created_at),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id) ON DELETE CASCADE
) PARTITION BY RANGE (created_at);
CREATE INDEX messages_conversation ON messages (conversation_id, created_at, id);
CREATE INDEX messages_metadata ON messages USING gin (metadata);
CREATE TABLE messages_default PARTITION OF messages DEFAULT;

-- Two years of monthly partitions, so that the default one stays empty until a job makes them ahead.
DO $$
DECLARE
    month date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
BEGIN
    FOR step IN 0..24 LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF messages FOR VALUES FROM (%L) TO (%L)',
            to_char(month, '"messages_y"YYYY"m"MM'),
            to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
            to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
        month := month + interval '1 month';
    END LOOP;
END
$$;

-- ----------------------------------------------------------------------------------------- usage, errors

CREATE TABLE usage_events (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    bot_id uuid,
    api_key_id uuid,
    user_id uuid,
    metric text NOT NULL,
    value bigint NOT NULL DEFAULT 1,
    prompt_tokens integer,
    completion_tokens integer,
    cost_microdollars bigint NOT NULL DEFAULT 0,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX usage_events_time ON usage_events (organization_id, created_at);

CREATE TABLE error_logs (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    bot_id uuid,
    document_id uuid,
    service text NOT NULL,
    error_type text NOT NULL,
    message text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX error_logs_time ON error_logs (organization_id, created_at);

-- Objects that were dropped where no bot is: nobody's, so no tenant owns the row.
CREATE TABLE quarantined_objects (
    id uuid PRIMARY KEY,
    s3_key text NOT NULL,
    s3_version_id text NOT NULL DEFAULT '',
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (s3_key, s3_version_id)
);

-- ------------------------------------------------------------------------------------ row level security

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY[
        'memberships', 'refresh_tokens', 'api_keys', 'bots', 'documents', 'chunks', 'embedding_batches',
        'source_stats', 'conversations', 'messages', 'usage_events', 'error_logs'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', tenant_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_app', tenant_table);
    END LOOP;
END
$$;

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON organizations TO chatsphere_app
    USING (id = app.current_organization()) WITH CHECK (id = app.current_organization());
GRANT SELECT, INSERT, UPDATE, DELETE ON organizations TO chatsphere_app;

-- A person may be in several organizations, so a user has no tenant: one sees oneself and one's colleagues.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY self ON users TO chatsphere_app
    USING (id = app.current_actor()) WITH CHECK (id = app.current_actor());
CREATE POLICY colleagues ON users FOR SELECT TO chatsphere_app
    USING (EXISTS (
        SELECT FROM memberships
        WHERE memberships.user_id = users.id AND memberships.organization_id = app.current_organization()));
GRANT SELECT, INSERT, UPDATE ON users TO chatsphere_app;

GRANT SELECT ON subscription_plans TO chatsphere_app;
GRANT INSERT ON quarantined_objects TO chatsphere_app;

-- The authenticator finds a credential before its tenant is known; it reads no content.
DO $$
DECLARE
    credential_table text;
BEGIN
    FOREACH credential_table IN ARRAY ARRAY['users', 'memberships', 'refresh_tokens', 'api_keys'] LOOP
        EXECUTE format('CREATE POLICY authenticator ON %I TO chatsphere_authenticator USING (true)', credential_table);
        EXECUTE format('GRANT SELECT ON %I TO chatsphere_authenticator', credential_table);
    END LOOP;
END
$$;
GRANT INSERT, UPDATE, DELETE ON refresh_tokens TO chatsphere_authenticator;
GRANT UPDATE (last_login, password_hash) ON users TO chatsphere_authenticator;
GRANT UPDATE (last_used_at) ON api_keys TO chatsphere_authenticator;

-- The reaper finds stalled work of every tenant; it acts on it through the application role.
CREATE POLICY reaper ON documents FOR SELECT TO chatsphere_reaper USING (true);
CREATE POLICY reaper ON bots FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT ON documents, bots TO chatsphere_reaper;
