"""HTTP routes of organizations: translate in, call one use case, translate out."""

# The tenant is the credential's; that the path names the same one, the gate has checked.
# ruff: noqa: ARG001

from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.billing.plans import set_budgets
from chatsphere.bootstrap import container
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.organizations import organizations, schemas
from chatsphere.organizations.founding import Founding, found

router = Router()

TAGS = ["organizations"]


@router.get(
    "/v1/organizations",
    summary="List one's organizations",
    tags=TAGS,
    operation_id="listOrganizations",
    openapi_extensions=requires(Permission.SELF_READ),
)
def list_organizations(limit: Limit = 20, cursor: Cursor = None) -> Page[schemas.MyOrganizationResponse]:
    """Return the organizations that the person belongs to, newest first; an API key sees its own organization only."""
    caller, c, after = principal(router), container(), decode_cursor(cursor)
    if caller.api_key_id is not None:
        with c.database.transaction(caller.organization_id, caller.user_id) as connection:
            rows = [organizations.get_organization(connection, caller.user_id)]
    else:
        with c.authenticator_database.transaction(None) as connection:
            rows = list(organizations.organizations_of(connection, caller.user_id, after=after, limit=limit))
    return page_of([schemas.MyOrganizationResponse.model_validate(row) for row in rows], limit, lambda row: row.id)


@router.post(
    "/v1/organizations",
    status_code=201,
    summary="Make an organization",
    tags=TAGS,
    operation_id="createOrganization",
    openapi_extensions=requires(Permission.SELF_WRITE),
    responses={
        201: described("The organization. Log in to it with `POST /v1/auth/switch`."),
        402: problem_response("One person owns no more organizations (`quota_exceeded`)."),
    },
)
def create_organization(body: schemas.CreateOrganizationRequest) -> schemas.MyOrganizationResponse:
    """Make an organization that the caller owns."""
    caller, c = principal(router), container()
    founding = Founding(c.ids.new(), caller.user_id, body.name, c.plan_settings.default_plan)
    most = c.account_settings.organizations_per_person
    with c.database.transaction(founding.organization_id, caller.user_id) as connection:
        organizations.require_room_for_another(connection, c.authenticator_database, caller.user_id, most=most)
        found(connection, founding, c.clock.now())
        made = schemas.MyOrganizationResponse.model_validate(organizations.get_organization(connection, caller.user_id))
        keep_answer(connection, 201, made)
    return made


@router.get(
    "/v1/organizations/<organization_id>",
    summary="Get the organization",
    tags=TAGS,
    operation_id="getOrganization",
    openapi_extensions=requires(Permission.ORGANIZATION_READ),
)
def get_organization(organization_id: UUID) -> schemas.MyOrganizationResponse:
    """Return the organization that the credential is for."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        mine = organizations.get_organization(connection, caller.user_id)
    return schemas.MyOrganizationResponse.model_validate(mine)


@router.patch(
    "/v1/organizations/<organization_id>",
    summary="Change the organization's name or monthly budgets",
    tags=TAGS,
    operation_id="updateOrganization",
    openapi_extensions=requires(Permission.ORGANIZATION_UPDATE),
)
def update_organization(
    organization_id: UUID, body: schemas.UpdateOrganizationRequest
) -> schemas.MyOrganizationResponse:
    """Change what is given and leave the rest."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        if body.name is not None:
            organizations.rename(connection, body.name, now=c.clock.now())
        set_budgets(connection, body.model_dump(exclude_unset=True), now=c.clock.now())
        changed = organizations.get_organization(connection, caller.user_id)
    return schemas.MyOrganizationResponse.model_validate(changed)
