-- Erasure of end users, documents and bots, with signed receipts. Why: docs/decisions/0105-erasure-of-parts.md.

-- The subject of an end user's erasure is no UUID; the release before reads only erasures that it makes itself, and those
-- have one. Rows of that release have neither salt nor hash.
-- squawk-ignore ban-drop-not-null
ALTER TABLE erasures ALTER COLUMN subject_id DROP NOT NULL;
ALTER TABLE erasures
    -- Of an end user, a document or a bot: whose it is. No foreign key: the receipt outlives the organization.
    ADD COLUMN tenant_id uuid,
    -- Of an end user NULL: all bots of the organization.
    ADD COLUMN bot_id uuid,
    -- In clear only until the last look has been had.
    ADD COLUMN end_user_id text,
    -- SHA-256 of salt and subject: whoever knows the subject can see that the receipt is about it.
    ADD COLUMN subject_salt text,
    ADD COLUMN subject_hash text,
    -- The receipt as JWS, once somebody asked for it.
    ADD COLUMN signed_receipt text;

-- Wider than before, so that what is there obeys them: not validated.
-- squawk-ignore ban-drop-constraint
ALTER TABLE erasures DROP CONSTRAINT erasures_kind_check, DROP CONSTRAINT erasures_status_check;
ALTER TABLE erasures
    ADD CONSTRAINT erasures_kind
        CHECK (kind IN ('person', 'organization', 'end_user', 'document', 'bot')) NOT VALID,
    -- held: a legal hold stands against it; it is tried again from time to time.
    ADD CONSTRAINT erasures_status CHECK (status IN ('pending', 'running', 'held', 'done')) NOT VALID,
    ADD CONSTRAINT erasures_end_user CHECK (length(end_user_id) <= 255) NOT VALID,
    ADD CONSTRAINT erasures_tenant
        CHECK ((kind IN ('end_user', 'document', 'bot')) = (tenant_id IS NOT NULL)) NOT VALID;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX erasures_tenant_newest ON erasures (tenant_id, id DESC) WHERE tenant_id IS NOT NULL;

CREATE POLICY tenant ON erasures TO chatsphere_app
    USING (tenant_id = app.current_organization()) WITH CHECK (tenant_id = app.current_organization());
-- Not the hash of the receipt's secret, nor what the job found.
GRANT SELECT (id, kind, status, tenant_id, bot_id, subject_salt, subject_hash, requested_by, requested_at, finished_at,
              receipt, signed_receipt) ON erasures TO chatsphere_app;
GRANT INSERT (id, kind, subject_id, organizations, requested_by, requested_at, receipt_hash, lease_expires_at,
              tenant_id, bot_id, end_user_id, subject_salt, subject_hash) ON erasures TO chatsphere_app;
GRANT UPDATE (signed_receipt) ON erasures TO chatsphere_authenticator;

-- The public keys that signed receipts, also after tokens are signed by others: a receipt has no end. Nobody's.
CREATE TABLE receipt_keys (
    id text PRIMARY KEY,
    jwk jsonb NOT NULL,
    first_used_at timestamptz NOT NULL
);
GRANT SELECT ON receipt_keys TO chatsphere_app, chatsphere_authenticator;
GRANT INSERT ON receipt_keys TO chatsphere_authenticator;

-- ----------------------------------------------------------------------------- end users who are being erased

-- From the request to some minutes after the receipt nothing is written for them: an answer that is late, or a row that
-- comes back from somewhere, finds this. `end_user_hash` is SHA-256 of the organization's id and the end user's.
CREATE TABLE erased_end_users (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    end_user_hash bytea NOT NULL,
    erasure_id uuid NOT NULL,
    -- NULL: of all bots.
    bot_id uuid,
    -- 'infinity' until there is a receipt.
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, end_user_hash, erasure_id)
);
ALTER TABLE erased_end_users ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_end_users FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON erased_end_users TO chatsphere_app
    USING (organization_id = app.current_organization()) WITH CHECK (organization_id = app.current_organization());
GRANT SELECT, INSERT, UPDATE, DELETE ON erased_end_users TO chatsphere_app;

-- Whether nothing may be written for an end user of the tenant's that was said at this moment, or before.
CREATE FUNCTION app.is_being_erased(bot uuid, end_user text, moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM erased_end_users e
        WHERE e.organization_id = app.current_organization()
          AND e.end_user_hash = sha256(convert_to(app.current_organization()::text || end_user, 'UTF8'))
          AND (e.bot_id IS NULL OR e.bot_id = bot) AND e.expires_at > moment);
END
$$;

-- No error: whoever writes sees that no row was written, as where the bot has gone.
CREATE FUNCTION app.keep_erased_out() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    RETURN CASE WHEN app.is_being_erased(NEW.bot_id, NEW.end_user_id, NEW.updated_at)
        THEN NULL ELSE NEW END;
END
$$;
CREATE TRIGGER keep_erased_out BEFORE INSERT ON conversations FOR EACH ROW
    WHEN (NEW.end_user_id IS NOT NULL) EXECUTE FUNCTION app.keep_erased_out();
CREATE TRIGGER keep_erased_out BEFORE INSERT ON conversation_feedback FOR EACH ROW
    WHEN (NEW.end_user_id IS NOT NULL) EXECUTE FUNCTION app.keep_erased_out();

CREATE FUNCTION app.keep_erased_unanswered() RETURNS trigger
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    RETURN CASE
        WHEN app.is_being_erased(NEW.bot_id, NEW.turn ->> 'end_user_id', NEW.asked_at)
        THEN NULL ELSE NEW END;
END
$$;
CREATE TRIGGER keep_erased_out BEFORE INSERT ON answers_under_way FOR EACH ROW
    WHEN (NEW.turn ->> 'end_user_id' IS NOT NULL) EXECUTE FUNCTION app.keep_erased_unanswered();

-- In whose archives a person may be named.
GRANT SELECT (organization_id) ON memberships TO chatsphere_eraser;
