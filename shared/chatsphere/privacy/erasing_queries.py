"""SQL of an erasure's own row, as the eraser."""

from typing import Final

CLAIM: Final = """
    UPDATE erasures
    SET status = CASE WHEN status = 'done' THEN status ELSE 'running' END, attempts = attempts + 1,
        lease_expires_at = %(lease_expires_at)s
    WHERE id = %(id)s AND lease_expires_at <= %(now)s AND (status <> 'done' OR recheck_at <= %(now)s)
    RETURNING id, kind, status, subject_id, organizations, requested_at, found, receipt
"""
"""Take an erasure up; no row where somebody is at it or nothing is to be done."""

IS_HELD: Final = "SELECT 1 FROM erasures WHERE id = %(id)s AND status <> 'done'"
"""Whether an erasure that could not be claimed is somebody else's for now."""

HOLD_UNTIL: Final = "UPDATE erasures SET lease_expires_at = %(lease_expires_at)s WHERE id = %(id)s"
"""Show a sign of life, or give the erasure back."""

KEEP_FOUND: Final = "UPDATE erasures SET found = %(found)s WHERE id = %(id)s"
"""Remember what there was, before it is deleted."""

FINISH: Final = """
    UPDATE erasures
    SET status = 'done', finished_at = COALESCE(finished_at, %(now)s), receipt = %(receipt)s, found = NULL,
        recheck_at = %(recheck_at)s, lease_expires_at = %(now)s
    WHERE id = %(id)s
"""
"""Write the receipt. What was found is forgotten with it: it held the mail address."""
