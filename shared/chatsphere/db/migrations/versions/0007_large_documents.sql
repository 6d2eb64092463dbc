-- Large documents are read in parts, each of which goes on where the one before stopped. Why:
-- docs/decisions/0082-large-documents.md.

-- How far the reading of a generation has come: written in the transactions that write its chunks, gone when the
-- generation is live or given up.
CREATE TABLE extraction_bookmarks (
    organization_id uuid NOT NULL,
    document_id uuid PRIMARY KEY,
    generation integer NOT NULL,
    -- Of the object that is being read: another one under the same key must not be read on from here.
    etag text NOT NULL,
    sha256 text NOT NULL,
    -- What parser and chunker need to go on; NULL: the document was read to its end.
    place jsonb,
    page_count integer,
    pages_read integer,
    -- Pages whose text is in pictures that nobody read.
    unread_pages integer NOT NULL DEFAULT 0,
    chunk_count integer NOT NULL,
    batch_count integer NOT NULL,
    -- Batches whose messages were sent before this was written; more may have been.
    sent_batches integer NOT NULL,
    -- Chunks that are in the lexical index already, where readers do not see them yet.
    indexed_chunks integer NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL,
    FOREIGN KEY (organization_id, document_id) REFERENCES documents (organization_id, id) ON DELETE CASCADE
);

-- NULL: the format has no pages, or the document was read before this was counted.
ALTER TABLE documents ADD COLUMN unread_page_count integer;

ALTER TABLE extraction_bookmarks ENABLE ROW LEVEL SECURITY;
ALTER TABLE extraction_bookmarks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON extraction_bookmarks TO chatsphere_app
    USING (organization_id = app.current_organization()) WITH CHECK (organization_id = app.current_organization());
GRANT SELECT, INSERT, UPDATE, DELETE ON extraction_bookmarks TO chatsphere_app;

-- ------------------------------------------------------------------------------------------ lexical index

-- A large document is indexed while it is read, in segments of its own; readers see them when it is live.
ALTER TABLE lexical_segments ADD COLUMN unseen_document_id uuid;
ALTER TABLE lexical_segments
    ADD CONSTRAINT lexical_segments_unseen_document FOREIGN KEY (organization_id, unseen_document_id)
    REFERENCES documents (organization_id, id) ON DELETE CASCADE NOT VALID;
-- A bot has few segments, and in none of them is the column filled.
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE lexical_segments VALIDATE CONSTRAINT lexical_segments_unseen_document;
-- Of no rows, so that building it holds up nobody.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX lexical_segments_unseen ON lexical_segments (unseen_document_id) WHERE unseen_document_id IS NOT NULL;

-- Both as in 0002, without the segments that readers do not see.

-- The distinct lexemes of a question and, for each, in how many of the bot's chunks it occurs; with the
-- number of chunks and their total length, which are the same in every row.
CREATE OR REPLACE FUNCTION app.lexical_statistics(bot uuid, question text)
    RETURNS TABLE (lexeme text, document_frequency bigint, chunk_count bigint, total_length bigint)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    AS $$
WITH segments AS MATERIALIZED (
    SELECT s.id, s.chunk_count, s.total_length FROM lexical_segments s WHERE s.bot_id = bot AND s.unseen_document_id IS NULL
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

-- The chunks with the highest BM25 scores, best first. `terms[i]` weighs `weights[i]`, its inverse document
-- frequency. Only the first `scanned` terms find chunks; if that is not all of them, the best 300 so found are
-- scored by the others as well, from their own lexemes. With `documents`, only their chunks count.
CREATE OR REPLACE FUNCTION app.lexical_search(
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
    segments uuid[] := ARRAY(
        SELECT s.id FROM lexical_segments s WHERE s.bot_id = bot AND s.unseen_document_id IS NULL ORDER BY s.id);
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
