-- Events that reach other systems: endpoints, an outbox that triggers fill, and deliveries.
-- Why: docs/decisions/0107-webhooks.md.

-- squawk-ignore-file prefer-robust-stmts

-- ---------------------------------------------------------------------------------------------- the tables

-- Where an organization wants to be told. Secrets are sealed; the former one signs, too, until it expires.
CREATE TABLE webhook_endpoints (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    url text NOT NULL CHECK (length(url) <= 2000),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 500),
    -- Empty: every type.
    event_types text[] NOT NULL DEFAULT '{}',
    -- NULL: every bot, and what is about none. No foreign key: a bot that is gone tells nothing any more.
    bot_ids uuid[],
    is_enabled boolean NOT NULL DEFAULT true,
    -- Why nothing is sent: somebody asked for it, the endpoint said that it is gone, or it failed for days.
    disabled_reason text CHECK (disabled_reason IN ('asked', 'gone', 'failing')),
    disabled_at timestamptz,
    -- When the first of the present row of failures happened; NULL after a success.
    failing_since timestamptz,
    secret text NOT NULL,
    former_secret text,
    former_secret_expires_at timestamptz,
    -- The number of the last delivery.
    last_sequence bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (organization_id, id),
    CHECK (is_enabled = (disabled_reason IS NULL))
);

-- The outbox: written in the transaction of the change, only where somebody wants to be told. It holds ids, states and
-- numbers, and nothing that people wrote. The ids of what it is about are columns of their own, to be erased by.
CREATE TABLE webhook_events (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    type text NOT NULL,
    bot_id uuid,
    document_id uuid,
    conversation_id uuid,
    data jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    -- What happens once only is written once only.
    once text,
    -- When its deliveries were made; NULL: not yet.
    dispatched_at timestamptz,
    PRIMARY KEY (organization_id, id)
);
CREATE UNIQUE INDEX webhook_events_once ON webhook_events (organization_id, once) WHERE once IS NOT NULL;
CREATE INDEX webhook_events_waiting ON webhook_events (organization_id, id) WHERE dispatched_at IS NULL;
CREATE INDEX webhook_events_age ON webhook_events (occurred_at);

-- One event on its way to one endpoint.
CREATE TABLE webhook_deliveries (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    -- Of the endpoint: the order in which its events were found.
    sequence bigint NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'succeeded', 'failed')),
    -- How often it was tried at all: names an attempt, so that a worker that was given up on records nothing.
    attempts integer NOT NULL DEFAULT 0,
    -- How often it failed since it was made or replayed: decides when it is tried again.
    failures integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    -- Until then nobody else tries.
    lease_expires_at timestamptz,
    last_attempt_at timestamptz,
    last_status integer,
    last_error text,
    -- The beginning of what the endpoint answered. Nobody vouches for it.
    response_excerpt text,
    latency_ms integer,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, event_id, endpoint_id),
    FOREIGN KEY (organization_id, endpoint_id) REFERENCES webhook_endpoints (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, event_id) REFERENCES webhook_events (organization_id, id) ON DELETE CASCADE,
    CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL)),
    CHECK ((status = 'pending') = (finished_at IS NULL))
);
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (organization_id, endpoint_id, id DESC);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (organization_id, next_attempt_at) WHERE status = 'pending';

-- For when a message is on its way that looks after the tenant's deliveries: a second one would be for nothing.
CREATE TABLE webhook_wakes (
    organization_id uuid PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
    wake_at timestamptz NOT NULL
);

-- ---------------------------------------------------------------------------------------- policies and grants

DO $$
DECLARE
    tenants text;
BEGIN
    FOREACH tenants IN ARRAY ARRAY['webhook_endpoints', 'webhook_events', 'webhook_deliveries', 'webhook_wakes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenants);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenants);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization()) '
            'WITH CHECK (organization_id = app.current_organization())', tenants);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_app', tenants);
    END LOOP;
END
$$;

