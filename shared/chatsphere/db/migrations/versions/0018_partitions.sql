-- What was used and the audit log by time, as messages are; and what makes partitions ahead and lets old ones go.
-- Why: docs/decisions/0103-partitions.md.

GRANT USAGE ON SCHEMA app TO chatsphere_maintainer;

-- ------------------------------------------------------------------------------- usage_events and audit_log

-- The table that is there becomes the first partition, with its rows where they are. Its range ends a month or more
-- from now, so that while the release before still runs all rows are in one partition: it tells rows by ctid.
-- Under its policies the tables' owner, who is no superuser in a managed service, sees none of the rows.
ALTER TABLE usage_events NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_log NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE
    this_month timestamptz := date_trunc('month', now(), 'UTC');
    oldest timestamptz;
    newest timestamptz;
    starts timestamptz;
    ends timestamptz;
    parent text;
    part text;
    own name;
BEGIN
    FOREACH parent IN ARRAY ARRAY['usage_events', 'audit_log'] LOOP
        part := parent || '_first';
        EXECUTE format('SELECT min(created_at), max(created_at) FROM public.%I', parent) INTO oldest, newest;
        -- least and greatest ignore NULL: there are no rows.
        starts := date_trunc('month', least(oldest, this_month), 'UTC');
        ends := greatest(date_add(date_trunc('month', newest, 'UTC'), '1 month', 'UTC'),
                         date_add(this_month, '2 months', 'UTC'));

        EXECUTE format('ALTER TABLE public.%I RENAME TO %I', parent, part);
        FOR own IN SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = format('public.%I', part)::regclass
        LOOP
            EXECUTE format('ALTER INDEX public.%I RENAME TO %I', own, part || substr(own, length(parent) + 1));
        END LOOP;
        EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT %I, ADD PRIMARY KEY (id, created_at)',
                       part, part || '_pkey');

        EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)'
                       ' PARTITION BY RANGE (created_at)', parent, part);
        EXECUTE format('ALTER TABLE public.%I ADD PRIMARY KEY (id, created_at)', parent);
        IF parent = 'usage_events' THEN
            ALTER TABLE usage_events ADD CONSTRAINT usage_events_organization
                FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE;
            CREATE INDEX usage_events_time ON usage_events (organization_id, created_at);
            CREATE INDEX usage_events_user ON usage_events (user_id, id DESC) WHERE user_id IS NOT NULL;
        ELSE
            CREATE INDEX audit_log_newest ON audit_log (organization_id, id DESC);
            CREATE INDEX audit_log_object ON audit_log (organization_id, object_type, object_id, id DESC);
            CREATE INDEX audit_log_actor ON audit_log (actor_user_id, organization_id, id DESC)
                WHERE actor_user_id IS NOT NULL;
            CREATE INDEX audit_log_nobody_on_person ON audit_log (object_id)
                WHERE actor_user_id IS NULL AND object_type = 'user';
        END IF;
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, part, starts, ends);
        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I DEFAULT', parent || '_default', parent);
    END LOOP;
END
$$;

-- Reached through the whole table only, whose policies are those that count.
ALTER TABLE usage_events_first DISABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log_first DISABLE ROW LEVEL SECURITY;
DROP POLICY tenant ON usage_events_first;
DROP POLICY own_data ON usage_events_first;
DROP POLICY eraser ON usage_events_first;
DROP POLICY tenant ON audit_log_first;
DROP POLICY authenticator ON audit_log_first;
DROP POLICY own_data ON audit_log_first;
DROP POLICY eraser ON audit_log_first;
REVOKE ALL ON usage_events_first, audit_log_first FROM chatsphere_app, chatsphere_authenticator, chatsphere_eraser;
-- A privilege on the table does not go by one on its columns, nor the other way round.
REVOKE ALL (id, organization_id, user_id, api_key_id, bot_id, metric, value, prompt_tokens, completion_tokens,
            cost_microdollars, created_at) ON usage_events_first FROM chatsphere_authenticator, chatsphere_eraser;
REVOKE ALL (address, user_agent, before, after) ON audit_log_first FROM chatsphere_eraser;

