"""HTTP routes of training runs: translate in, call one use case, translate out."""

from contextlib import suppress
from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.chat.memory.messages import MemoryMessage
from chatsphere.chat.memory.rebuilding import estimate_memory, memory_left, rebuild_memory
from chatsphere.db.database import Connection
from chatsphere.errors import UnavailableError
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.knowledge.calibration import calibrations
from chatsphere.knowledge.training import runs
from chatsphere.knowledge.training.ending import RunEnding
from chatsphere.knowledge.training.messages import TrainingMessage
from chatsphere.knowledge.training.schemas import (
    EmbeddingModelsResponse,
    EstimateResponse,
    StartTrainingRunRequest,
    TrainingRunResponse,
    TrainingRunStarted,
    model_response,
    run_response,
)

router = Router()

TAGS = ["training"]
JSON = "application/json"


@router.get(
    "/v1/embedding-models",
    summary="List the embedding models",
    tags=TAGS,
    operation_id="listEmbeddingModels",
    openapi_extensions=requires(Permission.BOTS_LIST),
)
def list_embedding_models() -> EmbeddingModelsResponse:
    """Return the models that a bot can be embedded with, what they cost, and what their confidences rest on."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        fitted = calibrations.stored(connection)
    models = [model_response(model, fitted.get(model.name)) for model in c.available_embedders()]
    return EmbeddingModelsResponse(data=models)


@router.post(
    "/v1/bots/<bot_id>/training-runs",
    status_code=202,
    summary="Embed a bot anew",
    tags=TAGS,
    operation_id="startTrainingRun",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
    responses={
        200: described("What it would take; nothing was begun."),
        202: described("The run; poll it until its status is no longer `running`."),
        403: problem_response(
            "The credential does not permit this, or what is left of the month's budget does not hold the estimate "
            "(`budget_exhausted`)."
        ),
        409: problem_response("A run is under way (`training_in_progress`), or the bot is archived (`bot_archived`)."),
        422: problem_response("There is no such model (`unknown_embedding_model`), or the body is not valid."),
    },
)
def start_training_run(bot_id: UUID, body: StartTrainingRunRequest) -> Response[TrainingRunStarted]:
    """Embed every passage with the model beside the present vectors; readers are switched over when it is whole."""
    caller, c = principal(router), container()
    model = runs.chosen_model(c.available_embedders(), body.embedding_model)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        memory = _memory(connection, bot_id) if body.include_memory else None
        if body.dry_run:
            expected = EstimateResponse.model_validate(runs.estimate(connection, bot_id, model, memory=memory))
            return Response(200, JSON, TrainingRunStarted(estimate=expected))
        row = runs.start_run(
            connection, caller.organization_id, bot_id, model, run_id=c.ids.new(), now=c.clock.now(), memory=memory
        )
        if body.include_memory and row["former_model"] in (None, model.name):
            rebuild_memory(connection, bot_id, model, ids=c.ids, now=c.clock.now())
        run = _shown(connection, row)
        started = TrainingRunStarted(estimate=EstimateResponse.model_validate(row["estimate"]), training_run=run)
        keep_answer(connection, 202, started)
    _go_on(TrainingMessage(organization_id=caller.organization_id, bot_id=bot_id, training_run_id=run.id))
    if body.include_memory:
        _go_on(MemoryMessage(organization_id=caller.organization_id, bot_id=bot_id))
    return Response(202, JSON, started)


@router.get(
    "/v1/bots/<bot_id>/training-runs",
    summary="List a bot's training runs",
    tags=TAGS,
    operation_id="listTrainingRuns",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def list_training_runs(
    bot_id: UUID,
    limit: Limit = 20,
    cursor: Cursor = None,
    kind: Annotated[Literal["ingest", "reembed"] | None, Query(description="Only runs of this kind.")] = None,
) -> Page[TrainingRunResponse]:
    """Return a page of the bot's training history, newest first."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = runs.runs_page(connection, bot_id, kind=kind, after=decode_cursor(cursor), limit=limit)
    return page_of([run_response(row) for row in rows], limit, lambda run: run.id)


@router.get(
    "/v1/bots/<bot_id>/training-runs/<run_id>",
    summary="Get a training run",
    tags=TAGS,
    operation_id="getTrainingRun",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def get_training_run(bot_id: UUID, run_id: UUID) -> TrainingRunResponse:
    """Return one run, with how far it is or what became of it."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return _shown(connection, runs.get_run(connection, bot_id, run_id))


@router.post(
    "/v1/bots/<bot_id>/training-runs/<run_id>/cancel",
    summary="Cancel a training run",
    tags=TAGS,
    operation_id="cancelTrainingRun",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
    responses={
        200: described("The run, which has ended; what it had made is deleted in the background."),
        409: problem_response("The run has ended before (`training_ended`), or takes in documents."),
    },
)
def cancel_training_run(bot_id: UUID, run_id: UUID) -> TrainingRunResponse:
    """End a run that embeds the bot anew; readers go on with what they search."""
    caller, c = principal(router), container()
    message = TrainingMessage(organization_id=caller.organization_id, bot_id=bot_id, training_run_id=run_id)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        run = run_response(runs.cancel_run(connection, message, RunEnding(c.clock, c.ids)))
        keep_answer(connection, 200, run)
    _go_on(message)
    return run


def _memory(connection: Connection, bot_id: UUID) -> tuple[int, int]:
    expected = estimate_memory(connection, bot_id)
    return expected.messages, expected.tokens


def _shown(connection: Connection, row: dict[str, Any]) -> TrainingRunResponse:
    asked_for = (row["estimate"] or {}).get("memory_messages") is not None
    return run_response(row, memory_left(connection, row["bot_id"]) if asked_for else None)


def _go_on(message: TrainingMessage | MemoryMessage) -> None:
    # After the commit. Were the message lost, the run's, or the memory's, lease would have the reaper send another.
    with suppress(UnavailableError):
        container().embed_queue.send([message.to_json()], group=message.group)
