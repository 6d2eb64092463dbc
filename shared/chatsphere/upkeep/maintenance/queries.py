"""SQL of the report, as the maintainer: numbers only, but for the texts of statements without their values."""

from typing import Final

SERVER: Final = """
    SELECT current_setting('server_version') AS version,
        extract(epoch FROM now() - pg_postmaster_start_time())::bigint AS up_seconds,
        pg_database_size(current_database()) AS database_bytes,
        age(d.datfrozenxid)::bigint AS oldest_xid_age,
        current_setting('autovacuum_freeze_max_age')::bigint AS freeze_max_age,
        mxid_age(d.datminmxid)::bigint AS oldest_mxid_age,
        current_setting('autovacuum_multixact_freeze_max_age')::bigint AS multixact_freeze_max_age,
        s.blks_hit AS blocks_hit, s.blks_read AS blocks_read,
        s.deadlocks AS deadlocks, s.temp_bytes AS temporary_bytes,
        extract(epoch FROM now() - coalesce(s.stats_reset, pg_postmaster_start_time()))::bigint AS counted_seconds,
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
        current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
            AS max_connections,
        EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements') AS counts_statements
    FROM pg_database d JOIN pg_stat_database s ON s.datid = d.oid WHERE d.datname = current_database()
"""
"""The server and this database, since its statistics were last reset."""

TABLES: Final = """
    SELECT t.schemaname AS schema_name, t.relname AS table_name, coalesce(parent.relname, t.relname) AS of_table,
        pg_table_size(t.relid) AS bytes, pg_indexes_size(t.relid) AS index_bytes,
        t.n_live_tup AS live_rows, t.n_dead_tup AS dead_rows, t.n_mod_since_analyze AS changed_rows,
        t.seq_scan AS sequential_scans, t.seq_tup_read AS rows_read_sequentially,
        coalesce(t.idx_scan, 0) AS index_scans,
        greatest(t.last_analyze, t.last_autoanalyze) AS analyzed_at,
        greatest(t.last_vacuum, t.last_autovacuum) AS vacuumed_at,
        age(c.relfrozenxid)::bigint AS xid_age
    FROM pg_stat_user_tables t
    JOIN pg_class c ON c.oid = t.relid
    LEFT JOIN pg_inherits i ON i.inhrelid = t.relid
    LEFT JOIN pg_class parent ON parent.oid = i.inhparent
    WHERE t.schemaname IN ('public', 'retired') AND c.relkind = 'r'
    ORDER BY pg_total_relation_size(t.relid) DESC, 1
"""
"""Every table and partition, the largest first."""

PARENTS: Final = """
    SELECT c.relname AS table_name, greatest(s.last_analyze, s.last_autoanalyze) AS analyzed_at
    FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
    WHERE c.relkind = 'p' AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition ORDER BY 1
"""
"""Partitioned tables: PostgreSQL never analyzes these by itself."""

UNUSED_INDEXES: Final = """
    SELECT coalesce(parent.relname, c.relname) AS index_name, min(t.relname) AS table_name,
        sum(pg_relation_size(c.oid))::bigint AS bytes, sum(pg_stat_get_numscans(c.oid))::bigint AS scans
    FROM pg_index x
    JOIN pg_class c ON c.oid = x.indexrelid
    JOIN pg_class t ON t.oid = x.indrelid AND t.relnamespace = 'public'::regnamespace
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    LEFT JOIN pg_class parent ON parent.oid = i.inhparent
    WHERE c.relkind = 'i' AND NOT x.indisunique
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid)
    GROUP BY 1 HAVING sum(pg_stat_get_numscans(c.oid)) = 0 ORDER BY 3 DESC
"""
"""Indexes that no statement read, those of all partitions together; unique ones do their work by being there."""

DUPLICATE_INDEXES: Final = """
    SELECT t.relname AS table_name, array_agg(c.relname::text ORDER BY x.indisunique DESC, c.relname) AS indexes,
        sum(pg_relation_size(c.oid))::bigint AS bytes
    FROM pg_index x
    JOIN pg_class c ON c.oid = x.indexrelid AND NOT c.relispartition
    JOIN pg_class t ON t.oid = x.indrelid AND t.relnamespace = 'public'::regnamespace
    GROUP BY t.relname, x.indrelid, c.relam, x.indkey::text, x.indclass::text, x.indcollation::text, x.indoption::text,
        pg_get_expr(x.indexprs, x.indrelid), pg_get_expr(x.indpred, x.indrelid)
    HAVING count(*) > 1 ORDER BY 1
"""
"""Indexes of the same columns in the same order under the same condition."""

UNINDEXED_KEYS: Final = """
    SELECT t.relname AS table_name, k.conname AS key_name, target.relname AS target,
        (SELECT array_agg(a.attname::text ORDER BY u.place)
         FROM unnest(k.conkey) WITH ORDINALITY u (number, place)
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) AS columns,
        greatest(t.reltuples, 0)::bigint AS rows
    FROM pg_constraint k
    JOIN pg_class t ON t.oid = k.conrelid AND t.relnamespace = 'public'::regnamespace AND NOT t.relispartition
    JOIN pg_class target ON target.oid = k.confrelid
    WHERE k.contype = 'f' AND NOT EXISTS (
        SELECT FROM pg_index x
        WHERE x.indrelid = k.conrelid AND x.indpred IS NULL
          -- One of the key's columns at least is what the index begins with.
          AND x.indkey[0] = ANY (k.conkey))
    ORDER BY 5 DESC, 1, 2
"""
"""Foreign keys by none of whose columns rows are found: each deletion of what they point to reads all of the table."""

SESSIONS: Final = """
    SELECT process, role_name, application, prepared, state, wait_event, transaction_seconds, statement_seconds,
        statement
    FROM app.open_transactions() ORDER BY transaction_seconds DESC LIMIT 50
"""
"""Open transactions of this database, the oldest first: those of our roles, and everybody else's."""

STATEMENTS: Final = "SELECT role_name, statement, calls, mean_ms, total_ms FROM app.slowest_statements(25)"
"""Where the time went, where the server counts that."""

REPLICAS: Final = "SELECT replica, seconds, bytes FROM app.replication_lag()"
"""How far copies are behind."""

DEFAULT_ROWS: Final = "SELECT table_name, starts_at, rows FROM app.default_rows('{}')"
"""Rows in default partitions by month."""

RETIREMENTS: Final = """
    SELECT partition_name, status, detached_at FROM partition_retirements WHERE status <> 'dropped' ORDER BY detached_at
"""
"""Partitions on their way out."""

ANALYZE: Final = "SELECT app.analyze_table(%(table_name)s)"
"""Count anew what the planner knows."""
