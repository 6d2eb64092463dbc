"""What an answer rests on besides its question: as long as all of it is the same, so is the answer."""

import json
from hashlib import sha256
from typing import Any, Final

from chatsphere import __version__
from chatsphere.chat.cache.wording import same_wording
from chatsphere.chat.turns import PUBLIC, OpenTurn

# What readers see of the documents, how it is searched, and how sure that is held to be: in one statement.
BASIS: Final = """
    SELECT bots.embedding_model, bots.embedding_revision, to_jsonb(fitted) AS calibration,
        ARRAY(SELECT c.id::text FROM corpus_revisions c
              WHERE c.organization_id = app.current_organization() AND c.bot_id = bots.id ORDER BY c.id) AS corpus
    FROM bots
    LEFT JOIN embedding_calibrations fitted ON fitted.organization_id = app.current_organization()
        AND fitted.embedding_model = bots.embedding_model
    WHERE bots.organization_id = app.current_organization() AND bots.id = %(bot_id)s
"""

NOT_OF_ANSWERS: Final = frozenset({"cache", "memory", "recall", "on_disconnect"})
"""Settings that change nothing of an answer to a question without a history."""


def answer_key(turn: OpenTurn, question_asked: str) -> bytes | None:
    """Return the digest under which an answer may be kept, and of which it may be taken; None: under none.

    What it rests on is read when the turn is opened, before the documents are: an answer that another state of them
    went into is kept under a key by which nobody asks any more.
    """
    if turn.basis is None:
        return None
    text = json.dumps([_asked(turn, question_asked), _bot(turn), turn.basis], sort_keys=True, default=str)
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _asked(turn: OpenTurn, question_asked: str) -> list[Any]:
    question = turn.question
    return [
        str(question.organization_id),
        str(question.bot_id),
        # Visitors are told less than members, and are not to find out what members asked.
        question.channel == PUBLIC,
        None if question.filter is None else question.filter.canonical(),
        same_wording(question.message),
        same_wording(question_asked),
    ]


def _bot(turn: OpenTurn) -> list[Any]:
    """Return what the answer has of the bot: as it is now, or was in a former version, with what was wished for."""
    configuration = turn.bot.configuration.model_dump(mode="json", exclude=set(NOT_OF_ANSWERS))
    return [__version__, turn.model, turn.bot.model, turn.bot.system_prompt, turn.bot.temperature, configuration]
