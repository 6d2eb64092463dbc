"""What the loopback Gemini answers to calls that are well formed."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.loopback.gemini_faults import BlocksPrompt, Fault, Finishes, SaysNothing
from tests.loopback.gemini_model import Answer, Embed, behave_well, embedding, hashed_words, text_of, tokens_of
from tests.loopback.gemini_wire import ApiError, JsonObject

GENERATIVE = ("gemini-3.5-flash-lite", "gemini-3.5-flash", "gemini-2.5-flash-lite")
EMBEDDING = ("gemini-embedding-2", "gemini-embedding-001")
_EVENT_TOKENS = 4
_LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH")


@dataclass
class GeminiService:
    """The models behind the API. `thoughts` tokens are counted for each answer."""

    answer: Answer = behave_well
    embed: Embed = hashed_words
    thoughts: int = 0

    def says(self, text: str) -> None:
        """Let the model say exactly this from now on."""
        self.answer = lambda _: text

    def whole(self, model: str, method: str, request: JsonObject, fault: Fault | None = None) -> JsonObject:
        """Return the answer to a call that does not stream."""
        if method == "countTokens":
            inner = request.get("generateContentRequest", request)
            return {"totalTokens": _prompt_tokens(_valid(model, inner))}
        if method == "embedContent":
            return {"embedding": self._embedding(model, request)}
        if method == "batchEmbedContents":
            if len(request.get("requests", ())) > 100:
                raise ApiError(400, "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch")
            return {"embeddings": [self._embedding(model, one) for one in request.get("requests", ())]}
        *pieces, last = self.messages(model, request, fault)
        if "candidates" in last:
            said = "".join(text_of(piece["candidates"][0]["content"]) for piece in (*pieces, last))
            last["candidates"][0]["content"]["parts"] = [{"text": said}]
        return last

    def _embedding(self, model: str, request: JsonObject) -> JsonObject:
        if request.get("model", f"models/{model}") != f"models/{model}":
            raise ApiError(400, "* EmbedContentRequest.model: must be the model of the batch")
        text = text_of(request.get("content", {}))
        if not text:
            raise ApiError(400, "* EmbedContentRequest.content: contents is not specified")
        dimensions = request.get("outputDimensionality", 3072)
        if not 1 <= dimensions <= 3072:
            raise ApiError(400, "* EmbedContentRequest.output_dimensionality: must be between 1 and 3072")
        return {"values": embedding(self.embed, text, dimensions)}

    def messages(self, model: str, request: JsonObject, fault: Fault | None) -> Iterator[JsonObject]:
        """Yield the messages of an answer, the last with the reason why it ends."""
        prompt = _prompt_tokens(_valid(model, request))
        about = {"modelVersion": model, "responseId": "loopback"}
        if isinstance(fault, BlocksPrompt):
            yield {"promptFeedback": {"blockReason": fault.reason}, "usageMetadata": _usage(prompt, 0, 0), **about}
            return
        if isinstance(fault, SaysNothing):
            empty = [{"content": {"role": "model"}, "finishReason": "STOP", "index": 0}] if fault.candidates else []
            yield ({"candidates": empty} if empty else {}) | {"usageMetadata": _usage(prompt, 0, 0), **about}
            return
        limit = request.get("generationConfig", {}).get("maxOutputTokens", 65_536)
        said = tokens_of(self.answer(request))
        finish = "STOP" if len(said) <= limit else "MAX_TOKENS"
        pieces = [said[:limit][n : n + _EVENT_TOKENS] for n in range(0, min(len(said), limit), _EVENT_TOKENS)]
        pieces = pieces or [[]]
        if isinstance(fault, Finishes):
            pieces, finish = [*pieces[: fault.events], []], fault.reason
        for number, piece in enumerate(pieces, 1):
            parts = [{"text": "".join(piece)}] if piece else []
            candidate: JsonObject = {"content": {"parts": parts, "role": "model"}, "index": 0}
            if number == len(pieces):
                candidate["finishReason"] = finish
            spoken = sum(map(len, pieces[:number]))
            yield {
                "candidates": [candidate],
                "usageMetadata": _usage(prompt, spoken, self.thoughts),
                **about,
            }


def _valid(model: str, request: JsonObject) -> JsonObject:
    """Return the request if its values make sense to the model."""
    contents, config = request.get("contents", []), request.get("generationConfig", {})
    if not any(text_of(content) for content in contents):
        raise ApiError(400, "* GenerateContentRequest.contents: contents is not specified")
    if any(content.get("role", "user") not in ("user", "model") for content in contents):
        raise ApiError(400, "Please use a valid role: user, model.")
    if contents[-1].get("role") == "model":
        raise ApiError(400, "The last content must not be the model's.")
    if not 0 <= config.get("temperature", 1) <= 2 or config.get("maxOutputTokens", 1) < 1:
        raise ApiError(400, "* GenerateContentRequest.generation_config: out of range")
    thinking = config.get("thinkingConfig", {})
    if "thinkingBudget" in thinking and model.startswith("gemini-3.5"):
        raise ApiError(400, "Thinking budget is not supported for this model: use thinking_level.")
    if thinking.get("thinkingLevel", "LOW").upper() not in _LEVELS:
        raise ApiError(400, "Invalid value at 'generation_config.thinking_config.thinking_level'.")
    return request


def _prompt_tokens(request: JsonObject) -> int:
    contents = [*request.get("contents", ()), request.get("systemInstruction", {})]
    return sum(len(tokens_of(text_of(content))) for content in contents)


def _usage(prompt: int, said: int, thoughts: int) -> JsonObject:
    usage = {"promptTokenCount": prompt, "totalTokenCount": prompt + said + thoughts}
    if said:
        usage["candidatesTokenCount"] = said
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    return usage
