"""The `AnswerModel` port on Gemini's generative models."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from datetime import date
from typing import Any, Final

from chatsphere.adapters.gemini.api import bare_name, gemini_upstream, path_of, reach_model
from chatsphere.adapters.gemini.lifetimes import check_served
from chatsphere.adapters.gemini.markers import MarkedText
from chatsphere.adapters.gemini.prices import price_of
from chatsphere.adapters.gemini.prompt import answer_body, rewrite_body
from chatsphere.adapters.gemini.stream import Piece, Tokens, messages, piece_of
from chatsphere.adapters.gemini.tokens import GeminiTokenEstimate
from chatsphere.errors import AnswerBlockedError, EmptyAnswerError, UnavailableError
from chatsphere.ports.answers import AnswerEnd, AnswerEvent, AnswerRequest, StandaloneQuestion, Turn
from chatsphere.settings import AnswerSettings

REWRITE_SECONDS: Final = 8.0
"""A question that is not rewritten by then is searched for as it stands."""

MAX_QUESTION_CHARS: Final = 1000


class GeminiAnswerModel:
    """Writes answers over the network. Opens nothing until it is used; threads may share it.

    Raises:
        ConfigurationError: there is no key, the model's price is not known, or it is shut down `today`.
    """

    def __init__(self, settings: AnswerSettings, today: date | None = None) -> None:
        self._name = bare_name(settings.gemini_answer_model)
        if today is not None:
            check_served(self._name, today)
        self._price = price_of(settings)
        self._upstream = gemini_upstream(settings)

    @property
    def model(self) -> str:
        """Name of the model."""
        return self._name

    def reach(self) -> None:
        """See `Reachable.reach`."""
        reach_model(self._upstream, self._name)

    def stream(self, request: AnswerRequest) -> Generator[AnswerEvent, None, None]:
        """Yield the answer as it is made. See `AnswerModel.stream`; closing it closes the connection."""
        body = answer_body(request, self._name)
        text = MarkedText(request.passages)
        path = path_of(self._name, "streamGenerateContent") + "?alt=sse"
        last = Piece("")
        with closing(self._upstream.stream("POST", path, body, cancellation=request.cancellation)) as received:
            for message in messages(received):
                piece = piece_of(message)
                yield from text.add(piece.text)
                last = Piece("", piece.finish or last.finish, piece.tokens or last.tokens, piece.has_candidate)
        if last.finish is None and last.has_candidate:
            raise UnavailableError("Gemini's answer was cut off.")
        yield from text.end()
        if last.finish is None or not text.text.strip():
            raise EmptyAnswerError
        tokens = last.tokens or _estimated(body, text.text)
        yield AnswerEnd(last.finish, tokens.prompt, tokens.completion, self.cost(tokens.prompt, tokens.completion))

    def count_tokens(self, text: str) -> int:
        """Return the estimated number of tokens; see `GeminiTokenEstimate`."""
        return GeminiTokenEstimate().count_tokens(text)

    def cost(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Return what a call costs at the model's price."""
        return self._price.cost(prompt_tokens, completion_tokens)

    def standalone_question(self, question: str, history: Sequence[Turn]) -> StandaloneQuestion:
        """Return the question with what it leaves to the history filled in; as it stands if Gemini does not help.

        Raises:
            ProviderRejectedError: Gemini does not take the call.
        """
        if not history:
            return StandaloneQuestion(question)
        body = rewrite_body(question, history, self._name)
        try:
            reply = self._upstream.call(
                "POST", path_of(self._name, "generateContent"), body, within_seconds=REWRITE_SECONDS
            )
            piece = piece_of(reply.body)
        except (UnavailableError, AnswerBlockedError):
            return StandaloneQuestion(question)
        rewritten = " ".join(piece.text.split())
        # What was cut off, or is longer than a question, is none.
        usable = piece.finish == "stop" and 0 < len(rewritten) <= MAX_QUESTION_CHARS
        tokens = piece.tokens or _estimated(body, piece.text)
        cost = self.cost(tokens.prompt, tokens.completion)
        return StandaloneQuestion(rewritten if usable else question, tokens.prompt, tokens.completion, cost)


def _estimated(body: dict[str, Any], answer: str) -> Tokens:
    """Return about what a call used that did not say: its cost is not nothing."""
    counter = GeminiTokenEstimate()
    asked = sum(counter.count_tokens(part["text"]) for content in _contents(body) for part in content["parts"])
    return Tokens(asked, counter.count_tokens(answer))


def _contents(body: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return [body["systemInstruction"], *body["contents"]]
