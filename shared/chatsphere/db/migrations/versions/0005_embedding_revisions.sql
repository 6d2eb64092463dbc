-- A bot is re-embedded with another model beside the vectors that readers search, and switched over in one
-- transaction. Why: docs/decisions/0081-embedding-revisions.md.

ALTER TABLE bots
    -- The model whose vectors readers search, the length of those, and which revision of the bot's vectors that is.
    -- NULL: the deployment's model embeds the bot's first document.
    ADD COLUMN embedding_model text,
    ADD COLUMN embedding_dimensions integer,
    ADD COLUMN embedding_revision integer NOT NULL DEFAULT 0;

-- Bots that hold vectors already have been embedded by the model that their batches name. The dimensions of a model of
-- ours are known by its name; where they are not, NULL says that the vectors are as long as the deployment's.
UPDATE bots
SET embedding_model = made.model,
    embedding_dimensions = CASE
        WHEN made.model = 'all-minilm-l6-v2-int8' THEN 384
        WHEN made.model ~ ':[0-9]{2,5}$' THEN substring(made.model FROM ':([0-9]+)$')::integer END
FROM (
    SELECT DISTINCT ON (d.bot_id) d.bot_id, b.model
    FROM embedding_batches b
    JOIN documents d ON d.id = b.document_id AND d.live_generation = b.generation
    ORDER BY d.bot_id, b.created_at DESC) made
WHERE made.bot_id = bots.id;

-- Neither column is anybody's act: ingestion fills them, a training run, which is audited, changes them.
CREATE OR REPLACE TRIGGER audit AFTER INSERT ON bots FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'bot', 'id', 'organization_id', '',
        '{id,organization_id,created_by,created_at,updated_at,embedding_model,embedding_dimensions,embedding_revision}',
        '{}', '{name}');
CREATE OR REPLACE TRIGGER audit_update AFTER UPDATE ON bots FOR EACH ROW
    WHEN (OLD.status <> 'deleting'
          AND (OLD.status = NEW.status OR NEW.status IN ('archived', 'deleting') OR OLD.status = 'archived'))
    EXECUTE FUNCTION app.audit(
        'bot', 'id', 'organization_id', '',
        '{id,organization_id,created_by,created_at,updated_at,embedding_model,embedding_dimensions,embedding_revision}',
        '{}', '{name}');

-- ------------------------------------------------------------------------------------------- training runs

-- What was embedded when, with which model, at which cost: one row for each time that a bot was trained.
CREATE TABLE training_runs (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('ingest', 'reembed')),
    status text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'cancelled')),
    embedding_model text,
    document_count integer NOT NULL DEFAULT 0,
    failed_count integer NOT NULL DEFAULT 0,
    page_count bigint NOT NULL DEFAULT 0,
    chunk_count bigint NOT NULL DEFAULT 0,
    token_count bigint NOT NULL DEFAULT 0,
    cost_microdollars bigint NOT NULL DEFAULT 0,
    error_code text,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    -- The rest is of a re-embedding. From which model and revision to which; what it was estimated to take.
    former_model text,
    former_revision integer,
    former_dimensions integer,
    revision integer,
    dimensions integer,
    estimate jsonb,
    -- How many batches there are to embed, as of its end, and how many are done.
    total_batches integer,
    done_batches integer NOT NULL DEFAULT 0,
    -- How often it was taken up again since its last batch.
    attempts integer NOT NULL DEFAULT 0,
    -- Which of its two revisions nobody needs any more, until its vectors are gone; in `cleaned_at` a deletion has found
    -- none left for the first time.
    obsolete_revision integer,
    cleaned_at timestamptz,
    -- By then somebody must have done something for it.
    lease_expires_at timestamptz,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX training_runs_newest ON training_runs (organization_id, bot_id, id DESC);
CREATE UNIQUE INDEX training_runs_one_at_a_time ON training_runs (bot_id, kind) WHERE status = 'running';
CREATE INDEX training_runs_due ON training_runs (lease_expires_at) WHERE lease_expires_at IS NOT NULL;

ALTER TABLE training_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE training_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON training_runs TO chatsphere_app
    USING (organization_id = app.current_organization()) WITH CHECK (organization_id = app.current_organization());
