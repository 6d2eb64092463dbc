-- Bots by a name that a client can write down, and conversations found by what was said in them: what clients of
-- OpenAI's API need. Why: docs/decisions/0094-openai-routes.md.

-- The name under which clients ask for the bot, its own within the organization. NULL where the release before made the
-- bot: it is given one at its next change. Never of the form of an id, which means the bot of that id.
ALTER TABLE bots ADD COLUMN slug text CONSTRAINT bots_slug_form CHECK (
    slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'
    AND slug !~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' AND slug !~ '^[0-9a-f]{32}$');
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX bots_slug ON bots (organization_id, slug);

-- The bots there are, each by its name; of several with one name the oldest has it, the others with a suffix. No
-- trigger is to take this for somebody's change.
ALTER TABLE bots DISABLE TRIGGER USER;
-- The tables' owner is no superuser in a managed service, and sees no tenant's rows; back before anybody else does.
ALTER TABLE bots NO FORCE ROW LEVEL SECURITY;
WITH named AS (
    SELECT id, organization_id,
        coalesce(nullif(trim('-' FROM left(
            trim('-' FROM regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g')), 48)), ''), 'bot') AS base
    FROM bots WHERE status <> 'deleting'),
numbered AS (
    SELECT id, organization_id, base,
        row_number() OVER (PARTITION BY organization_id, base ORDER BY id) AS place,
        base || '-' || right(id::text, 12) AS suffixed
    FROM named)
UPDATE bots
SET slug = CASE
    WHEN place = 1 AND base !~ '^([0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32})$' THEN base
    WHEN NOT EXISTS (
        SELECT FROM named other
        WHERE other.organization_id = numbered.organization_id AND other.base = numbered.suffixed) THEN suffixed END
FROM numbered
WHERE numbered.id = bots.id;
ALTER TABLE bots FORCE ROW LEVEL SECURITY;
ALTER TABLE bots ENABLE TRIGGER USER;

-- A digest of who said what in a conversation that a client keeps itself, after its last answer: a client that sends
-- that history goes on with that conversation. NULL: not such a conversation, or an answer to it is under way.
ALTER TABLE conversations ADD COLUMN history_digest bytea;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX conversations_history ON conversations (organization_id, history_digest) WHERE history_digest IS NOT NULL;
