"""SQL of extraction and embedding. `generation` and the lease's token fence off whoever was overtaken."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

CLAIM_EXTRACTION: Final = """
    UPDATE documents
    SET status = 'extracting', stage = 'extract', attempts = attempts + 1, lease_token = %(token)s,
        lease_expires_at = %(lease_expires_at)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND generation = %(generation)s
      AND ((status = 'registered' AND stage = 'extract')
           OR (status = 'extracting' AND (lease_token IS NULL OR lease_expires_at <= %(now)s)))
    RETURNING name, s3_key, s3_version_id, etag, attempts, live_generation, live_etag, sha256,
        (SELECT configuration -> 'redaction' FROM bots
         WHERE bots.organization_id = app.current_organization() AND bots.id = %(bot_id)s) AS redaction
"""
"""Take up an extraction that nobody is at; no row where somebody is, or nothing is to be extracted."""

FIND_BOOKMARK: Final = """
    SELECT etag, sha256, place, page_count, pages_read, unread_pages, chunk_count, batch_count, sent_batches,
           indexed_chunks
    FROM extraction_bookmarks
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
      AND generation = %(generation)s
"""
"""Where the reading of a generation is to go on; no row where it is to begin."""

IS_EXTRACTING: Final = """
    SELECT 1 FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND generation = %(generation)s AND status = 'extracting'
"""
"""Whether somebody holds the extraction of this generation."""

RENEW_LEASE: Final = """
    UPDATE documents SET lease_expires_at = %(lease_expires_at)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status = 'extracting' AND lease_token = %(token)s
"""
"""Keep an extraction; no row where the lease was lost. Holds the row until the transaction ends."""

NOTE_OBJECT: Final = """
    UPDATE documents SET etag = %(etag)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status = 'extracting' AND lease_token = %(token)s
"""
"""Note which object is read, where the one that was registered has been replaced; no row where the lease was lost."""

RELEASE_LEASE: Final = """
    UPDATE documents
    SET status = 'registered', lease_token = NULL, lease_expires_at = %(lease_expires_at)s,
        attempts = attempts - %(forgiven)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status = 'extracting' AND lease_token = %(token)s
"""
"""Give an extraction back; `forgiven` is 1 where the attempt does not count."""

PROGRESS: Final = """
    UPDATE documents
    SET lease_expires_at = %(lease_expires_at)s, attempts = 1, deadline_at = deadline_at + %(more_time)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status = 'extracting' AND lease_token = %(token)s
"""
"""`RENEW_LEASE`, and a document that goes on gets the time that it needs."""

INSERT_CHUNKS: Final = """
    INSERT INTO chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content, heading_path,
                        page_start, page_end, char_start, char_end, token_count, vector_id, language, created_at)
    SELECT c.id, app.current_organization(), %(bot_id)s, %(document_id)s, %(generation)s, %(batch)s, c.ordinal,
           c.content, c.heading_path, c.page_start, c.page_end, c.char_start, c.char_end, c.token_count, c.vector_id,
           %(language)s, %(now)s
    FROM jsonb_to_recordset(%(chunks)s) AS c (
        id uuid, ordinal integer, content text, heading_path text[], page_start integer, page_end integer,
        char_start integer, char_end integer, token_count integer, vector_id text)
"""
"""Keep a batch of a generation that readers do not see yet: one statement is a quarter quicker than one for each."""

KEEP_BOOKMARK: Final = """
    INSERT INTO extraction_bookmarks AS b (
        organization_id, document_id, generation, etag, sha256, place, page_count, pages_read, unread_pages,
        chunk_count, batch_count, sent_batches, indexed_chunks, updated_at)
    VALUES (app.current_organization(), %(document_id)s, %(generation)s, %(etag)s, %(sha256)s, %(place)s,
            %(page_count)s, %(pages_read)s, %(unread_pages)s, %(chunk_count)s, %(batch_count)s, %(sent_batches)s,
            %(indexed_chunks)s, %(now)s)
    ON CONFLICT (document_id) DO UPDATE
    SET generation = excluded.generation, etag = excluded.etag, sha256 = excluded.sha256, place = excluded.place,
        page_count = excluded.page_count, pages_read = excluded.pages_read, unread_pages = excluded.unread_pages,
        chunk_count = excluded.chunk_count, batch_count = excluded.batch_count, sent_batches = excluded.sent_batches,
        indexed_chunks = excluded.indexed_chunks, updated_at = excluded.updated_at
