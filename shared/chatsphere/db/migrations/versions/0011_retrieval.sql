-- Filters of searches, and words of each document's language. Why: docs/decisions/0090 and 0091.

-- ---------------------------------------------------------------------------------------------- documents

ALTER TABLE documents
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
    -- ISO 639-1, as it was found in the text that readers see; NULL where that says too little.
    ADD COLUMN language text;

-- The table of an installation that is updated is small beside its chunks, and holds a lock for a moment.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX documents_tags ON documents USING gin (tags) WHERE tags <> '{}';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX documents_metadata ON documents USING gin (metadata jsonb_path_ops) WHERE metadata <> '{}';

-- As in 0004; tags are what somebody says of a document, too.
CREATE TRIGGER audit_tags AFTER UPDATE OF tags ON documents FOR EACH ROW
    WHEN (OLD.status <> 'deleting' AND NEW.status <> 'deleting' AND NEW.tags <> OLD.tags
        AND NEW.metadata = OLD.metadata AND NEW.generation = OLD.generation AND NEW.stage = OLD.stage
        AND NEW.declared_size IS NOT DISTINCT FROM OLD.declared_size)
    EXECUTE FUNCTION app.audit(
        'document', 'id', 'organization_id', '',
        '{id,organization_id,s3_key,s3_version_id,s3_sequencer,s3_event_at,etag,live_etag,new_sha256,stage,error_code,'
        'error_message,retryable,attempts,live_generation,expected_batches,lease_token,lease_expires_at,deadline_at,'
        'new_page_count,vector_cleanup_due,created_at,updated_at}', '{}', '{bot_id,name}');

-- A day or a moment as ISO 8601 has it, in UTC where no zone is named; NULL for any other text.
CREATE FUNCTION app.moment(written text) RETURNS timestamptz
    LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    SET datestyle = 'ISO, YMD'
    AS $$
BEGIN
    IF written ~ '^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?$' THEN
        RETURN written::timestamptz;
    END IF;
    RETURN NULL;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format OR invalid_parameter_value
    OR invalid_time_zone_displacement_value THEN
    RETURN NULL;
END
$$;

