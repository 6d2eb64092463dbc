"""HTTP routes of API keys: translate in, call one use case, translate out."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.billing.budgets import key_usage
from chatsphere.bootstrap import container
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import NO_CONTENT, described, no_content, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.identity import api_key_schemas as schemas
from chatsphere.identity import api_keys
from chatsphere.identity.api_key_rotation import rotate
from chatsphere.identity.model import NewApiKey

router = Router()

KEYS = ["api keys"]

Prefix = Annotated[
    str | None, Query(min_length=1, max_length=100, description="Only keys whose `prefix` begins like this.")
]


@router.post(
    "/v1/api-keys",
    status_code=201,
    summary="Make an API key",
    tags=KEYS,
    operation_id="createApiKey",
    openapi_extensions=requires(Permission.API_KEYS_MANAGE),
    responses={
        201: described("The key; its text is shown this once."),
        402: problem_response("The plan permits no more keys (`quota_exceeded`)."),
    },
)
def create_api_key(body: schemas.ApiKeyRequest) -> schemas.NewApiKeyResponse:
    """Make a key that acts as its maker and grants at most what its maker has."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        wanted = body.settings(caller)
        made = _new(api_keys.create(connection, caller, wanted, key_id=c.ids.new(), now=c.clock.now()))
        keep_answer(connection, 201, made)
    return made


@router.get(
    "/v1/api-keys",
    summary="List the API keys",
    tags=KEYS,
    operation_id="listApiKeys",
    openapi_extensions=requires(Permission.API_KEYS_MANAGE),
)
def list_api_keys(limit: Limit = 20, cursor: Cursor = None, prefix: Prefix = None) -> Page[schemas.ApiKeyResponse]:
    """Return a page of the keys, newest first; revoked ones are gone. Editors see their own, admins all."""
    caller, after = principal(router), decode_cursor(cursor)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        keys = api_keys.page(connection, caller, prefix=prefix, after=after, limit=limit)
    return page_of([schemas.ApiKeyResponse.model_validate(key) for key in keys], limit, lambda key: key.id)


@router.get(
    "/v1/api-keys/<api_key_id>",
    summary="Get an API key, and what it used this month",
    tags=KEYS,
    operation_id="getApiKey",
    openapi_extensions=requires(Permission.API_KEYS_MANAGE),
)
def get_api_key(api_key_id: UUID) -> schemas.ApiKeyWithUsageResponse:
    """Return one key without its secret."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        key = api_keys.get(connection, api_key_id, caller=caller)
        usage = key_usage(connection, api_key_id, c.clock.now())
    shown = schemas.ApiKeyResponse.model_validate(key)
    return schemas.ApiKeyWithUsageResponse(**shown.model_dump(), usage=schemas.KeyUsageBody.model_validate(usage))


@router.patch(
    "/v1/api-keys/<api_key_id>",
    summary="Change an API key",
    tags=KEYS,
    operation_id="updateApiKey",
    openapi_extensions=requires(Permission.API_KEYS_MANAGE),
    responses={200: described("The key."), 409: problem_response("It was rotated (`already_rotated`).")},
)
def update_api_key(api_key_id: UUID, body: schemas.ApiKeyChanges) -> schemas.ApiKeyResponse:
    """Change what is given and leave the rest; from the next request on."""
    caller, c = principal(router), container()
    changes = body.model_dump(exclude_unset=True)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        changed = api_keys.change(connection, caller, api_key_id, changes, now=c.clock.now())
    return schemas.ApiKeyResponse.model_validate(changed)


@router.post(
    "/v1/api-keys/<api_key_id>/rotate",
    status_code=201,
    summary="Put a new API key in the place of one of your own",
    tags=KEYS,
    operation_id="rotateApiKey",
    openapi_extensions=requires(Permission.API_KEYS_MANAGE),
    responses={
        201: described("The new key; its text is shown this once."),
        402: problem_response("The plan permits no more keys (`quota_exceeded`)."),
        409: problem_response("It was rotated before (`already_rotated`), or has expired (`key_expired`)."),
    },
)
def rotate_api_key(api_key_id: UUID, body: schemas.RotationRequest) -> schemas.NewApiKeyResponse:
    """Make a key with the same settings. The old one works until the overlap ends."""
    caller, c = principal(router), container()
    overlap = timedelta(seconds=body.overlap_seconds)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        made = _new(rotate(connection, caller, api_key_id, overlap=overlap, new_id=c.ids.new(), now=c.clock.now()))
        keep_answer(connection, 201, made)
    return made


@router.delete(
    "/v1/api-keys/<api_key_id>",
    status_code=204,
    summary="Revoke an API key, at once",
    tags=KEYS,
    operation_id="revokeApiKey",
    openapi_extensions=requires(Permission.API_KEYS_MANAGE),
    responses=NO_CONTENT,
)
def revoke_api_key(api_key_id: UUID) -> Response[Any]:
    """Revoke a key: the next request with it is refused."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        api_keys.revoke(connection, caller, api_key_id, now=c.clock.now())
    return no_content()


def _new(made: NewApiKey) -> schemas.NewApiKeyResponse:
    shown = schemas.ApiKeyResponse.model_validate(made.api_key)
    return schemas.NewApiKeyResponse(**shown.model_dump(), key=made.key)
