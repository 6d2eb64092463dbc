"""The extractive answer model: an `AnswerModel` whose every word stands in a passage."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from chatsphere.adapters.extractive.quotes import Quote, choose_quotes
from chatsphere.adapters.extractive.selection import Reading, dot, rank_sentences
from chatsphere.ports.answers import (
    AnswerCitation,
    AnswerDelta,
    AnswerEnd,
    AnswerEvent,
    AnswerRequest,
    StandaloneQuestion,
    Turn,
)
from chatsphere.ports.embedding import Embedder, TokenCounter

MODEL: Final = "extractive-1"
SEPARATOR: Final = "\n\n"
WORDS_PER_DELTA: Final = 5

_WORDS: Final = re.compile(rf"(?:\S+\s*){{1,{WORDS_PER_DELTA}}}|\s+")


class ExtractiveAnswerModel:
    """Quotes the sentences that answer best. Calls no one, costs nothing, obeys no instruction in a passage."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def model(self) -> str:
        """Name and version of the method."""
        return MODEL

    def stream(self, request: AnswerRequest) -> Iterator[AnswerEvent]:
        """Yield each quote in a few deltas and then its citation. See `AnswerModel.stream`."""
        question = request.standalone or self._resolved(request.question, request.history)
        reading = Reading.of(request.passages)
        quotes = choose_quotes(rank_sentences(question, reading, self._embedder), reading)
        answer, finish_reason = "", "stop"
        for quote in quotes:
            lead = SEPARATOR if answer else ""
            text = _fitting(_text(quote, request), request.max_output_tokens - self._count(answer), self._embedder)
            if text:
                yield from _told(lead, text, len(answer), request.passages[quote.passage].number, quote.start)
                answer += lead + text
            if len(text) < quote.end - quote.start:
                finish_reason = "length"
                break
        yield AnswerEnd(finish_reason, self._prompt_tokens(question, request), self._count(answer), 0)

    def standalone_question(self, question: str, history: Sequence[Turn]) -> StandaloneQuestion:
        """Return the question, led by its subject where it leaves that to the history."""
        return StandaloneQuestion(self._resolved(question, history))

    def count_tokens(self, text: str) -> int:
        """Return the number of the embedder's tokens."""
        return self._count(text)

    def cost(self, prompt_tokens: int, completion_tokens: int) -> int:  # noqa: ARG002 - the port's
        """Return 0: no one is paid."""
        return 0

    def _resolved(self, question: str, history: Sequence[Turn]) -> str:
        if not history:
            return question
        # Late: the first question of a conversation, which a cold start answers, needs none of it.
        from chatsphere.adapters.extractive.followups import standalone
        from chatsphere.adapters.extractive.recalling import with_recalled_name

        recalled = [turn for turn in history if turn.recalled]
        asked = standalone(question, [turn for turn in history if not turn.recalled], self._likeness)
        return with_recalled_name(asked, recalled)

    def _likeness(self, text: str, others: Sequence[str]) -> list[float]:
        """Return the cosines of `text` with each of the others."""
        first, *rest = self._embedder.embed_documents([text, *others])
        return [dot(first, other) for other in rest]

    def _prompt_tokens(self, question: str, request: AnswerRequest) -> int:
        return self._count(question) + sum(self._count(passage.content) for passage in request.passages)

    def _count(self, text: str) -> int:
        return self._embedder.count_tokens(text) if text else 0


def _text(quote: Quote, request: AnswerRequest) -> str:
    return request.passages[quote.passage].content[quote.start : quote.end]


def _told(lead: str, text: str, offset: int, number: int, quote_start: int) -> Iterator[AnswerEvent]:
    """Yield one quote: its text in deltas, then the claim that it is one."""
    if lead:
        yield AnswerDelta(lead)
    for piece in _WORDS.finditer(text):
        yield AnswerDelta(piece[0])
    start = offset + len(lead)
    yield AnswerCitation(number, text, start, start + len(text), quote_start)


def _fitting(text: str, tokens: int, counter: TokenCounter) -> str:
    """Return as many whole words from the start of `text` as `tokens` allow."""
    if counter.count_tokens(text) <= tokens:
        return text
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high + 1) // 2
        if counter.count_tokens(text[: ends[middle - 1]]) <= tokens:
            low = middle
        else:
            high = middle - 1
    return text[: ends[low - 1]] if low else ""
