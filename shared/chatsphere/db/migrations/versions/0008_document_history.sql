-- What became of each generation of a document, and what changed last, written by triggers so that no way through
-- ingestion can miss it. Why: docs/decisions/0084-history-by-triggers.md.

-- One row for each time that content was asked for and worked on. Times are the documents' own (`updated_at`), so that
-- they fit what the API says of the document.
CREATE TABLE document_runs (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    document_id uuid NOT NULL,
    generation integer NOT NULL,
    -- The bot's training that it ended in. No foreign key: that row may be gone before this one.
    training_run_id uuid,
    -- Announced: an upload permitted, a page to be fetched. The content came at `registered_at`.
    requested_at timestamptz NOT NULL,
    registered_at timestamptz,
    scanned_at timestamptz,
    extracting_at timestamptz,
    embedding_at timestamptz,
    finished_at timestamptz,
    outcome text CHECK (outcome IN ('ready', 'unchanged', 'failed', 'superseded', 'deleted')),
    -- The stage that it is at, or ended in.
    stage text NOT NULL,
    -- The most tries that one step took.
    attempts integer NOT NULL DEFAULT 0,
    error_code text,
    retryable boolean,
    size bigint,
    page_count integer,
    chunk_count integer,
    token_count integer,
    cost_microdollars bigint NOT NULL DEFAULT 0,
    embedding_model text,
    CHECK ((finished_at IS NULL) = (outcome IS NULL)),
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, bot_id, document_id)
        REFERENCES documents (organization_id, bot_id, id) ON DELETE CASCADE
);
CREATE INDEX document_runs_newest ON document_runs (document_id, id DESC);
CREATE INDEX document_runs_bot ON document_runs (organization_id, bot_id);
CREATE INDEX document_runs_open ON document_runs (organization_id, bot_id, requested_at) WHERE finished_at IS NULL;
CREATE INDEX document_runs_training ON document_runs (training_run_id) WHERE training_run_id IS NOT NULL;
CREATE UNIQUE INDEX document_runs_one_open ON document_runs (document_id) WHERE finished_at IS NULL;

-- When each document last changed for its readers, in the order of transactions: what a stream of a bot's ingestion
-- reads. The row of a deleted document stays for an hour, so that whoever looks away is told.
CREATE TABLE document_changes (
    document_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    changed_in xid8 NOT NULL,
    is_deleted boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX document_changes_feed ON document_changes (organization_id, bot_id, changed_in, document_id);
CREATE INDEX document_changes_deleted ON document_changes (bot_id, changed_at) WHERE is_deleted;

-- Streams that are open: each occupies one execution of a function, so that an organization has a few.
CREATE TABLE stream_slots (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    slot integer NOT NULL,
    holder uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, slot)
);

-- What is under way, for those who watch one bot. Of a busy deployment nearly no rows.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX documents_under_way ON documents (bot_id, id) WHERE status IN ('registered', 'extracting', 'embedding');
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX documents_failed ON documents (bot_id, updated_at DESC, id DESC) WHERE status = 'failed';

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['document_runs', 'document_changes', 'stream_slots'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', tenant_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_app', tenant_table);
    END LOOP;
END
$$;

-- --------------------------------------------------------------------------------------------- what changed

CREATE FUNCTION app.note_document_change() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- Nobody is left to be told where the bot goes, too. Its row may be gone already.
        UPDATE public.document_changes
        SET changed_in = pg_current_xact_id(), is_deleted = true, changed_at = GREATEST(changed_at, OLD.updated_at)
        WHERE document_id = OLD.id AND EXISTS (SELECT FROM public.bots b WHERE b.id = OLD.bot_id);
        -- Two that delete at once neither wait for each other here nor clear up for long.
        DELETE FROM public.document_changes WHERE document_id IN (
            SELECT c.document_id FROM public.document_changes c
            WHERE c.bot_id = OLD.bot_id AND c.is_deleted AND c.changed_at < OLD.updated_at - interval '1 hour'
            LIMIT 100 FOR UPDATE SKIP LOCKED);
        RETURN NULL;
    END IF;
    INSERT INTO public.document_changes (document_id, organization_id, bot_id, changed_in, is_deleted, changed_at)
    VALUES (NEW.id, NEW.organization_id, NEW.bot_id, pg_current_xact_id(), NEW.status = 'deleting', NEW.updated_at)
    ON CONFLICT (document_id) DO UPDATE
    SET changed_in = excluded.changed_in, is_deleted = excluded.is_deleted, changed_at = excluded.changed_at;
    RETURN NULL;
END
$$;

-- --------------------------------------------------------------------------------------------- what became of it

