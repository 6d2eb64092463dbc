"""HTTP routes of calibrations: translate in, call one use case, translate out."""

from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.errors import NotFoundError
from chatsphere.http.models import is_storable
from chatsphere.http.operations import NO_CONTENT, described, no_content, requires
from chatsphere.http.rest_api import principal
from chatsphere.knowledge.calibration import calibrations
from chatsphere.knowledge.calibration.calibrations import FittedCalibration
from chatsphere.knowledge.calibration.schemas import CalibrationResponse, PutCalibrationRequest, calibration_response
from chatsphere.knowledge.retrieval.calibration import Calibration

router = Router()

TAGS = ["training"]


@router.put(
    "/v1/embedding-models/<model>/calibration",
    summary="Calibrate an embedding model",
    tags=TAGS,
    operation_id="putCalibration",
    openapi_extensions=requires(Permission.ORGANIZATION_UPDATE),
    responses={200: described("The calibration, which holds from the next search on.")},
)
def put_calibration(model: str, body: PutCalibrationRequest) -> CalibrationResponse:
    """Say what this model's cosines are worth in the organization's bots, in place of what is built in."""
    caller, c = principal(router), container()
    name = _known(model)
    calibration = Calibration(body.dense, body.coverage, body.intercept, body.threshold)
    fitted = FittedCalibration(calibration, body.fitted_on.model_dump(mode="json"), c.clock.now())
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        calibrations.put(connection, name, fitted)
    return calibration_response(name, fitted)


@router.delete(
    "/v1/embedding-models/<model>/calibration",
    status_code=204,
    summary="Take back the calibration of an embedding model",
    tags=TAGS,
    operation_id="deleteCalibration",
    openapi_extensions=requires(Permission.ORGANIZATION_UPDATE),
    responses=NO_CONTENT,
)
def delete_calibration(model: str) -> Response[Any]:
    """Go back to what is built in for the model, from the next search on."""
    caller, name = principal(router), unquote(model)
    # The deployment may not have the model any more; a text that PostgreSQL cannot hold was none's name.
    if not is_storable(name):
        raise NotFoundError("There is no calibration of this model.")
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        calibrations.remove(connection, name)
    return no_content()


def _known(model: str) -> str:
    """Return the model's name, which may hold what a path encodes.

    Raises:
        NotFoundError: the deployment has no such model.
    """
    name = unquote(model)
    if all(name != known.name for known in container().available_embedders()):
        raise NotFoundError("There is no such embedding model.")
    return name
