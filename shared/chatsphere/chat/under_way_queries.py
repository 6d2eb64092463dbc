"""SQL of answers that are being written. Row level security already hides other tenants; each query says it again."""

from typing import Final

BEGIN: Final = """
    INSERT INTO answers_under_way
        (message_id, organization_id, bot_id, conversation_id, user_id, turn, asked_at, expires_at)
    SELECT %(message_id)s, organization_id, id, %(conversation_id)s, %(user_id)s, %(turn)s, %(asked_at)s,
        %(expires_at)s
    FROM bots
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status <> 'deleting'
    FOR KEY SHARE
"""
"""Note that an answer is being written, unless its bot has gone meanwhile: then it will not be kept."""

LOOK: Final = """
    SELECT stop_requested_at FROM answers_under_way
    WHERE organization_id = app.current_organization() AND message_id = %(message_id)s
"""

CHECKPOINT: Final = """
    UPDATE answers_under_way SET progress = %(progress)s
    WHERE organization_id = app.current_organization() AND message_id = %(message_id)s
    RETURNING stop_requested_at
"""

GIVE_UP: Final = """
    UPDATE answers_under_way SET progress = %(progress)s, expires_at = %(now)s
    WHERE organization_id = app.current_organization() AND message_id = %(message_id)s
"""
"""Leave the answer to whoever looks next."""

END: Final = """
    DELETE FROM answers_under_way
    WHERE organization_id = app.current_organization() AND message_id = %(message_id)s
"""

FIND: Final = """
    SELECT message_id, bot_id, conversation_id, turn, progress, asked_at, stop_requested_at, expires_at
    FROM answers_under_way
    WHERE organization_id = app.current_organization() AND message_id = %(message_id)s
"""

REQUEST_STOP: Final = """
    UPDATE answers_under_way SET stop_requested_at = COALESCE(stop_requested_at, %(now)s)
    WHERE organization_id = app.current_organization() AND message_id = %(message_id)s AND expires_at > %(now)s
    RETURNING stop_requested_at
"""

STOP_OF_CONVERSATION: Final = """
    UPDATE answers_under_way SET stop_requested_at = COALESCE(stop_requested_at, %(now)s)
    WHERE organization_id = app.current_organization() AND conversation_id = %(conversation_id)s
"""
"""Stop what nobody will be able to read."""

TAKE_EXPIRED: Final = """
    DELETE FROM answers_under_way
    WHERE organization_id = app.current_organization() AND message_id = %(message_id)s AND expires_at <= %(now)s
    RETURNING message_id, organization_id, bot_id, conversation_id, user_id, turn, progress, asked_at, expires_at
"""
"""Take over an answer that nobody writes any more: of all who find it, one gets the row."""

EXPIRED_OF_CONVERSATION: Final = """
    SELECT message_id FROM answers_under_way
    WHERE organization_id = app.current_organization() AND conversation_id = %(conversation_id)s
      AND expires_at <= %(now)s
    ORDER BY message_id LIMIT %(limit)s
"""

EXPIRED: Final = """
    SELECT organization_id, message_id FROM answers_under_way
    WHERE expires_at <= %(now)s ORDER BY expires_at LIMIT %(limit)s
"""
"""Answers of all tenants that nobody writes any more, as the reaper."""
