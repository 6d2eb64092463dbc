"""SQL of memory. What finds work of every tenant is in `reviving`."""

# Only constants are put together here; every value is a parameter.

from typing import Final

PLACE: Final = """
    SELECT model, revision, dimensions FROM bot_memories
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND model IS NOT NULL
"""
"""The bot's memory, and which model made it; no row where there is none."""

# ------------------------------------------------------------------------------------------------ keeping

HOLD: Final = """
    SELECT bots.embedding_model AS wanted, bots.configuration, memory.revision, memory.model, memory.dimensions,
        memory.remaining_before
    FROM bots
    LEFT JOIN bot_memories memory ON memory.organization_id = bots.organization_id AND memory.bot_id = bots.id
    WHERE bots.organization_id = app.current_organization() AND bots.id = %(bot_id)s AND bots.status <> 'deleting'
    FOR NO KEY UPDATE OF bots
"""
"""What the bot's memory is and what it shall be, held until the transaction ends; no row where the bot is gone."""

BEGIN: Final = """
    INSERT INTO bot_memories AS memory (bot_id, organization_id, revision, model, dimensions, remaining_before, due_at)
    VALUES (%(bot_id)s, app.current_organization(), 1, %(model)s, %(dimensions)s,
        'ffffffff-ffff-ffff-ffff-ffffffffffff', %(due_at)s)
    ON CONFLICT (bot_id) DO UPDATE
    SET revision = memory.revision + 1, model = excluded.model, dimensions = excluded.dimensions,
        remaining_before = excluded.remaining_before, due_at = excluded.due_at
    RETURNING revision, remaining_before
"""
"""Begin a memory anew, with all that was ever said ahead of it. No revision is used twice."""

END: Final = """
    UPDATE bot_memories SET model = NULL, dimensions = NULL, remaining_before = NULL, due_at = NULL
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""
"""There is no memory any more; that it will be another one, should it begin again, stays known."""

DROP_PENDING: Final = """
    DELETE FROM memory_pending WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""

DELETE_REVISION: Final = """
    INSERT INTO memory_deletions (id, organization_id, bot_id, revision, dimensions, due_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(revision)s, %(dimensions)s, %(now)s)
"""
"""Have a former memory's vectors deleted."""

REMAINING: Final = """
    SELECT id, created_at FROM conversations
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id < %(remaining_before)s
    ORDER BY id DESC LIMIT %(limit)s
"""
"""The next conversations that were held before the memory was begun, the newest first."""

ADD_PENDING: Final = """
    INSERT INTO memory_pending (message_id, organization_id, bot_id, conversation_id, created_at, due_at)
    SELECT id, organization_id, bot_id, conversation_id, created_at, %(now)s
    FROM messages
    WHERE organization_id = app.current_organization() AND conversation_id = ANY (%(conversations)s)
      AND created_at >= %(since)s AND created_at < %(until)s
      AND role IN ('user', 'assistant') AND content ~ '\\S'
    ON CONFLICT (message_id) DO NOTHING
"""
"""Have all messages of some conversations embedded."""

SET_REMAINING: Final = """
    UPDATE bot_memories SET remaining_before = %(remaining_before)s, due_at = %(due_at)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""

CLAIM: Final = """
    UPDATE memory_pending SET claim = %(claim)s, attempts = attempts + 1,
        due_at = %(now)s::timestamptz + %(lease)s::interval * power(2, LEAST(attempts, %(most)s))
    WHERE organization_id = app.current_organization() AND message_id = ANY (ARRAY(
        SELECT message_id FROM memory_pending
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
          AND (attempts = 0 OR due_at <= %(now)s)
          -- One that was refused is tried alone: it may be what the others were refused for.
          AND (refused = 0 OR %(alone)s)
        ORDER BY message_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
    RETURNING message_id, conversation_id, created_at
"""
"""Take over messages that nobody embeds; each time it is in vain the next one waits twice as long."""

CLAIMED_TEXTS: Final = """
    SELECT messages.id AS message_id, messages.conversation_id, messages.role, messages.content, messages.created_at,
        conversations.end_user_id
    FROM messages
    JOIN conversations ON conversations.organization_id = messages.organization_id
        AND conversations.id = messages.conversation_id
    WHERE messages.organization_id = app.current_organization() AND messages.id = ANY (%(messages)s)
      AND messages.created_at >= %(since)s AND messages.created_at <= %(until)s
    ORDER BY messages.id
"""
"""What claimed messages say, and to whom. The bounds are those of their creation: of messages they open few
partitions."""

HOLD_REVISION: Final = """
    SELECT revision FROM bot_memories
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND model IS NOT NULL
    FOR SHARE
"""
"""Which memory there is now; it stays until the transaction ends."""

FINISH: Final = """
    DELETE FROM memory_pending
    WHERE organization_id = app.current_organization() AND message_id = ANY (%(messages)s) AND claim = %(claim)s
    RETURNING message_id
"""
"""Note that messages are embedded, those that nobody else has taken over or changed meanwhile."""

REFUSE: Final = """
    UPDATE memory_pending SET refused = refused + 1
    WHERE organization_id = app.current_organization() AND message_id = ANY (%(messages)s) AND claim = %(claim)s
"""
"""Note that a model does not take these messages together."""

POSTPONE: Final = """
    UPDATE memory_pending SET due_at = GREATEST(due_at, %(due_at)s), attempts = GREATEST(attempts, 1)
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""
"""Leave a bot's messages alone for a while."""

RELEASE: Final = """
    UPDATE memory_pending SET claim = NULL, attempts = 0
    WHERE organization_id = app.current_organization() AND message_id = ANY (%(messages)s) AND claim = %(claim)s
    RETURNING message_id
"""
"""Leave messages to whoever looks next."""

EXISTING: Final = """
    SELECT id FROM conversations
    WHERE organization_id = app.current_organization() AND id = ANY (%(conversations)s)
"""
"""Which of these conversations are still there."""

COUNT_USAGE: Final = """
    INSERT INTO usage_events
        (id, organization_id, bot_id, metric, value, model, cost_microdollars, metadata, created_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, 'embedding', %(tokens)s, %(model)s, %(cost)s,
        jsonb_build_object('memory_messages', %(count)s::integer), %(now)s)
"""
"""Count what the embedding of messages took; `value` is tokens."""

IS_AHEAD: Final = """
    SELECT EXISTS (
        SELECT FROM memory_pending
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
          AND (attempts = 0 OR due_at <= %(now)s)
    ) OR EXISTS (
        SELECT FROM bot_memories
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND remaining_before IS NOT NULL
    ) AS ahead
"""
"""Whether there is more to embed that nobody is at."""