-- Whether a value of a document's metadata lies in a range: a number between numbers, a time between times. Of
-- another kind, it does not.
CREATE FUNCTION app.in_range(value jsonb, range jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    kind CONSTANT text := COALESCE(jsonb_typeof(range -> 'gte'), jsonb_typeof(range -> 'lte'));
BEGIN
    IF value IS NULL OR jsonb_typeof(value) <> kind THEN
        RETURN false;
    ELSIF kind = 'number' THEN
        RETURN COALESCE(value::numeric >= (range -> 'gte')::numeric, true)
            AND COALESCE(value::numeric <= (range -> 'lte')::numeric, true);
    END IF;
    RETURN COALESCE(
        app.moment(value #>> '{}') >= COALESCE(app.moment(range ->> 'gte'), '-infinity')
        AND app.moment(value #>> '{}') <= COALESCE(app.moment(range ->> 'lte'), 'infinity'), false);
END
$$;

-- The documents of a bot that readers see and that a filter lets through. A function of chatsphere_search: neither
-- && nor @> is leakproof, so that under row-level security no GIN index would be used.
CREATE FUNCTION app.filtered_documents(
    bot uuid, document_ids uuid[], tags text[], created_after timestamptz, created_before timestamptz,
    equal jsonb, ranges jsonb)
    RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET jit = off
    AS $$
BEGIN
    IF NOT app.owns_bot(bot) THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT d.id FROM documents d
        WHERE d.organization_id = app.current_organization() AND d.bot_id = bot
          AND d.live_generation IS NOT NULL AND d.status <> 'deleting'
          AND (filtered_documents.document_ids IS NULL OR d.id = ANY (filtered_documents.document_ids))
          AND (filtered_documents.tags IS NULL OR (d.tags && filtered_documents.tags AND d.tags <> '{}'))
          AND (filtered_documents.created_after IS NULL OR d.created_at >= filtered_documents.created_after)
          AND (filtered_documents.created_before IS NULL OR d.created_at < filtered_documents.created_before)
          AND (filtered_documents.equal IS NULL OR (d.metadata @> filtered_documents.equal AND d.metadata <> '{}'))
          AND (filtered_documents.ranges IS NULL OR NOT EXISTS (
              SELECT FROM jsonb_each(filtered_documents.ranges) AS asked (key, bounds)
              WHERE NOT app.in_range(d.metadata -> asked.key, asked.bounds))));
END
$$;

CREATE POLICY search ON documents FOR SELECT TO chatsphere_search USING (true);
GRANT SELECT (id, organization_id, bot_id, tags, metadata, created_at, live_generation, status)
    ON documents TO chatsphere_search;
-- As in 0002: to give a function away, one must be a member of the new owner, and that may create in the schema.
GRANT chatsphere_search TO CURRENT_USER;
GRANT CREATE ON SCHEMA app TO chatsphere_search;
ALTER FUNCTION app.filtered_documents(uuid, uuid[], text[], timestamptz, timestamptz, jsonb, jsonb)
    OWNER TO chatsphere_search;
REVOKE CREATE ON SCHEMA app FROM chatsphere_search;
REVOKE ALL ON FUNCTION app.filtered_documents(uuid, uuid[], text[], timestamptz, timestamptz, jsonb, jsonb)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.filtered_documents(uuid, uuid[], text[], timestamptz, timestamptz, jsonb, jsonb)
    TO chatsphere_app;
REVOKE chatsphere_search FROM CURRENT_USER;

-- ---------------------------------------------------------------------------------------------- languages

-- The text search configuration of a language. Unknown ones are English, which changes no word of scripts that it does
-- not know; so are those written without spaces, whose words are pairs of characters.
CREATE FUNCTION app.text_search_configuration(language text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN language IS NULL OR language IN ('en', 'zh', 'ja', 'ko', 'th', 'lo', 'my', 'km') THEN 'english'
        ELSE COALESCE(
            '{"ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish", "nl": "dutch",
              "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian",
              "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali",
              "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
              "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish"}'::jsonb ->> language,
            'simple')
    END;

-- As in 0002, with the accents left in their places where asked for: stemmers and lists of stop words need them.
CREATE FUNCTION app.searchable_text(input text, keep_accents boolean) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    unspaced CONSTANT text := '\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff';
    punctuation CONSTANT text := '[\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007e'
        '\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb\u00bf\u00d7\u00f7\u060c\u061b\u061f\u06d4\u0964\u0965'
        '\u2000-\u206f\u2190-\u2bff\u3001-\u3003\u3008-\u3020\u30fb]';
    folded text := input;
    pairs text;
BEGIN
    IF folded ~ '[^\u0001-\u007f]' THEN
        folded := CASE WHEN keep_accents THEN normalize(folded, NFKC) ELSE app.without_accents(folded) END;
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

CREATE FUNCTION app.without_accents(input text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN normalize(regexp_replace(normalize(input, NFKD), '[\u0300-\u036f]', '', 'g'), NFKC);

CREATE OR REPLACE FUNCTION app.searchable_text(input text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN app.searchable_text(input, false);

-- The words of a text as a configuration stems them, without accents: who asks may leave them out. English is as it
-- was before there were others.
CREATE FUNCTION app.lexemes(configuration text, heading_path text[], content text) RETURNS tsvector
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stemmed text;
BEGIN
    IF configuration = 'english' THEN
        RETURN app.lexemes(heading_path, content);
    END IF;
    stemmed := to_tsvector(
        ('pg_catalog.' || configuration)::regconfig,
        app.searchable_text(COALESCE(array_to_string(heading_path, ' '), '') || ' ' || content, true));
    RETURN CASE WHEN stemmed ~ '[^\u0001-\u007f]' THEN app.without_accents(stemmed) ELSE stemmed END::tsvector;
END
$$;

-- NULL is what was indexed before there were languages: English.
ALTER TABLE chunks ADD COLUMN language text;
-- Nothing is rewritten: what stands there stays, and new rows get theirs from the trigger.
-- squawk-ignore ban-drop-generated-expression
ALTER TABLE chunks ALTER COLUMN lexemes DROP EXPRESSION;

CREATE FUNCTION app.write_lexemes() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    NEW.lexemes := app.lexemes(app.text_search_configuration(NEW.language), NEW.heading_path, NEW.content);
    RETURN NEW;
END
$$;

CREATE TRIGGER lexemes BEFORE INSERT OR UPDATE OF heading_path, content, language ON chunks FOR EACH ROW
    EXECUTE FUNCTION app.write_lexemes();

-- With which configurations the chunks of a segment were stemmed.
ALTER TABLE lexical_segments ADD COLUMN configurations text[] NOT NULL DEFAULT '{english}';

-- Whenever a segment is counted anew: by a trigger, so that the code of before does it as well.
CREATE FUNCTION app.note_configurations() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    NEW.configurations := ARRAY(
        SELECT DISTINCT app.text_search_configuration(c.language)
        FROM lexical_chunks l JOIN chunks c ON c.id = l.chunk_id
        WHERE l.segment_id = NEW.id
        ORDER BY 1);
    RETURN NEW;
END
$$;

CREATE TRIGGER configurations BEFORE UPDATE OF chunk_count ON lexical_segments FOR EACH ROW
    EXECUTE FUNCTION app.note_configurations();

-- The distinct lexemes of a question as each configuration of the bot stems it, at which words of the question each one
-- stands, and in how many of the bot's chunks it occurs; with the number of chunks and their total length, which are
-- the same in every row. A configuration that has no word of the question is a row without a lexeme.
CREATE FUNCTION app.lexical_question(bot uuid, question text)
    RETURNS TABLE (configuration text, lexeme text, positions smallint[], document_frequency bigint,
        chunk_count bigint, total_length bigint)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    AS $$
WITH segments AS MATERIALIZED (
    SELECT s.id, s.chunk_count, s.total_length, s.configurations FROM lexical_segments s
    WHERE s.bot_id = bot AND s.unseen_document_id IS NULL
), totals AS (
    SELECT COALESCE(sum(s.chunk_count), 0)::bigint AS chunks, COALESCE(sum(s.total_length), 0)::bigint AS lexemes
    FROM segments s
), configurations AS (
    SELECT DISTINCT c.name FROM segments s CROSS JOIN unnest(s.configurations) AS c (name)
    UNION
    SELECT 'english' WHERE NOT EXISTS (SELECT FROM segments)
)
SELECT configurations.name, term.lexeme, term.positions, found.frequency, totals.chunks, totals.lexemes
FROM totals CROSS JOIN configurations
LEFT JOIN LATERAL unnest(app.lexemes(configurations.name, '{}', question)) AS term ON true
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(cardinality(p.entries)), 0)::bigint AS frequency
    FROM segments JOIN lexical_postings p ON p.segment_id = segments.id AND p.lexeme = term.lexeme
) found
$$;

-- As in 0007, where a word of the question has several lexemes: `terms[i]` is one of word `words[i]`, whose weight is
-- `weights[i]`. Occurrences of all its lexemes in a chunk are occurrences of the word.
CREATE FUNCTION app.lexical_search(
    bot uuid, terms text[], words integer[], weights double precision[], scanned integer,
    average_length double precision, documents uuid[], result_limit integer)
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
    WITH occurring AS (
        SELECT (segment.number::integer << 15) | (entry >> 16) AS place, max(term.weight) AS weight,
            least(sum((entry >> 10) & 63), 63)::integer AS frequency, max(entry & 1023) AS length
        FROM unnest(terms[:scanned], words[:scanned], lexical_search.weights[:scanned]) AS term (lexeme, word, weight)
        CROSS JOIN unnest(segments) WITH ORDINALITY AS segment (id, number)
        JOIN lexical_postings p ON p.segment_id = segment.id AND p.lexeme = term.lexeme
        CROSS JOIN unnest(p.entries) AS entry
        GROUP BY 1, term.word
    ), found AS (
        SELECT o.place, sum(o.weight * app.bm25_saturation(o.frequency, o.length, average_length)) AS total
        FROM occurring o GROUP BY 1
    ), best AS MATERIALIZED (
        SELECT f.place, f.total FROM found f
        WHERE documents IS NULL OR f.place IN (
            SELECT (array_position(segments, l.segment_id) << 15) | l.ordinal
            FROM chunks c JOIN lexical_chunks l ON l.chunk_id = c.id
            WHERE c.document_id = ANY (documents))
        ORDER BY f.total DESC, f.place
        LIMIT CASE WHEN complete THEN NULL ELSE 300 END
    )
    SELECT live.chunk_id, b.total + live.rest
    FROM best b
    CROSS JOIN LATERAL (
        SELECT l.chunk_id, CASE WHEN complete THEN 0 ELSE (
            SELECT COALESCE(sum(word.weight * app.bm25_saturation(
                word.frequency, least(l.length, 1023), average_length)), 0)
            FROM (
                SELECT max(term.weight) AS weight, least(sum(cardinality(u.positions)), 63)::integer AS frequency
                FROM unnest(ts_filter(setweight(c.lexemes, 'A', terms[scanned + 1:]), '{a}')) u
                JOIN unnest(terms, words, lexical_search.weights) AS term (lexeme, word, weight)
                    ON term.lexeme = u.lexeme
                GROUP BY term.word) word) END AS rest
        FROM lexical_chunks l
        JOIN chunks c ON c.id = l.chunk_id
        JOIN documents d ON d.id = c.document_id AND d.live_generation = c.generation AND d.status <> 'deleting'
        WHERE l.segment_id = segments[b.place >> 15] AND l.ordinal = b.place & 32767
        OFFSET 0
    ) live
    LIMIT CASE WHEN complete THEN result_limit END;
END
$$;
