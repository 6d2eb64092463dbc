"""SQL of restores. As the tenant, but for what the reaper looks for."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final, LiteralString

from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.manifest_queries import FILE_COLUMNS

COLUMNS: Final = """
    id, organization_id, file_ids, bot_id, month, conversation_id, status, attempts, files_done, restored, looked_at,
    error_code, kept_until, created_at, finished_at
"""

BEGIN: Final = f"""
    INSERT INTO archive_restores (id, organization_id, requested_by, file_ids, bot_id, month, conversation_id,
                                  lease_expires_at, kept_until, created_at)
    VALUES (%(id)s, app.current_organization(), %(requested_by)s, %(file_ids)s, %(bot_id)s, %(month)s,
            %(conversation_id)s, %(lease_expires_at)s, %(kept_until)s, %(now)s)
    RETURNING {COLUMNS}
"""
"""Note what is wanted."""

GET: Final = f"""
    SELECT {COLUMNS} FROM archive_restores WHERE organization_id = app.current_organization() AND id = %(id)s
"""
"""One restore."""

PAGE: Final = f"""
    SELECT {COLUMNS} FROM archive_restores
    WHERE organization_id = app.current_organization() AND (%(before)s::uuid IS NULL OR id < %(before)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""Restores, newest first."""

CLAIM: Final = f"""
    UPDATE archive_restores
    SET status = 'running', attempts = attempts + 1, lease_expires_at = %(lease_expires_at)s
    WHERE organization_id = app.current_organization() AND id = %(id)s
      AND (status = 'pending' OR (status = 'running' AND lease_expires_at <= %(now)s))
    RETURNING {COLUMNS}
"""
"""Begin to work on a restore that nobody is at."""

IS_OPEN: Final = """
    SELECT FROM archive_restores
    WHERE organization_id = app.current_organization() AND id = %(id)s AND status = 'running'
"""
"""Whether somebody is at it."""

HOLD_UNTIL: Final = """
    UPDATE archive_restores SET lease_expires_at = %(lease_expires_at)s
    WHERE organization_id = app.current_organization() AND id = %(id)s AND status = 'running'
"""
"""Keep the lease, or end it."""

COUNT: Final = """
    UPDATE archive_restores
    SET restored = restored || jsonb_build_object(
        %(dataset)s::text, COALESCE((restored ->> %(dataset)s)::bigint, 0) + %(rows)s)
    WHERE organization_id = app.current_organization() AND id = %(id)s
"""
"""Count rows that came back, in the transaction in which they do."""

FILE_DONE: Final = """
    UPDATE archive_restores SET files_done = files_done || %(file_id)s::uuid, looked_at = looked_at + %(rows)s
    WHERE organization_id = app.current_organization() AND id = %(id)s AND %(file_id)s <> ALL (files_done)
"""
"""Note that a file is through."""

MARK_RESTORED: Final = """
    UPDATE archive_files SET restored_at = COALESCE(restored_at, %(now)s)
    WHERE organization_id = app.current_organization() AND id = %(file_id)s AND version_id = %(version_id)s
      AND status = 'complete'
    RETURNING id
"""
"""Mark a file that rows come back from: whatever of it is archived again leaves it. No row: it is another one by now,
and as long as the transaction lasts nobody makes it another one.
"""

FINISH: Final = """
    UPDATE archive_restores SET status = %(status)s, error_code = %(error_code)s, finished_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(id)s AND status = 'running'
"""
"""End a restore."""

WANTED_FILES: Final = f"""
    SELECT {FILE_COLUMNS} FROM archive_files
    WHERE organization_id = app.current_organization() AND status = 'complete' AND bot_id IS NOT NULL
      AND dataset = ANY (%(datasets)s)
      AND (%(file_ids)s::uuid[] IS NULL OR id = ANY (%(file_ids)s))
      AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
      AND (%(month)s::date IS NULL OR month = %(month)s)
      AND (%(subject)s::integer IS NULL OR subjects && ARRAY[%(subject)s::integer])
    ORDER BY array_position(%(datasets)s, dataset), id
"""
"""The files that a restore reads, conversations first."""

CONVERSATION_FILES: Final = f"""
    SELECT {FILE_COLUMNS} FROM archive_files
    WHERE organization_id = app.current_organization() AND status = 'complete' AND bot_id = %(bot_id)s
      AND dataset = 'conversations' AND subjects && %(subjects)s::integer[]
    ORDER BY id
"""
"""Where a bot's conversations may be that messages and feedback belong to."""

BOT_IS_THERE: Final = """
    SELECT FROM bots WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status <> 'deleting'
    FOR KEY SHARE
"""
"""Whether a bot is there, and stays until the transaction ends."""

MISSING: Final = """
    SELECT wanted.id::text AS id FROM unnest(%(ids)s::uuid[]) AS wanted (id)
    WHERE NOT EXISTS (SELECT FROM conversations c
                      WHERE c.organization_id = app.current_organization() AND c.id = wanted.id)
"""
"""Which conversations are not in the table."""

KEEP_CONVERSATIONS: Final = """
    UPDATE conversations SET kept_until = %(kept_until)s
    WHERE organization_id = app.current_organization() AND id = ANY (%(ids)s::uuid[])
      AND (kept_until IS NULL OR kept_until <= %(now)s)
"""
"""Let no retention run archive these conversations again at once."""

TELL_NOBODY: Final = "SELECT app.silence_webhooks()"
"""What comes back has happened long ago."""

INSERT: Final[dict[DatasetName, LiteralString]] = {
    DatasetName.CONVERSATIONS: """
        INSERT INTO conversations (id, organization_id, bot_id, end_user_id, title, channel, metadata, history_digest,
                                   created_at, updated_at, ended_at, archived_at, kept_until)
        SELECT r.id, app.current_organization(), %(bot_id)s, r.end_user_id, r.title, r.channel, r.metadata::jsonb,
               decode(r.history_digest, 'hex'), r.created_at, r.updated_at, r.ended_at, r.archived_at, %(kept_until)s
        FROM json_to_recordset(%(rows)s::json) AS r (
            id uuid, end_user_id text, title text, channel text, metadata text, history_digest text,
            created_at timestamptz, updated_at timestamptz, ended_at timestamptz, archived_at timestamptz)
        -- One that somebody deleted is on its way out of the archive, too.
        WHERE NOT EXISTS (SELECT FROM archive_removals a
                          WHERE a.organization_id = app.current_organization() AND a.conversation_id = r.id)
        ON CONFLICT DO NOTHING
    """,
    DatasetName.MESSAGES: """
        INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, answerable, reason,
                              finish_reason, citations, sources, model, prompt_tokens, completion_tokens,
                              embedding_tokens, cost_microdollars, latency_ms, metadata, created_at)
        SELECT r.id, app.current_organization(), %(bot_id)s, r.conversation_id, r.role, r.content, r.answerable,
               r.reason, r.finish_reason, r.citations::jsonb, r.sources::jsonb, r.model, r.prompt_tokens,
               r.completion_tokens, r.embedding_tokens, r.cost_microdollars, r.latency_ms::jsonb, r.metadata::jsonb,
               r.created_at
        FROM json_to_recordset(%(rows)s::json) AS r (
            id uuid, conversation_id uuid, role text, content text, answerable boolean, reason text,
            finish_reason text, citations text, sources text, model text, prompt_tokens integer,
            completion_tokens integer, embedding_tokens integer, cost_microdollars bigint, latency_ms text,
            metadata text, created_at timestamptz)
        WHERE EXISTS (SELECT FROM conversations c
                      WHERE c.organization_id = app.current_organization() AND c.id = r.conversation_id
                        AND c.bot_id = %(bot_id)s)
        ON CONFLICT DO NOTHING
    """,
    DatasetName.FEEDBACK: """
        INSERT INTO conversation_feedback (id, organization_id, bot_id, conversation_id, message_id,
                                           message_created_at, end_user_id, rating, comment, created_at, updated_at)
        SELECT r.id, app.current_organization(), %(bot_id)s, r.conversation_id, r.message_id, r.message_created_at,
               r.end_user_id, r.rating, r.comment, r.created_at, r.updated_at
        FROM json_to_recordset(%(rows)s::json) AS r (
            id uuid, conversation_id uuid, message_id uuid, message_created_at timestamptz, end_user_id text,
            rating integer, comment text, created_at timestamptz, updated_at timestamptz)
        WHERE EXISTS (SELECT FROM conversations c
                      WHERE c.organization_id = app.current_organization() AND c.id = r.conversation_id
                        AND c.bot_id = %(bot_id)s)
        ON CONFLICT DO NOTHING
    """,
}
"""Put rows back that are not there."""

# ------------------------------------------------------------------------------------------------- as the reaper

STALLED: Final = """
    SELECT organization_id, id AS restore_id FROM archive_restores
    WHERE status IN ('pending', 'running') AND lease_expires_at <= %(now)s
    ORDER BY lease_expires_at LIMIT %(limit)s
"""
"""Restores that nobody is at."""
