"""Bodies of requests and responses about passwords, addresses, second factors and sessions."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chatsphere.http.models import ApiRequest, ApiResponse
from chatsphere.identity.schemas import Email, Password

GivenPassword = Annotated[str, Field(max_length=1000)]
Token = Annotated[str, Field(max_length=200)]
Code = Annotated[str, Field(min_length=1, max_length=40, description="Six digits of the app, or a recovery code.")]


class TokenRequest(ApiRequest):
    """A token that was mailed."""

    token: Token


class EmailResponse(ApiResponse):
    """The account's mail address, which is confirmed."""

    email: str


class EmailRequest(ApiRequest):
    """A mail address."""

    email: Annotated[str, Field(max_length=320)]


class ChangeEmailRequest(ApiRequest):
    """The address that the account is to have, and its password."""

    email: Email
    password: GivenPassword


class ResetPasswordRequest(ApiRequest):
    """A token that was mailed, and the new password."""

    token: Token
    password: Password


class ChangePasswordRequest(ApiRequest):
    """The password as it is, and as it is to be."""

    current_password: GivenPassword
    new_password: Password


class ConfirmRequest(ApiRequest):
    """The account's password."""

    password: GivenPassword


class ConfirmWithCodeRequest(ConfirmRequest):
    """The account's password and a code of the second factor."""

    code: Code


class MfaRequiredResponse(ApiResponse):
    """The password is right, and a code is missing: send it with the token to `POST /v1/auth/mfa/verify`."""

    mfa_required: Literal[True] = True
    mfa_token: str
    expires_in: Annotated[int, Field(description="Life of the token in seconds.")]


class EnrollmentResponse(ApiResponse):
    """A second factor to be. It is switched on by its first code, with the token, at `POST /v1/auth/mfa/verify`."""

    secret: Annotated[str, Field(description="For the authenticator app, in base32.")]
    otpauth_uri: Annotated[str, Field(description="The same, for a QR code.")]
    mfa_token: str
    expires_in: Annotated[int, Field(description="Life of the token in seconds.")]


class CodeRequest(ApiRequest):
    """The token of a login or an enrollment, and a code."""

    mfa_token: Token
    code: Code


class RecoveryCodesResponse(ApiResponse):
    """Codes that stand in for the app, once each. They are shown this once."""

    recovery_codes: list[str]


class SessionResponse(ApiResponse):
    """An open session; user agent and address are those of its last login or refresh."""

    id: UUID
    organization_id: UUID
    user_agent: str | None
    address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: Annotated[bool, Field(description="Whether it is the one that asks.")]


class SwitchRequest(ApiRequest):
    """Another organization of the same person."""

    organization_id: UUID