-- What the generation's embedding took; of one that never got that far, nothing.
CREATE FUNCTION app.embedding_totals(
    document uuid, document_generation integer, OUT tokens bigint, OUT cost bigint, OUT model text)
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    SELECT sum(b.token_count), COALESCE(sum(b.cost_microdollars), 0), (array_agg(b.model ORDER BY b.revision))[1]
    INTO tokens, cost, model
    FROM public.embedding_batches b
    WHERE b.document_id = document AND b.generation = document_generation;
END
$$;

-- Ends the run that is open, if one is. `document` is the row as it was or is: whose counts are told.
CREATE FUNCTION app.finish_document_run(document public.documents, run_outcome text, ended_at timestamptz)
    RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
DECLARE
    totals record;
    failed boolean := run_outcome = 'failed';
BEGIN
    SELECT * INTO totals FROM app.embedding_totals(document.id, document.generation);
    UPDATE public.document_runs r
    SET finished_at = ended_at, outcome = run_outcome, stage = document.stage,
        attempts = GREATEST(r.attempts, document.attempts),
        error_code = CASE WHEN failed THEN document.error_code END,
        retryable = CASE WHEN failed THEN document.retryable END,
        size = document.size,
        page_count = CASE run_outcome WHEN 'unchanged' THEN NULL WHEN 'ready' THEN document.page_count
                     ELSE document.new_page_count END,
        chunk_count = CASE run_outcome WHEN 'ready' THEN document.chunk_count END,
        token_count = CASE run_outcome WHEN 'ready' THEN document.token_count ELSE totals.tokens END,
        cost_microdollars = totals.cost, embedding_model = totals.model,
        training_run_id = (
            SELECT t.id FROM public.training_runs t
            WHERE t.bot_id = document.bot_id AND t.kind = 'ingest' AND t.status = 'running')
    WHERE r.document_id = document.id AND r.finished_at IS NULL;
END
$$;

