"""SQL of imports. Every statement is bound to the tenant twice: by the row policies and by its own words."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.knowledge.ingestion.transitions import DERIVED_STATUS

_IMPORT: Final = "organization_id = app.current_organization() AND id = %(import_id)s"
_HELD: Final = f"{_IMPORT} AND status IN ('checking', 'importing') AND lease_token = %(token)s"

COLUMNS: Final = """id, name, status, bot_id, vectors, embedding_model, size, documents_done, documents_total, counts,
    error_code, error_message, created_at, finished_at"""

INSERT: Final = f"""
    INSERT INTO bot_imports (id, organization_id, created_by, name, status, lease_expires_at, created_at)
    VALUES (%(import_id)s, app.current_organization(), %(created_by)s, %(name)s, 'awaiting_upload',
            %(lease_expires_at)s, %(now)s)
    RETURNING {COLUMNS}
"""
"""Note that somebody is to upload a bot's file."""

COUNT_OPEN: Final = """
    SELECT count(*) AS open FROM bot_imports
    WHERE organization_id = app.current_organization()
      AND status IN ('awaiting_upload', 'queued', 'checking', 'importing')
"""
"""How many imports have not ended."""

GIVE_UP_OLDEST: Final = """
    UPDATE bot_imports
    SET status = 'expired', finished_at = %(now)s,
        lease_expires_at = GREATEST(%(now)s, created_at + %(uploaded_by)s::interval)
    WHERE organization_id = app.current_organization() AND status = 'awaiting_upload' AND id = (
        SELECT id FROM bot_imports
        WHERE organization_id = app.current_organization() AND status = 'awaiting_upload'
        ORDER BY id LIMIT 1)
      AND %(most)s > (
        SELECT count(*) FROM bot_imports
        WHERE organization_id = app.current_organization() AND status = 'expired'
          AND created_at > %(now)s - %(uploaded_by)s::interval)
"""
"""Wait no longer for the file that was waited for longest; no row where all were started, or where too many were given
up whose forms may still be used. What came of it is yet to be deleted."""

FORGET_OLD: Final = """
    DELETE FROM bot_imports
    WHERE organization_id = app.current_organization() AND lease_expires_at IS NULL AND id IN (
        SELECT id FROM bot_imports WHERE organization_id = app.current_organization()
        ORDER BY id DESC OFFSET %(kept)s)
"""
"""Forget imports that have ended, but for the newest."""

GET: Final = f"SELECT {COLUMNS} FROM bot_imports WHERE {_IMPORT}"
"""One import."""

PAGE: Final = f"""
    SELECT {COLUMNS} FROM bot_imports
    WHERE organization_id = app.current_organization() AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""Imports, newest first."""

START: Final = f"""
    UPDATE bot_imports
    SET status = 'queued', object_version = %(version)s, object_etag = %(etag)s, size = %(size)s,
        lease_expires_at = %(lease_expires_at)s
    WHERE {_IMPORT} AND status = 'awaiting_upload' AND lease_expires_at > %(now)s
    RETURNING {COLUMNS}
"""
"""Have the file taken in that is there now; no row where that was done before, or its time is over."""

CLAIM: Final = f"""
    UPDATE bot_imports
    SET status = CASE WHEN status = 'queued' THEN 'checking' ELSE status END, lease_token = %(token)s,
        lease_expires_at = %(lease_expires_at)s, attempts = attempts + 1
    WHERE {_IMPORT} AND (status = 'queued' OR (status IN ('checking', 'importing') AND lease_expires_at <= %(now)s))
    RETURNING status, created_by, name, object_version, object_etag, size, manifest_sha256, bot_id, vectors,
        documents_done, attempts
"""
"""Take up an import that nobody is at; no row where somebody is, or it has ended."""

RELEASE: Final = f"""
    UPDATE bot_imports
    SET lease_token = NULL, lease_expires_at = %(now)s, attempts = CASE WHEN %(got_further)s THEN 0 ELSE attempts END
    WHERE {_HELD}
"""
"""Leave an import to whoever comes next."""

