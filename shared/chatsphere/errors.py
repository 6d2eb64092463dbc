"""One tree of errors. Each docstring says what happened; `code` is stable and public, `status` its HTTP status.

An error's `detail` is shown to the caller: it never holds SQL, a stack trace or a vendor's text.
"""

import math
from dataclasses import dataclass
from typing import ClassVar


class ChatSphereError(Exception):
    """Base of every error that ChatSphere raises on purpose."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title


class ConfigurationError(ChatSphereError):
    """The function's environment lacks a setting or holds a wrong one."""

    code = "configuration_error"
    title = "The service is not configured correctly"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One invalid field of a request: `pointer` is a JSON pointer or a parameter's name."""

    pointer: str
    code: str
    detail: str


class InvalidRequestError(ChatSphereError):
    """The request is not what the route accepts; `errors` names the fields."""

    code = "invalid_request"
    status = 422
    title = "The request is not valid"

    def __init__(self, detail: str = "", errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.errors = errors


class MalformedBodyError(InvalidRequestError):
    """The body is not JSON, or not the kind of JSON value that the route takes."""

    code = "malformed_body"
    status = 400
    title = "The body is not valid JSON"


class PayloadTooLargeError(ChatSphereError):
    """The body, or the file announced in it, exceeds a limit."""

    code = "payload_too_large"
    status = 413
    title = "The payload is too large"


class UnsupportedMediaTypeError(ChatSphereError):
    """The body's content type is none that the route takes."""

    code = "unsupported_media_type"
    status = 415
    title = "The content type is not supported; send application/json"


class NotFoundError(ChatSphereError):
    """No such object for this caller: missing, deleted, or another tenant's."""

    code = "not_found"
    status = 404
    title = "Not found"


class InvitationNotValidError(NotFoundError):
    """The invitation's token is none, or was used, revoked, replaced, or has expired."""

    code = "invitation_not_valid"
    title = "The invitation is not valid, or not any more"


class ConflictError(ChatSphereError):
    """The request contradicts the object's present state."""

    code = "conflict"
    status = 409
    title = "Conflict"


class EmailTakenError(ConflictError):
    """An account with this mail address exists."""

    code = "email_taken"
    title = "An account with this mail address already exists"


class UsernameTakenError(ConflictError):
    """Somebody else has this username."""

    code = "username_taken"
    title = "The username is taken"


class BotArchivedError(ConflictError):
    """The bot is archived: it is kept as it is, and answers nobody."""

    code = "bot_archived"
    title = "The bot is archived"


class VersionConflictError(ConflictError):
    """The bot was changed since the version that the request expects."""

    code = "version_conflict"
    title = "The bot was changed meanwhile"


class OwnershipRequiredError(ConflictError):
    """Somebody must go on owning an organization that has other members."""

    code = "ownership_required"
    title = "An organization would be left without an owner"


class LegalHoldError(ConflictError):
    """A legal hold keeps this, or something that would go with it, from being deleted."""

    code = "legal_hold"
    title = "A legal hold keeps this from being deleted"


class UnauthorizedError(ChatSphereError):
    """The credential is missing, malformed, unknown or revoked."""

    code = "unauthorized"
    status = 401
    title = "A valid credential is required"


class MalformedApiKeyError(UnauthorizedError):
    """The text cannot be an API key: its checksum is wrong, so it was not copied whole or has a typing error."""

    code = "malformed_api_key"
    title = "This is not an API key"


class MissingCredentialError(UnauthorizedError):
    """The request carries no credential."""

    code = "missing_credential"
    title = "The Authorization header is missing"


class TokenExpiredError(UnauthorizedError):
    """The token was valid and has expired."""

    code = "token_expired"
    title = "The token has expired"


class InvalidLoginError(UnauthorizedError):
    """The mail address or the password is wrong; which one is not said."""

    code = "invalid_login"
    title = "The mail address or the password is wrong"


class InvalidTokenError(UnauthorizedError):
    """The single-use token is unknown, was used, or has expired."""

    code = "invalid_token"
    title = "The token is not valid, was used, or has expired"


class InvalidCodeError(UnauthorizedError):
    """The code of the second factor is wrong, or was used before."""

    code = "invalid_code"
    title = "The code is wrong or was used before"


class ForbiddenError(ChatSphereError):
    """The credential is valid and does not permit this."""

    code = "forbidden"
    status = 403
    title = "Not permitted"


class InsufficientScopeError(ForbiddenError):
    """The API key lacks the scope that the route requires."""

    code = "insufficient_scope"
    title = "The API key lacks a scope"


class InsufficientRoleError(ForbiddenError):
    """The member's role in the organization does not permit this."""

    code = "insufficient_role"
    title = "Your role does not permit this"


class InsufficientPermissionError(ForbiddenError):
    """The bot may be seen by the caller, and not changed like this."""

    code = "insufficient_permission"
    title = "Your permission on this bot does not suffice"


class NotConfirmedError(ForbiddenError):
    """The password, or the code, with which a person confirms a change is wrong; which one is not said."""

    code = "not_confirmed"
    title = "The password or the code is wrong"


class QuotaExceededError(ChatSphereError):
    """The organization's plan holds no more of these."""

    code = "quota_exceeded"
    status = 402
    title = "The plan's limit is reached"


class PaymentRequiredError(ChatSphereError):
    """The plan costs money: it begins when a checkout is paid."""

    code = "payment_required"
    status = 402
    title = "The plan must be paid for"


class SubscriptionActiveError(ConflictError):
    """The organization pays for a plan already: that is changed, or ended, in the billing portal."""

    code = "subscription_active"
    title = "A subscription is active"


class BudgetExhaustedError(ForbiddenError):
    """The month's budget of the key or of the organization does not suffice for what was asked."""

    code = "budget_exhausted"
    title = "The monthly budget is used up"


class TooManyRequestsError(ChatSphereError):
    """Too many requests, or tries, in too short a time; `retry_after` says how many seconds to wait."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"

    def __init__(self, detail: str = "", retry_after: float = 1) -> None:
        super().__init__(detail)
        self.retry_after = max(1, math.ceil(retry_after))


class TooManyTriesError(TooManyRequestsError):
    """Too many credentials were tried, for this account or from this address."""

    code = "too_many_tries"
    title = "Too many tries"


class EndUserErasedError(ConflictError):
    """The end user is being erased: until that is done nothing is written for them."""

    code = "end_user_erased"
    title = "The end user is being erased"


class IdempotencyKeyReusedError(InvalidRequestError):
    """The Idempotency-Key was used with another request before."""

    code = "idempotency_key_reused"
    title = "The Idempotency-Key belongs to another request"


class RequestInProgressError(ConflictError):
    """The first request with this Idempotency-Key is still under way."""

    code = "request_in_progress"
    title = "The first request with this Idempotency-Key is still under way"


class AnswerErasedError(ChatSphereError):
    """The request with this Idempotency-Key was answered, and what was answered is not kept: an erasure took it."""

    code = "answer_erased"
    status = 410
    title = "The answer to the first request was erased"


class InvalidSignatureError(ChatSphereError):
    """A webhook's body was not signed by whom it claims to come from."""

    code = "invalid_signature"
    status = 400
    title = "The signature is not valid"


class BillingOffError(ConflictError):
    """No payment provider is configured: plans are chosen, not paid for."""

    code = "billing_off"
    title = "This deployment takes no payments"


class EmailNotVerifiedError(ForbiddenError):
    """The account's mail address was not proved yet."""

    code = "email_not_verified"
    title = "Verify your mail address first"


class MailRejectedError(ChatSphereError):
    """The mail provider refuses the address or the sender: trying again changes nothing."""

    code = "mail_rejected"
    status = 502
    title = "The mail was rejected"


class UnavailableError(ChatSphereError):
    """Something that ChatSphere depends on does not answer; the same request may succeed later."""

    code = "unavailable"
    status = 503
    title = "Temporarily unavailable"


class ProviderOverloadedError(UnavailableError):
    """A vendor refuses more calls for the moment (429, or its circuit is open)."""

    code = "provider_overloaded"
    title = "A provider is overloaded"


class ProviderRejectedError(ChatSphereError):
    """A vendor does not accept the call (wrong key, unknown model or index): trying again changes nothing."""

    code = "provider_rejected"
    status = 502
    title = "A provider rejected the call"


class AnswerBlockedError(ChatSphereError):
    """The answer model's safety rules blocked the question or the answer."""

    code = "answer_blocked"
    status = 502
    title = "The answer was blocked by the model's safety rules"


class EmptyAnswerError(ChatSphereError):
    """The answer model ended without a word of an answer."""

    code = "empty_answer"
    status = 502
    title = "The model gave no answer"


class DocumentError(ChatSphereError):
    """A document cannot be processed; the subclass's code is the document's `error_code`.

    `retryable` says whether the same bytes could succeed on another try.
    """

    code = "document_failed"
    status = 422
    title = "The document could not be processed"
    retryable: ClassVar[bool] = False


class EmbeddingModelUnavailableError(DocumentError):
    """The model that the bot was embedded with cannot be used: this deployment does not have it, or not any more."""

    code = "embedding_model_unavailable"
    title = "The bot's embedding model is not available"
    retryable = True


class EmptyDocumentError(DocumentError):
    """The file has no bytes, or nothing but white space."""

    code = "empty"
    title = "The file is empty"


class UnsupportedFormatError(DocumentError):
    """The file's format is none that ChatSphere reads."""

    code = "unsupported_format"
    title = "The file's format is not supported"


class TypeMismatchError(DocumentError):
    """The file's bytes are not what its name or declared type says."""

    code = "type_mismatch"
    title = "The file's content does not match its type"


class CorruptDocumentError(DocumentError):
    """The file cannot be parsed as what it claims to be."""

    code = "corrupt"
    title = "The file is damaged and cannot be read"


class EncryptedDocumentError(DocumentError):
    """The file needs a password to be opened."""

    code = "encrypted"
    title = "The file is encrypted"


class NoTextLayerError(DocumentError):
    """The file has pages and no text on them: a scan."""

    code = "no_text_layer"
    title = "The file holds images of text, no text"


class DocumentTooLargeError(DocumentError):
    """The file, or what it unpacks to, exceeds a limit."""

    code = "too_large"
    title = "The file is too large"


class ExtractionLimitError(DocumentError):
    """Reading the file took more memory, time or output than allowed."""

    code = "extraction_limit"
    title = "Reading the file exceeded a limit"


class WebError(DocumentError):
    """A page of the web cannot be fetched; what was fetched of it before stays."""

    code = "url_failed"
    title = "The URL could not be fetched"


class UrlNotAllowedError(WebError):
    """The URL leads where nothing may be fetched: no public address, another port, an odd spelling."""

    code = "url_not_allowed"
    title = "The URL may not be fetched"


class UrlUnreachableError(WebError):
    """The URL's host does not answer in time, or not as HTTP."""

    code = "url_unreachable"
    title = "The URL's host does not answer"
    retryable = True


class UrlTimedOutError(UrlUnreachableError):
    """The URL's host did not answer in time."""

    title = "The URL's host did not answer in time"


class UrlUntrustedError(UrlUnreachableError):
    """The URL's host has no certificate that proves who it is."""

    title = "The URL's host has no valid certificate"


class UrlTooLargeError(WebError):
    """What the URL holds exceeds the limit, packed or unpacked."""

    code = "url_too_large"
    title = "What the URL holds is too large"
