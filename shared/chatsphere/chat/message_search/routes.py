"""The endpoint of the search in messages: translate in, call the use case, translate out."""

from collections.abc import Callable
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.chat.conversation_presenting import message_body
from chatsphere.chat.message_search import schemas
from chatsphere.chat.message_search.searching import MessageHit, MessageQuery, search_messages
from chatsphere.chat.services import Services
from chatsphere.errors import ChatSphereError
from chatsphere.http import asgi_requests
from chatsphere.http.pagination import decode_cursor, page_of


async def search_conversations(request: Request, *, make_services: Callable[[], Services]) -> Response:
    """Return messages of the bot that the body names."""
    services = await run_in_threadpool(make_services)
    try:
        body = await asgi_requests.body(request, schemas.ConversationSearchRequest)
    except ChatSphereError:
        # Who may not come in is told that, and is counted, whatever the body is.
        await run_in_threadpool(_admitted, request, services, {})
        raise
    caller = await run_in_threadpool(_admitted, request, services, {"bot_id": body.bot_id})
    first = await asgi_requests.answered_before(request, caller, database=services.database, clock=services.clock)
    if first is not None:
        return first
    found = await run_in_threadpool(
        search_messages,
        _query(caller, body),
        limit=body.limit,
        before=decode_cursor(body.cursor),
        now=services.clock.now(),
        database=services.database,
        memory=services.memory,
    )
    page = page_of([_hit(hit) for hit in found], body.limit, lambda hit: hit.message.id)
    answer = schemas.ConversationSearchResponse(data=page.data, next_cursor=page.next_cursor, has_more=page.has_more)
    return JSONResponse(answer.model_dump(mode="json"))


def _admitted(request: Request, services: Services, about: dict[str, UUID]) -> Principal:
    return asgi_requests.admitted(
        request, Permission.CONVERSATIONS_READ, database=services.database, clock=services.clock, about=about
    )


def _query(caller: Principal, body: schemas.ConversationSearchRequest) -> MessageQuery:
    return MessageQuery(
        organization_id=caller.organization_id,
        user_id=caller.user_id,
        bot_id=body.bot_id,
        text=body.query,
        mode=body.mode,
        conversation_id=body.conversation_id,
        end_user_id=body.user,
        role=body.role,
        since=body.after,
        until=body.before,
        metadata=body.metadata,
    )


def _hit(hit: MessageHit) -> schemas.FoundMessage:
    row = hit.message
    return schemas.FoundMessage(
        message=message_body(row),
        conversation=schemas.FoundConversation(
            id=row["conversation_id"], title=row["title"], user=row["end_user_id"], channel=row["channel"]
        ),
        snippet=hit.snippet.text,
        snippet_start=hit.snippet.start,
        highlights=[schemas.Highlight(start=start, end=end) for start, end in hit.snippet.highlights],
        scores=schemas.MessageScores.model_validate(hit.scores),
    )
