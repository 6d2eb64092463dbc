"""What the OpenAPI document says of stopping an answer and of telling it once more."""

from typing import Any, Final

from pydantic import BaseModel

from chatsphere.access.permissions import Permission
from chatsphere.chat.answer_schemas import StoppedAnswer
from chatsphere.chat.positions import HEADER
from chatsphere.chat.replaying import FOLLOW_SECONDS
from chatsphere.http.operations import requires
from chatsphere.http.problem import CONTENT_TYPE

Json = dict[str, Any]

RESPONSES: Final[tuple[type[BaseModel], ...]] = (StoppedAnswer,)

STOP_DESCRIPTION: Final = """Ends an answer that is being written, streamed or not, for whoever is waiting for it. Its
writer notices within about a second, also while the model says nothing, and keeps what was said, with its citations and
what it used, under the finish reason `stopped`. To stop an answer again changes nothing."""

STREAM_DESCRIPTION: Final = f"""The events of the answer, as the chat route streams them: `meta`, `sources`, `delta`,
`citation`, and `done` or `error`. An answer that is kept is told at once; one that is being written is followed to its
end, for {FOLLOW_SECONDS:.0f} s at most: a stream that ends without `done` or `error` is gone on with.

Each event, there and here, has an `id`. A stream that sends the last one as `{HEADER}` goes on after it, to the
character and citation, however the text was cut into pieces; after the end there is nothing to tell (204). What an
answer in the writing has said is noted every few seconds, and told from these notes. A source has its text as long as
its document has it. A comment line every 15 s keeps an idle connection open.

An answer whose function was killed ends with `error`, code `answer_interrupted`, after what was noted of it."""

_MESSAGE_ID: Final[Json] = {
    "name": "message_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
    "description": "The answer, as `meta` or the response names it.",
}


def paths() -> Json:
    """Return both operations by their paths."""
    return {"/v1/chat/{message_id}/stop": {"post": _stop()}, "/v1/chat/{message_id}/stream": {"get": _stream()}}


def _stop() -> Json:
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/StoppedAnswer"}}}
    problem = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "operationId": "stopAnswer",
        "tags": ["chat"],
        "summary": "Stop an answer",
        "description": STOP_DESCRIPTION,
        "parameters": [_MESSAGE_ID],
        "responses": {
            "202": {"description": "It will end.", "content": body},
            "200": {"description": "It was stopped before, and is kept.", "content": body},
            "409": {"description": "It ended otherwise (`answer_not_under_way`).", "content": problem},
        },
        **requires(Permission.CHAT),
    }


def _stream() -> Json:
    last = {"name": HEADER, "in": "header", "required": False, "schema": {"type": "string"}}
    return {
        "operationId": "streamAnswer",
        "tags": ["chat"],
        "summary": "Stream an answer again, or go on with it",
        "description": STREAM_DESCRIPTION,
        "parameters": [_MESSAGE_ID, last | {"description": "The id of the last event that was heard."}],
        "responses": {
            "200": {
                "description": "The events.",
                "content": {"text/event-stream": {"schema": {"description": STREAM_DESCRIPTION}}},
            },
            "204": {"description": "The end was heard already."},
        },
        **requires(Permission.CHAT),
    }
