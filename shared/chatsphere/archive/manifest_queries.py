"""SQL of the manifest: which files there are, and who writes. As the tenant."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

FILE_COLUMNS: Final = """
    id, organization_id, bot_id, dataset, month, key, version_id, status, schema_version, rows, bytes, sha256,
    first_created_at, last_created_at, archived_at, changed_at, expires_at, restored_at, run_id, sources
"""

OF_PLACE: Final = """
    organization_id = app.current_organization() AND bot_id IS NOT DISTINCT FROM %(bot_id)s
    AND dataset = %(dataset)s AND month = %(month)s
"""

FILES_OF_PLACE: Final = f"""
    SELECT {FILE_COLUMNS}, subjects FROM archive_files WHERE {OF_PLACE} ORDER BY id
"""
"""All files of a place, in the order in which they were begun; also those that are being deleted."""

COPIED: Final = f"""
    SELECT {FILE_COLUMNS} FROM archive_files
    WHERE organization_id = app.current_organization() AND bot_id IS NOT DISTINCT FROM %(bot_id)s
      AND dataset = %(dataset)s AND status = 'complete' AND %(source)s = ANY (sources)
    ORDER BY id
"""
"""The files that hold a copied part."""

CLAIM: Final = """
    INSERT INTO archive_writes (id, organization_id, bot_id, dataset, month, run_id, lease_expires_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(dataset)s, %(month)s, %(run_id)s, %(lease_expires_at)s)
    ON CONFLICT (organization_id, bot_id, dataset, month) DO UPDATE
        SET id = excluded.id, run_id = excluded.run_id, lease_expires_at = excluded.lease_expires_at
        WHERE archive_writes.lease_expires_at <= %(now)s OR archive_writes.id = %(former)s
    RETURNING xmax <> 0 AS taken_over
"""
"""Begin to write at a place, also instead of the claim `former`. No row: somebody else is writing there."""

HOLD: Final = """
    SELECT id FROM archive_writes
    WHERE organization_id = app.current_organization() AND id = ANY (%(ids)s) FOR UPDATE
"""
"""The claims that are still ours, for the rest of the transaction."""

RELEASE: Final = """
    DELETE FROM archive_writes WHERE organization_id = app.current_organization() AND id = ANY (%(ids)s)
"""
"""End writing."""

UNFINISHED: Final = """
    SELECT id, organization_id, bot_id, dataset, month FROM archive_writes
    WHERE organization_id = app.current_organization()
      AND (lease_expires_at <= %(now)s OR run_id = %(run_id)s)
    ORDER BY id LIMIT %(limit)s
"""
"""What dead writers, or a former try of a run, left."""

BEGIN_FILE: Final = f"""
    INSERT INTO archive_files ({FILE_COLUMNS}, subjects)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(dataset)s, %(month)s, %(key)s, %(version_id)s,
            'complete', %(schema_version)s, %(rows)s, %(bytes)s, %(sha256)s, %(first_created_at)s, %(last_created_at)s,
            %(archived_at)s, %(changed_at)s, %(expires_at)s, %(restored_at)s, %(run_id)s, %(sources)s, %(subjects)s)
    RETURNING id
"""
"""Let a new file count."""

REPLACE_FILE: Final = """
    UPDATE archive_files
    SET version_id = %(version_id)s, schema_version = %(schema_version)s, rows = %(rows)s, bytes = %(bytes)s,
        sha256 = %(sha256)s, first_created_at = %(first_created_at)s, last_created_at = %(last_created_at)s,
        changed_at = %(changed_at)s, expires_at = %(expires_at)s, run_id = %(run_id)s, sources = %(sources)s,
        subjects = %(subjects)s
    WHERE organization_id = app.current_organization() AND id = %(id)s AND status = 'complete'
      AND version_id = %(former_version_id)s
    RETURNING id
"""
"""Let another version of a file count. No row: the former one does not count any more."""

MARK_DELETING: Final = """
    UPDATE archive_files SET status = 'deleting', changed_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = ANY (%(ids)s)
"""
"""From here on nobody reads these files."""

FORGET_FILE: Final = """
    DELETE FROM archive_files
    WHERE organization_id = app.current_organization() AND id = ANY (%(ids)s) AND status = 'deleting'
"""
"""Forget files of which nothing is left."""

DELETING: Final = f"""
    SELECT {FILE_COLUMNS} FROM archive_files
    WHERE organization_id = app.current_organization() AND status = 'deleting' ORDER BY id LIMIT %(limit)s
"""
"""Files whose deletion was begun."""