CREATE FUNCTION app.open_document_run(document public.documents, asked_at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    INSERT INTO public.document_runs (
        id, organization_id, bot_id, document_id, generation, requested_at, registered_at, extracting_at,
        embedding_at, stage)
    VALUES (
        app.uuid_v7(), document.organization_id, document.bot_id, document.id, document.generation, asked_at,
        CASE WHEN document.stage NOT IN ('upload', 'fetch', 'register') THEN asked_at END,
        CASE WHEN document.status = 'extracting' THEN asked_at END,
        CASE WHEN document.status = 'embedding' THEN asked_at END,
        document.stage)
    ON CONFLICT (document_id) WHERE finished_at IS NULL DO NOTHING;
    DELETE FROM public.document_runs r
    WHERE r.document_id = document.id AND r.id IN (
        SELECT o.id FROM public.document_runs o WHERE o.document_id = document.id ORDER BY o.id DESC OFFSET 50);
END
$$;

-- Follows status, stage and generation, and nothing else: whatever moves a document is told. A run begins when content
-- is announced or registered, and ends when the document is ready, has failed, is deleted, or is asked for anew.
-- Content that comes when it was announced goes on with that run, under its own generation.
CREATE FUNCTION app.record_document_run() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    AS $$
DECLARE
    unfinished CONSTANT text[] := '{registered,extracting,embedding}';
    awaited CONSTANT text[] := '{upload,fetch,register}';
    is_open boolean := NEW.status = ANY (unfinished);
    was_open boolean := TG_OP = 'UPDATE' AND OLD.status = ANY (unfinished);
    came boolean;
BEGIN
    IF was_open AND (NEW.generation > OLD.generation OR NEW.status = 'deleting') THEN
        came := OLD.stage = ANY (awaited) AND is_open;
        IF NOT came THEN
            PERFORM app.finish_document_run(
                OLD, CASE NEW.status WHEN 'deleting' THEN 'deleted' ELSE 'superseded' END, NEW.updated_at);
            was_open := false;
        END IF;
    END IF;
    IF is_open AND NOT was_open THEN
        PERFORM app.open_document_run(NEW, NEW.updated_at);
    ELSIF is_open THEN
        UPDATE public.document_runs r
        SET generation = NEW.generation, stage = NEW.stage,
            registered_at = CASE WHEN NEW.stage = ANY (awaited) THEN r.registered_at
                            ELSE COALESCE(r.registered_at, NEW.updated_at) END,
            scanned_at = CASE WHEN OLD.stage = 'scan' AND NEW.stage <> 'scan' THEN NEW.updated_at
                         ELSE r.scanned_at END,
            -- What is put aside for its scan is read from the beginning later.
            extracting_at = CASE WHEN NEW.stage = 'scan' THEN NULL
                            WHEN NEW.status = 'extracting' THEN COALESCE(r.extracting_at, NEW.updated_at)
                            ELSE r.extracting_at END,
            embedding_at = CASE WHEN NEW.status = 'embedding' THEN COALESCE(r.embedding_at, NEW.updated_at)
                           ELSE r.embedding_at END,
            attempts = GREATEST(r.attempts, NEW.attempts)
        WHERE r.document_id = NEW.id AND r.finished_at IS NULL;
    ELSIF NEW.status IN ('ready', 'failed') AND TG_OP = 'UPDATE' AND OLD.status <> NEW.status THEN
        IF NOT was_open THEN
            PERFORM app.open_document_run(NEW, NEW.updated_at);
        END IF;
        PERFORM app.finish_document_run(
            NEW, CASE WHEN NEW.status = 'failed' THEN 'failed'
                 WHEN NEW.live_generation IS DISTINCT FROM OLD.live_generation THEN 'ready'
                 ELSE 'unchanged' END, NEW.updated_at);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER history AFTER INSERT ON documents FOR EACH ROW
    EXECUTE FUNCTION app.record_document_run();
CREATE TRIGGER history_update AFTER UPDATE ON documents FOR EACH ROW
    WHEN (OLD.status <> 'deleting' AND (NEW.attempts > OLD.attempts OR
          (OLD.status, OLD.stage, OLD.generation) <> (NEW.status, NEW.stage, NEW.generation)))
    EXECUTE FUNCTION app.record_document_run();
CREATE TRIGGER change AFTER INSERT OR DELETE ON documents FOR EACH ROW
    EXECUTE FUNCTION app.note_document_change();
CREATE TRIGGER change_update AFTER UPDATE ON documents FOR EACH ROW
    WHEN ((OLD.status, OLD.stage, OLD.generation, OLD.attempts) <> (NEW.status, NEW.stage, NEW.generation, NEW.attempts))
    EXECUTE FUNCTION app.note_document_change();

-- ------------------------------------------------------------------------------------- what became of a bot's

-- A bot in training has one open run, which ends with what the documents' runs that ended in it came to. Who changes a
-- bot's status holds its row, and a document that ends is seen before the status follows: none is missed.
CREATE FUNCTION app.record_training_run() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    IF NEW.status = 'training' THEN
        INSERT INTO public.training_runs (id, organization_id, bot_id, kind, status, started_at)
        VALUES (app.uuid_v7(), NEW.organization_id, NEW.id, 'ingest', 'running', NEW.updated_at)
        ON CONFLICT (bot_id, kind) WHERE status = 'running' DO NOTHING;
        DELETE FROM public.training_runs t
        WHERE t.organization_id = NEW.organization_id AND t.id IN (
            SELECT o.id FROM public.training_runs o
            WHERE o.organization_id = NEW.organization_id AND o.bot_id = NEW.id AND o.kind = 'ingest'
            ORDER BY o.id DESC OFFSET 200);
        RETURN NULL;
    END IF;
    UPDATE public.training_runs t
    SET status = CASE
            WHEN NEW.status IN ('archived', 'deleting') OR made.documents = 0 THEN 'cancelled'
            WHEN made.failed = made.documents THEN 'failed'
            ELSE 'succeeded' END,
        finished_at = NEW.updated_at, document_count = made.documents, failed_count = made.failed,
        page_count = made.pages, chunk_count = made.chunks, token_count = made.tokens,
        cost_microdollars = made.cost, embedding_model = made.model
    FROM (
        SELECT o.id,
            count(*) FILTER (WHERE r.outcome IN ('ready', 'unchanged', 'failed')) AS documents,
            count(*) FILTER (WHERE r.outcome = 'failed') AS failed,
            COALESCE(sum(r.page_count) FILTER (WHERE r.outcome = 'ready'), 0) AS pages,
            COALESCE(sum(r.chunk_count), 0) AS chunks,
            COALESCE(sum(r.token_count), 0) AS tokens,
            COALESCE(sum(r.cost_microdollars), 0) AS cost,
            max(r.embedding_model) AS model
        FROM public.training_runs o
        LEFT JOIN public.document_runs r ON r.training_run_id = o.id
        WHERE o.bot_id = NEW.id AND o.kind = 'ingest' AND o.status = 'running'
        GROUP BY o.id) made
    WHERE t.id = made.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER training AFTER UPDATE ON bots FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND 'training' IN (OLD.status, NEW.status))
    EXECUTE FUNCTION app.record_training_run();
