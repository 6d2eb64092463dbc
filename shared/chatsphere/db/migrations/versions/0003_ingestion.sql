-- What ingestion remembers between two generations of a document. Why: docs/decisions/0030-ingestion-stages-and-leases.md.

ALTER TABLE documents
    -- The object that readers see; `etag` is the newest one. NULL: the next extraction must not find it unchanged.
    ADD COLUMN live_etag text,
    -- Found by extraction; they become `sha256` and `page_count` when the generation goes live.
    ADD COLUMN new_sha256 text,
    ADD COLUMN new_page_count integer,
    -- Vectors of other generations may be left. In the past: somebody must delete them; in the future: somebody does.
    ADD COLUMN vector_cleanup_due timestamptz;

-- Both indexes are of nearly no rows, so that building them holds up nobody.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX documents_vector_cleanup ON documents (vector_cleanup_due) WHERE vector_cleanup_due IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX bots_deleting ON bots (updated_at) WHERE status = 'deleting';
