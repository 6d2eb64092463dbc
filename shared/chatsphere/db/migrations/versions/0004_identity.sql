-- People, organizations, roles, keys, plans, limits, the audit log and erasures. Nothing here is needed by the code of
-- the release before, and nothing that it uses is taken away but columns that it never reads as the application.

-- squawk-ignore-file prefer-robust-stmts

-- ---------------------------------------------------------------------------------------------- context

-- As the two-argument form of 0001, and from where: `origin` is {"api_key_id", "address", "user_agent", "request_id"}.
CREATE FUNCTION app.begin_request(organization uuid, actor uuid, origin jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    PERFORM set_config('app.organization_id', COALESCE(organization::text, ''), true);
    PERFORM set_config('app.actor_id', COALESCE(actor::text, ''), true);
    PERFORM set_config('app.origin', COALESCE(origin::text, ''), true);
END
$$;

CREATE FUNCTION app.current_origin() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN COALESCE(NULLIF(current_setting('app.origin', true), ''), '{}')::jsonb;

GRANT USAGE ON SCHEMA app TO chatsphere_eraser;

-- ------------------------------------------------------------------------------------------------ plans

UPDATE subscription_plans SET features = subscription_plans.features || extra.features
FROM (VALUES
    ('Free', '{"max_members": 3, "max_api_keys": 10, "requests_per_minute": 300}'::jsonb),
    ('Basic', '{"max_members": 5, "max_api_keys": 50, "requests_per_minute": 600}'::jsonb),
    ('Pro', '{"max_members": 25, "max_api_keys": 500, "requests_per_minute": 6000}'::jsonb),
    ('Enterprise', '{"requests_per_minute": 60000}'::jsonb)
) AS extra (name, features)
WHERE subscription_plans.name = extra.name;

ALTER TABLE organizations
    ADD COLUMN status text NOT NULL DEFAULT 'active',
    -- Made at registration, for one person; until it is handed over.
    ADD COLUMN is_personal boolean NOT NULL DEFAULT false,
    ADD COLUMN stripe_subscription_id text,
    ADD COLUMN current_period_end timestamptz,
    -- When the subscription was asked for last: what was asked for earlier changes nothing any more.
    ADD COLUMN subscription_read_at timestamptz,
    -- No fewer bytes than the documents take; NULL where that is not known. While it is under the plan's limit nobody
    -- needs to count.
    ADD COLUMN bytes_bound bigint,
    ADD COLUMN monthly_budget_tokens bigint,
    ADD COLUMN monthly_budget_microdollars bigint;
-- Of a young deployment there are few organizations, so checking them holds up nobody.
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE organizations ADD CONSTRAINT organizations_status CHECK (status IN ('active', 'deleting'));
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX organizations_stripe_customer ON organizations (stripe_customer_id);

-- Events of Stripe that were worked off: each counts once.
CREATE TABLE stripe_events (
    id text PRIMARY KEY,
    received_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON stripe_events TO chatsphere_app;

-- ----------------------------------------------------------------------------------------------- people

ALTER TABLE users
    ADD COLUMN mfa_enabled_at timestamptz,
    -- The time step of the last code that was accepted: a code counts once.
    ADD COLUMN mfa_last_step bigint,
    ADD COLUMN password_changed_at timestamptz;

-- A colleague may be seen, a colleague's password hash may not: the application reads and writes these columns only.
REVOKE SELECT, INSERT, UPDATE ON users FROM chatsphere_app;
GRANT SELECT (id, username, email, first_name, last_name, is_staff, is_active, is_verified, date_joined, last_login,
              mfa_enabled_at) ON users TO chatsphere_app;
GRANT INSERT (id, username, email, password_hash, first_name, last_name, date_joined, last_login)
    ON users TO chatsphere_app;
GRANT UPDATE (username, first_name, last_name) ON users TO chatsphere_app;
GRANT UPDATE (email, is_verified, mfa_secret, mfa_enabled_at, mfa_last_step, password_changed_at)
    ON users TO chatsphere_authenticator;

GRANT UPDATE (revoked_at) ON api_keys TO chatsphere_authenticator;

-- Single-use secrets that were mailed, or that stand between a password and a second factor.
CREATE TABLE user_tokens (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose text NOT NULL
        CHECK (purpose IN ('verify_email', 'change_email', 'reset_password', 'mfa_login', 'mfa_enroll')),
    secret_hash bytea NOT NULL,
    -- The address that is proved; for mfa_enroll the encrypted secret to be.
    payload text,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX user_tokens_user ON user_tokens (user_id, purpose);
CREATE INDEX user_tokens_expiry ON user_tokens (expires_at);
CREATE INDEX user_tokens_address ON user_tokens (lower(payload)) WHERE purpose = 'change_email';

CREATE TABLE recovery_codes (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_hash bytea NOT NULL,
    used_at timestamptz
);
CREATE INDEX recovery_codes_user ON recovery_codes (user_id);

-- A session is a family of refresh tokens: its id is their `family_id`. An access token names it, too.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    user_agent text,
    address text,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    FOREIGN KEY (organization_id, user_id) REFERENCES memberships (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX sessions_user ON sessions (user_id);
INSERT INTO sessions (id, organization_id, user_id, created_at, last_used_at, expires_at, revoked_at)
SELECT family_id, organization_id, user_id, min(created_at), max(created_at), max(expires_at), min(revoked_at)
FROM refresh_tokens
GROUP BY family_id, organization_id, user_id;

-- Failed tries by what they were about: SHA-256 of "account:<address>" or "origin:<address>".
CREATE TABLE credential_throttles (
    subject bytea PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0,
    -- Of the token bucket: when it will be full again.
    theoretical_arrival_at timestamptz,
    blocked_until timestamptz,
    updated_at timestamptz NOT NULL
);
CREATE INDEX credential_throttles_age ON credential_throttles (updated_at);

-- ---------------------------------------------------------------------------------------- organizations

CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    email text NOT NULL CHECK (length(email) <= 320),
    role text NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
    -- Of the token that was mailed last; NULL before the first mail and after the acceptance.
    secret_hash bytea,
    -- When its mails of the last hour were sent.
    mailed_at timestamptz[] NOT NULL DEFAULT '{}',
    invited_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    accepted_by uuid REFERENCES users (id) ON DELETE SET NULL,
    revoked_at timestamptz,
    UNIQUE (organization_id, id)
);
CREATE UNIQUE INDEX invitations_open ON invitations (organization_id, lower(email))
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_email ON invitations (lower(email));

-- ------------------------------------------------------------------------------------------------- bots

-- Who may do more with a bot than their role lets them. Who makes a bot is the first to manage it.
CREATE TABLE bot_members (
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    user_id uuid NOT NULL,
    permission text NOT NULL CHECK (permission IN ('view', 'edit', 'manage')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (bot_id, user_id),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, user_id) REFERENCES memberships (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX bot_members_user ON bot_members (organization_id, user_id);
INSERT INTO bot_members (organization_id, bot_id, user_id, permission, created_at)
SELECT bots.organization_id, bots.id, bots.created_by, 'manage', bots.created_at
FROM bots
JOIN memberships ON memberships.organization_id = bots.organization_id AND memberships.user_id = bots.created_by;

ALTER TABLE bots ADD COLUMN version integer NOT NULL DEFAULT 1;

-- Every configuration that a bot has had: all that makes its answers what they are, and how it presents itself. Who may
-- see it and whether it answers are states of the bot, not part of a version.
CREATE TABLE bot_versions (
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    version integer NOT NULL,
    configuration jsonb NOT NULL,
    -- The version that was gone back to, where it was.
    restored_from integer,
    created_by uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (bot_id, version),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
INSERT INTO bot_versions (organization_id, bot_id, version, configuration, created_by, created_at)
SELECT organization_id, id, 1,
    jsonb_build_object('name', name, 'description', description, 'avatar', avatar, 'welcome_message', welcome_message,
                       'system_prompt', system_prompt, 'model', model, 'temperature', temperature,
                       'configuration', configuration),
    created_by, created_at
FROM bots;

-- Which bots anybody may ask, and whose they are: what a visitor without a credential needs, and nothing else.
CREATE TABLE published_bots (
    bot_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    published_at timestamptz NOT NULL,
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
INSERT INTO published_bots (bot_id, organization_id, published_at)
SELECT id, organization_id, now() FROM bots
WHERE visibility = 'public' AND is_active AND status NOT IN ('archived', 'deleting');

-- ------------------------------------------------------------------------------- keys, limits and budgets

ALTER TABLE api_keys
    ADD COLUMN requests_per_minute integer CHECK (requests_per_minute > 0),
    ADD COLUMN monthly_budget_tokens bigint,
    ADD COLUMN monthly_budget_microdollars bigint,
    -- The key that takes this one's place; both work until this one expires.
    ADD COLUMN rotated_to uuid;

-- One row a principal: a user's tokens, a key, or a visitor of a public bot. GCRA's theoretical arrival time.
CREATE TABLE rate_limits (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    principal_id uuid NOT NULL,
    theoretical_arrival_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, principal_id)
);

-- What was used in a month: of the organization (`subject_id` is its id) and of each key.
CREATE TABLE budget_periods (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    subject_id uuid NOT NULL,
    period date NOT NULL,
    messages bigint NOT NULL DEFAULT 0,
    tokens bigint NOT NULL DEFAULT 0,
    cost_microdollars bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, subject_id, period)
);

-- What answers under way may use at most; one that never ends stops counting when it expires.
CREATE TABLE budget_reservations (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    api_key_id uuid,
    period date NOT NULL,
    tokens bigint NOT NULL,
    cost_microdollars bigint NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX budget_reservations_open ON budget_reservations (organization_id, period);

-- A principal's writes by their Idempotency-Key. Neither the key nor the request can be read here: `key_hash` and
-- `request_hash` are HMACs with the key, and `answer` is sealed with another one. `status_code` NULL: under way, until
-- `lease_expires_at`.
CREATE TABLE idempotency_keys (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    principal_id uuid NOT NULL,
    key_hash bytea NOT NULL,
    -- Of method, path, query and body.
    request_hash bytea NOT NULL,
    lease_token uuid NOT NULL,
    lease_expires_at timestamptz NOT NULL,
    status_code integer,
    answer text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, principal_id, key_hash)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (organization_id, expires_at);

-- ------------------------------------------------------------------------------------- audit and erasures

-- Who did what to which object, from where. No foreign key: an entry outlives its object.
CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    actor_user_id uuid,
    actor_api_key_id uuid,
    action text NOT NULL,
    object_type text NOT NULL,
    object_id text,
    address text,
    user_agent text,
    request_id text,
    before jsonb,
    after jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_newest ON audit_log (organization_id, id DESC);
CREATE INDEX audit_log_object ON audit_log (organization_id, object_type, object_id, id DESC);
CREATE INDEX audit_log_actor ON audit_log (actor_user_id, organization_id, id DESC) WHERE actor_user_id IS NOT NULL;
CREATE INDEX audit_log_nobody_on_person ON audit_log (object_id)
    WHERE actor_user_id IS NULL AND object_type = 'user';

-- The deletion of a person or of an organization, and its receipt. It outlives both.
CREATE TABLE erasures (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('person', 'organization')),
    subject_id uuid NOT NULL,
    -- Which organizations are deleted: the subject itself, or those that the person was the only member of.
    organizations uuid[] NOT NULL,
    requested_by uuid NOT NULL,
    requested_at timestamptz NOT NULL,
    -- Of the secret that shows the receipt: its subject can log in no more.
    receipt_hash bytea NOT NULL UNIQUE,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'done')),
    attempts integer NOT NULL DEFAULT 0,
    -- In the past: nobody is at it.
    lease_expires_at timestamptz NOT NULL,
    finished_at timestamptz,
    -- When the bucket is looked at once more: what was permitted to be uploaded may come until then.
    recheck_at timestamptz,
    -- What the first look found: {"removed": {store: number}, "bots": {organization: [bot]}}.
    found jsonb,
    receipt jsonb
);
CREATE INDEX erasures_open ON erasures (lease_expires_at) WHERE status <> 'done';
CREATE INDEX erasures_recheck ON erasures (recheck_at) WHERE recheck_at IS NOT NULL;
CREATE INDEX erasures_subject ON erasures (subject_id);

-- ------------------------------------------------------------------------------------ row level security

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY[
        'sessions', 'invitations', 'bot_members', 'bot_versions', 'rate_limits', 'budget_periods',
        'budget_reservations', 'idempotency_keys', 'audit_log'
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

-- Append-only by grant, and so is the history of a bot.
REVOKE UPDATE, DELETE ON audit_log, bot_versions FROM chatsphere_app;
-- Whoever proves who somebody is, and nobody else, begins and ends their sessions.
REVOKE INSERT, UPDATE, DELETE ON sessions, refresh_tokens FROM chatsphere_app;

ALTER TABLE published_bots ENABLE ROW LEVEL SECURITY;
ALTER TABLE published_bots FORCE ROW LEVEL SECURITY;
CREATE POLICY anybody ON published_bots FOR SELECT TO chatsphere_app USING (true);
CREATE POLICY tenant ON published_bots TO chatsphere_app
    USING (organization_id = app.current_organization()) WITH CHECK (organization_id = app.current_organization());
GRANT SELECT, INSERT, DELETE ON published_bots TO chatsphere_app;

-- Of people, not of tenants: only the authenticator, who proves who somebody is, knows these.
DO $$
DECLARE
    credential_table text;
BEGIN
    FOREACH credential_table IN ARRAY ARRAY['user_tokens', 'recovery_codes', 'credential_throttles'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', credential_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', credential_table);
        EXECUTE format('CREATE POLICY authenticator ON %I TO chatsphere_authenticator USING (true)', credential_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_authenticator', credential_table);
    END LOOP;
END
$$;
CREATE POLICY authenticator ON sessions TO chatsphere_authenticator USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO chatsphere_authenticator;
CREATE POLICY authenticator ON invitations TO chatsphere_authenticator USING (true);
GRANT SELECT, UPDATE (secret_hash, mailed_at, revoked_at) ON invitations TO chatsphere_authenticator;
CREATE POLICY authenticator ON organizations FOR SELECT TO chatsphere_authenticator USING (true);
GRANT SELECT (id, name, status, plan_id, is_personal, created_at) ON organizations TO chatsphere_authenticator;
GRANT SELECT (id, name) ON subscription_plans TO chatsphere_authenticator;

-- Asked for by whoever proved with a password who they are; worked off by the eraser.
ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY authenticator ON erasures TO chatsphere_authenticator USING (true);
GRANT SELECT, INSERT ON erasures TO chatsphere_authenticator;
CREATE POLICY eraser ON erasures TO chatsphere_eraser USING (true);
GRANT SELECT, UPDATE ON erasures TO chatsphere_eraser;
CREATE POLICY reaper ON erasures FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (id, status, lease_expires_at, recheck_at) ON erasures TO chatsphere_reaper;
GRANT UPDATE (is_active) ON users TO chatsphere_authenticator;
CREATE POLICY erasure ON organizations FOR UPDATE TO chatsphere_authenticator USING (true);
GRANT SELECT (stripe_subscription_id), UPDATE (status) ON organizations TO chatsphere_authenticator;
CREATE POLICY authenticator ON audit_log FOR INSERT TO chatsphere_authenticator WITH CHECK (true);
GRANT INSERT ON audit_log TO chatsphere_authenticator;

-- What people may have a copy of: rows that name themselves, in every tenant, and no content.
CREATE POLICY own_data ON audit_log FOR SELECT TO chatsphere_authenticator
    USING (actor_user_id = app.current_actor()
           OR (object_type IN ('user', 'membership') AND object_id = app.current_actor()::text));
GRANT SELECT ON audit_log TO chatsphere_authenticator;
CREATE POLICY own_data ON usage_events FOR SELECT TO chatsphere_authenticator USING (user_id = app.current_actor());
GRANT SELECT (id, organization_id, user_id, api_key_id, bot_id, metric, value, prompt_tokens, completion_tokens,
              cost_microdollars, created_at) ON usage_events TO chatsphere_authenticator;
CREATE POLICY own_data ON bots FOR SELECT TO chatsphere_authenticator USING (created_by = app.current_actor());
GRANT SELECT (id, organization_id, name, created_by, created_at) ON bots TO chatsphere_authenticator;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX usage_events_user ON usage_events (user_id, id DESC) WHERE user_id IS NOT NULL;

-- The eraser sees what is a person's, in every tenant. What is an organization's it deletes as the application.
DO $$
DECLARE
    person_table text;
BEGIN
    FOREACH person_table IN ARRAY ARRAY[
        'users', 'memberships', 'refresh_tokens', 'sessions', 'api_keys', 'user_tokens', 'recovery_codes',
        'credential_throttles', 'invitations', 'bots', 'bot_members', 'bot_versions', 'usage_events', 'rate_limits',
        'idempotency_keys', 'audit_log'
    ] LOOP
        EXECUTE format('CREATE POLICY eraser ON %I TO chatsphere_eraser USING (true)', person_table);
    END LOOP;
END
$$;
GRANT SELECT (id, email), DELETE ON users TO chatsphere_eraser;
GRANT SELECT (user_id) ON memberships, refresh_tokens, sessions, bot_members, user_tokens, recovery_codes
    TO chatsphere_eraser;
GRANT SELECT (id, created_by) ON api_keys TO chatsphere_eraser;
GRANT SELECT (subject), DELETE ON credential_throttles TO chatsphere_eraser;
GRANT SELECT (email, invited_by, accepted_by), UPDATE (invited_by, accepted_by), DELETE
    ON invitations TO chatsphere_eraser;
GRANT SELECT (created_by), UPDATE (created_by) ON bots, bot_versions TO chatsphere_eraser;
GRANT SELECT (id, user_id), UPDATE (user_id) ON usage_events TO chatsphere_eraser;
GRANT SELECT (principal_id), DELETE ON rate_limits, idempotency_keys TO chatsphere_eraser;
GRANT SELECT, UPDATE (address, user_agent, before, after), DELETE ON audit_log TO chatsphere_eraser;
-- Nobody's: the names of files that came when their bot was gone.
GRANT SELECT (s3_key), DELETE ON quarantined_objects TO chatsphere_eraser;

-- ------------------------------------------------------------------------------------------ what is audited

-- A UUIDv7 as the application makes them, so that entries are in the order of time: milliseconds, then the
-- microseconds of the millisecond in the 12 bits of rand_a.
-- PL/pgSQL, as the next ones, for it keeps its plans: an SQL function that is not inlined is planned at each call.
CREATE FUNCTION app.uuid_v7() RETURNS uuid
    LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$
DECLARE
    micros bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
BEGIN
    RETURN (lpad(to_hex(micros / 1000), 12, '0') || '7' || lpad(to_hex(micros % 1000 * 4096 / 1000), 3, '0')
            || replace(right(gen_random_uuid()::text, 17), '-', ''))::uuid;
END
$$;

-- One entry of the audit log: of `organization` or, where that is NULL, in each organization of `person`. Before a
-- tenant is known, as when somebody logs in, nobody else than this person acts.
CREATE FUNCTION app.write_audit(
    organization uuid, person uuid, action text, object_type text, object_id text, before jsonb, after jsonb)
    RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
DECLARE
    origin jsonb := app.current_origin();
    actor uuid := COALESCE(
        app.current_actor(), (origin ->> 'user_id')::uuid,
        CASE WHEN app.current_organization() IS NULL THEN person END);
BEGIN
    INSERT INTO public.audit_log (
        id, organization_id, actor_user_id, actor_api_key_id, action, object_type, object_id,
        address, user_agent, request_id, before, after)
    SELECT app.uuid_v7(), place.organization_id, actor, (origin ->> 'api_key_id')::uuid, action, object_type,
        object_id, origin ->> 'address', origin ->> 'user_agent', origin ->> 'request_id', before, after
    FROM (
        SELECT organization AS organization_id WHERE organization IS NOT NULL
        UNION ALL
        SELECT m.organization_id FROM public.memberships m WHERE organization IS NULL AND m.user_id = person) AS place;
END
$$;

-- These columns of a row; of personal ones only that they are there, of long texts only how long they are: a bot's
-- are kept in its versions, and the log cannot be cleared.
CREATE FUNCTION app.audited_columns(stored jsonb, columns text[], personal text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN (
        SELECT jsonb_object_agg(
            key, CASE
                WHEN key = ANY (personal) AND value <> 'null' THEN '"[personal]"'
                WHEN length(value::text) > 1000 THEN to_jsonb(format('[%s characters]', length(value::text)))
                ELSE value
            END)
        FROM jsonb_each(stored) WHERE key = ANY (columns));
END
$$;

-- Whether a deleted row went with one that it hung on (ON DELETE CASCADE): that one's deletion tells of it. Its
-- triggers run at the depth of a row that was deleted by itself, so pg_trigger_depth() would not tell.
CREATE FUNCTION app.went_with_another(table_name name, former jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF table_name = 'memberships' THEN
        RETURN NOT EXISTS (SELECT FROM public.organizations o WHERE o.id = (former ->> 'organization_id')::uuid);
    END IF;
    IF table_name IN ('bot_members', 'api_keys') AND NOT EXISTS (
        SELECT FROM public.memberships m
        WHERE m.organization_id = (former ->> 'organization_id')::uuid
          AND m.user_id = COALESCE(former ->> 'user_id', former ->> 'created_by')::uuid) THEN
        RETURN true;
    END IF;
    RETURN table_name IN ('bot_members', 'published_bots') AND NOT EXISTS (
        SELECT FROM public.bots b WHERE b.id = (former ->> 'bot_id')::uuid);
END
$$;

-- Writes an entry for each row that is made, changed or deleted by itself. What the eraser does has a receipt
-- instead: an entry would tell of a person who is to be forgotten. Arguments: the object's type; the columns of its id, of its organization and
-- of the person whom it is about; then three arrays of columns: what is never kept (secrets) or alone is worth no
-- entry, what is personal, and what is kept even where it did not change, so that one sees what it is about.
CREATE FUNCTION app.audit() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    AS $$
DECLARE
    hidden text[] := TG_ARGV[4];
    personal text[] := TG_ARGV[5];
    kept text[] := TG_ARGV[6];
    former jsonb := to_jsonb(OLD);
    present jsonb := to_jsonb(NEW);
    stored jsonb := COALESCE(present, former);
    changed text[];
    verb text;
BEGIN
    IF current_user = 'chatsphere_eraser' OR (TG_OP = 'DELETE' AND app.went_with_another(TG_TABLE_NAME, former)) THEN
        RETURN NULL;
    END IF;
    changed := ARRAY(
        SELECT key FROM jsonb_each(stored - hidden)
        WHERE CASE TG_OP
            WHEN 'INSERT' THEN value NOT IN ('null', '""', '[]', '{}')
            WHEN 'UPDATE' THEN value IS DISTINCT FROM former -> key
            ELSE key = ANY (kept) END);
    IF TG_OP = 'UPDATE' AND cardinality(changed) = 0 THEN
        RETURN NULL;
    END IF;
    verb := CASE
        WHEN TG_OP = 'INSERT' THEN 'created'
        WHEN TG_OP = 'DELETE' OR ('status' = ANY (changed) AND present ->> 'status' = 'deleting') THEN 'deleted'
        WHEN 'revoked_at' = ANY (changed) THEN 'revoked'
        WHEN 'accepted_at' = ANY (changed) THEN 'accepted'
        WHEN 'generation' = ANY (changed) AND present -> 'etag' = former -> 'etag' THEN 'reprocessed'
        WHEN 'generation' = ANY (changed) THEN 'replaced'
        ELSE 'updated' END;
    PERFORM app.write_audit(
        (stored ->> TG_ARGV[2])::uuid, (stored ->> TG_ARGV[3])::uuid, TG_ARGV[0] || '.' || verb, TG_ARGV[0],
        stored ->> TG_ARGV[1],
        app.audited_columns(former, changed || kept, personal), app.audited_columns(present, changed || kept, personal));
    RETURN NULL;
END
$$;

CREATE TRIGGER audit AFTER INSERT OR UPDATE ON organizations FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'organization', 'id', 'id', '', '{id,created_at,updated_at,subscription_read_at,bytes_bound}', '{}', '{name}');

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON memberships FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'membership', 'user_id', 'organization_id', 'user_id', '{organization_id,user_id,created_at}', '{}', '{role}');

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON invitations FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'invitation', 'id', 'organization_id', 'accepted_by',
        '{id,organization_id,secret_hash,mailed_at,invited_by,accepted_by,created_at}', '{email}',
        '{role}');

-- Ingestion moves a bot's status and the job that deletes it its time: neither is anybody's act.
CREATE TRIGGER audit AFTER INSERT ON bots FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'bot', 'id', 'organization_id', '', '{id,organization_id,created_by,created_at,updated_at}', '{}', '{name}');
CREATE TRIGGER audit_update AFTER UPDATE ON bots FOR EACH ROW
    WHEN (OLD.status <> 'deleting'
          AND (OLD.status = NEW.status OR NEW.status IN ('archived', 'deleting') OR OLD.status = 'archived'))
    EXECUTE FUNCTION app.audit(
        'bot', 'id', 'organization_id', '', '{id,organization_id,created_by,created_at,updated_at}', '{}', '{name}');
CREATE TRIGGER audit_delete AFTER DELETE ON bots FOR EACH ROW WHEN (OLD.status <> 'deleting')
    EXECUTE FUNCTION app.audit('bot', 'id', 'organization_id', '', '{}', '{}', '{name}');

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON bot_members FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'bot_member', 'bot_id', 'organization_id', 'user_id', '{organization_id,bot_id,created_at}', '{}',
        '{user_id,permission}');

CREATE TRIGGER audit AFTER INSERT OR DELETE ON published_bots FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'published_bot', 'bot_id', 'organization_id', '', '{bot_id,organization_id,published_at}', '{}', '{}');

CREATE TRIGGER audit AFTER INSERT OR DELETE ON api_keys FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'api_key', 'id', 'organization_id', 'created_by',
        '{id,organization_id,created_by,secret_hash,last_used_at,created_at}', '{}', '{name,prefix}');