GRANT SELECT, INSERT, UPDATE, DELETE ON training_runs TO chatsphere_app;
CREATE POLICY reaper ON training_runs FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (id, organization_id, bot_id, kind, lease_expires_at) ON training_runs TO chatsphere_reaper;

-- Asked for and cancelled: somebody's acts. How far it came is not.
CREATE TRIGGER audit AFTER INSERT ON training_runs FOR EACH ROW WHEN (NEW.kind = 'reembed')
    EXECUTE FUNCTION app.audit(
        'training_run', 'id', 'organization_id', '',
        '{id,organization_id,document_count,failed_count,page_count,chunk_count,token_count,cost_microdollars,'
        'done_batches,attempts,lease_expires_at,started_at,former_dimensions,dimensions,former_revision,revision}', '{}',
        '{bot_id,embedding_model}');
CREATE TRIGGER audit_update AFTER UPDATE OF status ON training_runs FOR EACH ROW
    WHEN (NEW.kind = 'reembed' AND OLD.status = 'running' AND NEW.status = 'cancelled')
    EXECUTE FUNCTION app.audit(
        'training_run', 'id', 'organization_id', '',
        '{id,organization_id,document_count,failed_count,page_count,chunk_count,token_count,cost_microdollars,'
        'done_batches,total_batches,attempts,lease_expires_at,finished_at,obsolete_revision,cleaned_at}', '{}',
        '{bot_id,embedding_model}');

-- ------------------------------------------------------------------------------------------------- batches

-- A batch is embedded at a revision when its row exists. The code before this migration writes and counts revision 0,
-- the only one that there is until the first run; it names no columns of the key in ON CONFLICT.
ALTER TABLE embedding_batches
    ADD COLUMN revision integer NOT NULL DEFAULT 0,
    ADD COLUMN token_count integer NOT NULL DEFAULT 0,
    ADD COLUMN cost_microdollars bigint NOT NULL DEFAULT 0;
-- One row stands for 64 chunks: a million chunks are 16,000 rows, of which the key is built in milliseconds.
-- squawk-ignore ban-drop-constraint
ALTER TABLE embedding_batches DROP CONSTRAINT embedding_batches_pkey;
-- squawk-ignore adding-serial-primary-key-field, constraint-missing-not-valid
ALTER TABLE embedding_batches ADD PRIMARY KEY (document_id, generation, batch, revision);

-- ------------------------------------------------------------------------------------------------- vectors

-- pgvector's vectors of revisions above 0; those of revision 0 are in `chunk_vectors`. A table of its own, because the
-- key of a large partitioned table cannot be changed without holding up everybody, nor while the code before this
-- migration writes to it (its ON CONFLICT names the former key).
CREATE TABLE revised_vectors (
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    revision integer NOT NULL CHECK (revision > 0),
    document_id uuid NOT NULL,
    generation integer NOT NULL,
    ordinal integer NOT NULL,
    chunk_id uuid NOT NULL,
    dimensions integer NOT NULL,
    embedding halfvec NOT NULL,
    PRIMARY KEY (bot_id, revision, document_id, generation, ordinal),
    FOREIGN KEY (organization_id, bot_id, document_id)
        REFERENCES documents (organization_id, bot_id, id) ON DELETE CASCADE
) PARTITION BY HASH (bot_id);

DO $$
BEGIN
    FOR remainder IN 0..31 LOOP
        EXECUTE format(
            'CREATE TABLE revised_vectors_%s PARTITION OF revised_vectors FOR VALUES WITH (MODULUS 32, REMAINDER %s)',
            to_char(remainder, 'FM00'), remainder);
    END LOOP;
END
$$;

CREATE INDEX revised_vectors_hnsw_384 ON revised_vectors
    USING hnsw ((embedding::halfvec(384)) halfvec_cosine_ops) WHERE dimensions = 384;
CREATE INDEX revised_vectors_hnsw_768 ON revised_vectors
    USING hnsw ((embedding::halfvec(768)) halfvec_cosine_ops) WHERE dimensions = 768;
