"""SQL of a synchronisation's steps. The lease's token fences off whoever was overtaken."""

from typing import Final

TAKE_STEP: Final = """
    UPDATE web_sources
    SET step = %(step)s + 1, lease_token = %(token)s, lease_expires_at = %(lease_expires_at)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(source_id)s
      AND status IN ('syncing', 'deleting')
      AND (step = %(step)s OR (step = %(step)s + 1 AND lease_expires_at <= %(now)s))
    RETURNING kind, url, name, max_pages, max_depth, status, sync, is_complete, failures, error_code, error_message,
        sync_started_at,
        (SELECT bots.status FROM bots WHERE organization_id = app.current_organization() AND id = %(bot_id)s)
            AS bot_status
"""
"""Take a step up that nobody has made, or that somebody began and did not end; no row where there is none."""

IS_TAKEN: Final = """
    SELECT FROM web_sources
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(source_id)s
      AND status IN ('syncing', 'deleting') AND step = %(step)s + 1 AND lease_token IS NOT NULL
"""
"""Whether somebody is at the step."""

GIVE_BACK: Final = """
    UPDATE web_sources SET step = %(step)s, lease_token = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(source_id)s AND step = %(step)s + 1
      AND (lease_token = %(token)s OR lease_token IS NULL)
"""
"""Let the same message make the step once more, also where it was made and the next message was not sent."""

GO_ON: Final = """
    UPDATE web_sources
    SET lease_token = NULL, lease_expires_at = %(lease_expires_at)s, failures = %(failures)s,
        is_complete = is_complete AND %(is_complete)s, error_code = COALESCE(%(error_code)s, error_code),
        error_message = COALESCE(%(error_message)s, error_message), updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(source_id)s AND lease_token = %(token)s
      AND status = 'syncing'
    RETURNING step
"""
"""End a step and wait for the next one's message; no row where the source was deleted, or somebody has taken over."""

NEXT_PAGE: Final = """
    SELECT id, kind, url, depth, status, is_excluded, attempts, not_before, document_id, etag, last_modified, sha256,
           links
    FROM web_pages
    WHERE organization_id = app.current_organization() AND source_id = %(source_id)s AND listed_sync = %(sync)s
      AND done_sync < %(sync)s AND (NOT is_excluded OR depth < %(depth_followed)s)
    ORDER BY COALESCE(not_before > %(now)s, false), not_before NULLS FIRST, kind = 'page', depth, id
    LIMIT 1
"""
"""The next page of a synchronisation: those that wait for another try come last."""

BEGIN_PAGE: Final = """
    UPDATE web_pages SET attempts = attempts + 1
    WHERE organization_id = app.current_organization() AND id = %(page_id)s
"""
"""Count that a page is asked for."""

DEFER_PAGE: Final = """
    UPDATE web_pages
    SET attempts = attempts - %(forgiven)s, not_before = %(not_before)s, error_code = %(error_code)s,
        error_message = %(error_message)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(page_id)s
"""
"""Try a page again, not before a time; `forgiven` is 1 where the try does not count."""

END_PAGE: Final = """
    UPDATE web_pages
    SET status = %(status)s, done_sync = %(sync)s, not_before = NULL, error_code = %(error_code)s,
        error_message = %(error_message)s, document_id = %(document_id)s, etag = %(etag)s,
        last_modified = %(last_modified)s, sha256 = %(sha256)s, links = %(links)s,
        fetched_at = CASE WHEN %(status)s = 'fetched' THEN %(now)s ELSE fetched_at END, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(page_id)s AND NOT is_excluded
      AND EXISTS (SELECT FROM web_sources WHERE organization_id = app.current_organization()
                  AND web_sources.id = web_pages.source_id AND lease_token = %(token)s)
"""
"""Keep what became of a page; not where somebody has taken over."""

END_EXCLUDED_PAGE: Final = """
    UPDATE web_pages SET done_sync = %(sync)s, not_before = NULL, links = %(links)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(page_id)s AND is_excluded
"""
"""The same of a page that was only asked for its links."""

IS_COPY: Final = """
    SELECT FROM web_pages
    WHERE organization_id = app.current_organization() AND source_id = %(source_id)s AND url = %(url)s
      AND done_sync = %(sync)s AND error_code = %(code)s
"""
"""Whether a page ended in this way in this synchronisation."""

