"""The schema itself: every table, policy, view, function, key and grant. What is new here must be put here."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest

from tests.postgres import DatabaseUrls

READ_WRITE: Final = frozenset({"DELETE", "INSERT", "SELECT", "UPDATE"})
APPEND: Final = frozenset({"INSERT", "SELECT"})
READ: Final = frozenset({"SELECT"})

TENANT_TABLES: Final = {
    "answers_under_way": READ_WRITE,
    "api_keys": READ_WRITE,
    "archive_files": READ_WRITE,
    "erased_end_users": READ_WRITE,
    "archive_removals": READ_WRITE,
    "archive_restores": READ_WRITE,
    "archive_writes": READ_WRITE,
    "audit_log": APPEND,
    "bot_exports": READ_WRITE,
    "bot_imports": READ_WRITE,
    "bot_members": READ_WRITE,
    "bot_memories": READ_WRITE,
    "bot_versions": APPEND,
    "bots": READ_WRITE,
    "budget_periods": READ_WRITE,
    "budget_reservations": READ_WRITE,
    "cache_days": READ_WRITE,
    "cache_entries": READ_WRITE,
    "chunk_vectors": READ_WRITE,
    "chunks": READ_WRITE,
    "conversation_feedback": READ_WRITE,
    "conversations": READ_WRITE,
    "corpus_revisions": READ_WRITE,
    "deletions": READ_WRITE - {"DELETE"},
    "document_changes": READ_WRITE,
    "document_runs": READ_WRITE,
    "documents": READ_WRITE,
    "embedding_batches": READ_WRITE,
    "embedding_calibrations": READ_WRITE,
    "error_logs": READ_WRITE,
    "evaluation_cases": READ_WRITE,
    "evaluation_sets": READ_WRITE,
    "extraction_bookmarks": READ_WRITE,
    "idempotency_keys": READ_WRITE,
    "invitations": READ_WRITE,
    "legal_holds": READ_WRITE - {"DELETE"},
    "lexical_chunks": READ_WRITE,
    "lexical_postings": READ_WRITE,
    "lexical_segments": READ_WRITE,
    "memberships": READ_WRITE,
    "memory_deletions": READ_WRITE,
    "memory_pending": READ_WRITE,
    "message_vectors": READ_WRITE,
    "messages": READ_WRITE,
    "organizations": READ_WRITE,
    "published_bots": READ_WRITE - {"UPDATE"},
    "rate_limits": READ_WRITE,
    "reconciliations": READ_WRITE,
    "refresh_tokens": READ,
    "retention_items": READ_WRITE,
    "retention_policies": READ_WRITE,
    "retention_runs": READ_WRITE,
    "revised_vectors": READ_WRITE,
    "sessions": READ,
    "source_stats": READ_WRITE,
    "stream_slots": READ_WRITE,
    "training_runs": READ_WRITE,
    "unanswered_messages": READ_WRITE,
    "unanswered_questions": READ_WRITE,
    "usage_daily": READ_WRITE - {"UPDATE"},
    "usage_daily_end_users": READ_WRITE - {"UPDATE"},
    "usage_daily_latencies": READ_WRITE - {"UPDATE"},
    "usage_events": READ_WRITE,
    "usage_marks": READ_WRITE - {"UPDATE"},
    "web_hosts": READ_WRITE,
    "web_pages": READ_WRITE,
    "web_sources": READ_WRITE,
    "webhook_deliveries": READ_WRITE,
    "webhook_endpoints": READ_WRITE,
    "webhook_events": READ_WRITE,
    "webhook_wakes": READ_WRITE,
}
"""Of one tenant each row, and what the application may do with its own."""

NO_TENANTS: Final = {
    "credential_throttles": "failed tries, by the hash of an address: the authenticator's alone",
    "erasures": "outlives the organization and the person that it is about; shown to who has its receipt's token, and "
    "those of its own parts to an organization",
    "recovery_codes": "a person's, who may be in several organizations: the authenticator's alone",
    "user_tokens": "a person's: the authenticator's alone",
    "users": "a person's: one sees oneself, and of one's colleagues no credential",
}
"""Policies protect these, too, but not by the tenant."""

WITHOUT_POLICIES: Final = {
    "alembic_version": ("the migrations' own: which revision it is at", READ),
    "receipt_keys": ("public keys, which everybody may read", READ),
    "partition_retirements": ("of whole partitions, and so of no tenant", frozenset[str]()),
    "quarantined_objects": ("objects that no bot is for: nobody's", frozenset({"INSERT"})),
    "stripe_events": ("ids of events that were worked off, and nothing of what they said", APPEND),
    "subscription_plans": ("the same for all", READ),
    "usage_closed": ("a day, the same for all", READ),
}

OF_SOME_COLUMNS: Final = {
    (
        "chatsphere_app",
        "users",
        "INSERT",
        "date_joined email first_name id last_login last_name password_hash username",
    ),
    (
        "chatsphere_app",
        "users",
        "SELECT",
        "date_joined email first_name id is_active is_staff is_verified last_login last_name mfa_enabled_at username",
    ),
    ("chatsphere_app", "users", "UPDATE", "first_name last_name username"),
    ("chatsphere_authenticator", "api_keys", "UPDATE", "last_used_at revoked_at"),
    ("chatsphere_authenticator", "bots", "SELECT", "created_at created_by id name organization_id"),
    ("chatsphere_authenticator", "invitations", "UPDATE", "mailed_at revoked_at secret_hash"),
    ("chatsphere_authenticator", "legal_holds", "SELECT", "organization_id released_at"),
    ("chatsphere_authenticator", "erasures", "UPDATE", "signed_receipt"),
    (
        "chatsphere_app",
        "erasures",
        "INSERT",
        "bot_id end_user_id id kind lease_expires_at organizations receipt_hash requested_at requested_by subject_hash"
        " subject_id subject_salt tenant_id",
    ),
    (
        "chatsphere_app",
        "erasures",
        "SELECT",
        "bot_id finished_at id kind receipt requested_at requested_by signed_receipt status subject_hash subject_salt"
        " tenant_id",
    ),
    (
        "chatsphere_authenticator",
        "organizations",
        "SELECT",
        "created_at id is_personal name plan_id status stripe_subscription_id",
    ),
    ("chatsphere_authenticator", "organizations", "UPDATE", "status"),
    ("chatsphere_authenticator", "subscription_plans", "SELECT", "id name"),
    (
        "chatsphere_authenticator",
        "usage_events",
        "SELECT",
        "api_key_id bot_id completion_tokens cost_microdollars created_at id metric organization_id prompt_tokens"
        " user_id value",
    ),
    (
        "chatsphere_authenticator",
        "users",
        "UPDATE",
        "email is_active is_verified last_login mfa_enabled_at mfa_last_step mfa_secret password_changed_at"
        " password_hash",
    ),
    ("chatsphere_search", "bots", "SELECT", "id organization_id"),
    (
        "chatsphere_search",
        "conversations",
        "SELECT",
        "archived_at bot_id channel created_at end_user_id id metadata organization_id updated_at",
    ),
    (
        "chatsphere_search",
        "documents",
        "SELECT",
        "bot_id created_at id live_generation metadata organization_id status tags",
    ),
    (
        "chatsphere_search",
        "messages",
        "SELECT",
        "bot_id content conversation_id created_at id metadata organization_id role",
    ),
}

OF_THE_AUTHENTICATOR: Final = {
    "api_keys": READ,
    "audit_log": APPEND,
    "credential_throttles": READ_WRITE,
    "erasures": APPEND,
    "invitations": READ,
    "memberships": READ,
    "receipt_keys": APPEND,
    "recovery_codes": READ_WRITE,
    "refresh_tokens": READ_WRITE,
    "sessions": READ_WRITE,
    "user_tokens": READ_WRITE,
    "users": READ,
}

DEFINERS: Final = {
    "owns_bot",
    "count_vectors",
    "nearest_vectors_exact",
    "nearest_vectors_indexed",
    "conversation_page",
    "filtered_documents",
    "message_search",
}
"""Run as the search role, which sees every tenant's vectors and messages; each asks for the tenant itself."""

