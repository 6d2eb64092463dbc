-- What usage events say besides, which days are to be summed up, and their sums.
-- Why: docs/decisions/0106-insights.md.

-- ---------------------------------------------------------------------------------------- what was measured

-- Events from before have these in `metadata`, or nowhere. Whoever is erased is no longer named here: a column, so that
-- this takes an update and no reading of documents.
ALTER TABLE usage_events
    ADD COLUMN end_user_id text,
    ADD COLUMN conversation_id uuid,
    ADD COLUMN model text,
    ADD COLUMN channel text,
    ADD COLUMN answerable boolean,
    ADD COLUMN reason text,
    ADD COLUMN finish_reason text,
    ADD COLUMN cached boolean,
    ADD COLUMN citations integer,
    ADD COLUMN dropped_citations integer,
    ADD COLUMN total_ms integer,
    ADD COLUMN first_token_ms integer,
    ADD COLUMN retrieve_ms integer;
-- What an erasure and a list of one end user's events look for.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX usage_events_end_user ON usage_events (organization_id, end_user_id, created_at)
    WHERE end_user_id IS NOT NULL;

-- ------------------------------------------------------------------------------------------ days to be summed up

-- A day of a tenant with events that may not be in its sums: written with the events, in their transaction, and only
-- ever added to and deleted, so that no writer waits for another nor for who sums up.
CREATE TABLE usage_marks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    day date NOT NULL
);
CREATE INDEX usage_marks_day ON usage_marks (organization_id, day);

-- Days before this one are over for good: their events may be gone, and their sums stay as they are.
CREATE TABLE usage_closed (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    before date NOT NULL
);
INSERT INTO usage_closed (before) VALUES ('0001-01-01');

-- ------------------------------------------------------------------------------------------------------- sums

-- Per day (UTC), bot, API key, model and channel; NULL: the event named none.
CREATE TABLE usage_daily (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    day date NOT NULL,
    bot_id uuid,
    api_key_id uuid,
    model text,
    channel text,
    answers bigint NOT NULL,
    answered bigint NOT NULL,
    refused_no_documents bigint NOT NULL,
    refused_no_relevant_passage bigint NOT NULL,
    refused_unsupported bigint NOT NULL,
    failed bigint NOT NULL,
    interrupted bigint NOT NULL,
    stopped bigint NOT NULL,
    cached bigint NOT NULL,
    citations bigint NOT NULL,
    dropped_citations bigint NOT NULL,
    searches bigint NOT NULL,
    documents_embedded bigint NOT NULL,
    messages_embedded bigint NOT NULL,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    embedding_tokens bigint NOT NULL,
    answer_microdollars bigint NOT NULL,
    search_microdollars bigint NOT NULL,
    embedding_microdollars bigint NOT NULL,
    ratings bigint NOT NULL,
    rating_sum bigint NOT NULL,
    positive_ratings bigint NOT NULL,
    negative_ratings bigint NOT NULL,
    UNIQUE NULLS NOT DISTINCT (organization_id, day, bot_id, api_key_id, model, channel)
);

-- The same per day, bot and end user, of those that have a name. Apart, so that an erasure deletes rows and changes no
-- sum, and that they need not outlive the events.
CREATE TABLE usage_daily_end_users (
    LIKE usage_daily INCLUDING DEFAULTS,
    end_user_id text NOT NULL,
    UNIQUE NULLS NOT DISTINCT (organization_id, end_user_id, day, bot_id),
    FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE
);
-- squawk-ignore ban-drop-column
ALTER TABLE usage_daily_end_users DROP COLUMN api_key_id, DROP COLUMN model, DROP COLUMN channel;
CREATE INDEX usage_daily_end_users_day ON usage_daily_end_users (day);

