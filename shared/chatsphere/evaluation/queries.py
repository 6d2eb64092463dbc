"""The SQL of evaluation sets. Whoever adds to a set, or makes one, holds the row that the limit is of."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

SET: Final = """evaluation_sets.organization_id = app.current_organization()
    AND evaluation_sets.bot_id = %(bot_id)s"""

SET_COLUMNS: Final = """evaluation_sets.id, evaluation_sets.bot_id, evaluation_sets.name, evaluation_sets.description,
    (SELECT count(*) FROM evaluation_cases
     WHERE evaluation_cases.organization_id = app.current_organization()
       AND evaluation_cases.set_id = evaluation_sets.id) AS case_count,
    evaluation_sets.created_at, evaluation_sets.updated_at"""

HOLD_BOT: Final = """
    SELECT bots.id FROM bots
    WHERE bots.organization_id = app.current_organization() AND bots.id = %(bot_id)s AND bots.status <> 'deleting'
    FOR NO KEY UPDATE
"""
"""Hold a bot, so that of two sets that are made at once each is counted."""

COUNT_SETS: Final = f"SELECT count(*) AS sets FROM evaluation_sets WHERE {SET}"
"""How many sets a held bot has."""

INSERT_SET: Final = """
    INSERT INTO evaluation_sets (id, organization_id, bot_id, name, description, created_at, updated_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(name)s, %(description)s, %(now)s, %(now)s)
    ON CONFLICT (organization_id, bot_id, name) DO NOTHING
"""
"""Make a set; no row where the bot has one of this name."""

GET_SET: Final = f"SELECT {SET_COLUMNS} FROM evaluation_sets WHERE {SET} AND evaluation_sets.id = %(set_id)s"
"""One set."""

HOLD_SET: Final = f"""
    SELECT evaluation_sets.id FROM evaluation_sets
    WHERE {SET} AND evaluation_sets.id = %(set_id)s
    FOR NO KEY UPDATE
"""
"""Hold a set while cases are added."""

SETS_PAGE: Final = f"""
    SELECT {SET_COLUMNS} FROM evaluation_sets
    WHERE {SET} AND (%(after)s::uuid IS NULL OR evaluation_sets.id < %(after)s)
    ORDER BY evaluation_sets.id DESC LIMIT %(limit)s
"""
"""A bot's sets, newest first."""

UPDATE_SET: Final = f"""
    UPDATE evaluation_sets
    SET name = COALESCE(%(name)s, name), description = COALESCE(%(description)s, description), updated_at = %(now)s
    WHERE {SET} AND evaluation_sets.id = %(set_id)s
"""
"""Change what is not NULL."""

NAMED_SO: Final = f"""
    SELECT FROM evaluation_sets
    WHERE {SET} AND evaluation_sets.name = %(name)s AND evaluation_sets.id <> %(set_id)s
"""
"""Another set of the bot with this name."""

DELETE_SET: Final = f"DELETE FROM evaluation_sets WHERE {SET} AND evaluation_sets.id = %(set_id)s"
"""Delete a set with its cases."""

CASE: Final = """evaluation_cases.organization_id = app.current_organization()
    AND evaluation_cases.set_id = %(set_id)s
    AND EXISTS (SELECT FROM evaluation_sets
                WHERE evaluation_sets.organization_id = app.current_organization()
                  AND evaluation_sets.bot_id = %(bot_id)s AND evaluation_sets.id = evaluation_cases.set_id)"""

CASE_COLUMNS: Final = """evaluation_cases.id, evaluation_cases.set_id, evaluation_cases.question,
    evaluation_cases.history, evaluation_cases.expected_answers, evaluation_cases.relevant_documents,
    evaluation_cases.expect_refusal, evaluation_cases.needs_review, evaluation_cases.source,
    evaluation_cases.message_id, evaluation_cases.created_at"""

COUNT_CASES: Final = f"SELECT count(*) AS cases FROM evaluation_cases WHERE {CASE}"
"""How many cases a held set holds."""

INSERT_CASE: Final = f"""
    INSERT INTO evaluation_cases (
        id, organization_id, set_id, question, history, expected_answers, relevant_documents, expect_refusal,
        needs_review, source, conversation_id, message_id, created_at)
    VALUES (
        %(id)s, app.current_organization(), %(set_id)s, %(question)s, %(history)s, %(expected_answers)s,
        %(relevant_documents)s, %(expect_refusal)s, %(needs_review)s, %(source)s, %(conversation_id)s,
        %(message_id)s, %(now)s)
    ON CONFLICT (set_id, message_id) DO NOTHING
    RETURNING {CASE_COLUMNS}
"""
"""Add a case; no row where the set has one of this message."""

CASES_PAGE: Final = f"""
    SELECT {CASE_COLUMNS} FROM evaluation_cases
    WHERE {CASE}
      AND (%(after)s::uuid IS NULL OR evaluation_cases.id < %(after)s)
      AND (%(needs_review)s::boolean IS NULL OR evaluation_cases.needs_review = %(needs_review)s)
    ORDER BY evaluation_cases.id DESC LIMIT %(limit)s
"""
"""A set's cases, newest first."""

REPLACE_CASE: Final = f"""
    UPDATE evaluation_cases
    SET question = %(question)s, history = %(history)s, expected_answers = %(expected_answers)s,
        relevant_documents = %(relevant_documents)s, expect_refusal = %(expect_refusal)s, needs_review = false
    WHERE {CASE} AND evaluation_cases.id = %(case_id)s
    RETURNING {CASE_COLUMNS}
"""
"""Say anew what is asked and expected; where it was copied from stays."""

DELETE_CASE: Final = f"DELETE FROM evaluation_cases WHERE {CASE} AND evaluation_cases.id = %(case_id)s"
"""Take a case out of its set."""

DOCUMENTS_OF_BOT: Final = """
    SELECT documents.id FROM documents
    WHERE documents.organization_id = app.current_organization() AND documents.bot_id = %(bot_id)s
      AND documents.status <> 'deleting' AND documents.id = ANY (%(documents)s)
"""
"""Which of these documents are the bot's."""