UPKEEP: Final = {
    "analyze_table",
    "default_rows",
    "detach_partition",
    "drop_empty_partition",
    "drop_retired_partition",
    "held_rows",
    "make_partition",
    "open_transactions",
    "partition_is_empty",
    "replication_lag",
    "session_activity",
    "slowest_statements",
}
"""Run as the tables' owner, whom the policies bind, too; called by the maintainer alone."""

JOBS: Final = ("chatsphere_eraser", "chatsphere_reaper", "chatsphere_maintainer")
"""What these are granted is laid down in test_roles.py."""


@pytest.fixture(scope="module")
def catalog(database_urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_urls.admin, autocommit=True) as connection:
        yield connection


def rows(catalog: psycopg.Connection, query: str, *values: Any) -> list[tuple[Any, ...]]:
    return catalog.execute(query, values or None).fetchall()


def relations(catalog: psycopg.Connection, kinds: str) -> set[str]:
    """Return the names of the relations of these kinds, partitions aside."""
    query = f"""
        SELECT relname FROM pg_class WHERE relkind IN ({kinds}) AND NOT relispartition
        AND relnamespace IN ('public'::regnamespace, 'app'::regnamespace)
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"""
    return {name for (name,) in rows(catalog, query)}


def test_every_table_is_listed_once(catalog: psycopg.Connection) -> None:
    listed = [*TENANT_TABLES, *NO_TENANTS, *WITHOUT_POLICIES]
    assert relations(catalog, "'r', 'p', 'f'") == set(listed)
    assert len(listed) == len(set(listed))


