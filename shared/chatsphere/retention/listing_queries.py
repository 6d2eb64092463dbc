"""SQL of the list that a run makes of what is due. As the tenant.

Every query on `messages` has an upper bound of `created_at`; the lower one is where the list has got to. What is due of
a bot is found by indexes in the order of time, so that a bot with nothing due costs a look into each.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

BOTS: Final = """
    SELECT id FROM bots
    WHERE organization_id = app.current_organization() AND status <> 'deleting'
      AND (%(bot_id)s::uuid IS NULL OR id = %(bot_id)s)
    ORDER BY id
"""
"""The tenant's bots, or the one that the run is about."""

ANY_HOLDS: Final = """
    SELECT EXISTS (
        SELECT FROM legal_holds WHERE organization_id = app.current_organization() AND released_at IS NULL) AS any_holds
"""

HELD_BOT: Final = "SELECT 1 WHERE app.hold_on(NULL, %(bot_id)s::uuid, NULL) IS NOT NULL"
"""Whether what belongs to a bot and to no conversation is held."""

# ------------------------------------------------------------------------------------ which rows are due, as conditions

SYSTEM_MESSAGES: Final = "m.role = 'system'"
SAID_MESSAGES: Final = "m.role IN ('user', 'assistant')"

IS_USED: Final = """
    EXISTS (SELECT FROM answers_under_way a
            WHERE a.organization_id = app.current_organization() AND a.bot_id = %(bot_id)s AND a.conversation_id = c.id)
"""
"""Whether an answer is being written: then it is not inactive, whatever it says."""

HOLD: Final = "CASE WHEN %(any_holds)s THEN app.hold_on(c.id, c.bot_id, c.end_user_id) END"

IS_BACK: Final = "COALESCE(c.kept_until > %(as_of)s, false)"
"""Whether it came back from the archive, and is not to go there yet."""

GOES_WITH_CONVERSATION: Final = f"""
    (%(with_conversation)s AND c.updated_at < %(inactive_before)s AND NOT {IS_USED})
"""
"""Whether the same is done with the whole conversation: then its messages are listed with it."""


def due_messages(kind: str) -> str:
    """Return the FROM and WHERE of messages of a bot that go by themselves, from `since` to `until`."""
    return f"""
        FROM messages m
        JOIN conversations c ON c.organization_id = app.current_organization() AND c.id = m.conversation_id
        WHERE m.organization_id = app.current_organization() AND m.bot_id = %(bot_id)s AND {kind}
          AND m.created_at >= %(since)s AND m.created_at < %(until)s
          AND NOT {IS_BACK} AND NOT {GOES_WITH_CONVERSATION}
    """


DUE_CONVERSATION: Final = f"""
    c.organization_id = app.current_organization() AND c.bot_id = %(bot_id)s AND c.updated_at < %(before)s
    AND NOT {IS_BACK} AND NOT {IS_USED}
"""
"""Whether a conversation is inactive for too long."""

DUE_DOCUMENT: Final = """
    d.organization_id = app.current_organization() AND d.bot_id = %(bot_id)s AND d.status <> 'deleting'
    AND GREATEST(d.created_at, d.updated_at) < %(before)s
"""
"""Whether a document was neither uploaded nor changed for too long."""

# --------------------------------------------------------------------------------------- which bots have any of it

_PAIRS: Final = "unnest(%(bots)s::uuid[], %(cutoffs)s::timestamptz[]) AS b (id, cutoff)"


def _bots_with(found: str) -> str:
    return f"SELECT b.id FROM {_PAIRS} WHERE EXISTS ({found}) ORDER BY b.id"


BOTS_WITH: Final = {
    "system_message_days": _bots_with(
        "SELECT FROM messages m WHERE m.organization_id = app.current_organization() AND m.bot_id = b.id"
        f" AND m.created_at < b.cutoff AND m.created_at < %(latest)s AND {SYSTEM_MESSAGES}"
    ),
    "message_days": _bots_with(
        "SELECT FROM messages m WHERE m.organization_id = app.current_organization() AND m.bot_id = b.id"
        f" AND m.created_at < b.cutoff AND m.created_at < %(latest)s AND {SAID_MESSAGES}"
    ),
    "inactive_conversation_days": _bots_with(
        "SELECT FROM conversations c WHERE c.organization_id = app.current_organization() AND c.bot_id = b.id"
        " AND c.updated_at < b.cutoff"
    ),
    "document_days": _bots_with(
        "SELECT FROM documents d WHERE d.organization_id = app.current_organization() AND d.bot_id = b.id"
        " AND GREATEST(d.created_at, d.updated_at) < b.cutoff AND d.status <> 'deleting'"
    ),
}
"""Which of these bots have anything that may be due, by the policy's field. `latest` is the latest cutoff: by it
the planner knows which partitions it need not look at.
"""

