"""Bodies of requests and responses about people's rights."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chatsphere.http.models import ApiRequest, ApiResponse

GivenPassword = Annotated[str, Field(max_length=1000)]


class DeletionRequest(ApiRequest):
    """The account's password and, where it has a second factor, a code."""

    password: GivenPassword
    code: Annotated[str | None, Field(max_length=40, description="Six digits of the app, or a recovery code.")] = None


class ReceiptRequest(ApiRequest):
    """The token that the deletion was answered with."""

    receipt_token: Annotated[str, Field(max_length=200)]


class ReceiptResponse(ApiResponse):
    """How many of what were deleted, and what a second look found: nothing.

    Tables of the database by their names, `objects` of the bucket (all versions) and `vectors` of the vector store.
    `anonymized` are rows that stay an organization's, without what was erased. `late` is what a look some time after
    the receipt still found, and removed. `payment_customers` are customers at the payment provider; `unreached` are
    those that could not be deleted because this deployment takes no payments any more.
    """

    removed: dict[str, int]
    anonymized: dict[str, int]
    left: dict[str, int]
    checked_at: datetime
    logs: str
    backups: str | None = None
    unreached: dict[str, int] | None = None
    rechecked_at: datetime | None = None
    late_objects_removed: int | None = None
    late: dict[str, int] | None = None


class ErasureResponse(ApiResponse):
    """A deletion; `receipt` is null until `status` is `done`. `held`: a legal hold stands against it, and it goes on
    when that is released.

    `signed_receipt` is a JWS of all this, for one erasure that is asked for. `subject_hash` is the SHA-256, in
    hexadecimal digits, of `subject_salt` followed by the id of what was erased.
    """

    id: UUID
    kind: Literal["person", "organization", "end_user", "document", "bot"]
    status: Literal["pending", "running", "held", "done"]
    requested_at: datetime
    finished_at: datetime | None
    receipt: ReceiptResponse | None
    bot_id: UUID | None = None
    subject_salt: str | None = None
    subject_hash: str | None = None
    signed_receipt: str | None = None


class ErasureRequestedResponse(ApiResponse):
    """The deletion, and the secret with which its receipt is asked for; it is shown this once."""

    erasure: ErasureResponse
    receipt_token: str


class ActivityResponse(ApiResponse):
    """One entry of an audit log, or one use that was counted."""

    id: UUID
    kind: Literal["audit", "usage"]
    record: dict[str, Any]


class ActivityPage(ApiResponse):
    """What somebody did, what was done about them, and what they used: newest first."""

    data: list[ActivityResponse]
    next_cursor: str | None
    has_more: bool


class PersonalDataResponse(ApiResponse):
    """One part of the copy; `profile` and `sections` are in the first one only."""

    generated_at: datetime
    profile: dict[str, Any] | None
    sections: dict[str, list[dict[str, Any]]] | None
    activity: ActivityPage
