"""SQL of sources as their readers see them, and of what people do with them."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

VISIBLE: Final = """web_sources.organization_id = app.current_organization() AND web_sources.bot_id = %(bot_id)s
    AND web_sources.status <> 'deleting'
    AND EXISTS (SELECT FROM bots WHERE bots.organization_id = app.current_organization()
                AND bots.id = web_sources.bot_id AND bots.status <> 'deleting')"""

COLUMNS: Final = """web_sources.id, web_sources.bot_id, web_sources.kind, web_sources.url, web_sources.name,
    web_sources.max_pages, web_sources.max_depth, web_sources.resync_minutes, web_sources.status,
    web_sources.is_complete, web_sources.error_code, web_sources.error_message, web_sources.next_sync_at,
    web_sources.sync_started_at, web_sources.synced_at, web_sources.created_at, web_sources.updated_at,
    (SELECT COALESCE(jsonb_object_agg(counted.status, counted.pages), '{}') FROM (
        SELECT web_pages.status, count(*) AS pages FROM web_pages
        WHERE web_pages.organization_id = app.current_organization() AND web_pages.source_id = web_sources.id
          AND web_pages.kind = 'page'
        GROUP BY web_pages.status) counted) AS pages"""

GET: Final = f"SELECT {COLUMNS} FROM web_sources WHERE {VISIBLE} AND web_sources.id = %(source_id)s"
"""One source."""

PAGE: Final = f"""
    SELECT {COLUMNS} FROM web_sources
    WHERE {VISIBLE} AND (%(after)s::uuid IS NULL OR web_sources.id < %(after)s)
    ORDER BY web_sources.id DESC
    LIMIT %(limit)s
"""
"""Sources of a bot, newest first."""

WEB_PAGES: Final = """
    SELECT id, url, depth, status, is_excluded, document_id, error_code, error_message, fetched_at, created_at,
           updated_at
    FROM web_pages
    WHERE organization_id = app.current_organization() AND source_id = %(source_id)s AND kind = 'page'
      AND (%(after)s::uuid IS NULL OR id < %(after)s)
      AND (%(status)s::text IS NULL OR status = %(status)s)
    ORDER BY id DESC
    LIMIT %(limit)s
"""
"""Pages of a source, newest first."""

INSERT_SOURCE: Final = """
    INSERT INTO web_sources (id, organization_id, bot_id, kind, url, name, max_pages, max_depth, resync_minutes,
                             status, created_at, updated_at)
    VALUES (%(source_id)s, app.current_organization(), %(bot_id)s, %(kind)s, %(url)s, %(name)s, %(max_pages)s,
            %(max_depth)s, %(resync_minutes)s, 'synced', %(now)s, %(now)s)
    ON CONFLICT (bot_id, kind, url) DO NOTHING
    RETURNING id
"""
"""Make a source; no row where the bot has it."""

COUNT_SOURCES: Final = """
    SELECT count(*) AS number FROM web_sources
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND kind = %(kind)s
"""
"""How many sources of a kind the bot has."""

FIND_SOURCE: Final = """
    SELECT id, name, status FROM web_sources
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND kind = %(kind)s AND url = %(url)s
    FOR UPDATE
"""
"""The bot's source of this kind and URL."""

CHANGE_SOURCE: Final = """
    UPDATE web_sources
    SET max_pages = COALESCE(%(max_pages)s, max_pages), max_depth = COALESCE(%(max_depth)s, max_depth),
        resync_minutes = CASE WHEN %(changes_resync)s THEN %(resync_minutes)s::integer ELSE resync_minutes END,
        next_sync_at = CASE
            WHEN NOT %(changes_resync)s OR status = 'syncing' THEN next_sync_at
            ELSE %(now)s::timestamptz + make_interval(mins => %(resync_minutes)s::integer) END,
        updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(source_id)s
      AND status <> 'deleting'
    RETURNING id
"""
"""Change what is given; no row where there is no such source."""

