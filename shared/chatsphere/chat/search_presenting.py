"""What a search found, as the API shows it."""

from chatsphere.chat.schemas import SearchHit, SearchResponse
from chatsphere.chat.searching import BotSearch
from chatsphere.knowledge.retrieval.models import Passage
from chatsphere.knowledge.retrieval.schemas import ExplainedPassage, ExplanationBody


def searched(search: BotSearch) -> SearchResponse:
    """Return the body of a search's answer."""
    result = search.result
    explanation = None
    if result.explanation is not None:
        explained = ExplanationBody.model_validate(result.explanation)
        explanation = explained.model_copy(update={"passages": [_passage(each) for each in search.passages]})
    return SearchResponse(
        data=[SearchHit.model_validate(hit) for hit in result.hits],
        query=search.query,
        confidence=result.confidence,
        explanation=explanation,
    )


def _passage(passage: Passage) -> ExplainedPassage:
    return ExplainedPassage(
        document_id=passage.document_id,
        chunk_ids=[piece.chunk_id for piece in passage.pieces],
        heading=passage.heading,
        char_start=passage.char_start,
        char_end=passage.char_end,
        score=passage.score,
    )
