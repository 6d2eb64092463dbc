"""SQL of registration. Every statement is bound to the tenant twice: by the row policies and by its own words."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.knowledge.ingestion.deletion_queries import EARLY_BATCHES

BOT_EXISTS: Final = """
    SELECT status FROM bots
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status <> 'deleting'
"""
"""The status of a bot that is to stay."""

QUARANTINE: Final = """
    INSERT INTO quarantined_objects (id, s3_key, s3_version_id, reason, created_at)
    VALUES (%(id)s, %(key)s, %(version_id)s, %(reason)s, %(now)s)
    ON CONFLICT DO NOTHING
"""
"""Note an object that belongs to nobody; once for each version."""

INSERT_DOCUMENT: Final = """
    INSERT INTO documents (id, organization_id, bot_id, name, source, s3_key, status, stage, created_at, updated_at)
    SELECT %(id)s, app.current_organization(), bots.id, %(name)s, 's3', %(key)s, 'registered', 'register',
           %(now)s, %(now)s
    FROM bots
    WHERE organization_id = app.current_organization() AND bots.id = %(bot_id)s AND status <> 'deleting'
    ON CONFLICT (bot_id, s3_key) DO NOTHING
"""
"""Make a document for a key that has none; no row where the bot is gone or the key is known."""

FIND_DOCUMENT: Final = """
    SELECT id, status, stage, generation, live_generation, etag, live_etag, declared_size,
           s3_version_id, s3_sequencer, s3_event_at, error_code
    FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND s3_key = %(key)s
"""
"""A key's document, as far as registration needs it."""

HOLD_DOCUMENT: Final = FIND_DOCUMENT + " FOR UPDATE"
"""The same, held until the transaction ends."""

FIND_UNREAD: Final = """
    SELECT id AS document_id, generation FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND s3_key = %(key)s
      AND status = 'registered' AND stage = 'extract' AND attempts = 0
"""
"""A key's document if it was registered, and nobody has begun to read it."""

NOTE_EVENT: Final = """
    UPDATE documents
    SET s3_version_id = %(version_id)s, s3_event_at = GREATEST(s3_event_at, %(happened_at)s),
        s3_sequencer = COALESCE(%(sequencer)s, s3_sequencer), updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s
"""
"""Remember the newest event of a document that goes on as it is."""

KEEP_LIVE: Final = """
    UPDATE documents
    SET status = 'ready', stage = 'done', error_code = NULL, error_message = NULL, retryable = NULL,
        lease_token = NULL, lease_expires_at = NULL, deadline_at = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND live_generation IS NOT NULL
"""
"""What readers see already is what was asked for: unchanged."""

START_GENERATION: Final = f"""
    UPDATE documents
    SET status = 'registered', stage = 'extract', generation = generation + 1, attempts = 0,
        error_code = NULL, error_message = NULL, retryable = NULL,
        lease_token = NULL, lease_expires_at = %(lease_expires_at)s, deadline_at = %(deadline_at)s,
        expected_batches = NULL, new_sha256 = NULL, new_page_count = NULL,
        size = %(size)s, etag = %(etag)s, content_type = %(content_type)s,
        s3_version_id = %(version_id)s, s3_event_at = GREATEST(s3_event_at, %(happened_at)s),
        s3_sequencer = COALESCE(%(sequencer)s, s3_sequencer), updated_at = %(now)s,
        vector_cleanup_due = CASE WHEN status = 'embedding' OR {EARLY_BATCHES} THEN %(now)s
                                  ELSE vector_cleanup_due END
    WHERE organization_id = app.current_organization() AND id = %(document_id)s
    RETURNING generation
"""
"""Ask for a new generation from a new object; work on an older one ends at its next write."""

RESTART: Final = """
    UPDATE documents
    SET status = 'registered', stage = 'extract', generation = generation + 1, attempts = 0,
        error_code = NULL, error_message = NULL, retryable = NULL, live_etag = NULL,
        lease_token = NULL, lease_expires_at = %(lease_expires_at)s, deadline_at = %(deadline_at)s,
        expected_batches = NULL, new_sha256 = NULL, new_page_count = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = ANY (%(document_ids)s)
      AND status = ANY (%(statuses)s) AND etag IS NOT NULL
      AND (%(generation)s::integer IS NULL OR generation = %(generation)s)
    RETURNING id, generation
"""
"""Ask for new generations from the stored objects, the same bytes or not; no row where that is not possible."""

FAILED_DOCUMENTS: Final = """
    SELECT id, etag IS NOT NULL AS has_object, error_code
    FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND status = 'failed'
      AND (%(document_ids)s::uuid[] IS NULL OR id = ANY (%(document_ids)s))
      AND (%(error_codes)s::text[] IS NULL OR error_code = ANY (%(error_codes)s))
      AND (%(document_ids)s::uuid[] IS NOT NULL OR %(error_codes)s::text[] IS NOT NULL OR retryable)
    ORDER BY etag IS NULL, id
    LIMIT %(limit)s
"""
"""Documents that failed: those that are named, or else those for which another try may help."""

REJECT: Final = """
    UPDATE documents
    SET status = 'registered', stage = 'register', generation = generation + 1, attempts = 0,
        lease_token = NULL, size = %(size)s, etag = NULL, s3_version_id = %(version_id)s,
        s3_event_at = GREATEST(s3_event_at, %(happened_at)s), updated_at = %(now)s,
        vector_cleanup_due = CASE WHEN status = 'embedding' THEN %(now)s ELSE vector_cleanup_due END
    WHERE organization_id = app.current_organization() AND id = %(document_id)s
      AND NOT (status = 'failed' AND stage = 'register')
    RETURNING generation
"""
"""End work on an older object before the document is failed for its new one; no row where that is done. The
sequencer is not kept: were the object not deleted after this, the same event would still be looked at."""

ANNOUNCE_UPLOAD: Final = """
    INSERT INTO documents (id, organization_id, bot_id, name, source, s3_key, status, stage, content_type,
                           declared_size, tags, metadata, deadline_at, created_at, updated_at)
    SELECT %(id)s, app.current_organization(), bots.id, %(name)s, %(source)s, %(key)s, 'registered', 'upload',
           %(content_type)s, %(declared_size)s, COALESCE(%(tags)s::text[], '{}'), %(metadata)s::jsonb, %(deadline_at)s,
           %(now)s, %(now)s
    FROM bots
    WHERE organization_id = app.current_organization() AND bots.id = %(bot_id)s AND status <> 'deleting'
    ON CONFLICT (bot_id, s3_key) DO UPDATE
    SET source = excluded.source, declared_size = excluded.declared_size,
        tags = COALESCE(%(tags)s::text[], documents.tags),
        metadata = COALESCE(%(new_metadata)s::jsonb, documents.metadata), updated_at = excluded.updated_at,
        status = CASE WHEN documents.status IN ('ready', 'failed') THEN 'registered' ELSE documents.status END,
        stage = CASE WHEN documents.status IN ('ready', 'failed') THEN 'upload' ELSE documents.stage END,
        error_code = NULL, error_message = NULL, retryable = NULL,
        deadline_at = CASE WHEN documents.status IN ('ready', 'failed') OR documents.stage = 'upload'
                           THEN excluded.deadline_at ELSE documents.deadline_at END
    WHERE documents.status <> 'deleting'
    RETURNING id, (xmax = 0) AS created
"""
"""Make the row of an object to come, or let an existing document wait for its replacement. A generation under
way goes on; no row where the bot is gone or the document is being deleted. Waiting has a deadline and no lease."""
