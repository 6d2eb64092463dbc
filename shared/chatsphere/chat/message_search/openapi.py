"""What the OpenAPI document says of the search in messages, which the streaming function serves."""

from typing import Any, Final

from pydantic import BaseModel

from chatsphere.access.permissions import Permission
from chatsphere.chat.message_search import schemas
from chatsphere.http.operations import requires
from chatsphere.http.problem import CONTENT_TYPE

PATH: Final = "/v1/conversations/search"
REQUESTS: Final[tuple[type[BaseModel], ...]] = (schemas.ConversationSearchRequest,)
RESPONSES: Final[tuple[type[BaseModel], ...]] = (schemas.ConversationSearchResponse,)

DESCRIPTION: Final = """Finds messages of one bot: by their words, by their meaning, by both, or only by what is known
of them. Of `semantic` and `both` there is one page; messages are found by their meaning once the bot's memory holds
them."""


def operation() -> dict[str, Any]:
    """Return the operation."""
    request, response = (
        {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
        for model in (schemas.ConversationSearchRequest, schemas.ConversationSearchResponse)
    )
    problem = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "operationId": "searchConversations",
        "tags": ["conversations"],
        "summary": "Search in a bot's messages",
        "description": DESCRIPTION,
        "requestBody": {"required": True, "content": request},
        "responses": {
            "200": {"description": "What was found.", "content": response},
            "404": {"description": "There is no such bot, or it belongs to somebody else.", "content": problem},
        },
        **requires(Permission.CONVERSATIONS_READ),
    }
