"""How the loopback Gemini thinks: a model that behaves well, and embeddings that mean something."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from chatsphere.adapters.extractive import ExtractiveAnswerModel
from chatsphere.adapters.extractive.followups import standalone
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerRequest, SourcePassage, Turn
from chatsphere.ports.embedding import Embedder, Vector
from tests.fakes_chat import BagOfWordsEmbedder

JsonObject = dict[str, Any]
Embed = Callable[[str], Vector]
Answer = Callable[[JsonObject], str]

_PASSAGE = re.compile(r"Passage \[(\d+)\]\n(==\w+==)\n(.*?)\n(.*?)\n\2(?:\n|\Z)", re.DOTALL)
_QUESTION = re.compile(r"\n\nQuestion: (.*)\Z", re.DOTALL)
_REWRITE = re.compile(r"Conversation:\n(==\w+==)\n(.*)\n\1\n\nNext question: (.*)\Z", re.DOTALL)
_TURN = re.compile(r"^(user|assistant): ", re.MULTILINE)
_PREFIX = re.compile(r"\A(?:title: .*? \| text: |task: .*? \| query: )", re.DOTALL)


def tokens_of(text: str) -> list[str]:
    """Return the model's tokens: words and marks with the white space before them."""
    return re.findall(r"\s*(?:\w+|[^\w\s])", text)


def hashed_words(text: str) -> Vector:
    """Embed by words: cheap, and texts with the same words are near. What has none has a direction all the same."""
    values = list(BagOfWordsEmbedder().embed_query(text))
    return values if any(values) else [1.0] * len(values)


def padded(embedder: Embedder) -> Embed:
    """Embed with a real model; the server pads its vectors to the length that is asked for."""
    return embedder.embed_query


def embedding(embed: Embed, text: str, dimensions: int) -> list[float]:
    """Return a vector of the asked length that is not of length one, as the API cuts them."""
    values = list(embed(_PREFIX.sub("", text)))
    return [value * 0.7 for value in (values + [0.0] * dimensions)[:dimensions]]


def behave_well(body: JsonObject) -> str:
    """Answer as the prompt asks: quote what answers the question, mark each quote, or say that nothing does."""
    asked = text_of(body["contents"][-1])
    rewrite = _REWRITE.search(asked)
    if rewrite:
        return standalone(rewrite[3], _turns(rewrite[2]))
    question = _QUESTION.search(asked)
    passages = [
        SourcePassage(int(number), title, None, content) for number, _, title, content in _PASSAGE.findall(asked)
    ]
    if question is None:
        return f"You said: {asked}"
    if not passages:
        return "The documents do not contain the answer."
    history = [Turn("user" if c.get("role") == "user" else "assistant", text_of(c)) for c in body["contents"][:-1]]
    return _quoting(AnswerRequest(question[1], passages, history, max_output_tokens=10_000))


def text_of(content: JsonObject) -> str:
    """Return the words of a content."""
    return "".join(part.get("text", "") for part in content.get("parts", ()))


def _quoting(request: AnswerRequest) -> str:
    answer = ""
    for event in ExtractiveAnswerModel(BagOfWordsEmbedder()).stream(request):
        if isinstance(event, AnswerDelta):
            answer += event.text
        elif isinstance(event, AnswerCitation):
            answer += f" [{event.number}]"
    return answer


def _turns(said: str) -> Sequence[Turn]:
    parts = _TURN.split(said)[1:]
    return [Turn(role, content.strip()) for role, content in zip(parts[::2], parts[1::2], strict=True)]
