"""HTTP routes of passwords: forgotten, reset, changed."""

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.http.operations import NO_CONTENT, PUBLIC, TOO_MANY_TRIES, no_content, problem_response, requires
from chatsphere.http.rest_api import principal
from chatsphere.identity import credential_schemas as schemas
from chatsphere.identity import passwords
from chatsphere.identity.mail_messages import PasswordChanged, ResetPassword, announce, ask_for

router = Router()

NOT_CONFIRMED = problem_response("The password or the code is wrong.")


@router.post(
    "/v1/auth/password/forgot",
    status_code=204,
    summary="Have a token mailed that resets the password",
    tags=["auth"],
    operation_id="forgotPassword",
    responses={**NO_CONTENT, **TOO_MANY_TRIES},
    openapi_extensions=PUBLIC,
)
def forgot_password(body: schemas.EmailRequest) -> Response[Any]:
    """Send a mail if an account has this address. The answer, and the work, are the same if none has."""
    c = container()
    c.credential_throttle.admit()
    ask_for(ResetPassword(email=body.email.strip()), c.mail_queue)
    return no_content()


@router.post(
    "/v1/auth/password/reset",
    status_code=204,
    summary="Choose a new password with a token that was mailed",
    tags=["auth"],
    operation_id="resetPassword",
    responses={
        **NO_CONTENT,
        401: problem_response("The token is not valid, was used, or has expired."),
        **TOO_MANY_TRIES,
    },
    openapi_extensions=PUBLIC,
)
def reset_password(body: schemas.ResetPasswordRequest) -> Response[Any]:
    """Set the password; every session ends. A second factor stays as it is."""
    c = container()
    c.credential_throttle.admit()
    user_id = passwords.reset_password(c.password_checks, body.token, body.password)
    announce(PasswordChanged(user_id=user_id), c.mail_queue)
    return no_content()


@router.post(
    "/v1/me/password",
    status_code=204,
    summary="Change one's own password",
    tags=["me"],
    operation_id="changePassword",
    responses={**NO_CONTENT, 403: NOT_CONFIRMED},
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def change_password(body: schemas.ChangePasswordRequest) -> Response[Any]:
    """Set the password; every other session ends."""
    caller, c = principal(router), container()
    passwords.change_password(
        c.password_checks, caller.user_id, caller.session_id, former=body.current_password, new=body.new_password
    )
    announce(PasswordChanged(user_id=caller.user_id), c.mail_queue)
    return no_content()