# ----------------------------------------------------------------------------------------------- pages of a bot


def message_window(kind: str) -> str:
    """Return the query of the next messages' days: from the first to the last of `limit`."""
    return f"""
        SELECT min(w.created_at) AS first, max(w.created_at) AS last, count(*) AS rows
        FROM (SELECT m.created_at FROM messages m
              WHERE m.organization_id = app.current_organization() AND m.bot_id = %(bot_id)s AND {kind}
                AND m.created_at >= %(since)s AND m.created_at < %(before)s
              ORDER BY m.created_at LIMIT %(limit)s) w
    """


CONVERSATION_WINDOW: Final = """
    SELECT w.updated_at AS last, w.id AS last_id, count(*) OVER () AS rows
    FROM (SELECT c.updated_at, c.id FROM conversations c
          WHERE c.organization_id = app.current_organization() AND c.bot_id = %(bot_id)s
            AND c.updated_at < %(before)s
            AND (%(after)s::timestamptz IS NULL OR (c.updated_at, c.id) > (%(after)s, %(after_id)s::uuid))
          ORDER BY c.updated_at, c.id LIMIT %(limit)s) w
    ORDER BY w.updated_at DESC, w.id DESC LIMIT 1
"""
"""The last of the next conversations, those that were not used for the longest first, and how many they are."""

DOCUMENT_WINDOW: Final = """
    SELECT max(w.id::text)::uuid AS last_id, count(*) AS rows
    FROM (SELECT d.id FROM documents d
          WHERE d.organization_id = app.current_organization() AND d.bot_id = %(bot_id)s
            AND (%(after_id)s::uuid IS NULL OR d.id > %(after_id)s)
          ORDER BY d.id LIMIT %(limit)s) w
"""
"""The last of the next documents, and how many they are."""


def _listing(found: str) -> str:
    """Return a query that lists what `found` finds, each by itself, and what a hold keeps as one item a hold; it
    returns how many positions were taken.
    """
    return f"""
        WITH found AS MATERIALIZED ({found}),
        listed AS (
            INSERT INTO retention_items
                (organization_id, run_id, position, kind, bot_id, subject_id, day, action, reason, rows, messages,
                 bytes, oldest_at, newest_at)
            SELECT app.current_organization(), %(run_id)s,
                %(listed)s + row_number() OVER (ORDER BY oldest_at, subject_id, day, bot_id), %(kind)s, bot_id,
                subject_id, day, %(action)s, %(reason)s, rows, messages, bytes, oldest_at, newest_at
            FROM found WHERE hold_id IS NULL
            RETURNING position),
        kept AS (
            INSERT INTO retention_items
                (organization_id, run_id, position, kind, bot_id, action, reason, hold_id, rows, messages, bytes,
                 oldest_at, newest_at)
            SELECT app.current_organization(), %(run_id)s,
                %(listed)s + (SELECT count(*) FROM listed) + row_number() OVER (ORDER BY hold_id, bot_id), %(kind)s,
                bot_id, 'keep', %(reason)s, hold_id, sum(rows), sum(messages), sum(bytes), min(oldest_at),
                max(newest_at)
            FROM found WHERE hold_id IS NOT NULL
            GROUP BY hold_id, bot_id
            ON CONFLICT (run_id, kind, bot_id, reason, hold_id) WHERE action = 'keep' DO UPDATE SET
                rows = retention_items.rows + excluded.rows,
                messages = retention_items.messages + excluded.messages,
                bytes = retention_items.bytes + excluded.bytes,
                oldest_at = LEAST(retention_items.oldest_at, excluded.oldest_at),
                newest_at = GREATEST(retention_items.newest_at, excluded.newest_at)
            RETURNING position)
        SELECT (SELECT count(*) FROM listed) + (SELECT count(*) FROM kept) AS positions
    """


