"""HTTP routes of feedback: translate in, call one use case, translate out."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.chat.feedback import feedback
from chatsphere.chat.feedback.schemas import (
    FeedbackRequest,
    FeedbackResponse,
    MaxRating,
    MinRating,
    RatedAnswerResponse,
)
from chatsphere.chat.query_schemas import CreatedAfter, CreatedBefore, EndUser, storable
from chatsphere.http.operations import NO_CONTENT, described, no_content, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal

router = Router()

TAGS = ["feedback"]

Rater = Annotated[
    str | None,
    AfterValidator(storable),
    Query(min_length=1, max_length=255, description="Whose feedback; left out: the one's whose conversation it is."),
]


@router.put(
    "/v1/messages/<message_id>/feedback",
    summary="Rate an answer",
    tags=TAGS,
    operation_id="putFeedback",
    openapi_extensions=requires(Permission.CHAT),
    responses={
        200: described("The feedback, as it is kept now."),
        409: problem_response("The message is no answer (`not_rateable`), or its end user is being erased."),
    },
)
def put_feedback(message_id: UUID, body: FeedbackRequest) -> FeedbackResponse:
    """Keep what an end user says of an answer, in place of what the same one said before."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        row = feedback.give_feedback(
            connection,
            message_id,
            ids=c.ids,
            rating=body.rating,
            comment=body.text,
            end_user_id=body.user,
            now=c.clock.now(),
        )
    return FeedbackResponse.model_validate(shown(row))


@router.delete(
    "/v1/messages/<message_id>/feedback",
    status_code=204,
    summary="Take back a rating",
    tags=TAGS,
    operation_id="deleteFeedback",
    openapi_extensions=requires(Permission.CHAT),
    responses=NO_CONTENT | {409: problem_response("A legal hold keeps it (`legal_hold`).")},
)
def delete_feedback(message_id: UUID, user: Rater = None) -> Response[Any]:
    """Delete what an end user said of an answer."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        feedback.take_back_feedback(connection, message_id, end_user_id=user, ids=c.ids)
    return no_content()


@router.get(
    "/v1/bots/<bot_id>/feedback",
    summary="List what was said of a bot's answers",
    tags=TAGS,
    operation_id="listFeedback",
    openapi_extensions=requires(Permission.CONVERSATIONS_READ),
)
def list_feedback(
    bot_id: UUID,
    limit: Limit = 20,
    cursor: Cursor = None,
    min_rating: MinRating = feedback.WORST,
    max_rating: MaxRating = feedback.BEST,
    user: EndUser = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
) -> Page[RatedAnswerResponse]:
    """Return a page of feedback with question and answer, newest first."""
    caller, before = principal(router), decode_cursor(cursor)
    wanted = feedback.FeedbackFilter(min_rating, max_rating, user, created_after, created_before)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = feedback.feedback_page(connection, bot_id, wanted, before=before, limit=limit)
    return page_of([RatedAnswerResponse.model_validate(shown(row)) for row in rows], limit, lambda rated: rated.id)


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of feedback under the names that clients see."""
    return row | {"user": row["end_user_id"], "text": row["comment"]}
