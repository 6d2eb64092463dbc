"""HTTP routes of conversations: translate in, call one use case, translate out."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.chat import conversations
from chatsphere.chat.schemas import ConversationResponse, MessageResponse
from chatsphere.http.operations import NO_CONTENT, no_content, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal

router = Router()

TAGS = ["conversations"]

EndUser = Annotated[str | None, Query(min_length=1, max_length=255, description="Only this end user's.")]


@router.get(
    "/v1/bots/<bot_id>/conversations",
    summary="List a bot's conversations",
    tags=TAGS,
    operation_id="listConversations",
    openapi_extensions=requires(Permission.CONVERSATIONS_READ),
)
def list_conversations(
    bot_id: UUID, limit: Limit = 20, cursor: Cursor = None, user: EndUser = None
) -> Page[ConversationResponse]:
    """Return a page of the bot's conversations, newest first."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = conversations.conversations_page(
            connection, bot_id, end_user_id=user, before=decode_cursor(cursor), limit=limit
        )
    return page_of([_conversation(row) for row in rows], limit, lambda conversation: conversation.id)


@router.get(
    "/v1/conversations/<conversation_id>",
    summary="Get a conversation",
    tags=TAGS,
    operation_id="getConversation",
    openapi_extensions=requires(Permission.CONVERSATIONS_READ),
)
def get_conversation(conversation_id: UUID) -> ConversationResponse:
    """Return one conversation."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return _conversation(conversations.get_conversation(connection, conversation_id))


@router.delete(
    "/v1/conversations/<conversation_id>",
    status_code=204,
    summary="Delete a conversation with its messages",
    tags=TAGS,
    operation_id="deleteConversation",
    openapi_extensions=requires(Permission.CONVERSATIONS_WRITE),
    responses=NO_CONTENT,
)
def delete_conversation(conversation_id: UUID) -> Response[Any]:
    """Delete the conversation and every message of it."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        conversations.delete_conversation(connection, conversation_id)
    return no_content()


@router.get(
    "/v1/conversations/<conversation_id>/messages",
    summary="List a conversation's messages",
    tags=TAGS,
    operation_id="listMessages",
    openapi_extensions=requires(Permission.CONVERSATIONS_READ),
)
def list_messages(conversation_id: UUID, limit: Limit = 20, cursor: Cursor = None) -> Page[MessageResponse]:
    """Return a page of the conversation's messages, oldest first."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = conversations.messages_page(
            connection,
            conversation_id,
            after=decode_cursor(cursor),
            limit=limit,
            now=c.clock.now(),
        )
    return page_of([_message(row) for row in rows], limit, lambda message: message.id)


def _conversation(row: dict[str, Any]) -> ConversationResponse:
    return ConversationResponse.model_validate({**row, "user": row["end_user_id"]})


def _message(row: dict[str, Any]) -> MessageResponse:
    usage = None if row["prompt_tokens"] is None else row
    return MessageResponse.model_validate({**row, "usage": usage})