CREATE TRIGGER audit_update AFTER UPDATE ON api_keys FOR EACH ROW
    WHEN (NEW.last_used_at IS NOT DISTINCT FROM OLD.last_used_at)
    EXECUTE FUNCTION app.audit(
        'api_key', 'id', 'organization_id', 'created_by',
        '{id,organization_id,created_by,secret_hash,last_used_at,created_at}', '{}', '{name,prefix}');

CREATE TRIGGER audit AFTER INSERT ON sessions FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'session', 'id', 'organization_id', 'user_id', '{id,organization_id,created_at,last_used_at,expires_at}',
        '{user_agent,address}', '{user_id}');
CREATE TRIGGER audit_update AFTER UPDATE OF revoked_at ON sessions FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION app.audit(
        'session', 'id', 'organization_id', 'user_id', '{id,organization_id,created_at,last_used_at,expires_at}',
        '{user_agent,address}', '{user_id}');

-- A person is in no organization, or in several: each of them is told, and none what the person's data are.
CREATE TRIGGER audit AFTER UPDATE OF
    username, email, first_name, last_name, is_staff, is_active, is_verified, mfa_enabled_at, password_changed_at
    ON users FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'user', 'id', '', 'id', '{id,password_hash,mfa_secret,mfa_last_step,date_joined,last_login}',
        '{username,email,first_name,last_name}', '{}');

