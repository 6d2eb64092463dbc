"""Whether the service lives, and whether it can do its work."""

from typing import Literal

from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.bootstrap import container
from chatsphere.errors import UnavailableError
from chatsphere.http.models import ApiResponse
from chatsphere.http.operations import PUBLIC

router = Router()

TAGS = ["service"]


class LiveResponse(ApiResponse):
    """The function runs."""

    status: Literal["ok"] = "ok"


class ReadyResponse(LiveResponse):
    """What the service depends on answers."""

    checks: dict[str, Literal["ok"]]


@router.get("/v1/health/live", summary="Does it run?", tags=TAGS, operation_id="getLiveness", openapi_extensions=PUBLIC)
def live() -> LiveResponse:
    """Answer without asking anything else."""
    return LiveResponse()


@router.get(
    "/v1/health/ready", summary="Can it work?", tags=TAGS, operation_id="getReadiness", openapi_extensions=PUBLIC
)
def ready() -> ReadyResponse:
    """Ask the database; a 503 names what does not answer."""
    try:
        with container().database.transaction(None) as connection:
            connection.execute("SELECT 1")
    except UnavailableError:
        raise UnavailableError("Not ready: database.") from None
    return ReadyResponse(checks={"database": "ok"})