DO $$
DECLARE
    parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['usage_events', 'audit_log'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', parent);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', parent);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', parent);
        EXECUTE format('CREATE POLICY eraser ON %I TO chatsphere_eraser USING (true)', parent);
    END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_events TO chatsphere_app;
GRANT SELECT (id, organization_id, user_id, api_key_id, bot_id, metric, value, prompt_tokens, completion_tokens,
              cost_microdollars, created_at) ON usage_events TO chatsphere_authenticator;
GRANT SELECT (id, user_id), UPDATE (user_id) ON usage_events TO chatsphere_eraser;
CREATE POLICY own_data ON usage_events FOR SELECT TO chatsphere_authenticator USING (user_id = app.current_actor());
-- Append-only by grant.
GRANT SELECT, INSERT ON audit_log TO chatsphere_app, chatsphere_authenticator;
GRANT SELECT, UPDATE (address, user_agent, before, after), DELETE ON audit_log TO chatsphere_eraser;
CREATE POLICY authenticator ON audit_log FOR INSERT TO chatsphere_authenticator WITH CHECK (true);
CREATE POLICY own_data ON audit_log FOR SELECT TO chatsphere_authenticator
    USING (actor_user_id = app.current_actor()
           OR (object_type IN ('user', 'membership') AND object_id = app.current_actor()::text));

-- --------------------------------------------------------------------------------------- partitions that go

-- A detached partition is here until it is archived; only the maintainer reads it.
CREATE SCHEMA retired;
GRANT USAGE ON SCHEMA retired TO chatsphere_maintainer;

-- A partition's way out, step by step. It outlives the partition: from when on a table's rows are gone.
CREATE TABLE partition_retirements (
    id uuid PRIMARY KEY,
    table_name text NOT NULL,
    partition_name text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN ('detached', 'archived', 'dropped')),
    -- Rows of tenants whose data may not go, put back into the table.
    kept_rows bigint NOT NULL DEFAULT 0,
    -- In the archive, of the bots up to the two ids that follow.
    archived_rows bigint NOT NULL DEFAULT 0,
    archived_organization uuid,
    archived_bot uuid,
    lease_expires_at timestamptz,
    detached_at timestamptz NOT NULL,
    dropped_at timestamptz
);
CREATE UNIQUE INDEX partition_retirements_open ON partition_retirements (partition_name) WHERE status <> 'dropped';
CREATE INDEX partition_retirements_table ON partition_retirements (table_name, starts_at);
GRANT SELECT, UPDATE (status, archived_rows, archived_organization, archived_bot, lease_expires_at)
    ON partition_retirements TO chatsphere_maintainer;
-- Whether one went while an erasure looked.
GRANT SELECT (id) ON partition_retirements TO chatsphere_eraser;

-- Whether something is between a table and the archive: neither the table's policies nor a search of the archive
-- finds it, so no erasure may say meanwhile that nothing is left.
CREATE FUNCTION app.partitions_leaving() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN EXISTS (SELECT FROM pg_class WHERE relnamespace = 'retired'::regnamespace AND relkind = 'r');
END
$$;

-- The partitions there are, by time; the default ones have none. `row_estimate` is -1 where nobody has counted yet.
CREATE FUNCTION app.list_partitions()
    RETURNS TABLE (table_name text, partition_name text, is_default boolean, starts_at timestamptz,
                   ends_at timestamptz, row_estimate bigint, bytes bigint)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    SET datestyle = 'ISO, YMD'
    AS $$
    SELECT parent.relname::text, c.relname::text, bound.expression = 'DEFAULT',
        substring(bound.expression FROM $re$FROM \('([^']+)'\)$re$)::timestamptz,
        substring(bound.expression FROM $re$TO \('([^']+)'\)$re$)::timestamptz,
        c.reltuples::bigint, pg_total_relation_size(c.oid)
    FROM pg_inherits i
    JOIN pg_class parent ON parent.oid = i.inhparent AND parent.relnamespace = 'public'::regnamespace
    JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS expression) bound
    WHERE parent.relname IN ('messages', 'usage_events', 'audit_log')
    ORDER BY 1, 4 NULLS LAST
    $$;

-- What follows changes tables and so runs as their owner, called by the maintainer alone. No function takes SQL; each
-- name is one that the catalog knows as a partition of one of the three tables.