def list_messages(kind: str) -> str:
    """Return the query that lists a bot's messages by UTC day."""
    return _listing(
        f"""
        SELECT %(bot_id)s::uuid AS bot_id, NULL::uuid AS subject_id, due.day, due.hold_id, count(*) AS rows,
            count(*) AS messages, sum(due.bytes)::bigint AS bytes, min(due.created_at) AS oldest_at,
            max(due.created_at) AS newest_at
        FROM (SELECT (m.created_at AT TIME ZONE 'UTC')::date AS day, m.created_at, pg_column_size(m.*) AS bytes,
                  {HOLD} AS hold_id
              {due_messages(kind)}) due
        GROUP BY due.day, due.hold_id
        """
    )


LIST_CONVERSATIONS: Final = _listing(
    f"""
    SELECT c.bot_id, c.id AS subject_id, NULL::date AS day, c.hold_id, 1::bigint AS rows, said.messages,
        (c.bytes + said.bytes)::bigint AS bytes, c.created_at AS oldest_at, c.updated_at AS newest_at
    FROM (SELECT c.id, c.bot_id, c.created_at, c.updated_at, pg_column_size(c.*) AS bytes, {HOLD} AS hold_id
          FROM conversations c
          WHERE {DUE_CONVERSATION} AND (c.updated_at, c.id) <= (%(last)s, %(last_id)s::uuid)
            AND (%(after)s::timestamptz IS NULL OR (c.updated_at, c.id) > (%(after)s, %(after_id)s::uuid))) c
    CROSS JOIN LATERAL (
        SELECT count(*) AS messages, COALESCE(sum(pg_column_size(m.*)), 0) AS bytes
        FROM messages m
        WHERE m.organization_id = app.current_organization() AND m.conversation_id = c.id
          AND m.created_at >= c.created_at AND m.created_at < c.updated_at + interval '1 day'
          AND m.created_at < %(messages_before)s
          AND NOT COALESCE(m.role = 'system' AND m.created_at < %(system_before)s, false)
          AND NOT COALESCE(m.role IN ('user', 'assistant') AND m.created_at < %(said_before)s, false)) said
    """
)
"""List a bot's inactive conversations, each with those messages that do not go by themselves. `messages_before` is the
latest time that any of these has: by it the planner leaves out partitions of later months.
"""

LIST_DOCUMENTS: Final = _listing(
    f"""
    SELECT d.bot_id, d.id AS subject_id, NULL::date AS day,
        CASE WHEN %(any_holds)s THEN app.hold_on(NULL, d.bot_id, NULL) END AS hold_id, 1::bigint AS rows,
        0::bigint AS messages, COALESCE(d.size, 0)::bigint AS bytes, d.created_at AS oldest_at,
        GREATEST(d.created_at, d.updated_at) AS newest_at
    FROM documents d
    WHERE {DUE_DOCUMENT} AND d.id <= %(last_id)s AND (%(after_id)s::uuid IS NULL OR d.id > %(after_id)s)
    """
)
"""List a bot's documents that are due."""

DUE_ERRORS: Final = f"""
    FROM error_logs e LEFT JOIN {_PAIRS} ON b.id = e.bot_id
    WHERE e.organization_id = app.current_organization() AND e.created_at < %(before)s
      AND e.created_at < CASE WHEN b.id IS NULL THEN %(others_before)s ELSE b.cutoff END
      AND (%(bot_id)s::uuid IS NULL OR e.bot_id = %(bot_id)s)
"""
"""Errors that are due; those of no bot, or of one that is gone, by the organization's policy."""

LIST_ERRORS: Final = _listing(
    f"""
    SELECT e.bot_id, NULL::uuid AS subject_id, NULL::date AS day,
        CASE WHEN %(any_holds)s THEN app.hold_on(NULL, e.bot_id, NULL) END AS hold_id, count(*) AS rows,
        0::bigint AS messages, sum(pg_column_size(e.*))::bigint AS bytes, min(e.created_at) AS oldest_at,
        max(e.created_at) AS newest_at
    {DUE_ERRORS}
    GROUP BY e.bot_id
    """
)
"""List the errors that are due, by bot."""
