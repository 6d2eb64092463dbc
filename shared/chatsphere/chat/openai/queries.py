"""SQL of the routes for clients of OpenAI's API. Row level security already hides other tenants; each query says it
again, so that neither is the only guard.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

SEEN = "bots.organization_id = app.current_organization() AND bots.status NOT IN ('deleting', 'importing')"

# The bot of a slug or an id, if the tenant has it; who may ask it is the gate's to say.
BOT_BY_NAME = f"""
SELECT bots.id, coalesce(bots.slug, bots.id::text) AS name, bots.created_at, organizations.name AS owner,
    bots.is_active AND bots.status <> 'archived' AS answers
FROM bots JOIN organizations ON organizations.id = bots.organization_id
WHERE {SEEN} AND (bots.id = %(id)s OR bots.slug = %(slug)s)
"""

# The bots that answer and that somebody sees, newest first: as `chatsphere.bots.queries.PAGE` does.
BOTS = f"""
SELECT coalesce(bots.slug, bots.id::text) AS name, bots.created_at, organizations.name AS owner
FROM bots
JOIN organizations ON organizations.id = bots.organization_id
LEFT JOIN bot_members ON bot_members.bot_id = bots.id AND bot_members.user_id = %(user_id)s
    AND bot_members.organization_id = app.current_organization()
WHERE {SEEN} AND bots.is_active AND bots.status <> 'archived'
  AND (bots.visibility = ANY(%(seen)s) OR bot_members.permission IS NOT NULL)
  AND (%(only)s::uuid[] IS NULL OR bots.id = ANY(%(only)s))
ORDER BY bots.id DESC LIMIT %(limit)s
"""

# Takes the conversation that ended with this history, so that nobody else goes on with it meanwhile. What is noted of
# its last answer just now refers to it, and holds its key: that does not keep it from being taken.
CLAIM_HISTORY = """
UPDATE conversations SET history_digest = NULL
WHERE organization_id = app.current_organization() AND id = (
    SELECT id FROM conversations
    WHERE organization_id = app.current_organization() AND history_digest = %(digest)s AND bot_id = %(bot_id)s
    ORDER BY updated_at DESC LIMIT 1 FOR NO KEY UPDATE)
RETURNING id
"""

KEEP_HISTORY = """
UPDATE conversations SET history_digest = %(digest)s
WHERE organization_id = app.current_organization() AND id = %(conversation_id)s AND channel = 'openai'
"""

# An answer to a client of these routes, with its question's metadata. The ids say about when either was kept.
RESPONSE = """
SELECT answer.id, answer.bot_id, answer.conversation_id, answer.content, answer.citations, answer.answerable,
    answer.reason, answer.finish_reason, answer.prompt_tokens, answer.completion_tokens, answer.cost_microdollars,
    answer.latency_ms, answer.metadata, coalesce(bots.slug, bots.id::text) AS model, conversations.end_user_id,
    conversations.created_at AS begun,
    (SELECT question.metadata FROM messages question
     WHERE question.organization_id = app.current_organization() AND question.conversation_id = answer.conversation_id
       AND question.created_at >= %(since)s AND question.created_at < %(until)s
       AND question.role = 'user' AND question.id < answer.id
     ORDER BY question.id DESC LIMIT 1) AS asked_with
FROM messages answer
JOIN conversations ON conversations.organization_id = answer.organization_id
    AND conversations.id = answer.conversation_id AND conversations.channel = 'openai'
JOIN bots ON bots.organization_id = answer.organization_id AND bots.id = answer.bot_id
WHERE answer.organization_id = app.current_organization() AND answer.id = %(message_id)s AND answer.role = 'assistant'
  AND answer.created_at >= %(since)s AND answer.created_at < %(until)s
"""

# What was said in a conversation until an answer, the latest first.
SAID_UNTIL = """
SELECT role, content FROM messages
WHERE organization_id = app.current_organization() AND conversation_id = %(conversation_id)s
  AND created_at >= %(begun)s AND created_at < %(until)s
  AND id <= %(message_id)s AND role IN ('user', 'assistant') AND content <> ''
ORDER BY id DESC LIMIT %(limit)s
"""