CREATE FUNCTION app.partition_of(wanted text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    parent text;
BEGIN
    SELECT p.table_name INTO parent FROM app.list_partitions() p WHERE p.partition_name = wanted AND NOT p.is_default;
    IF parent IS NULL THEN
        RAISE EXCEPTION 'no partition of this name' USING ERRCODE = 'undefined_table';
    END IF;
    RETURN parent;
END
$$;

-- How many rows wait in the default partition, by table and month, without the rows of the tenants in `besides`.
CREATE FUNCTION app.default_rows(besides uuid[])
    RETURNS TABLE (table_name text, starts_at timestamptz, rows bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    FOREACH table_name IN ARRAY ARRAY['messages', 'usage_events', 'audit_log'] LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %L, date_trunc(''month'', created_at, ''UTC''), count(*) FROM public.%I'
            ' WHERE organization_id <> ALL ($1) GROUP BY 2 ORDER BY 2', table_name, table_name || '_default')
        USING besides;
    END LOOP;
END
$$;

CREATE FUNCTION app.partition_is_empty(partition_name text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    used boolean;
BEGIN
    PERFORM app.partition_of(partition_name);
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', partition_name) INTO used;
    RETURN NOT used;
END
$$;

-- How many rows of the tenants in `held` are in a partition, counted up to a bound.
CREATE FUNCTION app.held_rows(partition_name text, held uuid[], most bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    found bigint;
BEGIN
    PERFORM app.partition_of(partition_name);
    EXECUTE format('SELECT count(*) FROM (SELECT FROM public.%I WHERE organization_id = ANY ($1) LIMIT $2) theirs',
                   partition_name)
    INTO found USING held, most;
    RETURN found;
END
$$;

-- The columns of a table: partitions may have them in another order.
CREATE FUNCTION app.columns_of(of_table text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = format('public.%I', of_table)::regclass AND attnum > 0 AND NOT attisdropped
    $$;

-- Make the partition of some days of one month (UTC), and return how many rows of the default one have moved into it.
-- Rows are moved before the partition belongs to the table and while the default one has no triggers: none are new.
CREATE FUNCTION app.make_partition(of_table text, starts timestamptz, ends timestamptz) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET timezone = 'UTC'
    SET lock_timeout = '2s'
    AS $$
DECLARE
    month timestamptz := date_trunc('month', starts);
    made text := of_table || to_char(starts, '"_y"YYYY"m"MM');
    waiting text := of_table || '_default';
    moved bigint := 0;
BEGIN
    IF of_table NOT IN ('messages', 'usage_events', 'audit_log') OR starts <> date_trunc('day', starts)
        OR ends <> date_trunc('day', ends) OR starts >= ends OR ends > month + interval '1 month' THEN
        RAISE EXCEPTION 'not days of one month, or not a table by time' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF starts <> month OR ends <> month + interval '1 month' THEN
        made := made || to_char(starts, '"d"DD');
    END IF;
    IF ends - starts <> interval '1 day' AND made LIKE '%d__' THEN
        made := made || to_char(ends - interval '1 day', '"_d"DD');
    END IF;
    EXECUTE format('LOCK TABLE ONLY public.%I IN SHARE UPDATE EXCLUSIVE MODE', of_table);
    IF EXISTS (SELECT FROM app.list_partitions() p WHERE p.table_name = of_table
               AND p.starts_at < ends AND starts < p.ends_at) THEN
        RAISE EXCEPTION 'a partition of these days is there' USING ERRCODE = 'duplicate_table';
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)',
                   made, of_table);
    EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', waiting);
    EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER USER', waiting);
    EXECUTE format(
        'WITH moved AS (DELETE FROM public.%1$I WHERE created_at >= $1 AND created_at < $2 RETURNING %3$s)'
        ' INSERT INTO public.%2$I (%3$s) SELECT %3$s FROM moved', waiting, made, app.columns_of(of_table))
    USING starts, ends;
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXECUTE format('ALTER TABLE public.%I ENABLE TRIGGER USER', waiting);
    EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   of_table, made, starts, ends);
    RETURN moved;
END
$$;

-- Drop a partition without rows, and return whether it was one. Nobody writes into it meanwhile.
CREATE FUNCTION app.drop_empty_partition(partition_name text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s'
    AS $$
DECLARE
    parent text := app.partition_of(partition_name);
BEGIN
    EXECUTE format('LOCK TABLE ONLY public.%I IN ACCESS EXCLUSIVE MODE', parent);
    EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', partition_name);
    IF NOT app.partition_is_empty(partition_name) THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE public.%I', partition_name);
    RETURN true;
END
$$;

-- Take a partition out of its table, for good: into the schema `retired`, but for the rows of the tenants in `kept`,
-- which go back into the table's default partition. Return how many those were.
-- Not CONCURRENTLY: PostgreSQL has that neither beside a default partition nor in a function.
CREATE FUNCTION app.detach_partition(retirement uuid, partition_name text, kept uuid[], moment timestamptz)
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s'
    AS $$
DECLARE
    parent text := app.partition_of(partition_name);
    waiting text := parent || '_default';
    kept_count bigint := 0;
BEGIN
    INSERT INTO partition_retirements (id, table_name, partition_name, starts_at, ends_at, status, detached_at)
    SELECT retirement, p.table_name, p.partition_name, p.starts_at, p.ends_at, 'detached', moment
    FROM app.list_partitions() p WHERE p.partition_name = detach_partition.partition_name;
    EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', parent, partition_name);
    IF cardinality(kept) > 0 THEN
        EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER USER', waiting);
        EXECUTE format(
            'WITH moved AS (DELETE FROM public.%2$I WHERE organization_id = ANY ($1) RETURNING %3$s)'
            ' INSERT INTO public.%1$I (%3$s) SELECT %3$s FROM moved', waiting, partition_name, app.columns_of(parent))
        USING kept;
        GET DIAGNOSTICS kept_count = ROW_COUNT;
        EXECUTE format('ALTER TABLE public.%I ENABLE TRIGGER USER', waiting);
        UPDATE partition_retirements SET kept_rows = kept_count WHERE id = retirement;
    END IF;
    EXECUTE format('ALTER TABLE public.%I SET SCHEMA retired', partition_name);
    EXECUTE format('REVOKE ALL ON retired.%I FROM PUBLIC', partition_name);
    EXECUTE format('GRANT SELECT ON retired.%I TO chatsphere_maintainer', partition_name);
    RETURN kept_count;
END
$$;

-- Drop what was detached and archived. Twice does no harm.
CREATE FUNCTION app.drop_retired_partition(retirement uuid, moment timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s'
    AS $$
DECLARE
    found partition_retirements;
BEGIN
    SELECT * INTO found FROM partition_retirements WHERE id = retirement FOR UPDATE;
    IF found.status IS DISTINCT FROM 'archived' THEN
        IF found.status = 'dropped' THEN
            RETURN;
        END IF;
        RAISE EXCEPTION 'not archived' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('DROP TABLE retired.%I', found.partition_name);
    UPDATE partition_retirements SET status = 'dropped', dropped_at = moment WHERE id = retirement;
END
$$;

DO $$
DECLARE
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY[
        'app.default_rows(uuid[])', 'app.partition_is_empty(text)', 'app.drop_empty_partition(text)',
        'app.held_rows(text, uuid[], bigint)',
        'app.make_partition(text, timestamptz, timestamptz)', 'app.drop_retired_partition(uuid, timestamptz)',
        'app.detach_partition(uuid, text, uuid[], timestamptz)'
    ] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO chatsphere_maintainer', signature);
    END LOOP;
END
$$;

-- Three months ahead, until a job does it.
DO $$
DECLARE
    month timestamptz := date_trunc('month', now(), 'UTC');
    parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['usage_events', 'audit_log'] LOOP
        FOR step IN 2..3 LOOP
            -- Where rows of a later time are there, the first partition holds them.
            CONTINUE WHEN EXISTS (
                SELECT FROM app.list_partitions() p
                WHERE p.table_name = parent AND p.ends_at > date_add(month, step * interval '1 month', 'UTC'));
            PERFORM app.make_partition(
                parent, date_add(month, step * interval '1 month', 'UTC'),
                date_add(month, (step + 1) * interval '1 month', 'UTC'));
        END LOOP;
    END LOOP;
END
$$;
