"""Making an answer: find evidence, refuse without it, let the model write from it, check what it claims."""

from collections.abc import Iterator, Sequence

from chatsphere.chat.draft import Draft, sources_of
from chatsphere.chat.events import ChatEvent, SourcesFound, TextAdded, Usage
from chatsphere.chat.masking import turns_masked
from chatsphere.chat.optional_stages import Recalled
from chatsphere.chat.retelling import retold
from chatsphere.chat.services import Services
from chatsphere.chat.stopwatch import Stopwatch
from chatsphere.chat.turns import OpenTurn
from chatsphere.chat.writing import write
from chatsphere.knowledge.redaction.masking import masking
from chatsphere.knowledge.retrieval.models import Passage
from chatsphere.ports.answers import Turn


def compose(turn: OpenTurn, draft: Draft, watch: Stopwatch, services: Services) -> Iterator[ChatEvent]:
    """Fill the draft, yielding each addition.

    Raises:
        UnavailableError: the model or retrieval does not answer; the draft holds what there is.
    """
    recalled = _rewrite(turn, draft, watch, services)
    if _find_kept(turn, draft, watch, services):
        yield SourcesFound(draft.sources)
        yield from retold(draft.text, draft.citations)
        return
    passages = _find_passages(turn, draft, watch, services)
    draft.sources = sources_of(passages)
    yield SourcesFound(draft.sources)
    if passages:
        yield from write(turn, draft, passages, recalled, watch, services)
    else:
        draft.refuse("no_relevant_passage" if turn.has_documents else "no_documents")
    # What a model has already said stands, also where nothing supports it.
    if not draft.answerable and not draft.stopped and not draft.text.strip():
        fallback = turn.bot.configuration.fallback_text
        draft.text += fallback
        yield TextAdded(fallback)


def _rewrite(turn: OpenTurn, draft: Draft, watch: Stopwatch, services: Services) -> Sequence[Turn]:
    """Note the question with what it leaves to the history filled in; return what was recalled from before that."""
    with watch.stage("rewrite"):
        recalled = services.recall.recall(turn) if services.recall is not None else Recalled()
        mask = masking(turn.bot.configuration.redaction, services.personal_data)
        earlier = turns_masked(recalled.turns, mask)
        draft.recalled = tuple(recalled.messages)
        draft.usage += recalled.usage
        standalone = services.model.standalone_question(turn.question.message, [*earlier, *turn.history])
    draft.question_asked = standalone.text
    draft.usage += Usage(standalone.prompt_tokens, standalone.completion_tokens, standalone.cost_microdollars)
    return earlier


def _find_kept(turn: OpenTurn, draft: Draft, watch: Stopwatch, services: Services) -> bool:
    """Fill the draft with what the same question was answered, if there is something."""
    if services.cache is None or not turn.bot.configuration.cache:
        return False
    with watch.stage("cache"):
        return services.cache.look_up(turn, draft)


def _find_passages(turn: OpenTurn, draft: Draft, watch: Stopwatch, services: Services) -> Sequence[Passage]:
    """Return the passages to answer from; none if nothing is relevant enough."""
    question, settings = turn.question, turn.bot.configuration
    with watch.stage("retrieve"):
        found = services.retriever.search(
            question.organization_id,
            question.bot_id,
            draft.question_asked,
            limit=settings.top_k,
            within=question.filter,
            settings=settings.retrieval,
        )
        watch.part("embed", of="retrieve", seconds=found.embed_seconds)
        took = Usage(embedding_tokens=found.embedding_tokens, cost_microdollars=found.embedding_microdollars)
        draft.usage += took
        draft.confidence = found.confidence or 0.0
        draft.by_words_alone = found.by_words_alone
        if not found.hits or draft.confidence < found.threshold:
            return ()
        return services.retriever.assemble(found, settings.token_budget)
