-- Feedback, search in messages, statistics, and questions that had no answer.
-- Why: docs/decisions/0097-conversations-and-feedback.md.

-- Of the statements that follow in the transaction. In a function, as all settings of a transaction: a SET of a client's
-- would pin its connection of RDS Proxy.
CREATE FUNCTION app.limit_statements(milliseconds integer) RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    PERFORM set_config('statement_timeout', milliseconds::text, true);
END
$$;

-- ----------------------------------------------------------------------------------------------- feedback

-- What an end user said of an answer: one row for each of them and answer. It goes with the conversation.
CREATE TABLE conversation_feedback (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    -- No foreign key: messages are partitioned, and of them only (id, created_at) is unique.
    message_id uuid NOT NULL,
    message_created_at timestamptz NOT NULL,
    -- NULL: nobody said who it is.
    end_user_id text CHECK (length(end_user_id) <= 255),
    rating integer NOT NULL CHECK (rating BETWEEN 1 AND 5),
    comment text CHECK (length(comment) <= 4000),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE NULLS NOT DISTINCT (message_id, end_user_id),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX conversation_feedback_newest ON conversation_feedback (organization_id, bot_id, id DESC);
CREATE INDEX conversation_feedback_conversation ON conversation_feedback (conversation_id);

-- ---------------------------------------------------------------------------------- questions without an answer

-- The same question, asked however often. What was asked is read from the messages and is in no row here:
-- `fingerprint` is a SHA-256 of the normalised text.
CREATE TABLE unanswered_questions (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'resolved', 'ignored')),
    note text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
    -- When a person last set status or note.
    reviewed_at timestamptz,
    last_asked_at timestamptz NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, bot_id, fingerprint),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX unanswered_questions_newest
    ON unanswered_questions (organization_id, bot_id, last_asked_at DESC, id DESC);

