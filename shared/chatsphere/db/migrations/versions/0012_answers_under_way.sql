-- Answers that are being written: stopped, looked at again, and not lost with their function.
-- Why: docs/decisions/0095-answers-under-way.md.

-- A row for each answer between its question and its being kept. Who finishes the answer deletes the row in the
-- transaction that keeps it, and so does who finds it expired, for nobody is left to finish it: only one of them can.
CREATE TABLE answers_under_way (
    message_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    -- No foreign key: a conversation that begins with this turn is not there yet.
    conversation_id uuid NOT NULL,
    -- Who asked; null for visitors of public bots.
    user_id uuid,
    -- What keeping the turn needs besides, should its function be killed.
    turn jsonb NOT NULL,
    -- What was written when it was last looked after: text, citations, sources without their text.
    progress jsonb NOT NULL DEFAULT '{}',
    asked_at timestamptz NOT NULL,
    stop_requested_at timestamptz,
    -- Later than any function can run: from then on nobody writes the answer any more.
    expires_at timestamptz NOT NULL,
    FOREIGN KEY (organization_id, bot_id) REFERENCES bots (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX answers_under_way_bot ON answers_under_way (organization_id, bot_id);
CREATE INDEX answers_under_way_expired ON answers_under_way (expires_at);

ALTER TABLE answers_under_way ENABLE ROW LEVEL SECURITY;
ALTER TABLE answers_under_way FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON answers_under_way TO chatsphere_app
    USING (organization_id = app.current_organization()) WITH CHECK (organization_id = app.current_organization());
GRANT SELECT, INSERT, UPDATE, DELETE ON answers_under_way TO chatsphere_app;
CREATE POLICY reaper ON answers_under_way FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (message_id, organization_id, expires_at) ON answers_under_way TO chatsphere_reaper;
CREATE POLICY eraser ON answers_under_way TO chatsphere_eraser USING (true);
GRANT SELECT (user_id), UPDATE (user_id) ON answers_under_way TO chatsphere_eraser;

-- The embedding of a question is paid, too. Its cost is part of `cost_microdollars`.
ALTER TABLE messages ADD COLUMN embedding_tokens integer;
ALTER TABLE usage_events ADD COLUMN embedding_tokens integer;
