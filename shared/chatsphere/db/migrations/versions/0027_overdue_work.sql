-- What the report says of work that should be done by now, and of transactions that others than our roles left open;
-- filters by ranges at the cost of a comparison. Why: docs/decisions/0113-overdue-work-in-the-report.md.

-- ------------------------------------------------------------------------------------------ what is overdue

-- Kinds, states and times: nothing of what anything says, nor whose it is.
CREATE POLICY maintainer ON erasures FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (id, status, requested_at) ON erasures TO chatsphere_maintainer;
CREATE POLICY maintainer ON documents FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (status, deadline_at) ON documents TO chatsphere_maintainer;
CREATE POLICY maintainer ON webhook_endpoints FOR SELECT TO chatsphere_maintainer USING (true);
GRANT SELECT (disabled_reason, disabled_at) ON webhook_endpoints TO chatsphere_maintainer;
GRANT SELECT (created_at) ON organizations TO chatsphere_maintainer;

-- Who has a transaction open in this database, our roles and everybody else: vacuum waits for each of them. Texts of
-- statements only of our roles, whose values are sent apart. What was prepared has no process any more.
-- It takes the place of app.session_activity(), which the release before asks.
CREATE FUNCTION app.open_transactions()
    RETURNS TABLE (process integer, role_name text, application text, prepared text, state text, wait_event text,
                   transaction_seconds double precision, statement_seconds double precision, statement text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT a.pid, a.usename::text, a.application_name, NULL, a.state, a.wait_event_type || ':' || a.wait_event,
        extract(epoch FROM clock_timestamp() - a.xact_start)::double precision,
        CASE WHEN a.state = 'active' THEN extract(epoch FROM clock_timestamp() - a.query_start) END::double precision,
        CASE WHEN starts_with(a.usename::text, 'chatsphere_') THEN left(a.query, 300) END
    FROM pg_stat_activity a
    WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
      AND a.xact_start IS NOT NULL
    UNION ALL
    SELECT NULL, p.owner::text, '', p.gid, 'prepared', NULL,
        extract(epoch FROM clock_timestamp() - p.prepared)::double precision, NULL, NULL
    FROM pg_prepared_xacts p WHERE p.database = current_database()
    $$;
REVOKE ALL ON FUNCTION app.open_transactions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.open_transactions() TO chatsphere_maintainer;

-- ------------------------------------------------------------------------------------------ filters by ranges

-- As in 0011; the bounds of a range are read once, and then each value of a document once, by operators alone.
-- Only a member of its owner replaces a function, and on a managed server the administrator is no superuser.
GRANT chatsphere_search TO CURRENT_USER;
CREATE OR REPLACE FUNCTION app.filtered_documents(
    bot uuid, document_ids uuid[], tags text[], created_after timestamptz, created_before timestamptz,
    equal jsonb, ranges jsonb)
    RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET jit = off
    SET timezone = 'UTC'
    SET datestyle = 'ISO, YMD'
    AS $$
DECLARE
    found uuid[];
    bound record;
BEGIN
    IF NOT app.owns_bot(bot) THEN
        RETURN '{}';
    END IF;
    IF document_ids IS NOT NULL OR tags IS NOT NULL OR created_after IS NOT NULL OR created_before IS NOT NULL
        OR equal IS NOT NULL OR ranges IS NULL THEN
        found := ARRAY(
            SELECT d.id FROM documents d
            WHERE d.organization_id = app.current_organization() AND d.bot_id = bot
              AND d.live_generation IS NOT NULL AND d.status <> 'deleting'
              AND (filtered_documents.document_ids IS NULL OR d.id = ANY (filtered_documents.document_ids))
              AND (filtered_documents.tags IS NULL OR (d.tags && filtered_documents.tags AND d.tags <> '{}'))
              AND (filtered_documents.created_after IS NULL OR d.created_at >= filtered_documents.created_after)
              AND (filtered_documents.created_before IS NULL OR d.created_at < filtered_documents.created_before)
              AND (filtered_documents.equal IS NULL
                   OR (d.metadata @> filtered_documents.equal AND d.metadata <> '{}')));
    END IF;
    FOR bound IN
        SELECT key, kind,
            CASE WHEN kind = 'number' THEN COALESCE((bounds -> 'gte')::numeric, '-infinity') END AS lowest,
            CASE WHEN kind = 'number' THEN COALESCE((bounds -> 'lte')::numeric, 'infinity') END AS highest,
            COALESCE(app.moment(bounds ->> 'gte'), '-infinity') AS earliest,
            COALESCE(app.moment(bounds ->> 'lte'), 'infinity') AS latest
        FROM jsonb_each(filtered_documents.ranges) AS asked (key, bounds),
            COALESCE(jsonb_typeof(bounds -> 'gte'), jsonb_typeof(bounds -> 'lte')) AS kind
    LOOP
        found := ARRAY(
            SELECT d.id FROM documents d
            WHERE d.organization_id = app.current_organization() AND d.bot_id = bot
              AND d.live_generation IS NOT NULL AND d.status <> 'deleting'
              AND (found IS NULL OR d.id = ANY (found))
              AND CASE
                  WHEN jsonb_typeof(d.metadata -> bound.key) IS DISTINCT FROM bound.kind THEN false
                  WHEN bound.kind = 'number'
                  THEN (d.metadata -> bound.key)::numeric BETWEEN bound.lowest AND bound.highest
                  -- The cheapest first: as app.moment, but without a call and an exception for each document.
                  WHEN NOT pg_input_is_valid(d.metadata ->> bound.key, 'timestamptz') THEN false
                  WHEN (d.metadata ->> bound.key)::timestamptz BETWEEN bound.earliest AND bound.latest
                  THEN (d.metadata ->> bound.key)
                      ~ '^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?$'
                  ELSE false
              END);
    END LOOP;
    RETURN found;
END
$$;
REVOKE chatsphere_search FROM CURRENT_USER;
-- Nobody but the function above called it.
-- squawk-ignore ban-drop-function
DROP FUNCTION app.in_range(jsonb, jsonb);

-- ------------------------------------------------------------------------------------------ errors in groups

-- As in 0022; addresses, mail addresses and paths are somebody's text, too, and an apostrophe within a word begins none.
CREATE OR REPLACE FUNCTION app.error_pattern(message text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        lower(left(message, 2000)),
        '"[^"]*"|(?<![[:alnum:]])''[^'']*''(?![[:alnum:]])|“[^”]*”|«[^»]*»|(?<![[:alnum:]])‘[^’]*’', '<text>', 'g'),
        '\m[a-z][a-z0-9+.-]*://[^[:space:]<>]+', '<url>', 'g'),
        '[^[:space:]<>@,;:]+@[^[:space:]<>@,;:]+\.[[:alnum:]-]+', '<address>', 'g'),
        '(?<![[:alnum:]<])(/[^[:space:]/<>,;:]+){2,}', '<path>', 'g'),
        '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|\m[0-9a-f]{16,}\M', '<id>', 'g'),
        '\d+([.,:]\d+)*', '<number>', 'g'),
        '\s+', ' ', 'g');