BEGIN_SYNC: Final = """
    UPDATE web_sources
    SET status = 'syncing', sync = sync + 1, step = step + 1, is_complete = true, failures = 0, error_code = NULL,
        error_message = NULL, lease_token = NULL, lease_expires_at = %(lease_expires_at)s, next_sync_at = NULL,
        sync_started_at = %(now)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(source_id)s
      AND status IN ('synced', 'failed')
      AND EXISTS (SELECT FROM bots WHERE organization_id = app.current_organization() AND id = %(bot_id)s
                  AND status NOT IN ('archived', 'deleting'))
    RETURNING kind, url, sync, step
"""
"""Begin a synchronisation; no row where one is under way, the source is to go, or the bot takes no documents."""

BEGIN_DELETION: Final = """
    UPDATE web_sources
    SET status = 'deleting', step = step + 1, lease_token = NULL, lease_expires_at = %(lease_expires_at)s,
        next_sync_at = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(source_id)s
      AND status <> 'deleting'
    RETURNING step
"""
"""Hide a source and fence off its synchronisation."""

LIST_PAGE: Final = """
    INSERT INTO web_pages (id, organization_id, bot_id, source_id, kind, url, depth, status, listed_sync,
                           document_id, created_at, updated_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(source_id)s, %(page_kind)s, %(url)s, %(depth)s,
            'waiting', %(sync)s, %(document_id)s, %(now)s, %(now)s)
    ON CONFLICT (source_id, url) DO UPDATE
    SET listed_sync = excluded.listed_sync, attempts = 0, not_before = NULL, updated_at = excluded.updated_at,
        depth = CASE WHEN web_pages.listed_sync = excluded.listed_sync
                     THEN LEAST(web_pages.depth, excluded.depth) ELSE excluded.depth END,
        document_id = COALESCE(excluded.document_id, web_pages.document_id)
    WHERE web_pages.listed_sync < excluded.listed_sync
"""
"""Note that a synchronisation has found a page; once in each."""

ANNOUNCE_PAGE: Final = """
    INSERT INTO documents (id, organization_id, bot_id, name, source, s3_key, url, status, stage, tags, metadata,
                           deadline_at, created_at, updated_at)
    SELECT %(id)s, app.current_organization(), bots.id, %(name)s, 'url', %(key)s, %(url)s, 'registered', 'fetch',
           COALESCE(%(tags)s::text[], '{}'), %(metadata)s::jsonb, %(deadline_at)s, %(now)s, %(now)s
    FROM bots
    WHERE organization_id = app.current_organization() AND bots.id = %(bot_id)s AND status <> 'deleting'
    ON CONFLICT (bot_id, s3_key) DO UPDATE
    SET source = excluded.source, url = excluded.url, updated_at = excluded.updated_at,
        tags = COALESCE(%(tags)s::text[], documents.tags),
        metadata = COALESCE(%(new_metadata)s::jsonb, documents.metadata),
        status = CASE WHEN documents.status = 'failed' THEN 'registered' ELSE documents.status END,
        stage = CASE WHEN documents.status = 'failed' THEN 'fetch' ELSE documents.stage END,
        error_code = NULL, error_message = NULL, retryable = NULL,
        deadline_at = CASE WHEN documents.status = 'failed' THEN excluded.deadline_at ELSE documents.deadline_at END
    WHERE documents.status <> 'deleting'
    RETURNING id, (xmax = 0) AS created
"""
"""Make the row of a page to be fetched, or let one that failed wait for the next try. What readers see stays; no row
where the bot is gone or the document is being deleted."""

HOLD_SOURCES_OF: Final = """
    SELECT id, kind FROM web_sources
    WHERE organization_id = app.current_organization() AND id IN (
        SELECT source_id FROM web_pages
        WHERE organization_id = app.current_organization() AND document_id = %(document_id)s)
    ORDER BY id
    FOR UPDATE
"""
"""The sources that a document came from; held before their pages, as a synchronisation does."""

KEEP_OUT: Final = """
    UPDATE web_pages SET is_excluded = true, document_id = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
"""
"""A page whose document was deleted does not come back."""

DROP_PAGE_SOURCES: Final = """
    DELETE FROM web_sources
    WHERE organization_id = app.current_organization() AND kind = 'page' AND id = ANY (%(source_ids)s)
"""
"""A source of one page goes with that page's document."""
