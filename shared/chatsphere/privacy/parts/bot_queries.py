"""SQL of what outlives a bot's rows and tells of it."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

COUNT_FAILURES: Final = """
    SELECT count(*) AS rows FROM error_logs
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""

DELETE_FAILURES: Final = """
    DELETE FROM error_logs WHERE organization_id = app.current_organization() AND (id, created_at) IN (
        SELECT id, created_at FROM error_logs
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s LIMIT %(limit)s)
"""

EVENTS: Final = """
    SELECT id FROM webhook_events
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND occurred_at <= %(asked_at)s
"""

COUNT_EVENTS: Final = f"SELECT count(*) AS rows FROM ({EVENTS}) found"

DELETE_EVENTS: Final = f"""
    DELETE FROM webhook_events
    WHERE organization_id = app.current_organization() AND id IN (SELECT id FROM ({EVENTS} LIMIT %(limit)s) found)
"""
"""What was told, and is to be told yet, of the time before."""

USAGE: Final = """
    organization_id = app.current_organization() AND bot_id = %(bot_id)s
    AND (end_user_id IS NOT NULL OR conversation_id IS NOT NULL)
"""

COUNT_USAGE: Final = f"SELECT count(*) AS rows FROM usage_events WHERE {USAGE}"

FORGET_USAGE: Final = f"""
    UPDATE usage_events SET end_user_id = NULL, conversation_id = NULL
    WHERE organization_id = app.current_organization() AND (id, created_at) IN (
        SELECT id, created_at FROM usage_events WHERE {USAGE} LIMIT %(limit)s)
"""
"""What was used stays counted, by the bot's id and of nobody."""

DAYS: Final = "organization_id = app.current_organization() AND bot_id = %(bot_id)s"

COUNT_DAYS: Final = f"SELECT count(*) AS rows FROM usage_daily_end_users WHERE {DAYS}"

DELETE_DAYS: Final = f"""
    DELETE FROM usage_daily_end_users WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM usage_daily_end_users WHERE {DAYS} LIMIT %(limit)s))
"""

FORMER_HOLDS: Final = """
    organization_id = app.current_organization() AND bot_id = %(bot_id)s AND released_at IS NOT NULL
    AND (end_user_id IS NOT NULL OR conversation_id IS NOT NULL AND reason <> '')
"""

COUNT_HOLDS: Final = f"SELECT count(*) AS rows FROM legal_holds WHERE {FORMER_HOLDS}"

FORGET_HOLDS: Final = f"""
    UPDATE legal_holds SET end_user_id = NULL, reason = ''
    WHERE organization_id = app.current_organization() AND id = ANY (ARRAY(
        SELECT id FROM legal_holds WHERE {FORMER_HOLDS} LIMIT %(limit)s))
"""

# Whose they are stands nowhere. Those that other bots read from have a source or a page.
HOSTS: Final = """
    SELECT h.origin FROM web_hosts h
    WHERE h.organization_id = app.current_organization()
      AND NOT EXISTS (SELECT FROM web_sources s
                      WHERE s.organization_id = h.organization_id AND starts_with(s.url, h.origin || '/'))
      AND NOT EXISTS (SELECT FROM web_pages p
                      WHERE p.organization_id = h.organization_id AND starts_with(p.url, h.origin || '/'))
"""

COUNT_HOSTS: Final = f"SELECT count(*) AS rows FROM ({HOSTS}) found"

DELETE_HOSTS: Final = f"""
    DELETE FROM web_hosts
    WHERE organization_id = app.current_organization()
      AND origin IN (SELECT origin FROM ({HOSTS} LIMIT %(limit)s) found)
"""
"""When a host was asked last, and what its robots.txt said."""

# --------------------------------------------------------------------------------------------------- as the eraser

TOLD: Final = """
    organization_id = %(organization_id)s
    AND (object_id = %(bot_id)s::text OR before ->> 'bot_id' = %(bot_id)s::text
         OR after ->> 'bot_id' = %(bot_id)s::text)
    AND (before - 'bot_id' <> '{}' OR after - 'bot_id' <> '{}')
"""

COUNT_TOLD: Final = f"SELECT count(*) AS rows FROM audit_log WHERE {TOLD}"

FORGET_TOLD: Final = f"""
    UPDATE audit_log SET
        before = CASE WHEN before IS NOT NULL THEN jsonb_build_object('bot_id', %(bot_id)s::text) END,
        after = CASE WHEN after IS NOT NULL THEN jsonb_build_object('bot_id', %(bot_id)s::text) END
    WHERE organization_id = %(organization_id)s AND id = ANY (ARRAY(
        SELECT id FROM audit_log WHERE {TOLD} LIMIT %(limit)s))
"""
"""That something was done with the bot, and by whom, is still told; what its settings said is not."""
