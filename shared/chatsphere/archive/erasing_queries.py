"""SQL of erasing from the archive. As the tenant."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.archive.manifest_queries import FILE_COLUMNS

AFFECTED: Final = f"""
    SELECT {FILE_COLUMNS} FROM archive_files
    WHERE organization_id = app.current_organization() AND status = 'complete'
      AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
      AND dataset = ANY (%(datasets)s) AND subjects && %(subjects)s::integer[]
      AND (%(after)s::uuid IS NULL OR id > %(after)s)
    ORDER BY id LIMIT %(limit)s
"""
"""Files that may hold rows of one of the subjects, by their hashes."""

MARK_ALL: Final = """
    UPDATE archive_files SET status = 'deleting', changed_at = %(now)s
    WHERE organization_id = app.current_organization() AND status = 'complete'
      AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
"""
"""From here on nobody reads anything of the organization's or the bot's archive."""

COUNT_ALL: Final = """
    SELECT (SELECT count(*) FROM archive_files
            WHERE organization_id = app.current_organization() AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s))
         + (SELECT count(*) FROM archive_writes
            WHERE organization_id = app.current_organization() AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s))
        AS number
"""
"""How many files and unfinished writes there are."""

COUNT_UNFINISHED: Final = """
    SELECT (SELECT count(*) FROM archive_files
            WHERE organization_id = app.current_organization() AND status = 'deleting'
              AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
              AND (%(dataset)s::text IS NULL OR dataset = %(dataset)s))
         + (SELECT count(*) FROM archive_writes
            WHERE organization_id = app.current_organization() AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
              AND (%(dataset)s::text IS NULL OR dataset = %(dataset)s))
        AS number
"""
"""How much may still be in the bucket that the manifest does not show."""