BEGIN: Final = f"""
    UPDATE bot_imports
    SET status = 'importing', manifest_sha256 = %(manifest_sha256)s, bot_id = %(bot_id)s, vectors = %(vectors)s,
        embedding_model = %(model)s, documents_total = %(total)s, counts = %(counts)s, attempts = 0,
        lease_expires_at = %(lease_expires_at)s
    WHERE {_HELD} AND status = 'checking'
"""
"""The file is what it is to be, and there is room for it."""

PROGRESS: Final = f"""
    UPDATE bot_imports
    SET documents_done = %(done)s, attempts = 0, lease_expires_at = %(lease_expires_at)s
    WHERE {_HELD}
"""
"""Say how far it is; no row where somebody else has taken over."""

DONE: Final = f"""
    UPDATE bot_imports
    SET status = 'done', documents_done = documents_total, lease_token = NULL, finished_at = %(now)s,
        lease_expires_at = %(lease_expires_at)s
    WHERE {_HELD} AND status = 'importing'
"""
"""The bot is there. The file is yet to be deleted."""

FAIL: Final = f"""
    UPDATE bot_imports
    SET status = 'failed', error_code = %(code)s, error_message = %(message)s, lease_token = NULL,
        finished_at = %(now)s, lease_expires_at = %(lease_expires_at)s
    WHERE {_HELD}
    RETURNING bot_id
"""
"""End an import in vain. The file is yet to be deleted."""

EXPIRE: Final = f"""
    UPDATE bot_imports SET status = 'expired', finished_at = %(now)s
    WHERE {_IMPORT} AND status = 'awaiting_upload' AND lease_expires_at <= %(now)s
"""
"""Nobody has started it in time."""

HAS_ENDED: Final = f"""
    SELECT 1 FROM bot_imports
    WHERE {_IMPORT} AND status IN ('done', 'failed', 'expired') AND lease_expires_at IS NOT NULL
"""
"""Whether an import has ended, and its file may still be there."""

CLEARED: Final = f"""
    UPDATE bot_imports
    SET lease_expires_at = NULLIF(GREATEST(%(now)s, created_at + %(uploaded_by)s::interval), %(now)s)
    WHERE {_IMPORT} AND status IN ('done', 'failed', 'expired')
"""
"""Its file is gone. It is looked for once more where another could still be uploaded by its form."""

IS_KNOWN: Final = f"SELECT 1 FROM bot_imports WHERE {_IMPORT}"
"""Whether there is such an import; no row where its organization is gone."""

# ------------------------------------------------------------------------------------------------ its content

HIDE_BOT: Final = """
    UPDATE bots
    SET status = 'importing', version = %(version)s, embedding_model = %(model)s,
        embedding_dimensions = %(dimensions)s
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s
"""
"""Make a new bot one that is not whole yet; with the model that its vectors are of, None where none is chosen."""

HOLD_BOT: Final = """
    SELECT 1 FROM bots
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status = 'importing'
    FOR NO KEY UPDATE
"""
"""Hold a bot that is being imported; no row where it is gone."""

INSERT_VERSION: Final = """
    INSERT INTO bot_versions (organization_id, bot_id, version, configuration, restored_from, created_at)
    VALUES (app.current_organization(), %(bot_id)s, %(version)s, %(content)s, %(restored_from)s, %(created_at)s)
    ON CONFLICT (bot_id, version) DO NOTHING
"""
"""Keep a former version."""

INSERT_DOCUMENT: Final = """
    INSERT INTO documents (id, organization_id, bot_id, name, source, url, s3_key, content_type, status, stage,
                           generation, expected_batches, new_sha256, new_page_count, tags, metadata, created_at,
                           updated_at)
    VALUES (%(document_id)s, app.current_organization(), %(bot_id)s, %(name)s, %(source)s, %(url)s, %(key)s,
            %(content_type)s, 'embedding', 'embed', 1, %(batches)s, %(sha256)s, %(page_count)s, %(tags)s,
            %(metadata)s, %(now)s, %(now)s)
    ON CONFLICT (id) DO NOTHING
"""
"""Make a document that was read already; nothing where that was done. Nobody has to look after it yet."""

