"""What the OpenAPI document says of the routes for clients of OpenAI's API."""

from typing import Any, Final

from pydantic import BaseModel

from chatsphere.access.permissions import Permission
from chatsphere.chat.openai import response_schemas, schemas
from chatsphere.http.operations import requires
from chatsphere.http.problem import CONTENT_TYPE

Json = dict[str, Any]

REQUESTS: Final[tuple[type[BaseModel], ...]] = (schemas.ChatCompletionRequest, schemas.CreateResponseRequest)
RESPONSES: Final[tuple[type[BaseModel], ...]] = (
    response_schemas.ChatCompletion,
    response_schemas.ChatCompletionChunk,
    response_schemas.ResponseBody,
    response_schemas.Model,
    response_schemas.ModelList,
)

ERRORS: Final = """Errors are problem documents that hold a member `error` (`message`, `type`, `param`, `code`), as
OpenAI's clients read it. What other routes answer with 422 is 400 here, and a month's messages or budget that are used
up are 429 with `error.code` `insufficient_quota`."""

COMPLETIONS: Final = f"""Asks a bot as if it were a model of OpenAI's: any client of that API works with this base
URL and an API key. `model` is the bot's slug or id. The messages before the last one are the history; system and
developer messages stand below the bot's own system prompt. A history that ended a conversation of the same caller and
`user` goes on with that conversation; `metadata.conversation_id` names one. Citations are `annotations` of the message.
Parameters that ask for what bots do not do (tools, formats, sound) are refused by name.

{ERRORS}"""

CHUNKS: Final = """With `stream: true`, Server-Sent Events without a name, each a ChatCompletionChunk: the text, then
citations as `annotations` of a delta as soon as they are certain, the `finish_reason`, with
`stream_options.include_usage` a chunk with no choices and the usage, and at last `[DONE]`. One that fails ends with an
event `error` that holds `error`. A comment line every 15 s keeps an idle connection open."""

CREATE: Final = f"""As chat completions, in the shape of OpenAI's responses. `previous_response_id` goes on with the
conversation of an earlier response; `instructions` stand below the bot's own system prompt.

{ERRORS}"""

EVENTS: Final = """With `stream: true`, Server-Sent Events, each named by its `type`: `response.created`,
`response.in_progress`, `response.output_item.added`, `response.content_part.added`, `response.output_text.delta` and
`response.output_text.annotation.added` repeated, `response.output_text.done`, `response.content_part.done`,
`response.output_item.done`, and at last `response.completed`, `response.incomplete` or `response.failed`."""

PROBLEMS: Final = {
    "404": "There is no such bot (`model_not_found`), conversation or response, or it belongs to somebody else.",
    "409": "The bot is switched off (`bot_inactive`) or archived (`bot_archived`).",
}


def paths() -> Json:
    """Return the paths of the routes."""
    chat = _asked("createChatCompletion", "Ask as a chat completion", COMPLETIONS, "ChatCompletion", CHUNKS)
    create = _asked("createResponse", "Ask as a response", CREATE, "ResponseBody", EVENTS)
    return {
        "/v1/chat/completions": {"post": chat | _body("ChatCompletionRequest")},
        "/v1/responses": {"post": create | _body("CreateResponseRequest")},
        "/v1/responses/{response_id}": {
            "get": _operation("getResponse", "Get a response", ERRORS, "ResponseBody", "response_id")
        },
        "/v1/models": {"get": _operation("listModels", "List the bots that may be asked", ERRORS, "ModelList")},
        "/v1/models/{model_id}": {
            "get": _operation("getModel", "Get a bot that may be asked", ERRORS, "Model", "model_id")
        },
    }


def _asked(name: str, summary: str, description: str, answer: str, stream: str) -> Json:
    operation = _operation(name, summary, description, answer)
    operation["responses"]["200"]["content"]["text/event-stream"] = {"schema": {"description": stream}}
    problem = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, said in PROBLEMS.items():
        operation["responses"][status] = {"description": said, "content": problem}
    return operation


def _operation(name: str, summary: str, description: str, answer: str, parameter: str | None = None) -> Json:
    named = {"name": parameter, "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "operationId": name,
        "tags": ["openai"],
        "summary": summary,
        "description": description,
        "parameters": [] if parameter is None else [named],
        "responses": {"200": {"description": "As it says.", "content": _json_content(answer)}},
        **requires(Permission.CHAT),
    }


def _body(name: str) -> Json:
    return {"requestBody": {"required": True, "content": _json_content(name)}}


def _json_content(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
