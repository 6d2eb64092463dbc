"""SQL of erasing an end user, as the tenant; what the application may not change, as the eraser.

A conversation's messages lie between its beginning and a day after its last use, as everywhere.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

THEIRS: Final = """
    c.organization_id = app.current_organization() AND c.end_user_id = %(end_user_id)s
    AND (%(bot_id)s::uuid IS NULL OR c.bot_id = %(bot_id)s)
    AND (%(until)s::timestamptz IS NULL OR c.created_at < %(until)s)
"""
"""Whether a conversation `c` is the end user's."""

CONVERSATIONS: Final = f"SELECT c.id, c.bot_id FROM conversations c WHERE {THEIRS} ORDER BY c.id LIMIT %(limit)s"
"""Some of the end user's conversations."""

COUNT_CONVERSATIONS: Final = f"SELECT count(*) AS rows FROM conversations c WHERE {THEIRS}"

COUNT_MESSAGES: Final = f"""
    SELECT count(*) AS rows FROM conversations c
    JOIN messages m ON m.organization_id = c.organization_id AND m.conversation_id = c.id
        AND m.created_at >= c.created_at AND m.created_at < c.updated_at + interval '1 day'
    WHERE {THEIRS}
"""

BOTS: Final = """
    SELECT id FROM bots
    WHERE organization_id = app.current_organization() AND (%(bot_id)s::uuid IS NULL OR id = %(bot_id)s)
    ORDER BY id
"""
"""The bots that the end user may have talked to."""

OF_CONVERSATIONS: Final = {
    name: f"""
    SELECT count(*) AS rows FROM {name} r JOIN conversations c
        ON c.organization_id = r.organization_id AND c.id = r.conversation_id
    WHERE {THEIRS}
    """
    for name in ("unanswered_messages", "evaluation_cases")
}
"""What goes with the conversations."""

UNDER_WAY: Final = f"""
    organization_id = app.current_organization() AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
    AND (turn ->> 'end_user_id' = %(end_user_id)s
         OR conversation_id IN (SELECT c.id FROM conversations c WHERE {THEIRS}))
    AND (%(until)s::timestamptz IS NULL OR asked_at < %(until)s)
"""

COUNT_UNDER_WAY: Final = f"SELECT count(*) AS rows FROM answers_under_way WHERE {UNDER_WAY}"

# Who keeps an answer deletes its row first: where that is done already, this waits for the end of the keeping, and what
# was kept is found by what follows. Where it is not, the answer is not kept.
END_UNDER_WAY: Final = f"""
    DELETE FROM answers_under_way WHERE message_id = ANY (ARRAY(
        SELECT message_id FROM answers_under_way WHERE {UNDER_WAY} LIMIT %(limit)s))
"""

SAID: Final = """
    organization_id = app.current_organization() AND end_user_id = %(end_user_id)s
    AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
    AND (%(until)s::timestamptz IS NULL OR created_at < %(until)s)
"""

COUNT_FEEDBACK: Final = f"""
    SELECT (SELECT count(*) FROM conversation_feedback WHERE {SAID}) + (
        SELECT count(*) FROM conversation_feedback f JOIN conversations c
            ON c.organization_id = f.organization_id AND c.id = f.conversation_id
        WHERE {THEIRS} AND f.end_user_id IS DISTINCT FROM %(end_user_id)s) AS rows
"""
"""What the end user said of answers, and what others said of those in the end user's conversations."""

DELETE_FEEDBACK: Final = f"""
    DELETE FROM conversation_feedback WHERE id = ANY (ARRAY(
        SELECT id FROM conversation_feedback WHERE {SAID} LIMIT %(limit)s))
"""

FAILURES: Final = f"""
    SELECT e.id, e.created_at FROM error_logs e
    JOIN conversations c ON e.details ->> 'conversation_id' = c.id::text AND e.created_at >= c.created_at
    WHERE e.organization_id = app.current_organization() AND e.details ? 'conversation_id' AND {THEIRS}
"""

COUNT_FAILURES: Final = f"SELECT count(*) AS rows FROM ({FAILURES}) failed"

