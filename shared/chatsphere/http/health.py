"""Whether the service lives, whether it can do its work, and what of it is not well."""

from typing import Any, Final, Literal

from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import Field

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.errors import UnavailableError
from chatsphere.http.models import ApiResponse
from chatsphere.http.operations import PUBLIC, requires
from chatsphere.http.rest_api import principal
from chatsphere.upkeep.health import WITHIN_SECONDS, Examiner
from chatsphere.upkeep.health_checks import reach_check

router = Router()

TAGS = ["service"]

READY_SECONDS: Final = 5.0
"""A load balancer waits no longer. A database that is waking up goes on doing so meanwhile."""

DEEP_SECONDS: Final = WITHIN_SECONDS
READINESS: Final = Examiner()
DEEP: Final = Examiner()
"""What is silent stays so from one request to the next."""


class LiveResponse(ApiResponse):
    """The function runs."""

    status: Literal["ok"] = "ok"


class ReadyResponse(LiveResponse):
    """What the service depends on answers."""

    checks: dict[str, Literal["ok"]]


class CheckResponse(ApiResponse):
    """One thing that the service depends on."""

    status: Literal["ok", "degraded", "down"]
    cause: str | None = Field(default=None, description="A stable code of what is wrong.")
    meaning: str | None = Field(default=None, description="The cause in words.")
    latency_ms: int | None = Field(default=None, description="How long its answer took; null where none came in time.")
    details: dict[str, Any] = Field(default_factory=dict, description="Numbers and names, by the kind of check.")


class DeepHealthResponse(ApiResponse):
    """Everything that the service depends on: `down` where no question can be answered or no document be taken.

    `checks` is empty for an organization that does not run the deployment.
    """

    status: Literal["ok", "degraded", "down"]
    checks: dict[str, CheckResponse]


@router.get("/v1/health/live", summary="Does it run?", tags=TAGS, operation_id="getLiveness", openapi_extensions=PUBLIC)
def live() -> LiveResponse:
    """Answer without asking anything else."""
    return LiveResponse()


@router.get(
    "/v1/health/ready", summary="Can it work?", tags=TAGS, operation_id="getReadiness", openapi_extensions=PUBLIC
)
def ready() -> ReadyResponse:
    """Ask the database; a 503 names what does not answer, after five seconds at most."""
    checked = READINESS.examine({"database": reach_check(container().database)}, within_seconds=READY_SECONDS)
    if checked["database"].status != "ok":
        raise UnavailableError("Not ready: database.")
    return ReadyResponse(checks={"database": "ok"})


@router.get(
    "/v1/health/deep",
    summary="What is not well?",
    tags=TAGS,
    operation_id="getDeepHealth",
    openapi_extensions=requires(Permission.HEALTH_READ),
)
def deep() -> DeepHealthResponse:
    """Ask everything that the service depends on, side by side; what does not answer within 2.5 seconds is down."""
    from chatsphere.http.health_checks import checks_of
    from chatsphere.upkeep.health import CAUSES, overall
    from chatsphere.upkeep.health_checks import ESSENTIAL

    # Before the checks' time runs: a cold function is slow and not ill.
    container().load_aws_client()
    checked = DEEP.examine(checks_of(container()), within_seconds=DEEP_SECONDS)
    shown = container().operator_settings.runs_deployment(principal(router).organization_id)
    return DeepHealthResponse(
        status=overall(checked, ESSENTIAL),
        checks={
            name: CheckResponse(
                status=check.status,
                cause=check.cause,
                meaning=CAUSES[check.cause] if check.cause else None,
                latency_ms=check.latency_ms,
                details=dict(check.details),
            )
            for name, check in checked.items()
            if shown
        },
    )
