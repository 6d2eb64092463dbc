-- Pages of the web as sources: one page, a sitemap, a bounded crawl. Why: docs/decisions/0083-web-sources.md.

-- `fetch`: a page that is yet to be fetched; `scan`: an object that waits for its malware scan.
-- squawk-ignore ban-drop-constraint
ALTER TABLE documents DROP CONSTRAINT documents_stage_check;
-- Not validated: what is there obeys the narrower one that it replaces.
ALTER TABLE documents
    ADD CONSTRAINT documents_stage_check
    CHECK (stage IN ('upload', 'fetch', 'register', 'scan', 'extract', 'embed', 'done', 'delete')) NOT VALID;

CREATE TABLE web_sources (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('page', 'sitemap', 'crawl')),
    url text NOT NULL CHECK (length(url) <= 2000),
    -- Of one page: its document's name, if it was given.
    name text,
    max_pages integer NOT NULL CHECK (max_pages BETWEEN 1 AND 10000),
    max_depth integer NOT NULL CHECK (max_depth BETWEEN 0 AND 20),
    resync_minutes integer CHECK (resync_minutes BETWEEN 15 AND 527040),
    status text NOT NULL CHECK (status IN ('syncing', 'synced', 'failed', 'deleting')),
    -- Counts the synchronisations; pages say which one listed them last.
    sync integer NOT NULL DEFAULT 0,
    -- Whether the present or last one has seen, so far, all that there is: only then is what it lacks removed.
    is_complete boolean NOT NULL DEFAULT true,
    -- Tries in a row that got no answer: a host that is down is left alone.
    failures integer NOT NULL DEFAULT 0,
    error_code text,
    error_message text,
    -- Counts messages: one that was delivered twice is known by its number. The token fences off who was overtaken.
    step integer NOT NULL DEFAULT 0,
    lease_token uuid,
    lease_expires_at timestamptz,
    next_sync_at timestamptz,
    sync_started_at timestamptz,
    synced_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (bot_id, kind, url),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX web_sources_newest ON web_sources (organization_id, bot_id, id DESC);
CREATE INDEX web_sources_under_way ON web_sources (lease_expires_at) WHERE status IN ('syncing', 'deleting');
CREATE INDEX web_sources_due ON web_sources (next_sync_at)
    WHERE status IN ('synced', 'failed') AND next_sync_at IS NOT NULL;

CREATE TABLE web_pages (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    source_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('page', 'sitemap')),
    url text NOT NULL CHECK (length(url) <= 2000),
    depth integer NOT NULL,
    status text NOT NULL CHECK (status IN ('waiting', 'fetched', 'failed', 'skipped', 'gone')),
    -- Its document was deleted by somebody: it does not come back.
    is_excluded boolean NOT NULL DEFAULT false,
    listed_sync integer NOT NULL,
    done_sync integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    not_before timestamptz,
    document_id uuid,
    etag text,
    last_modified text,
    sha256 text,
    -- What a page that has not changed links to.
    links text[] NOT NULL DEFAULT '{}',
    error_code text,
    error_message text,
    fetched_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (source_id, url),
    FOREIGN KEY (organization_id, source_id) REFERENCES web_sources (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX web_pages_due ON web_pages (source_id, listed_sync, depth, id);
CREATE INDEX web_pages_newest ON web_pages (organization_id, source_id, id DESC);
CREATE INDEX web_pages_document ON web_pages (document_id) WHERE document_id IS NOT NULL;

-- When a host may be asked again, and what its robots.txt says; each organization for itself.
CREATE TABLE web_hosts (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    origin text NOT NULL,
    next_request_at timestamptz NOT NULL,
    robots text,
    robots_until timestamptz,
    PRIMARY KEY (organization_id, origin)
);

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['web_sources', 'web_pages', 'web_hosts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', tenant_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_app', tenant_table);
    END LOOP;
END
$$;

CREATE POLICY reaper ON web_sources FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (id, organization_id, bot_id, status, step, lease_expires_at, next_sync_at)
    ON web_sources TO chatsphere_reaper;

-- Made, changed, deleted. What a synchronisation finds out is nobody's act; who asks for one is noted by the use case,
-- and a row goes after it was marked, or with its bot or its document.
CREATE TRIGGER audit AFTER INSERT ON web_sources FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'web_source', 'id', 'organization_id', '',
        '{id,organization_id,status,sync,is_complete,failures,step,lease_token,lease_expires_at,next_sync_at,'
        'sync_started_at,synced_at,created_at,updated_at}', '{}', '{bot_id,kind,url}');
CREATE TRIGGER audit_update AFTER UPDATE ON web_sources FOR EACH ROW
    WHEN (OLD.status <> 'deleting' AND (
        NEW.status = 'deleting' OR NEW.max_pages <> OLD.max_pages OR NEW.max_depth <> OLD.max_depth
        OR NEW.resync_minutes IS DISTINCT FROM OLD.resync_minutes))
    EXECUTE FUNCTION app.audit(
        'web_source', 'id', 'organization_id', '',
        '{id,organization_id,sync,is_complete,failures,error_code,error_message,step,lease_token,lease_expires_at,'
        'next_sync_at,sync_started_at,synced_at,created_at,updated_at}', '{}', '{bot_id,kind,url}');