-- How long answers took, by stage: `counts[i]` of them fall into the bucket numbered `buckets[i]`, see
-- chatsphere.insights.histograms. Buckets of many days, bots or models are added up.
CREATE TABLE usage_daily_latencies (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    day date NOT NULL,
    bot_id uuid,
    api_key_id uuid,
    model text,
    channel text,
    stage text NOT NULL CHECK (stage IN ('total', 'first_token', 'retrieve')),
    milliseconds bigint NOT NULL,
    buckets integer[] NOT NULL,
    counts bigint[] NOT NULL,
    UNIQUE NULLS NOT DISTINCT (organization_id, day, bot_id, api_key_id, model, channel, stage)
);

-- ------------------------------------------------------------------------------------------ row level security

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY[
        'usage_marks', 'usage_daily', 'usage_daily_end_users', 'usage_daily_latencies'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', tenant_table);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON %I TO chatsphere_app', tenant_table);
    END LOOP;
END
$$;
GRANT SELECT ON usage_closed TO chatsphere_app, chatsphere_reaper;

-- Which days of which tenants are to be summed up, and of which end users' sums are to go with their events.
CREATE POLICY reaper ON usage_marks FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (organization_id, day) ON usage_marks TO chatsphere_reaper;
CREATE POLICY reaper ON usage_daily_end_users FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (organization_id, day) ON usage_daily_end_users TO chatsphere_reaper;

-- Whether a range of days is wholly summed up, and may be closed.
CREATE POLICY maintainer ON usage_marks FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (day) ON usage_marks TO chatsphere_maintainer;
GRANT SELECT, UPDATE (before) ON usage_closed TO chatsphere_maintainer;

-- ------------------------------------------------------------------------------------------------ marking

CREATE FUNCTION app.mark_usage() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    INSERT INTO usage_marks (organization_id, day)
    SELECT DISTINCT organization_id, (created_at AT TIME ZONE 'UTC')::date FROM added;
    RETURN NULL;
END
$$;
-- Only what a tenant does: that partitions are kept moves events and adds none.
CREATE TRIGGER mark_usage AFTER INSERT ON usage_events
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    WHEN (app.current_organization() IS NOT NULL) EXECUTE FUNCTION app.mark_usage();

-- An erasure takes names out of events, and deletes the sums under those names. Whoever sums up the day at this moment
-- still reads the names: their marks are still seen here, and the day is summed up once more. Others are not.
CREATE FUNCTION app.mark_forgotten() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    INSERT INTO usage_marks (organization_id, day)
    SELECT organization_id, day
    FROM (SELECT DISTINCT organization_id, (created_at AT TIME ZONE 'UTC')::date AS day FROM changed) changes
    WHERE EXISTS (
        SELECT FROM usage_marks m WHERE m.organization_id = changes.organization_id AND m.day = changes.day);
    RETURN NULL;
END
$$;
CREATE TRIGGER mark_forgotten AFTER UPDATE ON usage_events
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
    WHEN (app.current_organization() IS NOT NULL) EXECUTE FUNCTION app.mark_forgotten();

-- What was used until now. The tables' owner is no superuser in a managed service, and sees no tenant's rows; back
-- before anybody else does.
ALTER TABLE usage_events NO FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_marks NO FORCE ROW LEVEL SECURITY;
INSERT INTO usage_marks (organization_id, day)
SELECT DISTINCT organization_id, (created_at AT TIME ZONE 'UTC')::date FROM usage_events;
ALTER TABLE usage_events FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_marks FORCE ROW LEVEL SECURITY;

-- ---------------------------------------------------------------------------------------------- errors in groups

-- What messages of one cause have in common: their text without what differs from one time to the next.
CREATE FUNCTION app.error_pattern(message text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(regexp_replace(regexp_replace(regexp_replace(lower(left(message, 2000)),
        '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|\m[0-9a-f]{16,}\M', '<id>', 'g'),
        '"[^"]*"|''[^'']*''|“[^”]*”|«[^»]*»', '<text>', 'g'),
        '\d+([.,:]\d+)*', '<number>', 'g'),
        '\s+', ' ', 'g');
CREATE FUNCTION app.error_fingerprint(service text, error_type text, message text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN left(encode(sha256(convert_to(
        service || chr(10) || error_type || chr(10) || app.error_pattern(message), 'UTF8')), 'hex'), 32);
