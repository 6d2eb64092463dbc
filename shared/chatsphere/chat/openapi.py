"""What the OpenAPI document says of the operations that the streaming function serves."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chatsphere.access.permissions import Permission
from chatsphere.chat import answer_openapi as answers
from chatsphere.chat import public_schemas, schemas
from chatsphere.chat.message_search import openapi as message_search
from chatsphere.chat.openai import openapi as openai
from chatsphere.http.operations import PERMISSION, PUBLIC, requires
from chatsphere.http.problem import CONTENT_TYPE
from chatsphere.knowledge.history import openapi as ingestion

Json = dict[str, Any]

STREAM_DESCRIPTION: Final = """With `stream: true`, Server-Sent Events. Each event's `data` is one JSON object:

1. `meta` (MetaEvent): always first, before any model output
2. `sources` (SourcesEvent): the passages that the model is given; empty when the question is refused
3. `delta` (DeltaEvent), repeated: the next piece of the answer
4. `citation` (CitationBody), repeated: a span of the answer written so far, and the quote it rests on
5. `done` (DoneEvent): the answer is complete and kept; or `error` (ErrorEvent): it is not, and nothing follows

A comment line every 15 s keeps an idle connection open. The answer is kept even if the client leaves, unless the bot
is set to stop then. Each event has an `id`: `GET /v1/chat/{message_id}/stream` goes on after it."""

CHAT_DESCRIPTION: Final = """Answers from the bot's documents, with citations that are checked to stand there, or says
that it does not know (`answerable: false`, with `reason`): without evidence above the bot's threshold no model is
asked.
A `conversation_id` of an earlier answer goes on with that conversation, so that a follow-up is understood."""

PUBLIC_CHAT_DESCRIPTION: Final = """Anybody may ask a public bot, without a credential, at some pace for each address.
Visitors see the quotes that an answer rests on and no other text of the documents, and not what an answer cost.
Whatever is not public, or answers nobody, is not found."""

REQUESTS: Final[tuple[type[BaseModel], ...]] = (
    schemas.ChatRequest,
    schemas.SearchRequest,
    public_schemas.PublicChatRequest,
    *message_search.REQUESTS,
    *openai.REQUESTS,
)
RESPONSES: Final[tuple[type[BaseModel], ...]] = (
    schemas.ChatResponse,
    schemas.SearchResponse,
    schemas.MetaEvent,
    schemas.SourcesEvent,
    schemas.DeltaEvent,
    schemas.DoneEvent,
    schemas.ErrorEvent,
    public_schemas.PublicChatResponse,
    public_schemas.PublicMetaEvent,
    public_schemas.PublicSourcesEvent,
    public_schemas.PublicDoneEvent,
    *message_search.RESPONSES,
    *answers.RESPONSES,
    *openai.RESPONSES,
)


def paths_and_schemas() -> tuple[Json, Json]:
    """Return the paths of chat, search and ingestion's stream, and the component schemas that they refer to."""
    chat = _operation("chat", "Ask a bot", CHAT_DESCRIPTION, schemas.ChatRequest, schemas.ChatResponse)
    chat["responses"]["200"]["content"]["text/event-stream"] = {"schema": {"description": STREAM_DESCRIPTION}}
    chat["responses"]["402"] = {
        "description": "The plan permits no further message this month (`quota_exceeded`).",
        "content": {CONTENT_TYPE: {"schema": _reference("Problem")}},
    }
    chat["responses"]["403"] = {
        "description": "The credential does not permit this, or what is left of the month's budget, the organization's "
        "or the key's, does not suffice for another answer (`budget_exhausted`).",
        "content": {CONTENT_TYPE: {"schema": _reference("Problem")}},
    }
    chat["responses"]["409"] = {
        "description": "The bot is switched off (`bot_inactive`) or archived (`bot_archived`).",
        "content": {CONTENT_TYPE: {"schema": _reference("Problem")}},
    }
    search = _operation(
        "search",
        "Search a bot's documents",
        "Exactly what chat retrieves.",
        schemas.SearchRequest,
        schemas.SearchResponse,
    )
    # Where there is a history, a model is asked.
    search["responses"] |= {status: chat["responses"][status] for status in ("402", "403")}
    paths = {
        "/v1/bots/{bot_id}/chat": {"post": chat},
        "/v1/bots/{bot_id}/search": {"post": search},
        "/v1/public/bots/{bot_id}/chat": {"post": _public_chat()},
        **answers.paths(),
        **openai.paths(),
        ingestion.PATH: {"get": ingestion.operation()},
        message_search.PATH: {"post": message_search.operation()},
    }
    return paths, _component_schemas()


def _public_chat() -> Json:
    operation = _operation(
        "publicChat",
        "Ask a public bot",
        PUBLIC_CHAT_DESCRIPTION,
        public_schemas.PublicChatRequest,
        public_schemas.PublicChatResponse,
    )
    del operation[PERMISSION]
    described = STREAM_DESCRIPTION
    for name in ("Meta", "Sources", "Done"):
        described = described.replace(f"({name}Event)", f"(Public{name}Event)")
    operation["responses"]["200"]["content"]["text/event-stream"] = {"schema": {"description": described}}
    operation["responses"]["429"] = {
        "description": "This address asks too often; `Retry-After` says when to come back.",
        "content": {CONTENT_TYPE: {"schema": _reference("Problem")}},
    }
    return operation | {"tags": ["public bots"]} | PUBLIC


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
        **requires(Permission.CHAT),
    }


def _json_content(model: type[BaseModel]) -> Json:
    return {"application/json": {"schema": _reference(model.__name__)}}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _component_schemas() -> Json:
    _, definitions = models_json_schema(
        [(model, "validation") for model in REQUESTS]
        + [(model, "serialization") for model in (*RESPONSES, *ingestion.EVENTS)],
        ref_template="#/components/schemas/{model}",
    )
    found: Json = definitions["$defs"]
    return found
