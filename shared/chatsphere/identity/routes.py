"""HTTP routes of identity: translate in, call one use case, translate out."""

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.http.operations import (
    NO_CONTENT,
    PUBLIC,
    TOO_MANY_TRIES,
    described,
    no_content,
    problem_response,
    requires,
)
from chatsphere.http.rest_api import principal
from chatsphere.identity import accounts, api_keys, schemas, sessions
from chatsphere.identity.credential_schemas import MfaRequiredResponse
from chatsphere.identity.homes import Homes
from chatsphere.identity.login import Login, log_in
from chatsphere.identity.mail_messages import VerifyEmail, announce
from chatsphere.identity.model import ApiKey, Member, MfaRequired, Profile

router = Router()

AUTH, ME = ["auth"], ["me"]
BAD_LOGIN = problem_response("The credential in the body is not valid.")


@router.post(
    "/v1/auth/register",
    status_code=201,
    summary="Make an account with an organization of its own",
    tags=AUTH,
    operation_id="register",
    responses={
        201: described("The account and its first session."),
        409: problem_response("The address is taken."),
        **TOO_MANY_TRIES,
    },
    openapi_extensions=PUBLIC,
)
def register(body: schemas.RegisterRequest) -> schemas.RegisteredResponse:
    """Make an account and log it in."""
    c = container()
    c.credential_throttle.admit()
    profile = accounts.register(
        accounts.Registration(**body.model_dump()),
        plan=c.plan_settings.default_plan,
        database=c.database,
        passwords=c.passwords,
        ids=c.ids,
        clock=c.clock,
    )
    member = Member(profile.organization.id, profile.user.id, profile.role)
    with c.authenticator_database.transaction(member.organization_id, member.user_id) as connection:
        tokens = schemas.TokensResponse.model_validate(sessions.open_session(c.sessions, connection, member))
    # Without it the account is no less made: the mail can be asked for again.
    announce(VerifyEmail(user_id=member.user_id), c.mail_queue)
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
    responses={200: described("A session, or what asks for the second factor."), 401: BAD_LOGIN, **TOO_MANY_TRIES},
    openapi_extensions=PUBLIC,
)
def login(body: schemas.LoginRequest) -> schemas.TokensResponse | MfaRequiredResponse:
    """Exchange a password for tokens or, where there is a second factor, for the token to send a code with."""
    c = container()
    homes = Homes(c.database, c.ids, c.clock, c.plan_settings.default_plan)
    checks = Login(c.sessions, c.passwords, c.credential_throttle, homes, c.account_settings.mfa_login_seconds)
    done = log_in(checks, email=body.email, password=body.password)
    if isinstance(done, MfaRequired):
        return MfaRequiredResponse(mfa_token=done.mfa_token, expires_in=done.expires_in)
    return schemas.TokensResponse.model_validate(done)


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
    return schemas.TokensResponse.model_validate(sessions.refresh(container().sessions, body.refresh_token))


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
    """Revoke the session of a refresh token: its access tokens are refused from now on, too."""
    sessions.log_out(container().sessions, body.refresh_token)
    return no_content()


@router.get(
    "/v1/me",
    summary="Who am I?",
    tags=ME,
    operation_id="getMe",
    openapi_extensions=requires(Permission.SELF_READ),
)
def get_me() -> schemas.MeResponse:
    """Return the person, the organization and the key behind the credential."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        key = api_keys.get(connection, caller.api_key_id) if caller.api_key_id else None
        return _me(accounts.profile(connection, caller.user_id), key)


@router.patch(
    "/v1/me",
    summary="Change one's own names",
    tags=ME,
    operation_id="updateMe",
    responses={200: described("The profile."), 409: problem_response("The username is taken.")},
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def update_me(body: schemas.NamesRequest) -> schemas.MeResponse:
    """Change first name, last name or username; an API key is not a person and may not."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        names = accounts.Names(**body.model_dump(exclude_unset=True))
        return _me(accounts.rename(connection, caller.user_id, names), None)


def _me(profile: Profile, key: ApiKey | None) -> schemas.MeResponse:
    return schemas.MeResponse.model_validate(
        {"user": profile.user, "organization": profile.organization, "role": profile.role, "api_key": key}
    )