-- The reaper finds whose deliveries nobody looks after, and whose events are old.
CREATE POLICY reaper ON webhook_events FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (organization_id, id, dispatched_at, occurred_at) ON webhook_events TO chatsphere_reaper;
CREATE POLICY reaper ON webhook_deliveries FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (organization_id, status, next_attempt_at, lease_expires_at) ON webhook_deliveries TO chatsphere_reaper;

-- The eraser ends erasures, and its trigger tells of it.
CREATE POLICY eraser ON webhook_endpoints FOR SELECT TO chatsphere_eraser USING (true);
GRANT SELECT (organization_id, event_types, bot_ids, is_enabled) ON webhook_endpoints TO chatsphere_eraser;
CREATE POLICY eraser ON webhook_events FOR INSERT TO chatsphere_eraser WITH CHECK (true);
GRANT INSERT ON webhook_events TO chatsphere_eraser;

-- --------------------------------------------------------------------------------------------------- audit

-- Failures and numbers are nobody's act; that an endpoint was disabled for them is told. A rotation is noted by the
-- application, for of secrets nothing is kept.
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON webhook_endpoints FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'webhook', 'id', 'organization_id', '',
        '{id,organization_id,secret,former_secret,former_secret_expires_at,failing_since,last_sequence,disabled_at,'
        'created_at,updated_at}', '{}', '{url}');
CREATE TRIGGER audit_delete AFTER DELETE ON webhook_endpoints FOR EACH ROW
    WHEN (app.current_actor() IS NOT NULL)
    EXECUTE FUNCTION app.audit('webhook', 'id', 'organization_id', '', '{}', '{}', '{url}');

-- ------------------------------------------------------------------------------------------- what is told

