-- What search reads: vectors (only where pgvector is the vector store), and a lexical index that BM25 is
-- computed from. Why it is not a GIN index and ts_rank: docs/decisions/0020-lexical-index.md.

CREATE EXTENSION IF NOT EXISTS vector;

-- ------------------------------------------------------------------------------------------------ lexemes

-- Text as the lexical index sees it: compatibility forms and accents folded, punctuation as space (or the
-- parser would make one token of a URL, a file name or a version), and scripts written without spaces cut
-- into overlapping pairs of characters.
CREATE FUNCTION app.searchable_text(input text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    unspaced CONSTANT text := '\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff';
    -- ASCII; Latin-1; Arabic, Devanagari; general punctuation, arrows, mathematics, shapes; CJK.
    punctuation CONSTANT text := '[\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007e'
        '\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb\u00bf\u00d7\u00f7\u060c\u061b\u061f\u06d4\u0964\u0965'
        '\u2000-\u206f\u2190-\u2bff\u3001-\u3003\u3008-\u3020\u30fb]';
    folded text := input;
    pairs text;
BEGIN
    IF folded ~ '[^\u0001-\u007f]' THEN
        folded := normalize(regexp_replace(normalize(folded, NFKD), '[\u0300-\u036f]', '', 'g'), NFKC);
    END IF;
    folded := regexp_replace(folded, punctuation, ' ', 'g');
    IF folded ~ ('[' || unspaced || ']{2}') THEN
        -- Pairs that begin at odd offsets of each run; those at even offsets stay where they are.
        pairs := regexp_replace(folded, '[^' || unspaced || ']+', ' ', 'g');
        pairs := regexp_replace(pairs, '(^| )[' || unspaced || ']', ' ', 'g');
        folded := regexp_replace(folded || ' ' || pairs, '([' || unspaced || ']{1,2})', '\1 ', 'g');
    END IF;
    RETURN folded;
END
$$;

CREATE FUNCTION app.lexemes(heading_path text[], content text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector('pg_catalog.english',
        app.searchable_text(COALESCE(array_to_string(heading_path, ' '), '') || ' ' || content));

ALTER TABLE chunks
    -- No installation has chunks yet: there is nothing to rewrite.
    -- squawk-ignore adding-field-with-default
    ADD COLUMN lexemes tsvector NOT NULL GENERATED ALWAYS AS (app.lexemes(heading_path, content)) STORED;

-- ------------------------------------------------------------------------------------------ lexical index

-- A segment holds the postings of up to 8,192 chunks of one bot. Each document begins as a segment of its
-- own; small segments are merged into larger ones, so that a bot of any size has few.
CREATE TABLE lexical_segments (
    -- The one key that the database makes: a segment is known to nobody outside the index.
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    chunk_count integer NOT NULL DEFAULT 0,
    total_length bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX lexical_segments_bot ON lexical_segments (bot_id);

-- Which chunk an ordinal of a segment means. One document's chunks have consecutive ordinals.
CREATE TABLE lexical_chunks (
    chunk_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    ordinal integer NOT NULL CHECK (ordinal BETWEEN 0 AND 32767),
    length integer NOT NULL,
    UNIQUE (segment_id, ordinal),
    FOREIGN KEY (organization_id, chunk_id) REFERENCES chunks (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, segment_id) REFERENCES lexical_segments (organization_id, id) ON DELETE CASCADE
);

-- The occurrences of one lexeme, up to 256 a row (1 KB: never moved out of line), by ordinal. An entry is
-- ordinal << 16 | term frequency (6 bits) << 10 | chunk length in lexemes (10 bits). `first_ordinal` is where
-- the row's range begins; it stays when that entry is removed.
CREATE TABLE lexical_postings (
    organization_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    first_ordinal integer NOT NULL,
    lexeme text COLLATE "C" NOT NULL,
    entries integer[] NOT NULL,
    PRIMARY KEY (segment_id, lexeme, first_ordinal),
    FOREIGN KEY (organization_id, segment_id) REFERENCES lexical_segments (organization_id, id) ON DELETE CASCADE
);

-- Those who take documents out of a bot's index wait for each other here, until the transaction ends: each of
-- them holds several segments. A function, since RDS Proxy pins a connection whose statement takes such a lock.
CREATE FUNCTION app.hold_lexical_index(bot uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('lexical index ' || bot::text, 0));
END
$$;

-- The distinct lexemes of a question and, for each, in how many of the bot's chunks it occurs; with the
-- number of chunks and their total length, which are the same in every row.
CREATE FUNCTION app.lexical_statistics(bot uuid, question text)
    RETURNS TABLE (lexeme text, document_frequency bigint, chunk_count bigint, total_length bigint)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    AS $$
WITH segments AS MATERIALIZED (
    SELECT s.id, s.chunk_count, s.total_length FROM lexical_segments s WHERE s.bot_id = bot
), totals AS (
    SELECT COALESCE(sum(s.chunk_count), 0)::bigint AS chunks, COALESCE(sum(s.total_length), 0)::bigint AS lexemes
    FROM segments s
)
SELECT term.lexeme, found.frequency, totals.chunks, totals.lexemes
FROM totals, unnest(tsvector_to_array(app.lexemes('{}', question))) AS term (lexeme)
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(cardinality(p.entries)), 0)::bigint AS frequency
    FROM segments JOIN lexical_postings p ON p.segment_id = segments.id AND p.lexeme = term.lexeme
) found
$$;

-- BM25's weight of one occurrence count, short of the inverse document frequency (k1 = 1.5, b = 0.75). Inlined.
CREATE FUNCTION app.bm25_saturation(frequency integer, length integer, average_length double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN frequency / (frequency + (1.5 * (1 - 0.75))::double precision
        + (1.5 * 0.75)::double precision / average_length * length);

-- The chunks with the highest BM25 scores, best first. `terms[i]` weighs `weights[i]`, its inverse document
-- frequency. Only the first `scanned` terms find chunks; if that is not all of them, the best 300 so found are
-- scored by the others as well, from their own lexemes. With `documents`, only their chunks count.
CREATE FUNCTION app.lexical_search(
    bot uuid, terms text[], weights double precision[], scanned integer, average_length double precision,
    documents uuid[], result_limit integer)
    RETURNS TABLE (chunk_id uuid, score double precision)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    SET work_mem = '32MB'
    SET max_parallel_workers_per_gather = 0
    AS $$
DECLARE
    segments uuid[] := ARRAY(SELECT s.id FROM lexical_segments s WHERE s.bot_id = bot ORDER BY s.id);
    complete boolean := scanned >= cardinality(terms);
BEGIN
    RETURN QUERY
    WITH found AS (
        SELECT (segment.number::integer << 15) | (entry >> 16) AS place,
            sum(term.weight * app.bm25_saturation((entry >> 10) & 63, entry & 1023, average_length)) AS total
        FROM unnest(terms[:scanned], weights[:scanned]) AS term (lexeme, weight)
        CROSS JOIN unnest(segments) WITH ORDINALITY AS segment (id, number)
        JOIN lexical_postings p ON p.segment_id = segment.id AND p.lexeme = term.lexeme
        CROSS JOIN unnest(p.entries) AS entry
        GROUP BY 1
    ), best AS MATERIALIZED (
        SELECT f.place, f.total FROM found f
        WHERE documents IS NULL OR f.place IN (
            SELECT (array_position(segments, l.segment_id) << 15) | l.ordinal
            FROM chunks c JOIN lexical_chunks l ON l.chunk_id = c.id
            WHERE c.document_id = ANY (documents))
        ORDER BY f.total DESC, f.place
        LIMIT CASE WHEN complete THEN NULL ELSE 300 END
    )
    -- Readers may not see all of them, so the best are looked up one after the other until enough are found.
    SELECT live.chunk_id, b.total + live.rest
    FROM best b
    CROSS JOIN LATERAL (
        SELECT l.chunk_id, CASE WHEN complete THEN 0 ELSE (
            SELECT COALESCE(sum(term.weight * app.bm25_saturation(
                least(cardinality(u.positions), 63), least(l.length, 1023), average_length)), 0)
            FROM unnest(ts_filter(setweight(c.lexemes, 'A', terms[scanned + 1:]), '{a}')) u
            JOIN unnest(terms, lexical_search.weights) AS term (lexeme, weight) ON term.lexeme = u.lexeme) END AS rest
        FROM lexical_chunks l
        JOIN chunks c ON c.id = l.chunk_id
        JOIN documents d ON d.id = c.document_id AND d.live_generation = c.generation AND d.status <> 'deleting'
        WHERE l.segment_id = segments[b.place >> 15] AND l.ordinal = b.place & 32767
        OFFSET 0
    ) live
    LIMIT CASE WHEN complete THEN result_limit END;
END
$$;

-- ------------------------------------------------------------------------------------------------ vectors

-- Narrow, apart from the text, and partitioned by bot, so that one bot's vectors lie close together.
-- (document_id, generation, ordinal) is the vector's id.
CREATE TABLE chunk_vectors (
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    document_id uuid NOT NULL,
    generation integer NOT NULL,
    ordinal integer NOT NULL,
    chunk_id uuid NOT NULL,
    dimensions integer NOT NULL,
    embedding halfvec NOT NULL,
    PRIMARY KEY (bot_id, document_id, generation, ordinal),
    FOREIGN KEY (organization_id, bot_id, document_id)
        REFERENCES documents (organization_id, bot_id, id) ON DELETE CASCADE
) PARTITION BY HASH (bot_id);

DO $$
BEGIN
    FOR remainder IN 0..31 LOOP
        EXECUTE format(
            'CREATE TABLE chunk_vectors_%s PARTITION OF chunk_vectors FOR VALUES WITH (MODULUS 32, REMAINDER %s)',
            to_char(remainder, 'FM00'), remainder);
    END LOOP;
END
$$;

-- One index for each length that an embedder of ChatSphere makes.
CREATE INDEX chunk_vectors_hnsw_384 ON chunk_vectors
    USING hnsw ((embedding::halfvec(384)) halfvec_cosine_ops) WHERE dimensions = 384;
CREATE INDEX chunk_vectors_hnsw_768 ON chunk_vectors
    USING hnsw ((embedding::halfvec(768)) halfvec_cosine_ops) WHERE dimensions = 768;

-- Whether the bot is the present tenant's. Each vector of a bot is its organization's (foreign key), so one check
-- stands for a check of every row, and counting can do with the index alone.
CREATE FUNCTION app.owns_bot(bot uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    RETURN EXISTS (SELECT FROM bots b WHERE b.id = bot AND b.organization_id = app.current_organization());

-- How many vectors a search of this bot would have to compare, counted up to `ceiling`.
CREATE FUNCTION app.count_vectors(bot uuid, documents uuid[], ceiling integer) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    AS $$
BEGIN
    IF NOT app.owns_bot(bot) THEN
        RETURN 0;
    END IF;
    RETURN (
        SELECT count(*) FROM (
            SELECT FROM chunk_vectors v
            WHERE v.bot_id = bot AND (documents IS NULL OR v.document_id = ANY (documents))
            LIMIT ceiling) counted);
END
$$;

-- Compares every vector of the bot. Without the cast of the indexes no HNSW index can be chosen.
CREATE FUNCTION app.nearest_vectors_exact(bot uuid, query halfvec, documents uuid[], result_limit integer)
    RETURNS TABLE (chunk_id uuid, document_id uuid, score double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    SET max_parallel_workers_per_gather = 0
    AS $$
BEGIN
    IF NOT app.owns_bot(bot) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT v.chunk_id, v.document_id, 1 - (v.embedding <=> query)
    FROM chunk_vectors v
    WHERE v.bot_id = bot AND v.dimensions = vector_dims(query)
      AND (documents IS NULL OR v.document_id = ANY (documents))
    ORDER BY v.embedding <=> query
    LIMIT result_limit;
END
$$;

-- Walks the HNSW index, further if filters leave too few. Planned anew each time: a cached plan would have to
-- consider all 32 partitions.
CREATE FUNCTION app.nearest_vectors_indexed(bot uuid, query halfvec, documents uuid[], result_limit integer)
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
    IF NOT app.owns_bot(bot) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT v.chunk_id, v.document_id, 1 - (v.embedding::halfvec(%1$s) <=> $2::halfvec(%1$s))
         FROM chunk_vectors v
         WHERE v.bot_id = $1 AND v.dimensions = %1$s AND ($3 IS NULL OR v.document_id = ANY ($3))
         ORDER BY v.embedding::halfvec(%1$s) <=> $2::halfvec(%1$s)
         LIMIT $4', vector_dims(query))
    USING bot, query, documents, result_limit;
END
$$;

-- ------------------------------------------------------------------------------------ row level security

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['lexical_segments', 'lexical_chunks', 'lexical_postings', 'chunk_vectors'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', tenant_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_app', tenant_table);
    END LOOP;
END
$$;

CREATE POLICY search ON chunk_vectors FOR SELECT TO chatsphere_search USING (true);
GRANT SELECT ON chunk_vectors TO chatsphere_search;
CREATE POLICY search ON bots FOR SELECT TO chatsphere_search USING (true);
GRANT SELECT (id, organization_id) ON bots TO chatsphere_search;

-- A managed service's administrator is no superuser: to give a function away, one must be a member of the new
-- owner, and the new owner may create in the schema.
GRANT chatsphere_search TO CURRENT_USER;
GRANT CREATE ON SCHEMA app TO chatsphere_search;
DO $$
DECLARE
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY[
        'app.owns_bot(uuid)',
        'app.count_vectors(uuid, uuid[], integer)',
        'app.nearest_vectors_exact(uuid, halfvec, uuid[], integer)',
        'app.nearest_vectors_indexed(uuid, halfvec, uuid[], integer)'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO chatsphere_search', signature);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO chatsphere_app', signature);
    END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA app FROM chatsphere_search;
REVOKE chatsphere_search FROM CURRENT_USER;
