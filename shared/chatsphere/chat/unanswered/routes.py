"""HTTP routes of questions without an answer: translate in, call one use case, translate out."""

from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.chat.unanswered import questions
from chatsphere.chat.unanswered.schemas import (
    StatusFilter,
    UnansweredQuestionResponse,
    UpdateUnansweredQuestionRequest,
)
from chatsphere.http.operations import requires
from chatsphere.http.pagination import Cursor, Limit, Page
from chatsphere.http.rest_api import principal
from chatsphere.http.timed_pagination import Place, decode_place, timed_page

router = Router()

TAGS = ["unanswered questions"]


@router.get(
    "/v1/bots/<bot_id>/unanswered-questions",
    summary="List the questions that a bot had no answer to",
    tags=TAGS,
    operation_id="listUnansweredQuestions",
    openapi_extensions=requires(Permission.CONVERSATIONS_READ),
)
def list_unanswered_questions(
    bot_id: UUID, limit: Limit = 20, cursor: Cursor = None, status: StatusFilter = None
) -> Page[UnansweredQuestionResponse]:
    """Return a page of questions, each once, the last asked first."""
    caller, place = principal(router), decode_place(cursor)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = questions.questions_page(
            connection, bot_id, status=status, last=(place.time, place.id) if place else None, limit=limit
        )
    page = timed_page(rows, limit, lambda row: Place(row["noted_at"], str(row["id"])))
    return Page(
        data=[UnansweredQuestionResponse.model_validate(row) for row in page.data],
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


@router.patch(
    "/v1/bots/<bot_id>/unanswered-questions/<question_id>",
    summary="Say what came of an unanswered question",
    tags=TAGS,
    operation_id="updateUnansweredQuestion",
    openapi_extensions=requires(Permission.CONVERSATIONS_WRITE),
)
def update_unanswered_question(
    bot_id: UUID, question_id: UUID, body: UpdateUnansweredQuestionRequest
) -> UnansweredQuestionResponse:
    """Change status and note."""
    caller, c = principal(router), container()
    change = body.model_dump(exclude_unset=True)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        row = questions.review_question(
            connection,
            bot_id,
            question_id,
            status=change.get("status"),
            note=change.get("note"),
            now=c.clock.now(),
        )
    return UnansweredQuestionResponse.model_validate(row)