def test_every_table_but_the_listed_ones_forces_its_policies_on_its_owner_too(catalog: psycopg.Connection) -> None:
    forced = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    assert {name for (name,) in rows(catalog, forced)} == {*TENANT_TABLES, *NO_TENANTS}


def test_the_application_reads_and_writes_rows_of_its_tenant_only(catalog: psycopg.Connection) -> None:
    found = rows(
        catalog,
        "SELECT tablename, cmd, qual, with_check FROM pg_policies WHERE 'chatsphere_app' = ANY (roles)"
        " AND policyname NOT IN ('anybody', 'self', 'colleagues')",
    )
    own = {name: "organization_id" if name != "organizations" else "id" for name in TENANT_TABLES}
    # Of those of a part of an organization; the others are nobody's whom a policy could name.
    own["erasures"] = "tenant_id"
    condition = "({} = app.current_organization())"
    assert sorted(found) == sorted(
        (name, "ALL", condition.format(column), condition.format(column)) for name, column in own.items()
    )


def test_of_people_the_application_changes_who_acts_and_sees_colleagues(catalog: psycopg.Connection) -> None:
    found = rows(
        catalog,
        "SELECT tablename, policyname, cmd, qual LIKE '%app.current_organization()%', with_check FROM pg_policies"
        " WHERE 'chatsphere_app' = ANY (roles) AND tablename = ANY (ARRAY['users', 'published_bots'])"
        " AND policyname <> 'tenant' ORDER BY 1, 2",
    )
    assert found == [
        # Which bots are public, and whose: what a visitor's request must know before it has a tenant.
        ("published_bots", "anybody", "SELECT", False, None),
        ("users", "colleagues", "SELECT", True, None),
        ("users", "self", "ALL", False, "(id = app.current_actor())"),
    ]


def test_no_policy_is_for_everybody(catalog: psycopg.Connection) -> None:
    assert rows(catalog, "SELECT * FROM pg_policies WHERE 'public' = ANY (roles)") == []


def test_views_obey_the_policies_of_who_asks(catalog: psycopg.Connection) -> None:
    for view in relations(catalog, "'v'"):
        found = rows(
            catalog, f"SELECT 'security_invoker=true' = ANY (reloptions) FROM pg_class WHERE relname = '{view}'"
        )
        assert found == [(True,)], view
    # No policy applies to what a materialized view holds.
    assert relations(catalog, "'m'") == set()


def test_only_the_search_functions_run_as_another_role(catalog: psycopg.Connection) -> None:
    found = rows(
        catalog,
        "SELECT proname, proowner::regrole::text, proconfig[1], proacl::text FROM pg_proc WHERE prosecdef"
        " AND pronamespace IN ('public'::regnamespace, 'app'::regnamespace) AND NOT proname = ANY (%s)",
        list(UPKEEP),
    )
    grants = "{chatsphere_search=X/chatsphere_search,chatsphere_app=X/chatsphere_search}"
    path = "search_path=pg_catalog, public, pg_temp"
    assert set(found) == {(name, "chatsphere_search", path, grants) for name in DEFINERS}


def test_what_runs_as_the_tables_owner_is_the_maintainers_alone(catalog: psycopg.Connection) -> None:
    query = """
        SELECT proname, proowner = (SELECT relowner FROM pg_class WHERE relname = 'messages'), proconfig[1],
            (SELECT string_agg(grantee::regrole::text, ' ') FROM aclexplode(proacl) WHERE grantee <> proowner)
        FROM pg_proc WHERE prosecdef AND proname = ANY (%s)"""
    path = "search_path=pg_catalog, public, pg_temp"
    assert set(rows(catalog, query, list(UPKEEP))) == {(name, True, path, "chatsphere_maintainer") for name in UPKEEP}


