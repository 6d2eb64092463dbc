-- What ingestion may spend, and what waits for it. Why: docs/decisions/0111-budgets-of-ingestion.md.

-- A document that is put aside until the month's budget has room for its next step: `awaited_tokens` and
-- `awaited_microdollars` are what that takes.
-- squawk-ignore ban-drop-constraint
ALTER TABLE documents DROP CONSTRAINT documents_stage_check;
-- Every row satisfies the former one, which permitted less.
ALTER TABLE documents
    ADD CONSTRAINT documents_stage_check
    CHECK (stage IN ('upload', 'fetch', 'register', 'scan', 'budget', 'extract', 'embed', 'done', 'delete')) NOT VALID;
ALTER TABLE documents
    ADD COLUMN awaited_tokens bigint,
    ADD COLUMN awaited_microdollars bigint;

-- How many of the month's messages a reservation stands for: an answer is one, ingestion and searches are none.
ALTER TABLE budget_reservations ADD COLUMN messages integer NOT NULL DEFAULT 1;

-- Since when a run that embeds a bot anew waits for the month's budget.
ALTER TABLE training_runs ADD COLUMN awaits_budget_since timestamptz;

-- From where a person was logged in lately is asked at each login. Small: sessions end.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX sessions_latest ON sessions (user_id, id DESC);

-- ------------------------------------------------------------------------------------- what only grew until now

-- Pruned daily, of organizations and people that never come back, too. Why: docs/retention.md.
CREATE POLICY retention ON sessions TO chatsphere_maintainer USING (true);
GRANT SELECT (id, expires_at), DELETE ON sessions TO chatsphere_maintainer;
CREATE POLICY retention ON refresh_tokens TO chatsphere_maintainer USING (true);
GRANT SELECT (id, expires_at), DELETE ON refresh_tokens TO chatsphere_maintainer;
CREATE POLICY retention ON invitations TO chatsphere_maintainer USING (true);
GRANT SELECT (id, expires_at), DELETE ON invitations TO chatsphere_maintainer;
CREATE POLICY retention ON budget_periods TO chatsphere_maintainer USING (true);
GRANT SELECT (organization_id, subject_id, period), DELETE ON budget_periods TO chatsphere_maintainer;

-- That an invitation's time came is nobody's act, and its address must not go on in the audit log.
DROP TRIGGER audit ON invitations;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON invitations FOR EACH ROW
    WHEN (current_user <> 'chatsphere_maintainer')
    EXECUTE FUNCTION app.audit(
        'invitation', 'id', 'organization_id', 'accepted_by',
        '{id,organization_id,secret_hash,mailed_at,invited_by,accepted_by,created_at}', '{email}',
        '{role}');
