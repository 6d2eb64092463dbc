"""What the OpenAPI document says of the two operations that the streaming function serves."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chatsphere.chat import schemas
from chatsphere.http.problem import CONTENT_TYPE

Json = dict[str, Any]

STREAM_DESCRIPTION: Final = """With `stream: true`, Server-Sent Events. Each event's `data` is one JSON object:

1. `meta` (MetaEvent): always first, before any model output
2. `sources` (SourcesEvent): the passages that the model is given; empty when the question is refused
3. `delta` (DeltaEvent), repeated: the next piece of the answer
4. `citation` (CitationBody), repeated: a span of the answer written so far, and the quote it rests on
5. `done` (DoneEvent): the answer is complete and kept; or `error` (ErrorEvent): it is not, and nothing follows

A comment line every 15 s keeps an idle connection open. The answer is kept even if the client leaves."""

CHAT_DESCRIPTION: Final = """Answers from the bot's documents, with citations that are checked to stand there, or says
that it does not know (`answerable: false`, with `reason`): without evidence above the bot's threshold no model is
asked.
A `conversation_id` of an earlier answer goes on with that conversation, so that a follow-up is understood."""

REQUESTS: Final[tuple[type[BaseModel], ...]] = (schemas.ChatRequest, schemas.SearchRequest)
RESPONSES: Final[tuple[type[BaseModel], ...]] = (
    schemas.ChatResponse,
    schemas.SearchResponse,
    schemas.MetaEvent,
    schemas.SourcesEvent,
    schemas.DeltaEvent,
    schemas.DoneEvent,
    schemas.ErrorEvent,
)


def paths_and_schemas() -> tuple[Json, Json]:
    """Return the paths of chat and search, and the component schemas that they refer to."""
    chat = _operation("chat", "Ask a bot", CHAT_DESCRIPTION, schemas.ChatRequest, schemas.ChatResponse)
    chat["responses"]["200"]["content"]["text/event-stream"] = {
        "schema": {"type": "string", "description": STREAM_DESCRIPTION}
    }
    chat["responses"]["409"] = {
        "description": "The bot is switched off (`bot_inactive`).",
        "content": {CONTENT_TYPE: {"schema": _reference("Problem")}},
    }
    search = _operation(
        "search",
        "Search a bot's documents",
        "Exactly what chat retrieves.",
        schemas.SearchRequest,
        schemas.SearchResponse,
    )
    paths = {"/v1/bots/{bot_id}/chat": {"post": chat}, "/v1/bots/{bot_id}/search": {"post": search}}
    return paths, _component_schemas()


def _operation(name: str, summary: str, description: str, request: type[BaseModel], response: type[BaseModel]) -> Json:
    return {
        "operationId": name,
        "tags": [name],
        "summary": summary,
        "description": description,
        "parameters": [
            {"name": "bot_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        ],
        "requestBody": {"required": True, "content": _json_content(request)},
        "responses": {"200": {"description": response.__doc__ or "", "content": _json_content(response)}},
    }


def _json_content(model: type[BaseModel]) -> Json:
    return {"application/json": {"schema": _reference(model.__name__)}}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _component_schemas() -> Json:
    _, definitions = models_json_schema(
        [(model, "validation") for model in REQUESTS] + [(model, "serialization") for model in RESPONSES],
        ref_template="#/components/schemas/{model}",
    )
    found: Json = definitions["$defs"]
    return found
