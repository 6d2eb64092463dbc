"""HTTP routes of the second factor."""

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
from chatsphere.identity import credential_schemas as schemas
from chatsphere.identity import second_factor
from chatsphere.identity.mail_messages import MfaDisabled, MfaEnabled, announce
from chatsphere.identity.schemas import TokensResponse

router = Router()

TAGS = ["auth"]
NOT_CONFIRMED = problem_response("The password or the code is wrong.")
NONE_IS_ON = problem_response("There is no second factor.")


@router.post(
    "/v1/auth/mfa/enroll",
    status_code=201,
    summary="Get the secret of a second factor",
    tags=TAGS,
    operation_id="enrollSecondFactor",
    responses={
        201: described("The secret; nothing is switched on yet."),
        403: NOT_CONFIRMED,
        409: problem_response("There is a second factor already."),
    },
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def enroll(body: schemas.ConfirmRequest) -> schemas.EnrollmentResponse:
    """Show a new secret. The second factor is on when a first code was sent to `verifySecondFactor`."""
    made = second_factor.enroll(container().second_factor, principal(router).user_id, body.password)
    return schemas.EnrollmentResponse.model_validate(made)


@router.post(
    "/v1/auth/mfa/verify",
    summary="Send a code: to log in, or to switch the second factor on",
    tags=TAGS,
    operation_id="verifySecondFactor",
    responses={
        200: described("With the token of a login a session; with that of an enrollment the recovery codes."),
        401: problem_response("The token or the code is not valid, or was used."),
        409: problem_response("There is a second factor already."),
        **TOO_MANY_TRIES,
    },
    openapi_extensions=PUBLIC,
)
def verify(body: schemas.CodeRequest) -> TokensResponse | schemas.RecoveryCodesResponse:
    """Take a code. A token may be tried five times; a code counts once."""
    c = container()
    c.credential_throttle.admit()
    done = second_factor.verify(c.second_factor, body.mfa_token, body.code)
    if isinstance(done, second_factor.Enrolled):
        announce(MfaEnabled(user_id=done.user_id), c.mail_queue)
        return schemas.RecoveryCodesResponse(recovery_codes=list(done.recovery_codes))
    return TokensResponse.model_validate(done)


@router.post(
    "/v1/auth/mfa/disable",
    status_code=204,
    summary="Switch the second factor off",
    tags=TAGS,
    operation_id="disableSecondFactor",
    responses={**NO_CONTENT, 403: NOT_CONFIRMED, 409: NONE_IS_ON},
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def disable(body: schemas.ConfirmWithCodeRequest) -> Response[Any]:
    """Log in with the password alone from now on."""
    caller = principal(router)
    second_factor.disable(container().second_factor, caller.user_id, password=body.password, code=body.code)
    announce(MfaDisabled(user_id=caller.user_id), container().mail_queue)
    return no_content()


@router.post(
    "/v1/auth/mfa/recovery-codes",
    summary="Get new recovery codes",
    tags=TAGS,
    operation_id="renewRecoveryCodes",
    responses={
        200: described("The codes; those before are worthless now."),
        403: NOT_CONFIRMED,
        409: NONE_IS_ON,
    },
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def renew_recovery_codes(body: schemas.ConfirmWithCodeRequest) -> schemas.RecoveryCodesResponse:
    """Make ten new codes."""
    codes = second_factor.renew_recovery_codes(
        container().second_factor, principal(router).user_id, password=body.password, code=body.code
    )
    return schemas.RecoveryCodesResponse(recovery_codes=list(codes))
