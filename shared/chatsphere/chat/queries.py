"""SQL of chat. Row level security already hides other tenants; each query says it again, so that neither is the
only guard.

`messages` is partitioned by `created_at`; every query on it carries a bound, or every partition is opened.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

# A conversation of a bot, which no retention run deletes until the transaction ends: by then it sees the answer.
CONVERSATION_OF_BOT = """
SELECT id, bot_id, end_user_id, title, channel, metadata, created_at, updated_at, ended_at
FROM conversations
WHERE organization_id = app.current_organization() AND id = %(conversation_id)s AND bot_id = %(bot_id)s
FOR KEY SHARE
"""

DELETE_CONVERSATION = """
DELETE FROM conversations
WHERE organization_id = app.current_organization() AND id = %(conversation_id)s
RETURNING bot_id
"""

# Whether readers can see any document of the bot.
HAS_DOCUMENTS = """
SELECT EXISTS (
    SELECT FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND live_generation IS NOT NULL
) AS found
"""

# The last messages of a conversation, the newest first. Ids are in the order in which turns began, so a
# question and its answer stay together.
RECENT_MESSAGES = """
SELECT role, content
FROM messages
WHERE organization_id = app.current_organization() AND conversation_id = %(conversation_id)s
  AND created_at >= %(since)s AND created_at < %(until)s
  AND role IN ('user', 'assistant') AND content <> ''
ORDER BY id DESC
LIMIT %(limit)s
"""

# What is shown of a message.
MESSAGE_COLUMNS = """id, conversation_id, role, content, citations, sources, answerable, reason, finish_reason, model,
    prompt_tokens, completion_tokens, COALESCE(embedding_tokens, 0) AS embedding_tokens, cost_microdollars, latency_ms,
    metadata, created_at"""

# A page of a conversation's messages, the oldest first.
MESSAGES = f"""
SELECT {MESSAGE_COLUMNS}
FROM messages
WHERE organization_id = app.current_organization() AND conversation_id = %(conversation_id)s
  AND created_at >= %(since)s AND created_at < %(until)s
  AND (%(after)s::uuid IS NULL OR id > %(after)s)
ORDER BY id
LIMIT %(limit)s
"""

# Opens a conversation, unless the bot has gone meanwhile. It is there already where its first answer was given up.
ADD_CONVERSATION = """
INSERT INTO conversations
    (id, organization_id, bot_id, end_user_id, title, channel, metadata, created_at, updated_at)
SELECT %(conversation_id)s, organization_id, id, %(end_user_id)s, %(title)s, %(channel)s, %(metadata)s,
    %(created_at)s, %(updated_at)s
FROM bots
WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status <> 'deleting'
FOR KEY SHARE
ON CONFLICT (id) DO UPDATE SET updated_at = GREATEST(conversations.updated_at, EXCLUDED.updated_at)
"""

# Marks a conversation as used, unless it has gone meanwhile. One that was ended or put away goes on. One that is
# nobody's is the first end user's who is named in it, and no other's: what they say is found by their name, also to be
# erased.
TOUCH_CONVERSATION = """
UPDATE conversations SET updated_at = GREATEST(updated_at, %(updated_at)s), ended_at = NULL, archived_at = NULL,
    end_user_id = COALESCE(end_user_id, %(end_user_id)s)
WHERE organization_id = app.current_organization() AND id = %(conversation_id)s AND bot_id = %(bot_id)s
  AND (end_user_id = %(end_user_id)s) IS NOT FALSE
"""

ADD_QUESTION = """
INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, metadata, created_at)
VALUES (%(id)s, %(organization_id)s, %(bot_id)s, %(conversation_id)s, 'user', %(content)s, %(metadata)s,
    %(created_at)s)
"""

ADD_ANSWER = """
INSERT INTO messages
    (id, organization_id, bot_id, conversation_id, role, content, answerable, reason, finish_reason, citations,
     sources, model, prompt_tokens, completion_tokens, embedding_tokens, cost_microdollars, latency_ms, metadata,
     created_at)
VALUES (%(id)s, %(organization_id)s, %(bot_id)s, %(conversation_id)s, 'assistant', %(content)s, %(answerable)s,
    %(reason)s, %(finish_reason)s, %(citations)s, %(sources)s, %(model)s, %(prompt_tokens)s,
    %(completion_tokens)s, %(embedding_tokens)s, %(cost_microdollars)s, %(latency_ms)s, %(metadata)s, %(created_at)s)
"""

ADD_USAGE = """
INSERT INTO usage_events
    (id, organization_id, bot_id, api_key_id, user_id, end_user_id, conversation_id, metric, value, model, channel,
     answerable, reason, finish_reason, cached, citations, dropped_citations, prompt_tokens, completion_tokens,
     embedding_tokens, cost_microdollars, total_ms, first_token_ms, retrieve_ms, created_at)
VALUES (%(id)s, %(organization_id)s, %(bot_id)s, %(api_key_id)s, %(user_id)s,
    COALESCE(%(end_user_id)s, (
        SELECT end_user_id FROM conversations
        WHERE organization_id = app.current_organization() AND id = %(conversation_id)s)),
    %(conversation_id)s, 'chat.answer', 1, %(model)s, %(channel)s, %(answerable)s, %(reason)s, %(finish_reason)s,
    %(cached)s, %(citations)s, %(dropped_citations)s, %(prompt_tokens)s, %(completion_tokens)s, %(embedding_tokens)s,
    %(cost_microdollars)s, %(total)s, %(first_token)s, %(retrieve)s, %(created_at)s)
"""

# Counts for each document how often it was given to the model and cited. One that has gone meanwhile is left
# out; the order of the rows keeps two answers from waiting for each other.
COUNT_SOURCES = """
INSERT INTO source_stats (organization_id, document_id, retrieval_count, citation_count, last_retrieved)
SELECT d.organization_id, d.id, 1, s.citations, %(now)s
FROM unnest(%(documents)s::uuid[], %(citations)s::bigint[]) AS s (document_id, citations)
JOIN documents d ON d.organization_id = app.current_organization() AND d.id = s.document_id
ORDER BY d.id
FOR KEY SHARE OF d
ON CONFLICT (document_id) DO UPDATE SET
    retrieval_count = source_stats.retrieval_count + 1,
    citation_count = source_stats.citation_count + EXCLUDED.citation_count,
    last_retrieved = GREATEST(source_stats.last_retrieved, EXCLUDED.last_retrieved)
"""

ADD_ERROR = """
INSERT INTO error_logs (id, organization_id, bot_id, service, error_type, message, details, created_at)
VALUES (%(id)s, %(organization_id)s, %(bot_id)s, 'chat', %(error_type)s, %(message)s, %(details)s, %(created_at)s)
"""
