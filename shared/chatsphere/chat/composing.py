"""Making an answer: find evidence, refuse without it, let the model write from it, check what it claims."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Final

from chatsphere.chat.citing import checked
from chatsphere.chat.draft import Draft, sources_of
from chatsphere.chat.estimating import about_spent
from chatsphere.chat.events import ChatEvent, Cited, SourcesFound, TextAdded, Usage
from chatsphere.chat.services import Services
from chatsphere.chat.stopwatch import Stopwatch
from chatsphere.chat.turns import OpenTurn
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.retrieval.models import Passage
from chatsphere.ports import (
    AnswerCitation,
    AnswerDelta,
    AnswerEnd,
    AnswerEvent,
    AnswerModel,
    AnswerRequest,
    SourcePassage,
)

MAX_ANSWER_SECONDS: Final = 90.0
"""An answer that takes longer is ended: the function has time left to keep it and to say so."""


def compose(turn: OpenTurn, draft: Draft, watch: Stopwatch, services: Services) -> Iterator[ChatEvent]:
    """Fill the draft, yielding each addition.

    Raises:
        UnavailableError: the model or retrieval does not answer; the draft holds what there is.
    """
    passages = _find_passages(turn, draft, watch, services)
    draft.sources = sources_of(passages)
    yield SourcesFound(draft.sources)
    if passages:
        yield from _write(turn, draft, passages, watch, services)
        draft.conclude()
    else:
        draft.refuse("no_relevant_passage" if turn.has_documents else "no_documents")
    # What a model has already said stands, also where nothing supports it.
    if not draft.answerable and not draft.text.strip():
        fallback = turn.bot.configuration.fallback_text
        draft.text += fallback
        yield TextAdded(fallback)


def _find_passages(turn: OpenTurn, draft: Draft, watch: Stopwatch, services: Services) -> Sequence[Passage]:
    """Return the passages to answer from; none if nothing is relevant enough."""
    question, settings = turn.question, turn.bot.configuration
    with watch.stage("question"):
        standalone = services.model.standalone_question(question.message, turn.history)
        draft.question_asked = standalone.text
        draft.usage += Usage(standalone.prompt_tokens, standalone.completion_tokens, standalone.cost_microdollars)
    with watch.stage("retrieval"):
        found = services.retriever.search(
            question.organization_id,
            question.bot_id,
            draft.question_asked,
            limit=settings.top_k,
            documents=question.documents,
        )
        draft.confidence = found.confidence or 0.0
        threshold = services.retriever.default_threshold if settings.threshold is None else settings.threshold
        if not found.hits or draft.confidence < threshold:
            return ()
        return services.retriever.assemble(found.hits, settings.token_budget)


def _write(
    turn: OpenTurn, draft: Draft, passages: Sequence[Passage], watch: Stopwatch, services: Services
) -> Iterator[ChatEvent]:
    """Stream the model's answer, holding every claim against the passages."""
    request = _request(turn, passages)
    try:
        yield from _stream(request, draft, passages, watch, services.model)
    except Exception:
        _count_broken_call(request, draft, services.model)
        raise


def _stream(
    request: AnswerRequest, draft: Draft, passages: Sequence[Passage], watch: Stopwatch, model: AnswerModel
) -> Iterator[ChatEvent]:
    with closing(_timed(model.stream(request), watch)) as stream:
        for event in stream:
            match event:
                case AnswerDelta(text):
                    watch.mark("first_token")
                    draft.text += text
                    yield TextAdded(text)
                case AnswerCitation():
                    yield from _cite(event, draft, passages)
                case AnswerEnd(finish_reason, prompt_tokens, completion_tokens, cost):
                    draft.finish_reason = finish_reason
                    draft.usage += Usage(prompt_tokens, completion_tokens, cost)
                    return
    raise UnavailableError("The answer was cut off.")


def _count_broken_call(request: AnswerRequest, draft: Draft, model: AnswerModel) -> None:
    """Count about what a call used that broke off while it answered; one that said nothing used nothing."""
    if draft.text:
        prompt_tokens, completion_tokens = about_spent(request, draft.text, model)
        draft.usage += Usage(prompt_tokens, completion_tokens, model.cost(prompt_tokens, completion_tokens))


def _timed(stream: Iterator[AnswerEvent], watch: Stopwatch) -> Generator[AnswerEvent, None, None]:
    """Pass the events on, counting only the time that the model takes; end the call when it takes too long."""
    try:
        while True:
            with watch.stage("model"):
                event = next(stream, None)
            if event is None:
                return
            if watch.elapsed > MAX_ANSWER_SECONDS:
                raise UnavailableError("The answer took too long.")
            yield event
    finally:
        # Closing cancels the call; an iterator that cannot be closed has nothing to cancel.
        if isinstance(stream, Generator):
            stream.close()


def _request(turn: OpenTurn, passages: Sequence[Passage]) -> AnswerRequest:
    return AnswerRequest(
        question=turn.question.message,
        passages=[
            SourcePassage(number, passage.document_name, passage.heading, passage.content)
            for number, passage in enumerate(passages, 1)
        ],
        history=turn.history,
        system_prompt=turn.bot.system_prompt,
        temperature=turn.bot.temperature,
        max_output_tokens=turn.bot.configuration.max_output_tokens,
    )


def _cite(claim: AnswerCitation, draft: Draft, passages: Sequence[Passage]) -> Iterator[ChatEvent]:
    citation = checked(claim, passages, len(draft.text))
    if citation is None:
        draft.dropped_citations += 1
        return
    draft.citations.append(citation)
    yield Cited(citation)
