-- Evaluation sets of bots, and what a confidence means for an embedding model. Why: docs/decisions/0098.

CREATE TABLE evaluation_sets (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, bot_id, name),
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX evaluation_sets_newest ON evaluation_sets (organization_id, bot_id, id DESC);

-- A question, and what is expected of the bot. One that was copied from a conversation holds what an end user said: it
-- goes when the conversation goes.
CREATE TABLE evaluation_cases (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    set_id uuid NOT NULL,
    question text NOT NULL,
    -- Earlier messages of the conversation, the oldest first: [{role, content}].
    history jsonb NOT NULL DEFAULT '[]',
    -- The answer is right if it contains any of these.
    expected_answers jsonb NOT NULL DEFAULT '[]',
    -- [{document_id, document_name, quote}].
    relevant_documents jsonb NOT NULL DEFAULT '[]',
    expect_refusal boolean NOT NULL DEFAULT false,
    -- Made from a bad rating: what the right answer is, somebody has to say first.
    needs_review boolean NOT NULL DEFAULT false,
    source text NOT NULL CHECK (source IN ('manual', 'feedback')),
    conversation_id uuid,
    message_id uuid,
    created_at timestamptz NOT NULL,
    UNIQUE (set_id, message_id),
    CHECK ((source = 'feedback') = (message_id IS NOT NULL)),
    CHECK ((conversation_id IS NULL) = (message_id IS NULL)),
    FOREIGN KEY (organization_id, set_id) REFERENCES evaluation_sets (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX evaluation_cases_newest ON evaluation_cases (organization_id, set_id, id DESC);
CREATE INDEX evaluation_cases_conversation ON evaluation_cases (organization_id, conversation_id)
    WHERE conversation_id IS NOT NULL;

-- What an organization fitted on its own data; it comes before what is built in.
CREATE TABLE embedding_calibrations (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    embedding_model text NOT NULL CHECK (length(embedding_model) BETWEEN 1 AND 200),
    -- Log-odds that what was found answers the question: intercept + dense * cosine + coverage * share of its words.
    dense double precision NOT NULL,
    coverage double precision NOT NULL,
    intercept double precision NOT NULL,
    threshold double precision NOT NULL CHECK (threshold BETWEEN 0 AND 1),
    -- Names of the sets, how many questions, and what was measured on those held back.
    fitted_on jsonb NOT NULL,
    fitted_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, embedding_model)
);

DO $$
DECLARE
    tenants text;
BEGIN
    FOREACH tenants IN ARRAY ARRAY['evaluation_sets', 'evaluation_cases', 'embedding_calibrations'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenants);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenants);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO chatsphere_app USING (organization_id = app.current_organization()) '
            'WITH CHECK (organization_id = app.current_organization())', tenants);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chatsphere_app', tenants);
    END LOOP;
END
$$;

-- What a job deletes with a bot has a receipt of its own. Of cases the application notes how many came and went.
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON evaluation_sets FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'evaluation_set', 'id', 'organization_id', '', '{id,organization_id,created_at,updated_at}', '{}',
        '{bot_id,name}');
CREATE TRIGGER audit_delete AFTER DELETE ON evaluation_sets FOR EACH ROW WHEN (app.current_actor() IS NOT NULL)
    EXECUTE FUNCTION app.audit('evaluation_set', 'id', 'organization_id', '', '{}', '{}', '{bot_id,name}');
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON embedding_calibrations FOR EACH ROW
    EXECUTE FUNCTION app.audit(
        'embedding_calibration', 'embedding_model', 'organization_id', '', '{organization_id}', '{}',
        '{embedding_model}');
CREATE TRIGGER audit_delete AFTER DELETE ON embedding_calibrations FOR EACH ROW
    WHEN (app.current_actor() IS NOT NULL)
    EXECUTE FUNCTION app.audit(
        'embedding_calibration', 'embedding_model', 'organization_id', '', '{}', '{}', '{embedding_model}');