NOTE_OBJECT: Final = """
    UPDATE documents
    SET s3_version_id = %(version_id)s, etag = %(etag)s, size = %(size)s, s3_event_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s
"""
"""Note which object holds the document's original."""

NOTE_UNREAD: Final = """
    UPDATE documents SET unread_page_count = %(unread_page_count)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s
"""
"""Note how many pages say nothing."""

INSERT_CHUNKS: Final = """
    INSERT INTO chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content, heading_path,
                        page_start, page_end, char_start, char_end, token_count, vector_id, language, created_at)
    SELECT c.id, app.current_organization(), %(bot_id)s, %(document_id)s, 1, %(batch)s, c.ordinal, c.content,
           c.heading_path, c.page_start, c.page_end, c.char_start, c.char_end, c.token_count, c.vector_id, c.language,
           %(now)s
    FROM jsonb_to_recordset(%(chunks)s) AS c (
        id uuid, ordinal integer, content text, heading_path text[], page_start integer, page_end integer,
        char_start integer, char_end integer, token_count integer, vector_id text, language text)
    ON CONFLICT (id) DO NOTHING
"""
"""Keep a batch of passages; those that are kept already stay."""

KEPT_BATCHES: Final = """
    SELECT count(DISTINCT batch) AS batches FROM chunks
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s AND generation = 1
"""
"""How many batches of a document are kept; all of them whole."""

RECORD_BATCHES: Final = """
    INSERT INTO embedding_batches (organization_id, document_id, generation, batch, revision, model, token_count,
                                   cost_microdollars, created_at)
    SELECT app.current_organization(), %(document_id)s, 1, batch, 0, %(model)s, 0, 0, %(now)s
    FROM generate_series(0, %(batches)s - 1) AS batch
    ON CONFLICT DO NOTHING
"""
"""Note that all batches of a document are embedded, at no cost of ours."""

INSERT_SET: Final = """
    INSERT INTO evaluation_sets (id, organization_id, bot_id, name, description, created_at, updated_at)
    VALUES (%(set_id)s, app.current_organization(), %(bot_id)s, %(name)s, %(description)s, %(now)s, %(now)s)
    ON CONFLICT DO NOTHING
"""
"""Make an evaluation set, unless that was done."""

INSERT_CASE: Final = """
    INSERT INTO evaluation_cases (
        id, organization_id, set_id, question, history, expected_answers, relevant_documents, expect_refusal,
        needs_review, source, created_at)
    VALUES (
        %(case_id)s, app.current_organization(), %(set_id)s, %(question)s, %(history)s, %(expected_answers)s,
        %(relevant_documents)s, %(expect_refusal)s, %(needs_review)s, 'manual', %(now)s)
    ON CONFLICT (id) DO NOTHING
"""
"""Add a case to it, unless that was done."""

COUNT_DOCUMENTS: Final = """
    SELECT count(*) AS documents FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND status <> 'deleting'
"""
"""How many documents a bot has."""

LET_EMBED: Final = """
    UPDATE documents
    SET lease_expires_at = %(lease_expires_at)s,
        deadline_at = %(deadline_at)s::timestamptz + expected_batches * %(time_per_batch)s::interval
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND status = 'embedding'
"""
"""From now on somebody has to look after the documents that are to be embedded."""

TO_EMBED: Final = """
    SELECT id AS document_id, expected_batches AS batches FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND status = 'embedding'
      AND (%(after)s::uuid IS NULL OR id > %(after)s)
    ORDER BY id LIMIT %(limit)s
"""
"""Some of the documents that are to be embedded."""

SHOW_BOT: Final = f"""
    UPDATE bots SET status = derived.status, updated_at = %(now)s
    FROM ({DERIVED_STATUS}) derived
    WHERE bots.organization_id = app.current_organization() AND bots.id = %(bot_id)s AND bots.status = 'importing'
"""
"""Let the bot be seen, with the status that its documents give it."""

DELETE_BOT: Final = """
    UPDATE bots SET status = 'deleting', slug = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status = 'importing'
    RETURNING 1
"""
"""Have a bot deleted that did not become whole."""
