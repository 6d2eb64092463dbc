-- Vectors of messages, and which are yet to be made. Why: docs/decisions/0096-memory.md.

-- A bot's memory as one model embedded it. `revision` grows with each one that is made, so that what is deleted or
-- written late for a former one meets nothing of the present one.
CREATE TABLE bot_memories (
    bot_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    revision integer NOT NULL CHECK (revision > 0),
    -- NULL: there is none at present, for it was switched off.
    model text,
    dimensions integer,
    -- Conversations with smaller ids were held before this memory was made, and are yet to be taken into it.
    remaining_before uuid,
    -- When somebody must look at it.
    due_at timestamptz,
    UNIQUE (organization_id, bot_id),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX bot_memories_due ON bot_memories (due_at) WHERE due_at IS NOT NULL;

-- Messages that are yet to be embedded: written by whoever writes the message, in the same transaction.
CREATE TABLE memory_pending (
    message_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    -- Of the message: by it its partition is found.
    created_at timestamptz NOT NULL,
    -- Who embeds it at the moment, and how often that was begun; from `due_at` on somebody else may.
    claim uuid,
    attempts integer NOT NULL DEFAULT 0,
    -- How often a model refused a batch that it was in.
    refused integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX memory_pending_bot ON memory_pending (organization_id, bot_id, due_at);
CREATE INDEX memory_pending_due ON memory_pending (due_at);
CREATE INDEX memory_pending_conversation ON memory_pending (conversation_id);

-- What must go from the vector store, and is looked for a second time: a deleted conversation's vectors, or without
-- one a whole revision's. No key to the conversation, which is gone.
CREATE TABLE memory_deletions (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    conversation_id uuid,
    revision integer,
    dimensions integer,
    -- When a deletion found for the first time that nothing is left.
    cleaned_at timestamptz,
    due_at timestamptz NOT NULL,
    CHECK ((conversation_id IS NULL) <> (revision IS NULL)),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX memory_deletions_bot ON memory_deletions (organization_id, bot_id, due_at);
CREATE INDEX memory_deletions_due ON memory_deletions (due_at);

-- pgvector's vectors of messages: narrow, apart from the text, and near those of the same bot.
CREATE TABLE message_vectors (
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    revision integer NOT NULL,
    conversation_id uuid NOT NULL,
    message_id uuid NOT NULL,
    end_user_id text,
    role text NOT NULL,
    created_at timestamptz NOT NULL,
    dimensions integer NOT NULL,
    embedding halfvec NOT NULL,
    -- In this order it serves who searches in a conversation as well as the deletion of one.
    PRIMARY KEY (conversation_id, message_id, revision, bot_id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id) ON DELETE CASCADE
) PARTITION BY HASH (bot_id);

DO $$
BEGIN
    FOR remainder IN 0..15 LOOP
        EXECUTE format(
            'CREATE TABLE message_vectors_%s PARTITION OF message_vectors FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
            to_char(remainder, 'FM00'), remainder);
    END LOOP;
END
$$;

CREATE INDEX message_vectors_bot ON message_vectors (bot_id, revision, end_user_id);
CREATE INDEX message_vectors_hnsw_384 ON message_vectors
    USING hnsw ((embedding::halfvec(384)) halfvec_cosine_ops) WHERE dimensions = 384;
CREATE INDEX message_vectors_hnsw_768 ON message_vectors
    USING hnsw ((embedding::halfvec(768)) halfvec_cosine_ops) WHERE dimensions = 768;

-- How many vectors a search would have to compare, counted up to `ceiling`. NULL: no such condition. These run as who
-- asks, under the policy; each call is planned anew, or conditions that are not there would keep the indexes away.
CREATE FUNCTION app.count_messages(
    bot uuid, memory integer, conversations uuid[], end_user text, wanted_role text,
    since timestamptz, until timestamptz, ceiling integer) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    SET plan_cache_mode = force_custom_plan
    AS $$
BEGIN
    RETURN (
        SELECT count(*) FROM (
            SELECT FROM message_vectors v
            WHERE v.bot_id = bot AND v.revision = memory
              AND (conversations IS NULL OR v.conversation_id = ANY (conversations))
              AND (end_user IS NULL OR v.end_user_id = end_user)
              AND (wanted_role IS NULL OR v.role = wanted_role)
              AND (since IS NULL OR v.created_at >= since) AND (until IS NULL OR v.created_at < until)
            LIMIT ceiling) counted);
END
$$;

-- Compares every vector that fits. Without the cast of the indexes no HNSW index can be chosen.
CREATE FUNCTION app.nearest_messages_exact(
    bot uuid, memory integer, query halfvec, conversations uuid[], end_user text, wanted_role text,
    since timestamptz, until timestamptz, excluded uuid[], result_limit integer)
    RETURNS TABLE (message_id uuid, conversation_id uuid, score double precision)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    SET max_parallel_workers_per_gather = 0
    SET plan_cache_mode = force_custom_plan
    AS $$
BEGIN
    RETURN QUERY
    SELECT v.message_id, v.conversation_id, 1 - (v.embedding <=> query)
    FROM message_vectors v
    WHERE v.bot_id = bot AND v.revision = memory AND v.dimensions = vector_dims(query)
      AND (conversations IS NULL OR v.conversation_id = ANY (conversations))
      AND (end_user IS NULL OR v.end_user_id = end_user)
      AND (wanted_role IS NULL OR v.role = wanted_role)
      AND (since IS NULL OR v.created_at >= since) AND (until IS NULL OR v.created_at < until)
      AND v.message_id <> ALL (excluded)
    ORDER BY v.embedding <=> query
    LIMIT result_limit;
END
$$;

-- Walks the HNSW index, further if conditions leave too few.
CREATE FUNCTION app.nearest_messages_indexed(
    bot uuid, memory integer, query halfvec, conversations uuid[], end_user text, wanted_role text,
    since timestamptz, until timestamptz, excluded uuid[], result_limit integer)
    RETURNS TABLE (message_id uuid, conversation_id uuid, score double precision)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    SET enable_sort = off
    SET hnsw.iterative_scan = relaxed_order
    SET hnsw.ef_search = 200
    SET hnsw.max_scan_tuples = 40000
    AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT v.message_id, v.conversation_id, 1 - (v.embedding::halfvec(%1$s) <=> $3::halfvec(%1$s))
         FROM message_vectors v
         WHERE v.bot_id = $1 AND v.revision = $2 AND v.dimensions = %1$s
           AND ($4 IS NULL OR v.conversation_id = ANY ($4)) AND ($5 IS NULL OR v.end_user_id = $5)
           AND ($6 IS NULL OR v.role = $6) AND ($7 IS NULL OR v.created_at >= $7) AND ($8 IS NULL OR v.created_at < $8)
           AND v.message_id <> ALL ($9)
         ORDER BY v.embedding::halfvec(%1$s) <=> $3::halfvec(%1$s)
         LIMIT $10', vector_dims(query))
    USING bot, memory, query, conversations, end_user, wanted_role, since, until, excluded, result_limit;
END
$$;

-- Whoever writes a message, in whatever way, has it remembered. An answer's text may be written after its row.
CREATE FUNCTION app.note_message() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    INSERT INTO memory_pending (message_id, organization_id, bot_id, conversation_id, created_at, due_at)
    SELECT NEW.id, NEW.organization_id, NEW.bot_id, NEW.conversation_id, NEW.created_at,
        NEW.created_at + interval '2 minutes'
    FROM bots
    WHERE bots.organization_id = NEW.organization_id AND bots.id = NEW.bot_id
      AND NOT bots.configuration @> '{"memory": false}'
    ON CONFLICT (message_id) DO UPDATE SET claim = NULL, due_at = excluded.due_at;
    RETURN NULL;
END
$$;
CREATE TRIGGER remember AFTER INSERT ON messages FOR EACH ROW
    WHEN (NEW.role IN ('user', 'assistant') AND NEW.content ~ '\S')
    EXECUTE FUNCTION app.note_message();
CREATE TRIGGER remember_change AFTER UPDATE OF content ON messages FOR EACH ROW
    WHEN (NEW.role IN ('user', 'assistant') AND NEW.content ~ '\S' AND NEW.content <> OLD.content)
    EXECUTE FUNCTION app.note_message();

-- Another model, or memory switched on or off, however that came about: somebody looks at what there is.
CREATE FUNCTION app.note_memory_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    UPDATE bot_memories SET due_at = NEW.updated_at
    WHERE organization_id = NEW.organization_id AND bot_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER memory_change AFTER UPDATE ON bots FOR EACH ROW
    WHEN (OLD.embedding_model IS DISTINCT FROM NEW.embedding_model
          OR OLD.configuration -> 'memory' IS DISTINCT FROM NEW.configuration -> 'memory')
    EXECUTE FUNCTION app.note_memory_change();

-- For the last look after a bot's deletion: the revisions of its memory, each with the length of its vectors.
ALTER TABLE deletions ADD COLUMN memory_places jsonb;

-- ------------------------------------------------------------------------------------ row level security

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['bot_memories', 'memory_pending', 'memory_deletions', 'message_vectors'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', tenant_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_app', tenant_table);
    END LOOP;
END
$$;

-- The reaper finds what nobody is at.
CREATE POLICY reaper ON bot_memories FOR SELECT TO chatsphere_reaper USING (true);
CREATE POLICY reaper ON memory_pending FOR SELECT TO chatsphere_reaper USING (true);
CREATE POLICY reaper ON memory_deletions FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (organization_id, bot_id, due_at) ON bot_memories, memory_pending, memory_deletions TO chatsphere_reaper;