LISTED: Final = """
    SELECT count(*) FILTER (WHERE kind = 'page' AND status <> 'skipped') AS pages,
           count(*) FILTER (WHERE kind = 'sitemap') AS sitemaps, count(*) AS entries,
           COALESCE(array_agg(url) FILTER (WHERE url = ANY (%(urls)s)), '{}') AS known
    FROM web_pages
    WHERE organization_id = app.current_organization() AND source_id = %(source_id)s AND listed_sync = %(sync)s
"""
"""How much a synchronisation has found, and which of these URLs."""

UNLISTED: Final = """
    SELECT id, document_id FROM web_pages
    WHERE organization_id = app.current_organization() AND source_id = %(source_id)s AND listed_sync < %(sync)s
      AND document_id IS NOT NULL
    ORDER BY id LIMIT %(limit)s
"""
"""Pages with documents that the synchronisation has not found any more."""

FORGET_UNLISTED: Final = """
    DELETE FROM web_pages
    WHERE organization_id = app.current_organization() AND source_id = %(source_id)s AND listed_sync < %(sync)s
      AND document_id IS NULL AND NOT is_excluded
"""
"""Forget pages that are gone; what somebody wanted away is remembered."""

END_SYNC: Final = """
    UPDATE web_sources
    SET status = CASE WHEN %(error_code)s::text IS NULL THEN 'synced' ELSE 'failed' END, lease_token = NULL,
        lease_expires_at = NULL, is_complete = is_complete AND %(is_complete)s, error_code = %(error_code)s,
        error_message = %(error_message)s, synced_at = %(now)s,
        next_sync_at = %(now)s::timestamptz + make_interval(mins => resync_minutes), updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(source_id)s AND lease_token = %(token)s
      AND status = 'syncing'
"""
"""End a synchronisation; the next one's time comes only where one is wanted."""

# ---------------------------------------------------------------------------------------------- documents

FIND_DOCUMENT: Final = """
    SELECT id, source, status, stage, sha256 FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND s3_key = %(key)s
      AND status <> 'deleting'
"""
"""A page's document."""

HOLD_STEP: Final = """
    SELECT FROM web_sources
    WHERE organization_id = app.current_organization() AND id = %(source_id)s AND lease_token = %(token)s
      AND status = 'syncing'
    FOR SHARE
"""
"""A step that is still this worker's, held: its source is not deleted before the transaction ends."""

GIVE_DOCUMENT: Final = """
    UPDATE web_pages SET document_id = %(document_id)s
    WHERE organization_id = app.current_organization() AND id = %(page_id)s AND NOT is_excluded
    RETURNING id
"""
"""Say of a page which document is its own, so that it goes with it; no row where somebody wanted it away."""

IS_KEPT: Final = """
    SELECT FROM documents
    WHERE organization_id = app.current_organization() AND id = %(document_id)s
      AND (status = 'ready' OR (status IN ('registered', 'extracting', 'embedding') AND stage <> 'fetch'))
"""
"""Whether a document holds what was fetched for it, or is about to."""

HOLD_DOCUMENT: Final = """
    SELECT generation, live_generation, status, stage FROM documents
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND status <> 'deleting'
    FOR UPDATE
"""
"""A page's document, held until the transaction ends."""

LET_GO: Final = """
    UPDATE web_pages SET document_id = NULL, etag = NULL, last_modified = NULL, sha256 = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(page_id)s
"""
"""Part a page from its document."""

IS_SHARED: Final = """
    SELECT FROM web_pages
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s AND id <> %(page_id)s
    LIMIT 1
"""
"""Whether another source's page has the document, too."""

# ---------------------------------------------------------------------------------------------- deletion

NEXT_TO_DELETE: Final = """
    SELECT id, document_id FROM web_pages
    WHERE organization_id = app.current_organization() AND source_id = %(source_id)s AND document_id IS NOT NULL
    ORDER BY id LIMIT %(limit)s
"""
"""Pages with documents of a source that is being deleted."""

DELETION_GOES_ON: Final = """
    UPDATE web_sources SET lease_token = NULL, lease_expires_at = %(lease_expires_at)s
    WHERE organization_id = app.current_organization() AND id = %(source_id)s AND lease_token = %(token)s
    RETURNING step
"""
"""End a step of a deletion and wait for the next one's message."""

DELETE_SOURCE: Final = """
    DELETE FROM web_sources
    WHERE organization_id = app.current_organization() AND id = %(source_id)s AND status = 'deleting'
"""
"""Delete a source's row, with its pages'."""
