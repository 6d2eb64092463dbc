"""HTTP routes of mail addresses: proved, and changed."""

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
from chatsphere.identity import email_addresses
from chatsphere.identity.mail_messages import ChangeEmail, EmailChanged, VerifyEmail, announce, ask_for

router = Router()


@router.post(
    "/v1/auth/verify-email",
    summary="Confirm a mail address with the token that was mailed to it",
    tags=["auth"],
    operation_id="verifyEmail",
    responses={
        200: described("The account's address."),
        401: problem_response("The token is not valid, was used, or has expired."),
        409: problem_response("Somebody else has registered with the address meanwhile."),
        **TOO_MANY_TRIES,
    },
    openapi_extensions=PUBLIC,
)
def verify_email(body: schemas.TokenRequest) -> schemas.EmailResponse:
    """Note that the address is its owner's; one that was asked for by `changeEmail` becomes the account's."""
    c = container()
    c.credential_throttle.admit()
    proved = email_addresses.prove(c.authenticator_database, c.clock, body.token)
    if proved.former is not None:
        announce(EmailChanged(former_email=proved.former), c.mail_queue)
    return schemas.EmailResponse(email=proved.email)


@router.post(
    "/v1/auth/resend-verification",
    status_code=204,
    summary="Have the mail that confirms the address sent again",
    tags=["auth"],
    operation_id="resendVerification",
    responses={**NO_CONTENT, 409: problem_response("The address is confirmed already.")},
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def resend_verification() -> Response[Any]:
    """Send another mail; the tokens of the ones before stay valid."""
    caller, c = principal(router), container()
    email_addresses.require_unverified(c.authenticator_database, caller.user_id)
    ask_for(VerifyEmail(user_id=caller.user_id), c.mail_queue)
    return no_content()


@router.post(
    "/v1/me/email",
    status_code=204,
    summary="Ask for another mail address",
    tags=["me"],
    operation_id="changeEmail",
    responses={
        **NO_CONTENT,
        403: problem_response("The password is wrong."),
        409: problem_response("It is the account's address already."),
    },
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def change_email(body: schemas.ChangeEmailRequest) -> Response[Any]:
    """Mail a token to the new address; it becomes the account's when the token is sent to `verifyEmail`."""
    caller, c = principal(router), container()
    email = email_addresses.request_change(c.password_checks, caller.user_id, email=body.email, password=body.password)
    ask_for(ChangeEmail(user_id=caller.user_id, email=email), c.mail_queue)
    return no_content()
