"""HTTP routes of conversations and messages: translate in, call one use case, translate out."""

from contextlib import suppress
from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.chat import conversations
from chatsphere.chat.conversation_presenting import conversation_body, message_body
from chatsphere.chat.conversations import ConversationChange, ConversationFilter
from chatsphere.chat.interrupted import settle_conversation
from chatsphere.chat.query_schemas import Channel, CreatedAfter, CreatedBefore, EndUser, Metadata, metadata_of
from chatsphere.chat.schemas import ConversationResponse, MessageResponse, UpdateConversationRequest
from chatsphere.db.database import SLOW_READ_MS
from chatsphere.errors import UnavailableError
from chatsphere.http.operations import NO_CONTENT, no_content, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.http.timed_pagination import Place, decode_place, timed_page

router = Router()

TAGS = ["conversations"]

Order = Annotated[Literal["newest", "recent"], Query(description="By when they began, or by when they were last used.")]
Archived = Annotated[bool, Query(description="Those that were put away, instead of the others.")]


@router.get(
    "/v1/bots/<bot_id>/conversations",
    summary="List a bot's conversations",
    tags=TAGS,
    operation_id="listConversations",
    openapi_extensions=requires(Permission.CONVERSATIONS_READ),
)
def list_conversations(
    bot_id: UUID,
    limit: Limit = 20,
    cursor: Cursor = None,
    user: EndUser = None,
    channel: Channel = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
    metadata: Metadata = None,
    archived: Archived = False,
    order: Order = "newest",
) -> Page[ConversationResponse]:
    """Return a page of the bot's conversations, newest or most recently used first."""
    caller, place = principal(router), decode_place(cursor)
    wanted = ConversationFilter(
        user, channel, created_after, created_before, metadata_of(metadata), archived, by_use=order == "recent"
    )
    with container().database.transaction(
        caller.organization_id, caller.user_id, statement_ms=SLOW_READ_MS
    ) as connection:
        rows = conversations.conversations_page(
            connection,
            bot_id,
            wanted,
            last_id=place.id if place else None,
            last_used=place.time if place else None,
            limit=limit,
        )
    return timed_page([conversation_body(row) for row in rows], limit, lambda one: Place(one.updated_at, str(one.id)))


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
        return conversation_body(conversations.get_conversation(connection, conversation_id))


@router.patch(
    "/v1/conversations/<conversation_id>",
    summary="Change a conversation",
    tags=TAGS,
    operation_id="updateConversation",
    openapi_extensions=requires(Permission.CONVERSATIONS_WRITE),
)
def update_conversation(conversation_id: UUID, body: UpdateConversationRequest) -> ConversationResponse:
    """Change what is given and leave the rest."""
    caller, c = principal(router), container()
    change = ConversationChange(**body.model_dump(exclude_unset=True))
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        row = conversations.change_conversation(connection, conversation_id, change, now=c.clock.now())
    return conversation_body(row)


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
    """Delete the conversation and every message of it. What memory holds of them is deleted in the background."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        message = conversations.delete_conversation(
            connection, caller.organization_id, conversation_id, c.ids.new(), c.clock.now()
        )
    # Were this message lost, the reaper would send another.
    with suppress(UnavailableError):
        c.purge_queue.send([message.to_json()], group=message.group)
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
    now = c.clock.now()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        settle_conversation(connection, conversation_id, now=now, ids=c.ids)
        rows = conversations.messages_page(
            connection, conversation_id, after=decode_cursor(cursor), limit=limit, now=now
        )
    return page_of([message_body(row) for row in rows], limit, lambda message: message.id)


@router.get(
    "/v1/messages/<message_id>",
    summary="Get a message",
    tags=TAGS,
    operation_id="getMessage",
    openapi_extensions=requires(Permission.CONVERSATIONS_READ),
)
def get_message(message_id: UUID) -> MessageResponse:
    """Return one message, with what was said of it."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return message_body(conversations.get_message(connection, message_id))
