"""SQL of the lexical index. Tables and entry format: db/migrations/versions/0002_retrieval.sql."""

# A new, empty segment; its id. Readers do not see it while it is made ahead for a document.
ADD_SEGMENT = """
INSERT INTO lexical_segments (organization_id, bot_id, unseen_document_id)
VALUES (app.current_organization(), %(bot_id)s, %(unseen_document_id)s) RETURNING id
"""

# Shows readers what was indexed ahead of a document; how many chunks that is.
SHOW_SEGMENTS = """
WITH shown AS (
    UPDATE lexical_segments SET unseen_document_id = NULL WHERE unseen_document_id = %(document_id)s
    RETURNING chunk_count)
SELECT COALESCE(sum(chunk_count), 0)::integer AS chunks FROM shown
"""

# Gives some of a document's chunks to a segment, numbered from 0. A chunk that is indexed already stays.
ASSIGN_CHUNKS = """
INSERT INTO lexical_chunks (chunk_id, organization_id, segment_id, ordinal, length)
SELECT c.id, c.organization_id, %(segment_id)s, row_number() OVER (ORDER BY c.ordinal) - 1,
    (SELECT COALESCE(sum(cardinality(u.positions)), 0) FROM unnest(c.lexemes) u)
FROM chunks c
WHERE c.document_id = %(document_id)s AND c.generation = %(generation)s AND c.bot_id = %(bot_id)s
  AND NOT EXISTS (SELECT FROM lexical_chunks l WHERE l.chunk_id = c.id)
ORDER BY c.ordinal
LIMIT %(limit)s
ON CONFLICT DO NOTHING
"""

# Moves all chunks of some segments to another, numbered anew so that a document's stay together.
MOVE_CHUNKS = """
UPDATE lexical_chunks l SET segment_id = %(segment_id)s, ordinal = moved.ordinal
FROM (
    SELECT m.chunk_id, row_number() OVER (ORDER BY c.document_id, c.generation, c.ordinal) - 1 AS ordinal
    FROM lexical_chunks m JOIN chunks c ON c.id = m.chunk_id
    WHERE m.segment_id = ANY (%(from_segments)s)) moved
WHERE moved.chunk_id = l.chunk_id
"""

# Writes the postings of a segment that has none, from its chunks' lexemes, up to 256 entries a row.
WRITE_POSTINGS = """
INSERT INTO lexical_postings (organization_id, segment_id, lexeme, first_ordinal, entries)
SELECT app.current_organization(), %(segment_id)s, g.lexeme, g.entries[i] >> 16, g.entries[i : i + 255]
FROM (
    SELECT u.lexeme COLLATE "C" AS lexeme, array_agg(
        (l.ordinal << 16) | (least(cardinality(u.positions), 63) << 10) | least(l.length, 1023)
        ORDER BY l.ordinal) AS entries
    FROM lexical_chunks l
    JOIN chunks c ON c.id = l.chunk_id
    CROSS JOIN unnest(c.lexemes) u
    WHERE l.segment_id = %(segment_id)s
    GROUP BY 1) g
CROSS JOIN generate_series(1, cardinality(g.entries), 256) i
"""

# Counts a segment anew.
COUNT_SEGMENT = """
UPDATE lexical_segments s SET chunk_count = counted.chunks, total_length = counted.lexemes
FROM (
    SELECT count(*) AS chunks, COALESCE(sum(length), 0) AS lexemes
    FROM lexical_chunks WHERE segment_id = %(segment_id)s) counted
WHERE s.id = %(segment_id)s
"""

# A bot's segments, the small ones first.
SEGMENTS = """
SELECT id, chunk_count FROM lexical_segments
WHERE bot_id = %(bot_id)s AND unseen_document_id IS NULL
ORDER BY chunk_count, id
"""

# Those of the segments that nobody else is changing, held until the transaction ends.
HOLD_FREE_SEGMENTS = """
SELECT id FROM lexical_segments WHERE id = ANY (%(segments)s) ORDER BY id FOR UPDATE SKIP LOCKED
"""

HOLD_INDEX = "SELECT app.hold_lexical_index(%(bot_id)s)"

# The segments, waited for and held until the transaction ends.
HOLD_SEGMENTS = """
SELECT id FROM lexical_segments WHERE id = ANY (%(segments)s) ORDER BY id FOR UPDATE
"""

