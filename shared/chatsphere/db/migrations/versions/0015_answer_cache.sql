-- Answers and embeddings that are given again. Why: docs/decisions/0099-caches.md.

-- ------------------------------------------------------------------------------------------ what answers rest on

-- What readers see of a bot's documents, as a set of ids: whoever changes it adds one and removes those it sees, without
-- waiting for anybody. While the set that is visible is the same, nothing that readers see has changed: the id of the
-- last change to commit is always in it, for nobody has seen it to remove it. Random, so that none comes again, not even
-- where a backup was restored. Empty: nothing has changed since this table was made.
CREATE TABLE corpus_revisions (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    PRIMARY KEY (organization_id, bot_id, id),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);

CREATE FUNCTION app.renew_corpus(bot uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    made corpus_revisions;
BEGIN
    -- A bot that goes with its documents has nobody who asks it.
    INSERT INTO corpus_revisions (id, organization_id, bot_id)
    SELECT gen_random_uuid(), b.organization_id, b.id FROM bots b WHERE b.id = bot
    RETURNING * INTO made;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DELETE FROM corpus_revisions WHERE (organization_id, bot_id, id) IN (
        SELECT c.organization_id, c.bot_id, c.id FROM corpus_revisions c
        WHERE c.organization_id = made.organization_id AND c.bot_id = made.bot_id AND c.id <> made.id
        FOR UPDATE SKIP LOCKED);
END
$$;

CREATE FUNCTION app.note_corpus_change() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    PERFORM app.renew_corpus(CASE WHEN TG_OP = 'DELETE' THEN OLD.bot_id ELSE NEW.bot_id END);
    RETURN NULL;
END
$$;
CREATE TRIGGER corpus AFTER INSERT ON documents FOR EACH ROW
    WHEN (NEW.live_generation IS NOT NULL) EXECUTE FUNCTION app.note_corpus_change();
-- Its text; whether it is there; and what is shown of it, or filters go by.
CREATE TRIGGER corpus_update AFTER UPDATE ON documents FOR EACH ROW
    WHEN (OLD.live_generation IS DISTINCT FROM NEW.live_generation
        OR (NEW.live_generation IS NOT NULL AND (
            (OLD.status = 'deleting') <> (NEW.status = 'deleting') OR OLD.name <> NEW.name OR OLD.tags <> NEW.tags
            OR OLD.metadata <> NEW.metadata OR OLD.language IS DISTINCT FROM NEW.language
            OR OLD.created_at <> NEW.created_at)))
    EXECUTE FUNCTION app.note_corpus_change();
CREATE TRIGGER corpus_delete AFTER DELETE ON documents FOR EACH ROW
    WHEN (OLD.live_generation IS NOT NULL) EXECUTE FUNCTION app.note_corpus_change();

-- --------------------------------------------------------------------------------------------------------- entries

-- The cache where no other server is one. `key` is a SHA-256 and `value` holds no text: an answer's is the id of the
-- message that says it, a question's is the vector of its text.
CREATE TABLE cache_entries (
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    kind text NOT NULL,
    key bytea NOT NULL CHECK (octet_length(key) = 32),
    value bytea NOT NULL CHECK (octet_length(value) <= 65536),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, bot_id, kind, key),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX cache_entries_expired ON cache_entries (expires_at);
CREATE INDEX cache_entries_oldest ON cache_entries (organization_id, bot_id, kind, expires_at);

-- A vector tells of its text, and nothing says whose it was: with a conversation go all of its bot.
CREATE FUNCTION app.forget_question_vectors() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    -- In this order: two that delete conversations of a bot at once wait for each other, and not both.
    DELETE FROM cache_entries WHERE (organization_id, bot_id, kind, key) IN (
        SELECT c.organization_id, c.bot_id, c.kind, c.key FROM cache_entries c
        WHERE c.kind = 'question' AND (c.organization_id, c.bot_id) IN (SELECT g.organization_id, g.bot_id FROM gone g)
        ORDER BY c.bot_id, c.key FOR UPDATE);
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_question_vectors AFTER DELETE ON conversations
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION app.forget_question_vectors();

-- How often a day answers were found, and not, and what the models would have cost.
CREATE TABLE cache_days (
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    day date NOT NULL,
    hits bigint NOT NULL DEFAULT 0,
    misses bigint NOT NULL DEFAULT 0,
    saved_microdollars bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, bot_id, day),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['corpus_revisions', 'cache_entries', 'cache_days'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', tenant_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_app', tenant_table);
    END LOOP;
END
$$;

-- The reaper takes away what expired where nobody asks any more.
CREATE POLICY reaper ON cache_entries TO chatsphere_reaper USING (true);
GRANT SELECT (organization_id, bot_id, kind, key, expires_at), UPDATE (expires_at), DELETE ON cache_entries
    TO chatsphere_reaper;

-- ------------------------------------------------------------------------------------------------ documents' names

-- As in 0004 and 0011: a name is what somebody says of a document, too.
CREATE TRIGGER audit_name AFTER UPDATE OF name ON documents FOR EACH ROW
    WHEN (OLD.status <> 'deleting' AND NEW.status <> 'deleting' AND NEW.name <> OLD.name AND NEW.tags = OLD.tags
        AND NEW.metadata = OLD.metadata AND NEW.generation = OLD.generation AND NEW.stage = OLD.stage
        AND NEW.declared_size IS NOT DISTINCT FROM OLD.declared_size)
    EXECUTE FUNCTION app.audit(
        'document', 'id', 'organization_id', '',
        '{id,organization_id,s3_key,s3_version_id,s3_sequencer,s3_event_at,etag,live_etag,new_sha256,stage,error_code,'
        'error_message,retryable,attempts,live_generation,expected_batches,lease_token,lease_expires_at,deadline_at,'
        'new_page_count,vector_cleanup_due,created_at,updated_at}', '{}', '{bot_id,name}');
