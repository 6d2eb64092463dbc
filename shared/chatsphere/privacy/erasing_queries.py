"""SQL of an erasure's own row, as the eraser."""

from typing import Final

CLAIM: Final = """
    UPDATE erasures
    SET status = CASE WHEN status = 'done' THEN status ELSE 'running' END, attempts = attempts + 1,
        lease_expires_at = %(lease_expires_at)s
    WHERE id = %(id)s AND lease_expires_at <= %(now)s AND (status <> 'done' OR recheck_at <= %(now)s)
    RETURNING id, kind, status, subject_id, organizations, requested_at, finished_at, found, receipt, tenant_id,
        bot_id, end_user_id
"""
"""Take an erasure up; no row where somebody is at it or nothing is to be done."""

IS_HELD: Final = "SELECT 1 FROM erasures WHERE id = %(id)s AND status NOT IN ('done', 'held')"
"""Whether an erasure that could not be claimed is somebody else's for now."""

HOLD_UNTIL: Final = "UPDATE erasures SET lease_expires_at = %(lease_expires_at)s WHERE id = %(id)s"
"""Show a sign of life, or give the erasure back."""

PAUSE: Final = """
    UPDATE erasures SET status = 'held', lease_expires_at = %(until)s,
        found = COALESCE(found, '{"bots": {}, "removed": {}}') || '{"was_held": true}'
    WHERE id = %(id)s
"""
"""Wait for the end of a legal hold."""

PAUSE_RECHECK: Final = "UPDATE erasures SET recheck_at = %(until)s, lease_expires_at = %(until)s WHERE id = %(id)s"
"""The same for the last look: the receipt stays."""

KEEP_FOUND: Final = "UPDATE erasures SET found = %(found)s WHERE id = %(id)s"
"""Remember what there was, before it is deleted."""

FINISH: Final = """
    UPDATE erasures
    SET status = 'done', finished_at = COALESCE(finished_at, %(now)s), receipt = %(receipt)s, found = NULL,
        recheck_at = %(recheck_at)s, lease_expires_at = %(now)s, signed_receipt = NULL,
        end_user_id = CASE WHEN %(recheck_at)s::timestamptz IS NOT NULL THEN end_user_id END
    WHERE id = %(id)s
"""
"""Write the receipt. What was found is forgotten with it, for it held the mail address, and with the last look who it
was about. It is signed for whoever asks next.
"""

PARTITIONS_LEAVING: Final = """
    SELECT app.partitions_leaving() AS leaving, (SELECT count(*) FROM partition_retirements) AS retired
"""
"""Whether rows are between a table and the archive, and how many partitions ever went; see `chatsphere.upkeep`."""
