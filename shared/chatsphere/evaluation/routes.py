"""HTTP routes of evaluation sets: translate in, call one use case, translate out."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.evaluation import sets
from chatsphere.evaluation.schemas import (
    CreateEvaluationSetRequest,
    EvaluationSetResponse,
    UpdateEvaluationSetRequest,
)
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import NO_CONTENT, described, no_content, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal

router = Router()

TAGS = ["evaluation"]


@router.post(
    "/v1/bots/<bot_id>/evaluation-sets",
    status_code=201,
    summary="Make an evaluation set",
    tags=TAGS,
    operation_id="createEvaluationSet",
    openapi_extensions=requires(Permission.BOT_EDIT),
    responses={
        201: described("The set."),
        409: problem_response("`evaluation_set_name_taken` or `too_many_evaluation_sets`."),
    },
)
def create_set(bot_id: UUID, body: CreateEvaluationSetRequest) -> EvaluationSetResponse:
    """Make an empty set of questions to the bot."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        new = sets.create_set(connection, bot_id, body.name, body.description, set_id=c.ids.new(), now=c.clock.now())
        made = EvaluationSetResponse.model_validate(new)
        keep_answer(connection, 201, made)
    return made


@router.get(
    "/v1/bots/<bot_id>/evaluation-sets",
    summary="List a bot's evaluation sets",
    tags=TAGS,
    operation_id="listEvaluationSets",
    openapi_extensions=requires(Permission.BOT_VIEW),
)
def list_sets(bot_id: UUID, limit: Limit = 20, cursor: Cursor = None) -> Page[EvaluationSetResponse]:
    """Return a page of the bot's sets, newest first."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = sets.sets_page(connection, bot_id, after=decode_cursor(cursor), limit=limit)
    return page_of([EvaluationSetResponse.model_validate(row) for row in rows], limit, lambda found: found.id)


@router.get(
    "/v1/bots/<bot_id>/evaluation-sets/<set_id>",
    summary="Get an evaluation set",
    tags=TAGS,
    operation_id="getEvaluationSet",
    openapi_extensions=requires(Permission.BOT_VIEW),
)
def get_set(bot_id: UUID, set_id: UUID) -> EvaluationSetResponse:
    """Return one set, without its cases."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return EvaluationSetResponse.model_validate(sets.get_set(connection, bot_id, set_id))


@router.patch(
    "/v1/bots/<bot_id>/evaluation-sets/<set_id>",
    summary="Change an evaluation set",
    tags=TAGS,
    operation_id="updateEvaluationSet",
    openapi_extensions=requires(Permission.BOT_EDIT),
    responses={200: described("The set."), 409: problem_response("`evaluation_set_name_taken`.")},
)
def update_set(bot_id: UUID, set_id: UUID, body: UpdateEvaluationSetRequest) -> EvaluationSetResponse:
    """Change what is given and leave the rest."""
    caller, c = principal(router), container()
    given = body.model_dump(exclude_unset=True)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        changed = sets.change_set(
            connection,
            bot_id,
            set_id,
            name=given.get("name"),
            description=given.get("description"),
            now=c.clock.now(),
        )
    return EvaluationSetResponse.model_validate(changed)


@router.delete(
    "/v1/bots/<bot_id>/evaluation-sets/<set_id>",
    status_code=204,
    summary="Delete an evaluation set with its cases",
    tags=TAGS,
    operation_id="deleteEvaluationSet",
    openapi_extensions=requires(Permission.BOT_EDIT),
    responses=NO_CONTENT,
)
def delete_set(bot_id: UUID, set_id: UUID) -> Response[Any]:
    """Delete the set."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        sets.delete_set(connection, bot_id, set_id)
    return no_content()
