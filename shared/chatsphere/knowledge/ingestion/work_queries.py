"""SQL of extraction and embedding. `generation` and the lease's token fence off whoever was overtaken."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.knowledge.ingestion.deletion_queries import VECTORS_LEFT

CLAIM_EXTRACTION: Final = """
    UPDATE documents
    SET status = 'extracting', stage = 'extract', attempts = attempts + 1, lease_token = %(token)s,
        lease_expires_at = %(lease_expires_at)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND generation = %(generation)s
      AND ((status = 'registered' AND stage = 'extract') OR (status = 'extracting' AND lease_expires_at <= %(now)s))
    RETURNING name, s3_key, s3_version_id, etag, attempts, live_generation, live_etag, sha256
"""
"""Take up an extraction that nobody is at; no row where somebody is, or nothing is to be extracted."""

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

RELEASE_LEASE: Final = """
    UPDATE documents
    SET status = 'registered', lease_token = NULL, lease_expires_at = %(lease_expires_at)s,
        attempts = attempts - %(forgiven)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status = 'extracting' AND lease_token = %(token)s
"""
"""Give an extraction back; `forgiven` is 1 where the attempt does not count."""

INSERT_CHUNK: Final = """
    INSERT INTO chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content, heading_path,
                        page_start, page_end, char_start, char_end, token_count, vector_id, created_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(document_id)s, %(generation)s, %(batch)s, %(ordinal)s,
            %(content)s, %(heading_path)s, %(page_start)s, %(page_end)s, %(char_start)s, %(char_end)s,
            %(token_count)s, %(vector_id)s, %(now)s)
"""
"""Keep one chunk of a generation that readers do not see yet."""

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

# ----------------------------------------------------------------------------------------------- embedding

BEGIN_BATCH: Final = """
    UPDATE documents SET lease_expires_at = %(lease_expires_at)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND generation = %(generation)s AND status = 'embedding'
    RETURNING name, vector_cleanup_due > %(now)s AS cleaning,
        EXISTS (SELECT FROM embedding_batches b
                WHERE b.document_id = documents.id AND b.generation = documents.generation
                  AND b.batch = %(batch)s) AS embedded
"""
"""Tell the reaper that a generation's embedding goes on; no row where it does not."""

BATCH_CHUNKS: Final = """
    SELECT id, ordinal, content, heading_path, token_count FROM chunks
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
      AND generation = %(generation)s AND batch = %(batch)s
    ORDER BY ordinal
"""
"""The chunks of a batch."""

HOLD_EMBEDDING: Final = """
    UPDATE documents SET lease_expires_at = %(lease_expires_at)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND generation = %(generation)s AND status = 'embedding'
    RETURNING expected_batches
"""
"""Hold the document until the transaction ends, so that exactly one batch finds itself the last."""

RECORD_BATCH: Final = """
    INSERT INTO embedding_batches (organization_id, document_id, generation, batch, model, created_at)
    VALUES (app.current_organization(), %(document_id)s, %(generation)s, %(batch)s, %(model)s, %(now)s)
    ON CONFLICT DO NOTHING
"""
"""Note that a batch is embedded."""

COUNT_BATCHES: Final = """
    SELECT count(*) AS embedded FROM embedding_batches
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
      AND generation = %(generation)s
"""
"""How many batches of the generation are embedded."""

GO_LIVE: Final = """
    UPDATE documents
    SET status = 'ready', stage = 'done', live_generation = generation, live_etag = etag,
        sha256 = new_sha256, page_count = new_page_count, chunk_count = counted.chunks, token_count = counted.tokens,
        new_sha256 = NULL, new_page_count = NULL, expected_batches = NULL,
        error_code = NULL, error_message = NULL, retryable = NULL,
        lease_token = NULL, lease_expires_at = NULL, deadline_at = NULL, ready_at = %(now)s, updated_at = %(now)s,
        vector_cleanup_due = CASE WHEN generation > 1 THEN %(cleanup_until)s::timestamptz END
    FROM (
        SELECT count(*) AS chunks, COALESCE(sum(token_count), 0) AS tokens FROM chunks
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

LEAVE_VECTORS: Final = f"""
    UPDATE documents SET vector_cleanup_due = {VECTORS_LEFT}
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND status <> 'deleting'
    RETURNING 1
"""
"""Note that vectors were written for a generation that had been overtaken; no row where the document is gone."""

IS_FINISHED: Final = """
    SELECT 1 FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND live_generation = %(generation)s
"""
"""Whether the generation is the one that readers see: its vectors are to stay."""