def test_functions_take_the_tenant_from_the_transaction_and_never_as_an_argument(catalog: psycopg.Connection) -> None:
    query = """
        SELECT proname FROM pg_proc WHERE pronamespace = 'app'::regnamespace
        AND EXISTS (SELECT FROM unnest(proargnames) AS argument WHERE argument ~ 'organization|tenant')"""
    # `begin_request` sets it, `lock_holds` reads nothing: who erases a person locks several tenants' holds. The others
    # are called by triggers, and the policies check what they read and write.
    of_triggers = {"write_audit", "webhook_wanted", "note_webhook_event"}
    assert {name for (name,) in rows(catalog, query)} <= {"begin_request", "lock_holds", *of_triggers}


def test_keys_between_tenants_tables_hold_the_tenant(catalog: psycopg.Connection) -> None:
    """Or a row could point to another tenant's."""
    query = """
        SELECT conrelid::regclass::text, confrelid::regclass::text, (
            SELECT array_agg(a.attname || '=' || b.attname) FROM unnest(conkey, confkey) AS k (mine, theirs)
            JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.mine
            JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = k.theirs)
        FROM pg_constraint WHERE contype = 'f' AND conparentid = 0"""
    between = [
        (table, target, pairs)
        for table, target, pairs in rows(catalog, query)
        if {table, target} <= set(TENANT_TABLES) and target != "organizations"
    ]
    assert len(between) >= 15
    assert [key for key in between if "organization_id=organization_id" not in key[2]] == []


GRANTS: Final = """
    SELECT CASE g.grantee WHEN 0 THEN 'everybody' ELSE g.grantee::regrole::text END, c.relname, g.privilege_type
    FROM pg_class c, aclexplode(c.relacl) g
    WHERE c.relnamespace IN ('public'::regnamespace, 'app'::regnamespace) AND g.grantee <> c.relowner
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
"""


def test_every_grant_on_a_table_is_listed(catalog: psycopg.Connection) -> None:
    free = {name: privileges for name, (_, privileges) in WITHOUT_POLICIES.items()}
    listed = {
        ("chatsphere_app", name, privilege)
        for name, privileges in (TENANT_TABLES | free).items()
        for privilege in privileges
    }
    listed |= {
        ("chatsphere_authenticator", name, privilege)
        for name, privileges in OF_THE_AUTHENTICATOR.items()
        for privilege in privileges
    }
    listed |= {("chatsphere_search", table, "SELECT") for table in ("chunk_vectors", "revised_vectors")}
    # Of partitions there is none either: what is reached by its own name obeys no policy of the whole table.
    assert {row for row in rows(catalog, GRANTS) if row[0] not in JOBS} == listed


def test_every_grant_on_columns_is_listed(catalog: psycopg.Connection) -> None:
    query = """
        SELECT CASE g.grantee WHEN 0 THEN 'everybody' ELSE g.grantee::regrole::text END, c.relname, g.privilege_type,
            string_agg(a.attname, ' ' ORDER BY a.attname)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) g
        WHERE c.relnamespace = 'public'::regnamespace GROUP BY 1, 2, 3"""
    assert {row for row in rows(catalog, query) if row[0] not in JOBS} == OF_SOME_COLUMNS


def test_no_role_is_above_the_policies(catalog: psycopg.Connection) -> None:
    found = rows(
        catalog,
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'chatsphere%'"
        " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolinherit)",
    )
    assert found == []
    owned = "SELECT relname FROM pg_class WHERE relowner::regrole::text LIKE 'chatsphere%'"
    assert rows(catalog, owned) == []
    members = "SELECT 1 FROM pg_auth_members WHERE member::regrole::text LIKE 'chatsphere%'"
    assert rows(catalog, members) == []


def test_nobody_makes_anything_in_the_schemas(catalog: psycopg.Connection) -> None:
    makers = """
        SELECT nspname, grantee::regrole::text FROM pg_namespace, aclexplode(nspacl)
        WHERE nspname IN ('public', 'app') AND privilege_type = 'CREATE'
            AND grantee NOT IN ('pg_database_owner'::regrole, nspowner)"""
    assert rows(catalog, makers) == []
    assert rows(catalog, "SELECT 1 FROM pg_default_acl") == []