-- Documents are deleted by themselves, without their bot: the key cannot be searched for those.
CREATE INDEX revised_vectors_document ON revised_vectors (document_id);

ALTER TABLE revised_vectors ENABLE ROW LEVEL SECURITY;
ALTER TABLE revised_vectors FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON revised_vectors TO chatsphere_app
    USING (organization_id = app.current_organization()) WITH CHECK (organization_id = app.current_organization());
GRANT SELECT, INSERT, UPDATE, DELETE ON revised_vectors TO chatsphere_app;
CREATE POLICY search ON revised_vectors FOR SELECT TO chatsphere_search USING (true);
GRANT SELECT ON revised_vectors TO chatsphere_search;

-- As the functions of the same names for revision 0, which these call for it.
CREATE FUNCTION app.count_vectors(bot uuid, revision integer, documents uuid[], ceiling integer) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    AS $$
BEGIN
    IF count_vectors.revision = 0 THEN
        RETURN app.count_vectors(bot, documents, ceiling);
    END IF;
    IF NOT app.owns_bot(bot) THEN
        RETURN 0;
    END IF;
    RETURN (
        SELECT count(*) FROM (
            SELECT FROM revised_vectors v
            WHERE v.bot_id = bot AND v.revision = count_vectors.revision
              AND (documents IS NULL OR v.document_id = ANY (documents))
            LIMIT ceiling) counted);
END
$$;

CREATE FUNCTION app.nearest_vectors_exact(
    bot uuid, revision integer, query halfvec, documents uuid[], result_limit integer)
    RETURNS TABLE (chunk_id uuid, document_id uuid, score double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    SET max_parallel_workers_per_gather = 0
    AS $$
BEGIN
    IF nearest_vectors_exact.revision = 0 THEN
        RETURN QUERY SELECT * FROM app.nearest_vectors_exact(bot, query, documents, result_limit);
        RETURN;
    END IF;
    IF NOT app.owns_bot(bot) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT v.chunk_id, v.document_id, 1 - (v.embedding <=> query)
    FROM revised_vectors v
    WHERE v.bot_id = bot AND v.revision = nearest_vectors_exact.revision AND v.dimensions = vector_dims(query)
      AND (documents IS NULL OR v.document_id = ANY (documents))
    ORDER BY v.embedding <=> query
    LIMIT result_limit;
END
$$;

CREATE FUNCTION app.nearest_vectors_indexed(
    bot uuid, revision integer, query halfvec, documents uuid[], result_limit integer)
    RETURNS TABLE (chunk_id uuid, document_id uuid, score double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    SET enable_sort = off
    SET hnsw.iterative_scan = relaxed_order
    SET hnsw.ef_search = 200
    SET hnsw.max_scan_tuples = 40000
    AS $$
BEGIN
    IF nearest_vectors_indexed.revision = 0 THEN
        RETURN QUERY SELECT * FROM app.nearest_vectors_indexed(bot, query, documents, result_limit);
        RETURN;
    END IF;
    IF NOT app.owns_bot(bot) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT v.chunk_id, v.document_id, 1 - (v.embedding::halfvec(%1$s) <=> $2::halfvec(%1$s))
         FROM revised_vectors v
         WHERE v.bot_id = $1 AND v.revision = $5 AND v.dimensions = %1$s AND ($3 IS NULL OR v.document_id = ANY ($3))
         ORDER BY v.embedding::halfvec(%1$s) <=> $2::halfvec(%1$s)
         LIMIT $4', vector_dims(query))
    USING bot, query, documents, result_limit, nearest_vectors_indexed.revision;
END
$$;

GRANT chatsphere_search TO CURRENT_USER;
GRANT CREATE ON SCHEMA app TO chatsphere_search;
DO $$
DECLARE
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY[
        'app.count_vectors(uuid, integer, uuid[], integer)',
        'app.nearest_vectors_exact(uuid, integer, halfvec, uuid[], integer)',
        'app.nearest_vectors_indexed(uuid, integer, halfvec, uuid[], integer)'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO chatsphere_search', signature);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO chatsphere_app', signature);
    END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA app FROM chatsphere_search;
REVOKE chatsphere_search FROM CURRENT_USER;