-- Whether an endpoint wants to be told. `bot` NULL: it is about no bot, and whoever asked for some is not told.
CREATE FUNCTION app.webhook_wanted(organization uuid, event_type text, bot uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    -- What is put back where it was happened long ago.
    RETURN EXISTS (
        SELECT FROM public.webhook_endpoints e
        WHERE e.organization_id = organization AND e.is_enabled
          AND (cardinality(e.event_types) = 0 OR event_type = ANY (e.event_types))
          AND (e.bot_ids IS NULL OR bot = ANY (e.bot_ids)))
        AND current_setting('app.webhooks', true) IS DISTINCT FROM 'silent';
END
$$;

-- Called by whoever writes rows that are no news, as a restore does: for the rest of the transaction.
CREATE FUNCTION app.silence_webhooks() RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    PERFORM set_config('app.webhooks', 'silent', true);
END
$$;

-- Writes an event. Who commits is told by a notice of its own kind that somebody is to be woken afterwards: it comes
-- with the answer to the statement, so that it costs no round trip.
CREATE FUNCTION app.note_webhook_event(
    organization uuid, event_type text, about jsonb, happened_at timestamptz, only_once text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    INSERT INTO public.webhook_events
        (organization_id, id, type, bot_id, document_id, conversation_id, data, occurred_at, once)
    VALUES (organization, app.uuid_v7(), event_type, (about ->> 'bot_id')::uuid, (about ->> 'document_id')::uuid,
            (about ->> 'conversation_id')::uuid, about, happened_at, only_once)
    -- Without a target, for naming one takes the right to read.
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RAISE NOTICE '%', organization USING ERRCODE = 'CSWEB';
    END IF;
END
$$;

-- Tells of a row. Arguments: the type; the column that says when it happened; what is told, as {name: column}.
CREATE FUNCTION app.tell_webhooks() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    AS $$
DECLARE
    present jsonb;
BEGIN
    -- First what costs least: most tenants want to be told nothing.
    IF NOT EXISTS (SELECT FROM public.webhook_endpoints e WHERE e.organization_id = NEW.organization_id) THEN
        RETURN NULL;
    END IF;
    present := to_jsonb(NEW);
    IF app.webhook_wanted(NEW.organization_id, TG_ARGV[0], (present ->> 'bot_id')::uuid) THEN
        PERFORM app.note_webhook_event(
            NEW.organization_id, TG_ARGV[0],
            (SELECT jsonb_object_agg(told.key, present -> told.value) FROM jsonb_each_text(TG_ARGV[2]::jsonb) told),
            COALESCE((present ->> TG_ARGV[1])::timestamptz, now()), NULL);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER webhooks_ready AFTER UPDATE ON documents FOR EACH ROW
    WHEN (OLD.status <> 'ready' AND NEW.status = 'ready')
    EXECUTE FUNCTION app.tell_webhooks('document.ready', 'updated_at', '{
        "document_id": "id", "bot_id": "bot_id", "source": "source", "generation": "live_generation",
        "page_count": "page_count", "chunk_count": "chunk_count"}');
CREATE TRIGGER webhooks_failed AFTER UPDATE ON documents FOR EACH ROW
    WHEN (OLD.status <> 'failed' AND NEW.status = 'failed')
    EXECUTE FUNCTION app.tell_webhooks('document.failed', 'updated_at', '{
        "document_id": "id", "bot_id": "bot_id", "source": "source", "stage": "stage", "error_code": "error_code",
        "retryable": "retryable"}');
CREATE TRIGGER webhooks AFTER UPDATE ON training_runs FOR EACH ROW
    WHEN (OLD.status = 'running' AND NEW.status IN ('succeeded', 'failed'))
    EXECUTE FUNCTION app.tell_webhooks('bot.trained', 'finished_at', '{
        "training_run_id": "id", "bot_id": "bot_id", "kind": "kind", "status": "status",
        "document_count": "document_count", "failed_count": "failed_count"}');
CREATE TRIGGER webhooks AFTER INSERT ON conversations FOR EACH ROW
    EXECUTE FUNCTION app.tell_webhooks('conversation.started', 'created_at', '{
        "conversation_id": "id", "bot_id": "bot_id", "channel": "channel"}');
CREATE TRIGGER webhooks_ended AFTER UPDATE ON conversations FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION app.tell_webhooks('conversation.ended', 'ended_at', '{
        "conversation_id": "id", "bot_id": "bot_id", "channel": "channel"}');
CREATE TRIGGER webhooks AFTER INSERT ON conversation_feedback FOR EACH ROW
    EXECUTE FUNCTION app.tell_webhooks('feedback.received', 'updated_at', '{
        "conversation_id": "conversation_id", "message_id": "message_id", "bot_id": "bot_id", "rating": "rating"}');
CREATE TRIGGER webhooks_changed AFTER UPDATE ON conversation_feedback FOR EACH ROW
    WHEN (OLD.rating <> NEW.rating OR OLD.comment IS DISTINCT FROM NEW.comment)
    EXECUTE FUNCTION app.tell_webhooks('feedback.received', 'updated_at', '{
        "conversation_id": "conversation_id", "message_id": "message_id", "bot_id": "bot_id", "rating": "rating"}');

-- -------------------------------------------------------------------------------------- quotas and budgets

-- Tells that 80 and 100 percent of a limit are used, once in a month and for each limit: a raised one is another one.
-- Counted is what was used, as the subject's row says; of a key with those that it was rotated from or to.
CREATE FUNCTION app.tell_webhooks_of_budget() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    AS $$
DECLARE
    reached record;
BEGIN
    IF NOT app.webhook_wanted(NEW.organization_id, 'quota.threshold', NULL)
       AND NOT app.webhook_wanted(NEW.organization_id, 'budget.threshold', NULL) THEN
        RETURN NULL;
    END IF;
    FOR reached IN
        SELECT measure.*, step.percent
        FROM (
            SELECT 'quota.threshold' AS type, NULL::uuid AS api_key_id, 'messages' AS unit, NEW.messages AS used,
                (plan.features ->> 'messages_per_month')::bigint AS allowed
            FROM public.organizations o JOIN public.subscription_plans plan ON plan.id = o.plan_id
            WHERE o.id = NEW.organization_id AND o.id = NEW.subject_id
            UNION ALL
            SELECT 'budget.threshold', NULL, budget.unit, budget.used, budget.allowed
            FROM public.organizations o CROSS JOIN LATERAL (VALUES
                ('tokens', NEW.tokens, o.monthly_budget_tokens),
                ('microdollars', NEW.cost_microdollars, o.monthly_budget_microdollars)) AS budget (unit, used, allowed)
            WHERE o.id = NEW.organization_id AND o.id = NEW.subject_id
            UNION ALL
            SELECT 'budget.threshold', k.id, budget.unit, budget.used, budget.allowed
            FROM public.api_keys k
            CROSS JOIN LATERAL (
                WITH RECURSIVE kin (id) AS (
                    SELECT k.id
                    UNION
                    SELECT CASE WHEN other.id = kin.id THEN other.rotated_to ELSE other.id END
                    FROM kin JOIN public.api_keys other ON kin.id IN (other.id, other.rotated_to)
                    WHERE other.organization_id = NEW.organization_id AND other.rotated_to IS NOT NULL)
                SELECT sum(p.tokens)::bigint AS tokens, sum(p.cost_microdollars)::bigint AS microdollars
                FROM public.budget_periods p
                WHERE p.organization_id = NEW.organization_id AND p.period = NEW.period
                  AND p.subject_id IN (SELECT kin.id FROM kin)) AS spent
            CROSS JOIN LATERAL (VALUES
                ('tokens', spent.tokens, k.monthly_budget_tokens),
                ('microdollars', spent.microdollars, k.monthly_budget_microdollars)) AS budget (unit, used, allowed)
            WHERE k.organization_id = NEW.organization_id AND k.id = NEW.subject_id
              AND (k.monthly_budget_tokens IS NOT NULL OR k.monthly_budget_microdollars IS NOT NULL)
        ) AS measure
        CROSS JOIN (VALUES (80), (100)) AS step (percent)
        WHERE measure.allowed > 0 AND measure.used::numeric * 100 >= measure.allowed::numeric * step.percent
        ORDER BY step.percent, measure.unit
    LOOP
        CONTINUE WHEN NOT app.webhook_wanted(NEW.organization_id, reached.type, NULL);
        PERFORM app.note_webhook_event(
            NEW.organization_id, reached.type,
            jsonb_build_object(
                'period', NEW.period, 'api_key_id', reached.api_key_id, 'unit', reached.unit, 'used', reached.used,
                'allowed', reached.allowed, 'percent', reached.percent),
            clock_timestamp(),
            concat_ws(':', reached.type, NEW.subject_id, NEW.period, reached.unit, reached.allowed, reached.percent));
    END LOOP;
    RETURN NULL;
END
$$;
CREATE TRIGGER webhooks AFTER INSERT OR UPDATE ON budget_periods FOR EACH ROW
    EXECUTE FUNCTION app.tell_webhooks_of_budget();

-- ------------------------------------------------------------------------------------------- ends of jobs

CREATE TRIGGER webhooks AFTER UPDATE ON retention_runs FOR EACH ROW
    WHEN (OLD.status = 'running' AND NEW.status IN ('done', 'failed'))
    EXECUTE FUNCTION app.tell_webhooks('retention_run.done', 'finished_at', '{
        "retention_run_id": "id", "bot_id": "bot_id", "dry_run": "dry_run", "status": "status",
        "error_code": "error_code"}');

-- Not of a person or an organization: those are nobody's to be told. Of the rest only that it is done: who or what was
-- erased must not come back with the event.
CREATE FUNCTION app.tell_webhooks_of_erasure() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    IF app.webhook_wanted(NEW.tenant_id, 'erasure.done', NULL) THEN
        PERFORM app.note_webhook_event(
            NEW.tenant_id, 'erasure.done', jsonb_build_object('erasure_id', NEW.id, 'kind', NEW.kind),
            COALESCE(NEW.finished_at, now()), NULL);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER webhooks AFTER UPDATE ON erasures FOR EACH ROW
    WHEN (NEW.tenant_id IS NOT NULL AND OLD.status <> 'done' AND NEW.status = 'done')
    EXECUTE FUNCTION app.tell_webhooks_of_erasure();
