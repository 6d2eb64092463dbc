"""Noting that a question had no answer: one statement, in the transaction that keeps the turn."""

import hashlib
import unicodedata
from typing import Final

REASONS: Final = frozenset({"no_documents", "no_relevant_passage", "unsupported"})
"""Why a bot had no answer. What failed or was stopped is neither answered nor a gap in the documents."""

NOTE: Final = """
WITH question AS (
    INSERT INTO unanswered_questions (id, organization_id, bot_id, fingerprint, last_asked_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(fingerprint)s, %(asked_at)s)
    ON CONFLICT (organization_id, bot_id, fingerprint) DO UPDATE SET
        last_asked_at = GREATEST(unanswered_questions.last_asked_at, EXCLUDED.last_asked_at),
        status = CASE unanswered_questions.status WHEN 'resolved' THEN 'open' ELSE unanswered_questions.status END
    RETURNING id, organization_id
)
INSERT INTO unanswered_messages
    (message_id, organization_id, question_id, conversation_id, answer_id, reason, confidence, asked_at, answered_at)
SELECT %(message_id)s, organization_id, id, %(conversation_id)s, %(answer_id)s, %(reason)s, %(confidence)s,
    %(asked_at)s, %(answered_at)s
FROM question
"""
"""Note one asking of a question. One that was resolved is open again: whatever resolved it did not answer it."""


def fingerprint(text: str) -> bytes:
    """Return 32 bytes, the same for texts that differ only in case, spaces, punctuation and encoding of accents."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = "".join(char if _counts(char) else " " for char in folded).split()
    return hashlib.sha256(" ".join(words or folded.split()).encode()).digest()


def _counts(char: str) -> bool:
    # Marks are parts of letters: without them, words of many scripts would be the same.
    return unicodedata.category(char)[0] in "LNMS"