FORGET_FAILURES: Final = f"""
    UPDATE error_logs e SET details = e.details - 'conversation_id' - 'message_id'
    FROM ({FAILURES} LIMIT %(limit)s) failed
    WHERE e.organization_id = app.current_organization() AND e.id = failed.id AND e.created_at = failed.created_at
"""
"""Entries stay without what leads to the conversation."""

EVENTS: Final = f"""
    SELECT e.id FROM webhook_events e
    JOIN conversations c ON c.organization_id = e.organization_id AND c.id = e.conversation_id
    WHERE e.organization_id = app.current_organization() AND {THEIRS}
"""

COUNT_EVENTS: Final = f"SELECT count(*) AS rows FROM ({EVENTS}) found"

DELETE_EVENTS: Final = f"""
    DELETE FROM webhook_events
    WHERE organization_id = app.current_organization() AND id IN (SELECT id FROM ({EVENTS} LIMIT %(limit)s) found)
"""

COUNT_USAGE: Final = f"SELECT count(*) AS rows FROM usage_events WHERE {SAID}"

FORGET_USAGE: Final = f"""
    UPDATE usage_events SET end_user_id = NULL, conversation_id = NULL
    WHERE organization_id = app.current_organization() AND (id, created_at) IN (
        SELECT id, created_at FROM usage_events WHERE {SAID} LIMIT %(limit)s)
"""
"""What was used stays counted, and is nobody's."""

DAYS: Final = """
    organization_id = app.current_organization() AND end_user_id = %(end_user_id)s
    AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
    AND (%(until)s::timestamptz IS NULL OR day < (%(until)s::timestamptz AT TIME ZONE 'UTC')::date)
"""

COUNT_DAYS: Final = f"SELECT count(*) AS rows FROM usage_daily_end_users WHERE {DAYS}"

DELETE_DAYS: Final = f"""
    DELETE FROM usage_daily_end_users WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM usage_daily_end_users WHERE {DAYS} LIMIT %(limit)s))
"""

FORMER_HOLDS: Final = f"""
    organization_id = app.current_organization() AND released_at IS NOT NULL
    AND (end_user_id = %(end_user_id)s AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
         OR reason <> '' AND conversation_id IN (SELECT c.id FROM conversations c WHERE {THEIRS}))
"""
"""Of the end user, or of one of their conversations, as long as that is there."""

COUNT_HOLDS: Final = f"SELECT count(*) AS rows FROM legal_holds WHERE {FORMER_HOLDS}"

FORGET_HOLDS: Final = f"""
    UPDATE legal_holds SET end_user_id = NULL, reason = ''
    WHERE organization_id = app.current_organization() AND id = ANY (ARRAY(
        SELECT id FROM legal_holds WHERE {FORMER_HOLDS} LIMIT %(limit)s))
"""
"""That there was a hold stays known; the reason may tell whom it was about."""

# --------------------------------------------------------------------------------------------------- as the eraser

NAMED: Final = """
    organization_id = %(organization_id)s AND (
        EXISTS (SELECT FROM jsonb_each(before) WHERE value = to_jsonb(%(end_user_id)s::text))
        OR EXISTS (SELECT FROM jsonb_each(after) WHERE value = to_jsonb(%(end_user_id)s::text)))
"""

COUNT_NAMED: Final = f"SELECT count(*) AS rows FROM audit_log WHERE {NAMED}"

FORGET_NAMED: Final = f"""
    UPDATE audit_log SET
        before = (SELECT jsonb_object_agg(key, CASE WHEN value = to_jsonb(%(end_user_id)s::text) THEN '"[erased]"'
                                                    ELSE value END) FROM jsonb_each(before)),
        after = (SELECT jsonb_object_agg(key, CASE WHEN value = to_jsonb(%(end_user_id)s::text) THEN '"[erased]"'
                                                   ELSE value END) FROM jsonb_each(after))
    WHERE organization_id = %(organization_id)s AND id = ANY (ARRAY(
        SELECT id FROM audit_log WHERE {NAMED} LIMIT %(limit)s))
"""
"""What was done is still told, and of whom no more."""
