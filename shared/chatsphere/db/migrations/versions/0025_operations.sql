-- What the maintainer may ask of the database itself. Why: docs/decisions/0104-maintenance-and-health.md.
-- Most of it everybody may read in PostgreSQL's own views; these functions are for what only the tables' owner may.

-- Count anew what the planner knows of a table of ours.
CREATE FUNCTION app.analyze_table(table_name text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s'
    AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND c.relname = table_name AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)) THEN
        RAISE EXCEPTION 'no table of this name' USING ERRCODE = 'undefined_table';
    END IF;
    EXECUTE format('ANALYZE public.%I', table_name);
END
$$;

-- What the sessions of our roles do, and for how long. What a text of a statement holds besides its parameters, which
-- are sent apart, is nobody's data. NULL where the server does not show the owner what others do.
CREATE FUNCTION app.session_activity()
    RETURNS TABLE (role_name text, state text, wait_event text, transaction_seconds double precision,
                   statement_seconds double precision, statement text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT usename::text, a.state, a.wait_event_type || ':' || a.wait_event,
        extract(epoch FROM clock_timestamp() - xact_start)::double precision,
        CASE WHEN a.state = 'active' THEN extract(epoch FROM clock_timestamp() - query_start) END::double precision,
        left(query, 300)
    FROM pg_stat_activity a
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND starts_with(usename::text, 'chatsphere_')
    $$;

-- The statements that took the most time, where the server keeps such statistics: their texts without values.
CREATE FUNCTION app.slowest_statements(result_limit integer)
    RETURNS TABLE (role_name text, statement text, calls bigint, mean_ms double precision, total_ms double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    place text := (SELECT format('%I.pg_stat_statements', n.nspname) FROM pg_extension e
                   JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements');
BEGIN
    IF place IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE
        'SELECT r.rolname::text, left(s.query, 1000), s.calls, s.mean_exec_time, s.total_exec_time'
        ' FROM ' || place || ' s JOIN pg_roles r ON r.oid = s.userid'
        ' WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())'
        ' AND starts_with(r.rolname::text, ''chatsphere_'') ORDER BY s.total_exec_time DESC LIMIT $1'
    USING result_limit;
END
$$;

-- How far copies of the database are behind.
CREATE FUNCTION app.replication_lag() RETURNS TABLE (replica text, seconds double precision, bytes bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT application_name, extract(epoch FROM replay_lag)::double precision,
        pg_wal_lsn_diff(sent_lsn, replay_lsn)::bigint
    FROM pg_stat_replication
    $$;

DO $$
DECLARE
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY[
        'app.analyze_table(text)', 'app.session_activity()', 'app.slowest_statements(integer)',
        'app.replication_lag()'
    ] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO chatsphere_maintainer', signature);
    END LOOP;
END
$$;

-- Deep health says whether the migrations of a release have been run.
GRANT SELECT ON alembic_version TO chatsphere_app, chatsphere_maintainer;

-- Found by the report: a person's deletion read all invitations.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX invitations_invited_by ON invitations (invited_by);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX invitations_accepted_by ON invitations (accepted_by);
