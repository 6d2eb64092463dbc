"""HTTP routes of identity: translate in, call one use case, translate out."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.bootstrap import container
from chatsphere.errors import ForbiddenError
from chatsphere.http.operations import NO_CONTENT, PUBLIC, described, no_content, problem_response
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.principal import Principal, Scope
from chatsphere.http.rest_api import principal
from chatsphere.identity import accounts, api_keys, schemas, sessions
from chatsphere.identity.model import ApiKey, Member, Profile

router = Router()

AUTH, ME, KEYS = ["auth"], ["me"], ["api keys"]
BAD_LOGIN = problem_response("The credential in the body is not valid.")


@router.post(
    "/v1/auth/register",
    status_code=201,
    summary="Make an account with an organization of its own",
    tags=AUTH,
    operation_id="register",
    responses={201: described("The account and its first session."), 409: problem_response("The address is taken.")},
    openapi_extensions=PUBLIC,
)
def register(body: schemas.RegisterRequest) -> schemas.RegisteredResponse:
    """Make an account and log it in."""
    c = container()
    profile = accounts.register(
        accounts.Registration(**body.model_dump()), database=c.database, passwords=c.passwords, ids=c.ids, clock=c.clock
    )
    member = Member(profile.organization.id, profile.user.id, profile.role)
    tokens = schemas.TokensResponse.model_validate(sessions.open_session(_sessions(), member))
    return schemas.RegisteredResponse(
        **tokens.model_dump(),
        user=schemas.UserResponse.model_validate(profile.user),
        organization=schemas.OrganizationResponse.model_validate(profile.organization),
    )


@router.post(
    "/v1/auth/login",
    summary="Log in",
    tags=AUTH,
    operation_id="login",
    responses={200: described("A session."), 401: BAD_LOGIN},
    openapi_extensions=PUBLIC,
)
def login(body: schemas.LoginRequest) -> schemas.TokensResponse:
    """Exchange a password for tokens."""
    tokens = sessions.log_in(_sessions(), container().passwords, email=body.email, password=body.password)
    return schemas.TokensResponse.model_validate(tokens)


@router.post(
    "/v1/auth/refresh",
    summary="Get the next access token; the refresh token is used up",
    tags=AUTH,
    operation_id="refreshTokens",
    responses={200: described("The session's next tokens."), 401: BAD_LOGIN},
    openapi_extensions=PUBLIC,
)
def refresh(body: schemas.RefreshRequest) -> schemas.TokensResponse:
    """Rotate a refresh token."""
    return schemas.TokensResponse.model_validate(sessions.refresh(_sessions(), body.refresh_token))


@router.post(
    "/v1/auth/logout",
    status_code=204,
    summary="End the session of a refresh token",
    tags=AUTH,
    operation_id="logout",
    responses=NO_CONTENT,
    openapi_extensions=PUBLIC,
)
def logout(body: schemas.RefreshRequest) -> Response[Any]:
    """Revoke the family of a refresh token."""
    sessions.log_out(_sessions(), body.refresh_token)
    return no_content()


@router.get("/v1/me", summary="Who am I?", tags=ME, operation_id="getMe")
def get_me() -> schemas.MeResponse:
    """Return the person, the organization and the key behind the credential."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        key = api_keys.get(connection, caller.api_key_id) if caller.api_key_id else None
        return _me(accounts.profile(connection, caller.user_id), key)


@router.patch("/v1/me", summary="Change one's own names", tags=ME, operation_id="updateMe")
def update_me(body: schemas.NamesRequest) -> schemas.MeResponse:
    """Change first or last name; an API key is not a person and may not."""
    caller = principal(router)
    if caller.api_key_id is not None:
        raise ForbiddenError("An API key cannot change a person's profile.")
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        changes = {"first_name": None, "last_name": None, **body.model_dump(exclude_unset=True)}
        return _me(accounts.rename(connection, caller.user_id, **changes), None)


@router.post(
    "/v1/api-keys",
    status_code=201,
    summary="Make an API key",
    tags=KEYS,
    operation_id="createApiKey",
    responses={201: described("The key; its text is shown this once.")},
)
def create_api_key(body: schemas.ApiKeyRequest) -> schemas.NewApiKeyResponse:
    """Make a key that grants at most what its maker has."""
    caller, c = _key_manager(), container()
    maker = api_keys.Maker(caller.organization_id, caller.user_id, caller.scopes, caller.api_key_id)
    wanted = api_keys.ApiKeyRequest(body.name, body.granted(caller), body.bot_ids, body.expires_at)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        made = api_keys.create(connection, maker, wanted, key_id=c.ids.new(), now=c.clock.now())
    shown = schemas.ApiKeyResponse.model_validate(made.api_key)
    return schemas.NewApiKeyResponse(**shown.model_dump(), key=made.key)


@router.get("/v1/api-keys", summary="List the API keys", tags=KEYS, operation_id="listApiKeys")
def list_api_keys(limit: Limit = 20, cursor: Cursor = None) -> Page[schemas.ApiKeyResponse]:
    """Return a page of the organization's keys, newest first; revoked ones are gone."""
    caller = _key_manager()
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        keys = api_keys.page(connection, after=decode_cursor(cursor), limit=limit)
    return page_of([schemas.ApiKeyResponse.model_validate(key) for key in keys], limit, lambda key: key.id)


@router.get("/v1/api-keys/<api_key_id>", summary="Get an API key", tags=KEYS, operation_id="getApiKey")
def get_api_key(api_key_id: UUID) -> schemas.ApiKeyResponse:
    """Return one key without its secret."""
    caller = _key_manager()
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return schemas.ApiKeyResponse.model_validate(api_keys.get(connection, api_key_id))


@router.delete(
    "/v1/api-keys/<api_key_id>",
    status_code=204,
    summary="Revoke an API key, at once",
    tags=KEYS,
    operation_id="revokeApiKey",
    responses=NO_CONTENT,
)
def revoke_api_key(api_key_id: UUID) -> Response[Any]:
    """Revoke a key: the next request with it is refused."""
    caller, c = _key_manager(), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        api_keys.revoke(connection, api_key_id, now=c.clock.now())
    return no_content()


def _key_manager() -> Principal:
    caller = principal(router)
    caller.require(Scope.API_KEYS)
    return caller


def _me(profile: Profile, key: ApiKey | None) -> schemas.MeResponse:
    return schemas.MeResponse.model_validate(
        {"user": profile.user, "organization": profile.organization, "role": profile.role, "api_key": key}
    )


def _sessions() -> sessions.Sessions:
    c = container()
    return sessions.Sessions(
        database=c.authenticator_database,
        tokens=c.token_signer,
        ids=c.ids,
        clock=c.clock,
        access_token_seconds=c.token_settings.access_token_seconds,
        refresh_token_seconds=c.token_settings.refresh_token_seconds,
    )
