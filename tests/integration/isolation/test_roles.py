"""What each database role may see and change when nobody has told it a tenant."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from chatsphere.db.database import Database
from tests.conftest import Tenant
from tests.postgres import DatabaseUrls


@pytest.fixture
def tenant_with_rows(make_tenant: Callable[[], Tenant]) -> Tenant:
    return make_tenant()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM bots",
        "SELECT 1 FROM api_keys",
        "SELECT 1 FROM memberships",
        "SELECT 1 FROM organizations",
        "SELECT 1 FROM refresh_tokens",
        "SELECT 1 FROM users",
        "UPDATE bots SET name = 'x' RETURNING 1",
        "UPDATE api_keys SET revoked_at = now() RETURNING 1",
        "UPDATE users SET first_name = 'x' RETURNING 1",
        "DELETE FROM bots RETURNING 1",
        "DELETE FROM memberships RETURNING 1",
    ],
)
@pytest.mark.parametrize("tenant", [None, UUID(int=0)])
def test_without_its_tenant_the_application_sees_and_changes_no_row(
    database: Database, tenant_with_rows: Tenant, statement: str, tenant: UUID | None
) -> None:
    with database.transaction(tenant, tenant) as connection:
        assert connection.execute(statement).fetchall() == []


def test_the_authenticator_reads_credentials_and_nothing_else(database_urls: DatabaseUrls) -> None:
    database = Database(database_urls.authenticator)
    for table in ("documents", "chunks", "conversations", "messages", "bot_versions"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(None) as connection:
            connection.execute(f"SELECT 1 FROM {table}")
    for column in ("system_prompt FROM bots", "stripe_customer_id FROM organizations"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(None) as connection:
            connection.execute(f"SELECT {column}")
    for change in ("UPDATE users SET first_name = 'x'", "UPDATE api_keys SET scopes = '{}'", "DELETE FROM memberships"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(None) as connection:
            connection.execute(change)
    database.close()


GRANTS = """
    SELECT c.relname, g.privilege_type, '*' FROM pg_class c, aclexplode(c.relacl) g
    WHERE g.grantee = %(role)s::regrole AND c.relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT c.relname, g.privilege_type, string_agg(a.attname, ' ' ORDER BY a.attname)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) g
    WHERE g.grantee = %(role)s::regrole AND c.relnamespace = 'public'::regnamespace
    GROUP BY c.relname, g.privilege_type
