"""Bodies of the request and response of another try."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from chatsphere.http.models import ApiRequest, ApiResponse

ErrorCode = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class RedriveRequest(ApiRequest):
    """Which failed documents; without a choice, those whose error is `retryable`."""

    error_codes: Annotated[list[ErrorCode], Field(min_length=1, max_length=50)] | None = None
    document_ids: Annotated[list[UUID], Field(min_length=1, max_length=100)] | None = None


class SkippedDocument(ApiResponse):
    """A document that was not started again.

    `no_stored_object`: of it nothing is stored, so that it has to be uploaded again. `not_failed`: there is no such
    document that has failed, or not with one of the error codes.
    """

    document_id: UUID
    reason: Literal["no_stored_object", "not_failed"]
    error_code: str | None


class RedriveAccepted(ApiResponse):
    """How many documents are being processed again. With `has_more`, ask once more for the rest."""

    redriven: int
    skipped: list[SkippedDocument]
    has_more: bool