"""
"""Note how far the reading has come, in the transaction that keeps what was read."""

READ_TO_THE_END: Final = """
    UPDATE extraction_bookmarks SET place = NULL, unread_pages = %(unread_pages)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
      AND generation = %(generation)s
"""
"""Forget where reading was to go on. What it counted is shown until the generation is live."""

END_PART: Final = """
    UPDATE documents
    SET lease_token = NULL, lease_expires_at = %(lease_expires_at)s, attempts = 0, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status = 'extracting' AND lease_token = %(token)s
"""
"""End a part: whoever comes next goes on at the bookmark. No row where the lease was lost."""

FINISH_EXTRACTION: Final = """
    UPDATE documents
    SET status = 'embedding', stage = 'embed', attempts = 0, lease_token = NULL,
        lease_expires_at = %(lease_expires_at)s, expected_batches = %(batches)s, new_sha256 = %(sha256)s,
        new_page_count = %(page_count)s, content_type = %(content_type)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status = 'extracting' AND lease_token = %(token)s
"""
"""Hand a generation over to embedding; no row where the lease was lost."""

KEEP_UNCHANGED: Final = """
    UPDATE documents
    SET status = 'ready', stage = 'done', lease_token = NULL, lease_expires_at = NULL, deadline_at = NULL,
        live_etag = etag, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status = 'extracting' AND lease_token = %(token)s
"""
"""End a generation whose bytes are those that readers see; no row where the lease was lost."""

UNSENT_BATCHES: Final = """
    SELECT batch
    FROM documents d
    JOIN extraction_bookmarks b ON b.document_id = d.id AND b.generation = d.generation
    CROSS JOIN generate_series(b.sent_batches, d.expected_batches - 1) AS batch
    WHERE d.organization_id = app.current_organization() AND d.bot_id = %(bot_id)s AND d.id = %(document_id)s
      AND d.generation = %(generation)s AND d.status = 'embedding'
      AND NOT EXISTS (
        SELECT FROM embedding_batches e
        WHERE e.document_id = d.id AND e.generation = d.generation AND e.batch = batch.batch
          AND e.revision = (SELECT embedding_revision FROM bots WHERE bots.id = d.bot_id))
    ORDER BY batch
"""
"""Batches of a document that was read to its end of which nobody knows that they were sent; some ten at most."""

# ----------------------------------------------------------------------------------------------- embedding

_UNDER_WAY: Final = (
    "(status = 'embedding' OR (stage IN ('extract', 'budget') AND status IN ('registered', 'extracting')))"
)
"""While a document is read its first batches are embedded; the lease is then that of the reading."""

BEGIN_BATCH: Final = f"""
    UPDATE documents
    SET lease_expires_at = CASE WHEN status = 'embedding' AND stage <> 'budget' THEN %(lease_expires_at)s
                                ELSE lease_expires_at END,
        updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND generation = %(generation)s AND {_UNDER_WAY}
    RETURNING name,
        ARRAY(SELECT b.revision FROM embedding_batches b
              WHERE b.document_id = documents.id AND b.generation = documents.generation
                AND b.batch = %(batch)s) AS revisions
"""
"""Tell the reaper that a generation's embedding goes on, and at which revisions the batch is embedded; no row where
it does not."""

BATCH_CHUNKS: Final = """
    SELECT id, ordinal, content, heading_path, token_count FROM chunks
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
      AND generation = %(generation)s AND batch = %(batch)s
    ORDER BY ordinal