"""

OF_THE_ERASER = {
    ("api_keys", "SELECT", "created_by id"),
    ("audit_log", "DELETE", "*"),
    ("audit_log", "SELECT", "*"),
    ("audit_log", "UPDATE", "address after before user_agent"),
    ("bot_imports", "SELECT", "created_by"),
    ("bot_members", "SELECT", "user_id"),
    ("bot_versions", "SELECT", "created_by"),
    ("bot_versions", "UPDATE", "created_by"),
    ("bots", "SELECT", "created_by"),
    ("bots", "UPDATE", "created_by"),
    ("credential_throttles", "DELETE", "*"),
    ("credential_throttles", "SELECT", "subject"),
    ("erasures", "SELECT", "*"),
    ("erasures", "UPDATE", "*"),
    ("idempotency_keys", "DELETE", "*"),
    ("idempotency_keys", "SELECT", "principal_id"),
    ("invitations", "DELETE", "*"),
    ("invitations", "SELECT", "accepted_by email invited_by"),
    ("answers_under_way", "SELECT", "user_id"),
    ("answers_under_way", "UPDATE", "user_id"),
    ("invitations", "UPDATE", "accepted_by invited_by"),
    ("memberships", "SELECT", "organization_id user_id"),
    ("partition_retirements", "SELECT", "id"),
    ("quarantined_objects", "DELETE", "*"),
    ("quarantined_objects", "SELECT", "s3_key"),
    ("rate_limits", "DELETE", "*"),
    ("rate_limits", "SELECT", "principal_id"),
    ("recovery_codes", "SELECT", "user_id"),
    ("refresh_tokens", "SELECT", "user_id"),
    ("sessions", "SELECT", "user_id"),
    ("usage_events", "SELECT", "id user_id"),
    ("usage_events", "UPDATE", "user_id"),
    ("user_tokens", "SELECT", "user_id"),
    ("users", "DELETE", "*"),
    ("users", "SELECT", "email id"),
    ("webhook_endpoints", "SELECT", "bot_ids event_types is_enabled organization_id"),
    ("webhook_events", "INSERT", "*"),
}

OF_THE_REAPER = {
    ("answers_under_way", "SELECT", "expires_at message_id organization_id"),
    ("archive_restores", "SELECT", "id lease_expires_at organization_id status"),
    ("bot_exports", "SELECT", "bot_id id lease_expires_at organization_id"),
    ("bot_imports", "SELECT", "id lease_expires_at organization_id"),
    ("bot_memories", "SELECT", "bot_id due_at organization_id"),
    ("memory_deletions", "SELECT", "bot_id due_at organization_id"),
    ("memory_pending", "SELECT", "bot_id due_at organization_id"),
    ("bots", "SELECT", "*"),
    ("cache_entries", "DELETE", "*"),
    ("cache_entries", "SELECT", "bot_id expires_at key kind organization_id"),
    ("cache_entries", "UPDATE", "expires_at"),
    ("deletions", "SELECT", "bot_id document_id id organization_id recheck_at status"),
    ("documents", "SELECT", "*"),
    ("erasures", "SELECT", "id lease_expires_at recheck_at status"),
    ("training_runs", "SELECT", "bot_id id kind lease_expires_at organization_id"),
    ("quarantined_objects", "DELETE", "*"),
    ("quarantined_objects", "SELECT", "created_at id"),
    ("reconciliations", "SELECT", "bot_id id lease_expires_at organization_id started_at status"),
    ("retention_runs", "SELECT", "id lease_expires_at organization_id status"),
    ("usage_closed", "SELECT", "*"),
    ("usage_daily_end_users", "SELECT", "day organization_id"),
    ("usage_marks", "SELECT", "day organization_id"),
    ("web_sources", "SELECT", "bot_id id lease_expires_at next_sync_at organization_id status step"),
    ("webhook_deliveries", "SELECT", "lease_expires_at next_attempt_at organization_id status"),
    ("webhook_events", "SELECT", "dispatched_at id occurred_at organization_id"),
}


OF_THE_MAINTAINER = {
    ("alembic_version", "SELECT", "*"),
    ("archive_files", "SELECT", "bot_id expires_at id organization_id status"),
    ("archive_removals", "SELECT", "asked_at organization_id"),
    ("archive_writes", "SELECT", "id lease_expires_at organization_id"),
    ("bot_versions", "DELETE", "*"),
    ("bot_versions", "SELECT", "bot_id version"),
    ("budget_periods", "DELETE", "*"),
    ("budget_periods", "SELECT", "organization_id period subject_id"),
    ("bots", "SELECT", "id organization_id version"),
    ("conversations", "SELECT", "bot_id created_at end_user_id id kept_until organization_id"),
    ("documents", "SELECT", "deadline_at status"),
    ("erasures", "SELECT", "id requested_at status"),
    ("idempotency_keys", "DELETE", "*"),
    ("idempotency_keys", "SELECT", "expires_at key_hash organization_id principal_id"),
    ("invitations", "DELETE", "*"),
    ("invitations", "SELECT", "expires_at id"),
    ("legal_holds", "SELECT", "bot_id conversation_id end_user_id organization_id released_at subject"),
    ("organizations", "SELECT", "created_at id status"),
    ("rate_limits", "DELETE", "*"),
    ("rate_limits", "SELECT", "organization_id principal_id theoretical_arrival_at"),
    ("refresh_tokens", "DELETE", "*"),
    ("refresh_tokens", "SELECT", "expires_at id"),
    ("retention_policies", "SELECT", "bot_id organization_id rules"),
    ("retention_runs", "SELECT", "as_of bot_id dry_run id organization_id requested_by started_at status"),
    ("sessions", "DELETE", "*"),
    ("sessions", "SELECT", "expires_at id"),
    ("stripe_events", "DELETE", "*"),
    ("stripe_events", "SELECT", "id received_at"),
    ("partition_retirements", "SELECT", "*"),
    (
        "partition_retirements",
        "UPDATE",
        "archived_bot archived_organization archived_rows lease_expires_at status",
    ),
    ("usage_closed", "SELECT", "*"),
    ("usage_closed", "UPDATE", "before"),
    ("usage_marks", "SELECT", "day"),
    ("webhook_endpoints", "SELECT", "disabled_at disabled_reason"),
}


@pytest.mark.parametrize(
    ("role", "granted"),
    [
        ("chatsphere_eraser", OF_THE_ERASER),
        ("chatsphere_reaper", OF_THE_REAPER),
        ("chatsphere_maintainer", OF_THE_MAINTAINER),
    ],
)
def test_a_job_that_reaches_every_tenant_is_granted_exactly_what_it_needs(
    database_urls: DatabaseUrls, role: str, granted: set[tuple[str, str, str]]
) -> None:
    with psycopg.connect(database_urls.admin) as connection:
        assert set(connection.execute(GRANTS, {"role": role}).fetchall()) == granted


@pytest.mark.parametrize(
    ("role", "granted"),
    [("chatsphere_app", {"INSERT", "SELECT"}), ("chatsphere_authenticator", {"INSERT", "SELECT"})],
)
def test_the_audit_log_is_only_added_to(database_urls: DatabaseUrls, role: str, granted: set[str]) -> None:
    with psycopg.connect(database_urls.admin) as connection:
        rows = connection.execute(GRANTS, {"role": role}).fetchall()
    assert {privilege for table, privilege, _ in rows if table == "audit_log"} == granted


def test_the_authenticator_sees_of_what_people_do_only_their_own(
    database_urls: DatabaseUrls, make_tenant: Callable[[], Tenant]
) -> None:
    tenant, other = make_tenant(), make_tenant()
    database = Database(database_urls.authenticator)
    try:
        for table, person in (("audit_log", "actor_user_id"), ("usage_events", "user_id"), ("bots", "created_by")):
            with database.transaction(None, tenant.user_id) as connection:
                seen = {row[person] for row in connection.execute(f"SELECT {person} FROM {table}")}
            assert seen <= {tenant.user_id}
            with database.transaction(None) as connection:
                assert connection.execute(f"SELECT {person} FROM {table}").fetchall() == []
        with database.transaction(None, other.user_id) as connection:
            bots = connection.execute("SELECT id FROM bots").fetchall()
        assert [row["id"] for row in bots] == [other.bot_id]
    finally:
        database.close()