# Where a document's chunks, but for one generation, stand in the index.
DOCUMENT_SEGMENTS = """
SELECT DISTINCT l.segment_id
FROM chunks c JOIN lexical_chunks l ON l.chunk_id = c.id
WHERE c.document_id = %(document_id)s AND c.bot_id = %(bot_id)s
  AND c.generation IS DISTINCT FROM %(except_generation)s
"""

# Those of the segments in which there is nothing but a document's chunks, but for one generation.
SEGMENTS_OF_ITS_OWN = """
SELECT s.id, s.chunk_count AS chunks
FROM lexical_segments s
WHERE s.id = ANY (%(segments)s) AND s.chunk_count = (
    SELECT count(*) FROM lexical_chunks l JOIN chunks c ON c.id = l.chunk_id
    WHERE l.segment_id = s.id AND c.document_id = %(document_id)s AND c.bot_id = %(bot_id)s
      AND c.generation IS DISTINCT FROM %(except_generation)s)
"""

# One of the segments that a document's chunks are in, how many of them, and whether nobody else's are in it.
SEGMENT_OF_DOCUMENT = """
SELECT l.segment_id, count(*) AS chunks, count(*) = s.chunk_count AS alone
FROM chunks c JOIN lexical_chunks l ON l.chunk_id = c.id JOIN lexical_segments s ON s.id = l.segment_id
WHERE c.document_id = %(document_id)s AND c.bot_id = %(bot_id)s
GROUP BY l.segment_id, s.chunk_count ORDER BY l.segment_id LIMIT 1
"""

# Takes a document's entries out of the postings of its own lexemes, and of no others.
REMOVE_ENTRIES = """
WITH gone AS (
    SELECT u.lexeme COLLATE "C" AS lexeme, l.segment_id, c.generation, min(l.ordinal) AS low, max(l.ordinal) AS high
    FROM chunks c
    JOIN lexical_chunks l ON l.chunk_id = c.id
    CROSS JOIN unnest(tsvector_to_array(c.lexemes)) AS u (lexeme)
    WHERE c.document_id = %(document_id)s AND c.bot_id = %(bot_id)s
      AND c.generation IS DISTINCT FROM %(except_generation)s AND l.segment_id = ANY (%(segments)s)
    GROUP BY 1, 2, 3)
UPDATE lexical_postings p
SET entries = ARRAY(SELECT e FROM unnest(p.entries) e WHERE NOT (e >> 16) BETWEEN gone.low AND gone.high ORDER BY e)
FROM gone
WHERE p.segment_id = gone.segment_id AND p.lexeme = gone.lexeme AND p.first_ordinal <= gone.high
  AND p.entries[cardinality(p.entries)] >> 16 >= gone.low
"""

# Drops the rows that REMOVE_ENTRIES emptied.
DROP_EMPTY_POSTINGS = """
DELETE FROM lexical_postings p USING (
    SELECT DISTINCT u.lexeme COLLATE "C" AS lexeme
    FROM chunks c
    JOIN lexical_chunks l ON l.chunk_id = c.id
    CROSS JOIN unnest(tsvector_to_array(c.lexemes)) AS u (lexeme)
    WHERE c.document_id = %(document_id)s AND c.bot_id = %(bot_id)s
      AND c.generation IS DISTINCT FROM %(except_generation)s AND l.segment_id = ANY (%(segments)s)) gone
WHERE p.segment_id = ANY (%(segments)s) AND p.lexeme = gone.lexeme AND p.entries = '{}'
"""

# Forgets a document's chunks.
FORGET_CHUNKS = """
DELETE FROM lexical_chunks l USING chunks c
WHERE c.id = l.chunk_id AND c.document_id = %(document_id)s AND c.bot_id = %(bot_id)s
  AND c.generation IS DISTINCT FROM %(except_generation)s AND l.segment_id = ANY (%(segments)s)
"""

# One of a bot's segments, with all that is in it.
DROP_ONE_SEGMENT = """
DELETE FROM lexical_segments
WHERE id = (SELECT id FROM lexical_segments WHERE bot_id = %(bot_id)s LIMIT 1 FOR UPDATE)
RETURNING chunk_count AS chunks
"""

DROP_SEGMENTS = "DELETE FROM lexical_segments WHERE id = ANY (%(segments)s)"

DROP_ALL_EMPTY_SEGMENTS = """
DELETE FROM lexical_segments WHERE bot_id = %(bot_id)s AND chunk_count = 0 AND unseen_document_id IS NULL
"""

DROP_EMPTY_SEGMENTS = "DELETE FROM lexical_segments WHERE id = ANY (%(segments)s) AND chunk_count = 0"