"""
"""The chunks of a batch."""

HOLD_EMBEDDING: Final = f"""
    UPDATE documents
    SET lease_expires_at = CASE WHEN status = 'embedding' AND stage <> 'budget' THEN %(lease_expires_at)s
                                ELSE lease_expires_at END
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND generation = %(generation)s AND {_UNDER_WAY}
    RETURNING CASE WHEN status = 'embedding' THEN expected_batches END AS expected_batches
"""
"""Hold the document until the transaction ends, so that exactly one batch finds itself the last."""

RECORD_BATCH: Final = """
    INSERT INTO embedding_batches (organization_id, document_id, generation, batch, revision, model, token_count,
                                   cost_microdollars, created_at)
    VALUES (app.current_organization(), %(document_id)s, %(generation)s, %(batch)s, %(revision)s, %(model)s,
            %(tokens)s, %(cost)s, %(now)s)
    ON CONFLICT DO NOTHING
    RETURNING 1
"""
"""Note that a batch is embedded at a revision; no row where that was noted before."""

COUNT_BATCHES: Final = """
    SELECT count(*) AS embedded FROM embedding_batches
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
      AND generation = %(generation)s AND revision = %(revision)s
"""
"""How many batches of the generation are embedded at a revision."""

COUNT_USAGE: Final = """
    INSERT INTO usage_events
        (id, organization_id, bot_id, metric, value, model, cost_microdollars, metadata, created_at)
    SELECT %(id)s, app.current_organization(), %(bot_id)s, 'embedding', tokens, model, cost,
        jsonb_build_object('document_id', %(document_id)s::text, 'generation', %(generation)s::integer), %(now)s
    FROM (
        SELECT sum(token_count) AS tokens, sum(cost_microdollars) AS cost,
            (array_agg(model ORDER BY revision DESC))[1] AS model
        FROM embedding_batches
        WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
          AND generation = %(generation)s) taken
    WHERE tokens > 0
"""
"""Count what the embedding of a generation took, at every revision; `value` is tokens."""

GO_LIVE: Final = """
    UPDATE documents
    SET status = 'ready', stage = 'done', live_generation = generation, live_etag = etag,
        sha256 = new_sha256, page_count = new_page_count, chunk_count = counted.chunks, token_count = counted.tokens,
        language = counted.language,
        new_sha256 = NULL, new_page_count = NULL, expected_batches = NULL,
        unread_page_count = (
            SELECT least(b.unread_pages, b.page_count) FROM extraction_bookmarks b
            WHERE b.organization_id = app.current_organization() AND b.document_id = documents.id
              AND b.generation = documents.generation),
        error_code = NULL, error_message = NULL, retryable = NULL,
        lease_token = NULL, lease_expires_at = NULL, deadline_at = NULL, ready_at = %(now)s, updated_at = %(now)s,
        vector_cleanup_due = CASE WHEN generation > 1 THEN %(now)s::timestamptz END
    FROM (
        SELECT count(*) AS chunks, COALESCE(sum(token_count), 0) AS tokens,
            mode() WITHIN GROUP (ORDER BY language) AS language
        FROM chunks
        WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
          AND generation = %(generation)s) counted
    WHERE organization_id = app.current_organization() AND id = %(document_id)s
    RETURNING chunk_count, vector_cleanup_due
"""
"""Show a generation to readers in place of the former one, whose vectors are then left to be deleted."""

DROP_FORMER_BATCHES: Final = """
    DELETE FROM embedding_batches
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
      AND generation < %(generation)s
"""
"""Forget which batches of former generations were embedded."""

LEAVE_VECTORS: Final = """
    UPDATE documents SET vector_cleanup_due = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND status <> 'deleting'
    RETURNING 1
"""
"""Note that vectors were written for a generation that had been overtaken: a deletion under way may not have met
them, and does not count as the last. No row where the document is gone."""

IS_FINISHED: Final = """
    SELECT 1 FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND live_generation = %(generation)s
"""
"""Whether the generation is the one that readers see: its vectors are to stay."""
