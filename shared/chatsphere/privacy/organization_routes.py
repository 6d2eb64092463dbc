"""HTTP route of an organization's deletion."""

# The tenant is the credential's; that the path names the same one, the gate has checked.
# ruff: noqa: ARG001

from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.rest_api import principal
from chatsphere.identity.passwords import confirm
from chatsphere.privacy import schemas
from chatsphere.privacy.requesting import ErasureDesk

router = Router()


@router.delete(
    "/v1/organizations/<organization_id>",
    status_code=202,
    summary="Delete the organization with everything in it",
    tags=["organizations"],
    operation_id="deleteOrganization",
    openapi_extensions=requires(Permission.ORGANIZATION_OWN),
    responses={
        202: described("No credential of the organization is accepted any more; a job deletes the rest."),
        403: problem_response("The password or the code is wrong, or the caller is no owner."),
        409: problem_response("It is paid for: end the subscription first (`subscription_active`)."),
    },
)
def delete_organization(organization_id: UUID, body: schemas.DeletionRequest) -> schemas.ErasureRequestedResponse:
    """Delete bots, documents, conversations, members' rights and the audit log; the members' accounts stay."""
    caller, c = principal(router), container()
    owner = confirm(c.password_checks, caller.user_id, body.password)
    desk = ErasureDesk(c.authenticator_database, c.database, c.purge_queue, c.clock, c.ids)
    requested = desk.request_organization(caller.organization_id, owner, c.second_factor, body.code)
    return schemas.ErasureRequestedResponse.model_validate(requested)
