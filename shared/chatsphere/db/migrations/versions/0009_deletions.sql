-- Deletions of documents and bots, each with a receipt. Why: docs/decisions/0085-deletion-receipts.md.

-- No foreign key to what is deleted: the row outlives it. Of what is deleted it keeps ids and counts, and no name but
-- the object's key, until that object is gone.
CREATE TABLE deletions (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    bot_id uuid NOT NULL,
    -- NULL: the bot with all that belongs to it.
    document_id uuid,
    reason text NOT NULL CHECK (reason IN ('api', 'bucket', 'source', 'reconcile')),
    -- Pseudonyms, as in the audit log. NULL: no person asked for it.
    requested_by uuid,
    api_key_id uuid,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done')),
    -- From then on nobody sees what is deleted.
    requested_at timestamptz NOT NULL,
    finished_at timestamptz,
    -- What was removed, by kind: {"chunks": 12, "vectors": 12, ...}.
    removed jsonb NOT NULL DEFAULT '{}',
    -- What the second look found, by kind: zeros. And what a look long after the receipt still found and removed.
    left_over jsonb,
    late jsonb,
    rechecked_at timestamptz,
    -- When somebody must look at it: of a running one, unless its worker shows a sign of life before.
    recheck_at timestamptz,
    -- The object that is to go, and those of its versions ([id, etag, modified_at]; NULL: not known yet) that were
    -- there when the document was deleted: what is stored under the key later is another document's.
    object_key text,
    object_versions jsonb,
    -- For the last look: the revisions of which there may be vectors, each with their length.
    vector_places jsonb,
    UNIQUE (organization_id, id)
);
CREATE INDEX deletions_newest ON deletions (organization_id, id DESC);
CREATE INDEX deletions_of_bot ON deletions (bot_id, document_id, id DESC);
CREATE INDEX deletions_due ON deletions (recheck_at) WHERE recheck_at IS NOT NULL;
CREATE INDEX deletions_of_object ON deletions (bot_id, object_key) WHERE object_key IS NOT NULL;

ALTER TABLE deletions ENABLE ROW LEVEL SECURITY;
ALTER TABLE deletions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON deletions TO chatsphere_app
    USING (organization_id = app.current_organization()) WITH CHECK (organization_id = app.current_organization());
-- Its receipts nobody deletes but with the organization.
GRANT SELECT, INSERT, UPDATE ON deletions TO chatsphere_app;
CREATE POLICY reaper ON deletions FOR SELECT TO chatsphere_reaper USING (true);
GRANT SELECT (id, organization_id, bot_id, document_id, status, recheck_at) ON deletions TO chatsphere_reaper;
