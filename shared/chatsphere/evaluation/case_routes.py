"""HTTP routes of an evaluation set's cases. Some are copied from conversations: who reads them may read those."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.evaluation import cases, feedback
from chatsphere.evaluation.routes import TAGS
from chatsphere.evaluation.schemas import AddCasesRequest, CaseRequest, CaseResponse, CasesAdded, FeedbackImported
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import NO_CONTENT, described, no_content, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal

router = Router()

FULL = problem_response("The set would hold too many cases (`evaluation_set_full`); none was added.")


@router.post(
    "/v1/bots/<bot_id>/evaluation-sets/<set_id>/cases",
    status_code=201,
    summary="Add cases to an evaluation set",
    tags=TAGS,
    operation_id="addEvaluationCases",
    openapi_extensions=requires(Permission.BOT_EDIT),
    responses={201: described("The cases."), 409: FULL},
)
def add_cases(bot_id: UUID, set_id: UUID, body: AddCasesRequest) -> CasesAdded:
    """Add up to 100 cases: all of them or none."""
    caller, c = principal(router), container()
    drafts = [case.draft() for case in body.cases]
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = cases.add_cases(connection, bot_id, set_id, drafts, ids=c.ids, now=c.clock.now())
        added = CasesAdded(data=[CaseResponse.model_validate(row) for row in rows])
        keep_answer(connection, 201, added)
    return added


@router.get(
    "/v1/bots/<bot_id>/evaluation-sets/<set_id>/cases",
    summary="List the cases of an evaluation set",
    tags=TAGS,
    operation_id="listEvaluationCases",
    openapi_extensions=requires(Permission.CONVERSATIONS_READ),
)
def list_cases(
    bot_id: UUID,
    set_id: UUID,
    limit: Limit = 20,
    cursor: Cursor = None,
    needs_review: Annotated[bool | None, Query(description="Only those that somebody has to look at, or not.")] = None,
) -> Page[CaseResponse]:
    """Return a page of the set's cases, newest first."""
    caller = principal(router)
    after = decode_cursor(cursor)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = cases.cases_page(connection, bot_id, set_id, needs_review=needs_review, after=after, limit=limit)
    return page_of([CaseResponse.model_validate(row) for row in rows], limit, lambda case: case.id)


@router.put(
    "/v1/bots/<bot_id>/evaluation-sets/<set_id>/cases/<case_id>",
    summary="Say anew what a case asks and expects",
    tags=TAGS,
    operation_id="putEvaluationCase",
    openapi_extensions=requires(Permission.BOT_EDIT),
    responses={200: described("The case, which nobody has to look at any more.")},
)
def put_case(bot_id: UUID, set_id: UUID, case_id: UUID, body: CaseRequest) -> CaseResponse:
    """Replace the case's question and expectations: the answer to `needs_review`."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        row = cases.replace_case(connection, bot_id, set_id, case_id, body.draft())
    return CaseResponse.model_validate(row)


@router.delete(
    "/v1/bots/<bot_id>/evaluation-sets/<set_id>/cases/<case_id>",
    status_code=204,
    summary="Take a case out of an evaluation set",
    tags=TAGS,
    operation_id="deleteEvaluationCase",
    openapi_extensions=requires(Permission.BOT_EDIT),
    responses=NO_CONTENT,
)
def delete_case(bot_id: UUID, set_id: UUID, case_id: UUID) -> Response[Any]:
    """Delete the case."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        cases.delete_case(connection, bot_id, set_id, case_id)
    return no_content()


@router.post(
    "/v1/bots/<bot_id>/evaluation-sets/<set_id>/import-feedback",
    summary="Turn rated answers into cases",
    tags=TAGS,
    operation_id="importFeedback",
    openapi_extensions=requires(Permission.CONVERSATIONS_WRITE),
    responses={200: described("What was added."), 409: FULL},
)
def import_feedback(bot_id: UUID, set_id: UUID) -> FeedbackImported:
    """Add a case for each rated answer that the set has none of; of a bad rating, one that somebody has to look at."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        found = feedback.import_feedback(connection, bot_id, set_id, ids=c.ids, now=c.clock.now())
        imported = FeedbackImported.model_validate(found)
        keep_answer(connection, 200, imported)
    return imported
