"""What Gemini's REST API takes and how it refuses: strict where the real one is.

Sources: the requests that `google-genai` 3.4.0 sends (recorded), its types, and Google's reference of the API. JSON
names may be camelCase or snake_case, as in every API of Google that reads protocol buffers from JSON.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

JsonObject = dict[str, Any]

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclass
class ApiError(Exception):
    """An error as the API tells it (google.rpc.Status); `headers` go with it."""

    code: int
    message: str
    details: list[JsonObject] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> JsonObject:
        status = STATUS_NAMES.get(self.code, HTTPStatus(self.code).name)
        error: JsonObject = {"code": self.code, "message": self.message, "status": status}
        return {"error": error | ({"details": self.details} if self.details else {})}


def exhausted(retry_seconds: float | None, *, in_header: bool) -> ApiError:
    """Return a 429 that asks for `retry_seconds` of rest, in a `RetryInfo` and, if wanted, in a header."""
    details: list[JsonObject] = [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{}]}]
    headers = {}
    if retry_seconds is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_seconds:g}s"})
        headers = {"Retry-After": str(round(retry_seconds))} if in_header else {}
    return ApiError(429, "You exceeded your current quota, please check your plan and billing.", details, headers)


ANY: object = object()
CONTENT = {
    "role": str,
    "parts": [{"text": str, "thought": bool, "thoughtSignature": str, "inlineData": ANY, "fileData": ANY}],
}
GENERATION_CONFIG = {
    "temperature": float,
    "topP": float,
    "topK": float,
    "candidateCount": int,
    "maxOutputTokens": int,
    "stopSequences": [str],
    "responseMimeType": str,
    "responseSchema": ANY,
    "seed": int,
    "presencePenalty": float,
    "frequencyPenalty": float,
    "thinkingConfig": {"thinkingLevel": str, "thinkingBudget": int, "includeThoughts": bool},
}
GENERATE = {
    "model": str,
    "contents": [CONTENT],
    "systemInstruction": CONTENT,
    "generationConfig": GENERATION_CONFIG,
    "safetySettings": ANY,
    "tools": ANY,
    "toolConfig": ANY,
    "cachedContent": str,
}
EMBED = {"model": str, "content": CONTENT, "taskType": str, "title": str, "outputDimensionality": int}
SHAPES: dict[str, JsonObject] = {
    "generateContent": GENERATE,
    "streamGenerateContent": GENERATE,
    "countTokens": {"contents": [CONTENT], "generateContentRequest": GENERATE},
    "embedContent": EMBED,
    "batchEmbedContents": {"requests": [EMBED]},
}


def checked(method: str, body: Any) -> JsonObject:
    """Return the body with camelCase names.

    Raises:
        ApiError: a name the API does not know, or a value of another type.
    """
    value = _checked(body, SHAPES[method], "")
    assert isinstance(value, dict)
    return value


def _checked(value: Any, shape: Any, where: str) -> Any:
    if shape is ANY:
        return value
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise _invalid(f"Invalid value at '{where.lstrip('.')}', an object is expected.")
        return {
            name: _checked(inner, _known(shape, name, where), f"{where}.{name}")
            for name, inner in ((_camel(name), inner) for name, inner in value.items())
        }
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise _invalid(f"Invalid value at '{where.lstrip('.')}', a list is expected.")
        return [_checked(inner, shape[0], f"{where}[{number}]") for number, inner in enumerate(value)]
    accepted = (int, float) if shape is float else (shape,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and shape is not bool):
        raise _invalid(f"Invalid value at '{where.lstrip('.')}' ({shape.__name__}).")
    return value


def _known(shape: JsonObject, name: str, where: str) -> Any:
    if name not in shape:
        at = f" at '{where.lstrip('.')}'" if where else ""
        raise _invalid(f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.')
    return shape[name]


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name)


def _invalid(message: str) -> ApiError:
    violation = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"description": message}]}
    return ApiError(400, message, [violation])