-- Made, announced or replaced, read anew, deleted. What ingestion finds out meanwhile is nobody's act.
CREATE TRIGGER audit AFTER INSERT ON documents FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'document', 'id', 'organization_id', '',
        '{id,organization_id,s3_key,s3_version_id,s3_sequencer,s3_event_at,etag,live_etag,status,stage,attempts,'
        'generation,lease_token,lease_expires_at,deadline_at,created_at,updated_at}', '{}', '{bot_id,name}');
CREATE TRIGGER audit_update AFTER UPDATE ON documents FOR EACH ROW
    WHEN (OLD.status <> 'deleting' AND (
        NEW.status = 'deleting' OR (NEW.generation > OLD.generation AND OLD.generation > 0)
        OR (NEW.stage = 'upload' AND OLD.stage <> 'upload')
        OR NEW.declared_size IS DISTINCT FROM OLD.declared_size OR NEW.metadata <> OLD.metadata))
    EXECUTE FUNCTION app.audit(
        'document', 'id', 'organization_id', '',
        '{id,organization_id,s3_key,s3_version_id,s3_sequencer,s3_event_at,etag,live_etag,new_sha256,stage,error_code,'
        'error_message,retryable,attempts,live_generation,expected_batches,lease_token,lease_expires_at,deadline_at,'
        'new_page_count,vector_cleanup_due,created_at,updated_at}', '{}', '{bot_id,name}');
CREATE TRIGGER audit_delete AFTER DELETE ON documents FOR EACH ROW WHEN (OLD.status <> 'deleting')
    EXECUTE FUNCTION app.audit('document', 'id', 'organization_id', '', '{}', '{}', '{bot_id,name}');

-- Deleted by somebody; what a job deletes with a bot or by a policy has a receipt of its own.
CREATE TRIGGER audit_delete AFTER DELETE ON conversations FOR EACH ROW WHEN (app.current_actor() IS NOT NULL)
    EXECUTE FUNCTION app.audit('conversation', 'id', 'organization_id', '', '{}', '{}', '{bot_id}');