-- Each time that it was asked. Counts, times and confidence are computed from these, so that they cannot disagree
-- with what is left when conversations are deleted.
CREATE TABLE unanswered_messages (
    message_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    question_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    answer_id uuid NOT NULL,
    reason text NOT NULL,
    confidence real NOT NULL,
    asked_at timestamptz NOT NULL,
    answered_at timestamptz NOT NULL,
    FOREIGN KEY (organization_id, question_id) REFERENCES unanswered_questions (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX unanswered_messages_newest ON unanswered_messages (organization_id, question_id, asked_at DESC);
CREATE INDEX unanswered_messages_conversation ON unanswered_messages (conversation_id);

-- A question goes with the last message that asked it.
CREATE FUNCTION app.forget_unanswered() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM gone) THEN
        RETURN NULL;
    END IF;
    -- Whoever is asking one of them right now is waited for; the next statement then sees the new message.
    PERFORM FROM unanswered_questions q WHERE q.id IN (SELECT g.question_id FROM gone g) ORDER BY q.id FOR UPDATE;
    DELETE FROM unanswered_questions q
    WHERE q.id IN (SELECT g.question_id FROM gone g)
      AND NOT EXISTS (SELECT FROM unanswered_messages m
                      WHERE m.organization_id = q.organization_id AND m.question_id = q.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_unanswered AFTER DELETE ON unanswered_messages
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION app.forget_unanswered();

-- ------------------------------------------------------------------------------------ row level security, audit

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['conversation_feedback', 'unanswered_questions', 'unanswered_messages'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization())'
            ' WITH CHECK (organization_id = app.current_organization())', tenant_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_app', tenant_table);
    END LOOP;
END
$$;

-- Changed by somebody; that a turn marks its conversation as used is nobody's act.
CREATE TRIGGER audit_update AFTER UPDATE ON conversations FOR EACH ROW
    WHEN (app.current_actor() IS NOT NULL AND (
        OLD.title IS DISTINCT FROM NEW.title OR OLD.metadata IS DISTINCT FROM NEW.metadata
        OR OLD.ended_at IS DISTINCT FROM NEW.ended_at OR OLD.archived_at IS DISTINCT FROM NEW.archived_at))
    EXECUTE FUNCTION app.audit(
        'conversation', 'id', 'organization_id', '', '{id,organization_id,created_at,updated_at}',
        '{title,metadata,end_user_id}', '{bot_id}');
-- That it was deleted is noted by the application: here it would be told of each that goes with its conversation, too.
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON conversation_feedback FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'feedback', 'message_id', 'organization_id', '',
        '{id,organization_id,message_created_at,created_at,updated_at}', '{end_user_id,comment}', '{bot_id,rating}');
CREATE TRIGGER audit_update AFTER UPDATE ON unanswered_questions FOR EACH ROW
    WHEN (OLD.reviewed_at IS DISTINCT FROM NEW.reviewed_at)
    EXECUTE FUNCTION app.audit(
        'unanswered_question', 'id', 'organization_id', '',
        '{id,organization_id,fingerprint,last_asked_at}', '{note}', '{bot_id,status}');

-- ---------------------------------------------------------------------------------------- search in messages

-- The words of a message, and which bot's it is: an index over all tenants' messages then looks up only those of one
-- bot that hold the words. No word of a text has a '/': app.searchable_text makes punctuation space.
CREATE FUNCTION app.message_lexemes(bot uuid, content text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    -- A text of more than a megabyte of distinct words has no tsvector, and the message could not be kept.
    RETURN to_tsvector('pg_catalog.english', app.searchable_text(left(content, 100000)))
        || array_to_tsvector(ARRAY['bot/' || bot::text]);

-- An index of the messages that are there is built outside of this transaction (chatsphere.db.concurrent_indexes):
-- until then searching is slow, and nobody who writes waits. Here, only of partitions without rows.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX messages_words ON ONLY messages USING gin (app.message_lexemes(bot_id, content));
DO $$
DECLARE
    partition_name name;
    used boolean;
BEGIN
    FOR partition_name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.messages'::regclass
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', partition_name) INTO used;
        IF NOT used THEN
            EXECUTE format(
                'CREATE INDEX %I ON public.%I USING gin (app.message_lexemes(bot_id, content))',
                partition_name || '_words', partition_name);
            EXECUTE format('ALTER INDEX public.messages_words ATTACH PARTITION public.%I', partition_name || '_words');
        END IF;
    END LOOP;
    -- Not whether there are rows: under its policies the tables' owner sees none.
    IF pg_relation_size('public.conversations') = 0 THEN
        CREATE INDEX conversations_used ON public.conversations (organization_id, bot_id, updated_at DESC, id DESC);
    END IF;
END
$$;

-- A page of a bot's conversations that match, the newest or the most recently used first. Neither `@>` nor `@@` is
-- leakproof, so that under row level security no index would be used for them; hence these run as the search role.
-- Planned anew each time, with the conditions that there are.
CREATE FUNCTION app.conversation_page(
    bot uuid, wanted jsonb, end_user text, of_channel text, since timestamptz, until timestamptz, archived boolean,
    by_use boolean, last_used timestamptz, last_id uuid, result_limit integer)
    RETURNS TABLE (conversation_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    AS $$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT c.id FROM conversations c WHERE c.organization_id = app.current_organization() AND c.bot_id = $1'
        || CASE WHEN wanted IS NULL THEN '' ELSE ' AND c.metadata @> $2' END
        || CASE WHEN end_user IS NULL THEN '' ELSE ' AND c.end_user_id = $3' END
        || CASE WHEN of_channel IS NULL THEN '' ELSE ' AND c.channel = $4' END
        || CASE WHEN since IS NULL THEN '' ELSE ' AND c.created_at >= $5' END
        || CASE WHEN until IS NULL THEN '' ELSE ' AND c.created_at < $6' END
        || CASE archived WHEN true THEN ' AND c.archived_at IS NOT NULL'
                         WHEN false THEN ' AND c.archived_at IS NULL' ELSE '' END
        || CASE WHEN last_id IS NULL THEN ''
                WHEN by_use THEN ' AND (c.updated_at, c.id) < ($7, $8)' ELSE ' AND c.id < $8' END
        || CASE WHEN by_use THEN ' ORDER BY c.updated_at DESC, c.id DESC' ELSE ' ORDER BY c.id DESC' END
        || ' LIMIT $9'
    USING bot, wanted, end_user, of_channel, since, until, last_used, last_id, result_limit;
END
$$;

-- The messages of a bot that hold all words of `question` (NULL: any) and meet the other conditions, the newest first;
-- `by_score`: of the newest 300 of them those first that hold the words closest together.
CREATE FUNCTION app.message_search(
    bot uuid, question text, conversation uuid, end_user text, of_role text, wanted jsonb,
    since timestamptz, until timestamptz, last_id uuid, by_score boolean, result_limit integer)
    RETURNS TABLE (message_id uuid, message_created_at timestamptz, score real)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET jit = off
    AS $$
DECLARE
    searched text := app.searchable_text(question);
    -- Of a script without spaces a text's words are pairs of characters, and the last of a run stands alone: of a
    -- question it must not, or only texts that end there would be found.
    words tsquery := plainto_tsquery('pg_catalog.english', regexp_replace(searched,
        '(^|\s)[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff](?=\s|$)',
        ' ', 'g'));
BEGIN
    IF numnode(words) = 0 THEN
        words := plainto_tsquery('pg_catalog.english', searched);
    END IF;
    -- Nothing but stop words: no message holds them.
    IF numnode(words) = 0 THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE
        'SELECT f.id, f.created_at, '
        || CASE WHEN words IS NULL THEN 'NULL::real'
                ELSE 'ts_rank_cd(app.message_lexemes($1, f.content), $3, 33)' END || ' AS score'
        || ' FROM (SELECT m.id, m.created_at, m.content FROM messages m'
        || ' WHERE m.organization_id = app.current_organization() AND m.bot_id = $1'
        || ' AND m.created_at >= $8 AND m.created_at < $9 AND m.content <> '''''
        || CASE WHEN words IS NULL THEN ''
                ELSE ' AND app.message_lexemes(m.bot_id, m.content) @@ ($2 && $3)' END
        || CASE WHEN conversation IS NULL THEN '' ELSE ' AND m.conversation_id = $4' END
        || CASE WHEN end_user IS NULL THEN ''
                ELSE ' AND m.conversation_id IN (SELECT c.id FROM conversations c'
                    ' WHERE c.organization_id = app.current_organization() AND c.bot_id = $1 AND c.end_user_id = $5)'
                END
        || CASE WHEN of_role IS NULL THEN '' ELSE ' AND m.role = $6' END
        || CASE WHEN wanted IS NULL THEN '' ELSE ' AND m.metadata @> $7' END
        || CASE WHEN last_id IS NULL THEN '' ELSE ' AND m.id < $10' END
        || ' ORDER BY m.id DESC LIMIT ' || CASE WHEN by_score THEN '300' ELSE '$11' END
        || ') f ORDER BY ' || CASE WHEN by_score THEN '3 DESC, ' ELSE '' END || 'f.id DESC LIMIT $11'
    USING bot, ('''bot/' || bot::text || '''')::tsquery, words, conversation, end_user, of_role, wanted, since, until,
        last_id, result_limit;
END
$$;

CREATE POLICY search ON conversations FOR SELECT TO chatsphere_search USING (true);
GRANT SELECT (id, organization_id, bot_id, end_user_id, channel, metadata, created_at, updated_at, archived_at)
    ON conversations TO chatsphere_search;
CREATE POLICY search ON messages FOR SELECT TO chatsphere_search USING (true);
GRANT SELECT (id, organization_id, bot_id, conversation_id, role, content, metadata, created_at)
    ON messages TO chatsphere_search;

-- As in 0002: a managed service's administrator is no superuser.
GRANT chatsphere_search TO CURRENT_USER;
GRANT CREATE ON SCHEMA app TO chatsphere_search;
DO $$
DECLARE
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY[
        'app.conversation_page(uuid, jsonb, text, text, timestamptz, timestamptz, boolean, boolean, timestamptz, uuid,'
            ' integer)',
        'app.message_search(uuid, text, uuid, text, text, jsonb, timestamptz, timestamptz, uuid, boolean, integer)'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO chatsphere_search', signature);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO chatsphere_app', signature);
    END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA app FROM chatsphere_search;
REVOKE chatsphere_search FROM CURRENT_USER;
