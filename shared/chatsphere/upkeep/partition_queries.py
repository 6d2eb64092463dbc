"""SQL of partitions, as the maintainer, who calls functions that run as the tables' owner."""

from typing import Final

LIST: Final = """
    SELECT table_name, partition_name, starts_at, ends_at FROM app.list_partitions() WHERE NOT is_default
"""
"""Every partition by time."""

MAKE: Final = "SELECT app.make_partition(%(table_name)s, %(starts_at)s, %(ends_at)s) AS moved"
"""Make one; rows of its time that wait in the default partition move into it."""

DROP_EMPTY: Final = "SELECT app.drop_empty_partition(%(partition_name)s) AS dropped"
"""Drop one if it has no rows."""

IS_EMPTY: Final = "SELECT app.partition_is_empty(%(partition_name)s) AS empty"
"""Whether it has no rows, without a lock that others wait for."""

HELD_ORGANIZATIONS: Final = """
    SELECT coalesce(array_agg(DISTINCT organization_id ORDER BY organization_id), '{}') AS organizations
    FROM legal_holds WHERE subject = 'organization' AND released_at IS NULL
"""
"""The tenants whose rows may not go."""

HELD_ROWS: Final = "SELECT app.held_rows(%(partition_name)s, %(held)s, %(most)s) AS rows"
"""How many rows of a partition are these tenants', up to a bound."""

WAITING_ROWS: Final = "SELECT table_name, starts_at, rows FROM app.default_rows(%(held)s)"
"""Rows in default partitions, by table and month, but for those that are kept there."""

# ------------------------------------------------------------------------------------------------------ retiring

RESTORED_SINCE: Final = """
    SELECT min(created_at) - interval '1 day' AS since FROM conversations WHERE kept_until > %(slack)s
"""
"""When the oldest conversation began that came back from the archive to be kept until after a moment; as with holds,
machines' clocks differ.
"""

DETACH: Final = """
    SELECT app.detach_partition(%(id)s, %(partition_name)s, %(held)s, %(now)s) AS kept
"""
"""Take a partition out of its table, but for the rows of held tenants; note that it was."""

OPEN: Final = """
    SELECT id, table_name, partition_name, status, archived_rows, archived_organization, archived_bot
    FROM partition_retirements WHERE status <> 'dropped' ORDER BY detached_at, id
"""
"""What was detached and is not gone yet, the oldest first."""

CLAIM: Final = """
    UPDATE partition_retirements SET lease_expires_at = %(until)s
    WHERE id = %(id)s AND status <> 'dropped' AND (lease_expires_at IS NULL OR lease_expires_at <= %(now)s)
    RETURNING id, table_name, partition_name, status, archived_rows, archived_organization, archived_bot
"""
"""Take one over. No row: somebody is at it, or it is gone."""

RELEASE: Final = "UPDATE partition_retirements SET lease_expires_at = NULL WHERE id = %(id)s"
"""Leave one to whoever looks next."""

ARCHIVED_UP_TO: Final = """
    UPDATE partition_retirements
    SET archived_rows = archived_rows + %(rows)s, archived_organization = %(organization_id)s,
        archived_bot = %(bot_id)s, lease_expires_at = %(until)s
    WHERE id = %(id)s
"""
"""Note that one bot's rows are in the archive."""

ARCHIVED: Final = "UPDATE partition_retirements SET status = 'archived' WHERE id = %(id)s AND status = 'detached'"
"""Note that all of it is."""

DROP: Final = "SELECT app.drop_retired_partition(%(id)s, %(now)s)"
"""Drop what is archived."""

IS_HELD: Final = """
    SELECT FROM legal_holds
    WHERE organization_id = %(organization_id)s AND released_at IS NULL
      AND (bot_id IS NULL OR bot_id = %(bot_id)s)
"""
"""Whether anything of a tenant's bot is held."""

POLICIES: Final = """
    SELECT p.rules FROM organizations o
    LEFT JOIN retention_policies p
        ON p.organization_id = o.id AND (p.bot_id IS NULL OR p.bot_id = %(bot_id)s)
    WHERE o.id = %(organization_id)s AND o.status <> 'deleting'
    ORDER BY p.bot_id NULLS FIRST
"""
"""What a tenant decided, and then what for the bot; no row where the tenant is gone or going."""
