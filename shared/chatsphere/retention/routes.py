"""HTTP routes of retention policies and runs: translate in, call one use case, translate out."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.audit.recording import note
from chatsphere.bootstrap import container
from chatsphere.bots.bots import get_bot
from chatsphere.errors import ForbiddenError
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import NO_CONTENT, described, no_content, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.retention import policies, runs
from chatsphere.retention.messages import RetentionMessage
from chatsphere.retention.schemas import (
    ItemAction,
    Kind,
    OverrideRequest,
    PolicyRequest,
    PolicyResponse,
    RunAccepted,
    RunItemResponse,
    RunRequest,
    RunResponse,
)

router = Router()

TAGS = ["retention"]

MOST_POSITIONS = 2**63 - 1


def caller_of_all(of: Router) -> Principal:
    """Return the caller.

    Raises:
        ForbiddenError: the key is for some bots only, and this is about all of them.
    """
    caller = principal(of)
    if caller.bot_ids is not None:
        raise ForbiddenError("This is about all bots: the key is for some only.")
    return caller


@router.get(
    "/v1/retention/policy",
    summary="Get the organization's retention policy",
    tags=TAGS,
    operation_id="getRetentionPolicy",
    openapi_extensions=requires(Permission.RETENTION_READ),
)
def get_policy() -> PolicyResponse:
    """Return for how long what is kept; where nobody has decided anything, the default."""
    caller = caller_of_all(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return PolicyResponse.of(policies.read_policies(connection), None)


@router.put(
    "/v1/retention/policy",
    summary="Set the organization's retention policy",
    tags=TAGS,
    operation_id="setRetentionPolicy",
    openapi_extensions=requires(Permission.RETENTION_WRITE),
)
def set_policy(body: PolicyRequest) -> PolicyResponse:
    """Put a policy in the place of the one that there is: what is left out goes by the default."""
    caller, c = caller_of_all(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        changed = policies.put_policy(connection, None, body.rules(), ids=c.ids, now=c.clock.now())
        return PolicyResponse.of(changed, None)


@router.get(
    "/v1/bots/<bot_id>/retention-policy",
    summary="Get a bot's retention policy",
    tags=TAGS,
    operation_id="getBotRetentionPolicy",
    openapi_extensions=requires(Permission.BOT_RETENTION_READ),
)
def get_bot_policy(bot_id: UUID) -> PolicyResponse:
    """Return the policy as it applies to the bot, and in which fields it differs from the organization's."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        get_bot(connection, bot_id)
        return PolicyResponse.of(policies.read_policies(connection), bot_id)


@router.put(
    "/v1/bots/<bot_id>/retention-policy",
    summary="Set where a bot's retention policy differs",
    tags=TAGS,
    operation_id="setBotRetentionPolicy",
    openapi_extensions=requires(Permission.BOT_RETENTION_WRITE),
)
def set_bot_policy(bot_id: UUID, body: OverrideRequest) -> PolicyResponse:
    """Put a bot's own rules in the place of those that there are: what is left out goes by the organization's."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        changed = policies.put_policy(connection, bot_id, body.rules(), ids=c.ids, now=c.clock.now())
        return PolicyResponse.of(changed, bot_id)


@router.delete(
    "/v1/bots/<bot_id>/retention-policy",
    status_code=204,
    summary="Let a bot go by the organization's retention policy",
    tags=TAGS,
    operation_id="deleteBotRetentionPolicy",
    openapi_extensions=requires(Permission.BOT_RETENTION_WRITE),
    responses=NO_CONTENT,
)
def remove_bot_policy(bot_id: UUID) -> Response[Any]:
    """Forget the bot's own rules."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        policies.remove_override(connection, bot_id)
    return no_content()


@router.post(
    "/v1/retention/runs",
    status_code=202,
    summary="Run retention now, or list what it would do",
    tags=TAGS,
    operation_id="startRetentionRun",
    openapi_extensions=requires(Permission.RETENTION_WRITE),
    responses={
        202: described("The run, which is under way."),
        409: problem_response("A run of the same kind, dry or not, is under way (`retention_running`)."),
    },
)
def start_run(body: RunRequest) -> RunAccepted:
    """Begin a run. It also happens by itself, every day."""
    caller, c = caller_of_all(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        row = runs.begin_run(
            connection,
            c.ids.new(),
            now=c.clock.now(),
            dry_run=body.dry_run,
            bot_id=body.bot_id,
            requested_by=caller.user_id,
            api_key_id=caller.api_key_id,
        )
        about = {"dry_run": body.dry_run, "bot_id": str(body.bot_id) if body.bot_id else None}
        note(connection, "retention_run.created", "retention_run", row["id"], after=about)
        accepted = RunAccepted(run=RunResponse.of(row))
        keep_answer(connection, 202, accepted)
    message = RetentionMessage(organization_id=caller.organization_id, retention_run_id=row["id"])
    # Were it lost, the run's lease would have the reaper send another.
    c.jobs_queue.send([message.to_json()], group=message.group)
    return accepted


@router.get(
    "/v1/retention/runs",
    summary="List the retention runs",
    tags=TAGS,
    operation_id="listRetentionRuns",
    openapi_extensions=requires(Permission.RETENTION_READ),
)
def list_runs(
    limit: Limit = 20,
    cursor: Cursor = None,
    dry_run: Annotated[bool | None, Query(description="Only such, or only others.")] = None,
) -> Page[RunResponse]:
    """Return a page of the runs, newest first; the last 400 are kept."""
    caller, after = caller_of_all(router), decode_cursor(cursor)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = runs.runs_page(connection, dry_run=dry_run, after=after, limit=limit)
    return page_of([RunResponse.of(row) for row in rows], limit, lambda run: run.id)


@router.get(
    "/v1/retention/runs/<retention_run_id>",
    summary="Get a retention run with its report",
    tags=TAGS,
    operation_id="getRetentionRun",
    openapi_extensions=requires(Permission.RETENTION_READ),
)
def get_run(retention_run_id: UUID) -> RunResponse:
    """Return one run: how far it is, or what came of it."""
    caller = caller_of_all(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return RunResponse.of(runs.get_run(connection, retention_run_id))


@router.get(
    "/v1/retention/runs/<retention_run_id>/items",
    summary="List what a retention run does",
    tags=TAGS,
    operation_id="listRetentionRunItems",
    openapi_extensions=requires(Permission.RETENTION_READ),
)
def list_items(
    retention_run_id: UUID,
    limit: Limit = 20,
    cursor: Cursor = None,
    kind: Annotated[Kind | None, Query(description="Only of this kind.")] = None,
    action: Annotated[ItemAction | None, Query(description="Only of this action.")] = None,
) -> Page[RunItemResponse]:
    """Return a page of the run's items, in the order in which they are done. The last 14 runs have them still."""
    caller, after = caller_of_all(router), decode_cursor(cursor)
    place = 0 if after is None else min(after.int, MOST_POSITIONS)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = runs.items_page(connection, retention_run_id, kind=kind, action=action, after=place, limit=limit)
    return page_of([RunItemResponse.of(row) for row in rows], limit, lambda item: UUID(int=item.position))
