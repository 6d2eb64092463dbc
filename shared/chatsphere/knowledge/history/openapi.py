"""What the OpenAPI document says of the stream, which the streaming function serves."""

from typing import Any, Final

from pydantic import BaseModel

from chatsphere.access.permissions import Permission
from chatsphere.http.operations import requires
from chatsphere.http.problem import CONTENT_TYPE
from chatsphere.knowledge.history import schemas
from chatsphere.knowledge.history.cursor import HEADER
from chatsphere.knowledge.history.stream_slots import SLOTS
from chatsphere.knowledge.history.watching import STREAM_SECONDS

PATH: Final = "/v1/bots/{bot_id}/ingestion/stream"
EVENTS: Final[tuple[type[BaseModel], ...]] = (
    schemas.IngestionStatusResponse,
    schemas.DocumentStateBody,
    schemas.IdleEvent,
    schemas.ReconnectEvent,
)

DESCRIPTION: Final = f"""Server-Sent Events; each event's `data` is one JSON object:

1. `snapshot` (IngestionStatusResponse): first, unless the stream goes on with an earlier one
2. `document` (DocumentStateBody), repeated: a document that changed, as it is now, or whose `progress` has grown;
   `deleted` is a status here
3. `idle` (IdleEvent): nothing is under way, and every change before that has been told; with `until=idle` the stream
   ends here
4. `reconnect` (ReconnectEvent): the stream ends after {STREAM_SECONDS:.0f} s; open another with the last id
5. `error` (ErrorEvent): the stream fails; nothing follows

Each event has an `id`. Another stream that sends the last one as `{HEADER}` goes on after it, with no change left out
or told twice; an id that is older than 50 minutes begins with a new `snapshot`. A document that changes several times
between two looks, about a second apart, is told once. A comment line every 15 s keeps an idle connection open. An
organization may have {SLOTS} streams open at a time."""


def operation() -> dict[str, Any]:
    """Return the operation."""
    problem = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "operationId": "streamIngestion",
        "tags": ["documents"],
        "summary": "Follow a bot's ingestion",
        "description": DESCRIPTION,
        "parameters": [
            {"name": "bot_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
            {
                "name": "until",
                "in": "query",
                "required": False,
                "schema": {"type": "string", "enum": ["idle"]},
                "description": "End the stream when nothing is under way.",
            },
            {
                "name": HEADER,
                "in": "header",
                "required": False,
                "schema": {"type": "string"},
                "description": "The id of the last event of an earlier stream.",
            },
        ],
        "responses": {
            "200": {
                "description": "The events.",
                "content": {"text/event-stream": {"schema": {"description": DESCRIPTION}}},
            },
            "429": {
                "description": "Too many requests, or as many streams open as may be (`too_many_streams`); "
                "`Retry-After` says when to come back.",
                "content": problem,
            },
        },
        **requires(Permission.DOCUMENTS_READ),
    }
