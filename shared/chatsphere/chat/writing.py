"""Letting the model write: its words and claims as they come, within a time, and until somebody stops it."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Final

from psycopg.types.json import Jsonb

from chatsphere.chat import under_way
from chatsphere.chat.citing import checked
from chatsphere.chat.draft import Draft
from chatsphere.chat.estimating import about_spent
from chatsphere.chat.events import ChatEvent, Cited, TextAdded, Usage
from chatsphere.chat.services import Services
from chatsphere.chat.stopwatch import Stopwatch
from chatsphere.chat.turns import OpenTurn
from chatsphere.chat.watching import AnswerWatch
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.retrieval.models import Passage
from chatsphere.ports.answers import (
    AnswerCitation,
    AnswerDelta,
    AnswerEnd,
    AnswerEvent,
    AnswerModel,
    AnswerRequest,
    SourcePassage,
    Turn,
)

MAX_ANSWER_SECONDS: Final = 90.0
"""An answer that takes longer is ended: the function has time left to keep it and to say so."""


def write(
    turn: OpenTurn,
    draft: Draft,
    passages: Sequence[Passage],
    recalled: Sequence[Turn],
    watch: Stopwatch,
    services: Services,
) -> Iterator[ChatEvent]:
    """Stream the model's answer, holding every claim against the passages; it may be stopped meanwhile.

    Raises:
        UnavailableError and others of `AnswerModel.stream`: the draft holds what there is.
    """
    request = _request(turn, draft, passages, recalled)

    def used() -> Usage:
        return draft.usage + _about_used(request, draft.text, services.model)

    def progress() -> Jsonb:
        return under_way.progress_of(draft, used(), watch.split())

    try:
        with AnswerWatch(turn, draft, progress, services.database, services.pace):
            yield from _stream(request, draft, passages, watch, services.model)
    except Exception:
        if draft.cancellation.requested:
            # Whether it was about to say something or not: it was sent the question and the passages.
            draft.usage = used()
            draft.stop()
            return
        # One that said nothing used nothing.
        if draft.text:
            draft.usage = used()
        raise
    draft.conclude()


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
            request.cancellation.check()
    raise UnavailableError("The answer was cut off.")


def _about_used(request: AnswerRequest, text: str, model: AnswerModel) -> Usage:
    """Return about what a call used that has said this and not come to its end."""
    prompt_tokens, completion_tokens = about_spent(request, text, model)
    return Usage(prompt_tokens, completion_tokens, model.cost(prompt_tokens, completion_tokens))


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


def _request(turn: OpenTurn, draft: Draft, passages: Sequence[Passage], recalled: Sequence[Turn]) -> AnswerRequest:
    return AnswerRequest(
        question=turn.question.message,
        standalone=draft.question_asked,
        passages=[
            SourcePassage(number, passage.document_name, passage.heading, passage.content)
            for number, passage in enumerate(passages, 1)
        ],
        history=[*recalled, *turn.history],
        system_prompt=turn.bot.system_prompt,
        temperature=turn.bot.temperature,
        max_output_tokens=turn.bot.configuration.max_output_tokens,
        cancellation=draft.cancellation,
    )


def _cite(claim: AnswerCitation, draft: Draft, passages: Sequence[Passage]) -> Iterator[ChatEvent]:
    found = checked(claim, passages, len(draft.text))
    draft.dropped_citations += not found
    for citation in found:
        draft.citations.append(citation)
        yield Cited(citation)
