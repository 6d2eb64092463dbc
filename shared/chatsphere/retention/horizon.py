"""Since when anybody keeps messages: what partitions of messages may go as a whole."""

from datetime import datetime, timedelta
from typing import Final

from chatsphere.db.database import Connection
from chatsphere.retention.policy import DEFAULT

SLACK: Final = timedelta(days=7)
"""Runs may be late: what is due is theirs first, for they know what is to be archived."""

KEPT_DAYS: Final = """
    SELECT bool_or(rules -> 'message_days' = 'null' OR rules -> 'system_message_days' = 'null') AS for_ever,
        max(GREATEST((rules ->> 'message_days')::integer, (rules ->> 'system_message_days')::integer)) AS days
    FROM retention_policies
"""
"""The longest that any policy or override names, for whatever it names."""

HELD_SINCE: Final = """
    SELECT min(c.created_at) - interval '1 day' AS since
    FROM legal_holds h
    JOIN conversations c ON c.organization_id = h.organization_id
        AND (h.subject = 'organization'
             OR (c.bot_id = h.bot_id
                 AND (h.subject = 'bot' OR c.id = h.conversation_id OR c.end_user_id = h.end_user_id)))
    WHERE h.released_at IS NULL OR h.released_at > %(slack)s
"""
"""When the oldest conversation began that is held, or was a moment ago: its messages are not older, but for what the
clocks of machines differ.
"""


def keeps_since(connection: Connection, now: datetime) -> datetime | None:
    """Return the moment before which no policy, override or hold of any tenant keeps any message, as the maintainer.

    None: somebody keeps all of them. What is older and still there was left by runs that failed.
    """
    named = connection.execute(KEPT_DAYS).fetchone()
    assert named is not None
    default = max(DEFAULT.message_days or 0, DEFAULT.system_message_days or 0)
    if named["for_ever"] or DEFAULT.message_days is None or DEFAULT.system_message_days is None:
        return None
    horizon = now - timedelta(days=max(default, named["days"] or 0)) - SLACK
    held = connection.execute(HELD_SINCE, {"slack": now - SLACK}).fetchone()
    since: datetime | None = held["since"] if held else None
    return horizon if since is None else min(horizon, since)
