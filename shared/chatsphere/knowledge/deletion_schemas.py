"""Bodies of responses about deletions."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chatsphere.http.models import ApiResponse

Counts = dict[str, int]
DeletionStatus = Literal["running", "done"]


class DeletionResponse(ApiResponse):
    """The deletion of a document, or of a bot where `document_id` is null, and what it removed.

    Since `requested_at` nobody sees what is deleted. `removed` counts by kind: `chunks`, `vectors`, `object_versions`
    (delete markers included), `documents` and others. `left_over` is what a second look at database, bucket and vector
    store found: zeros; null until then. Long after that a last look is taken (`rechecked_at`), and what has turned up
    in the meantime is removed, too (`late`).
    """

    id: UUID
    bot_id: UUID
    document_id: UUID | None
    reason: Annotated[
        Literal["api", "bucket", "source", "reconcile", "retention"],
        Field(description="A request, the bucket, the web source it came from, or a comparison of the stores."),
    ]
    status: DeletionStatus
    requested_at: datetime
    finished_at: datetime | None
    removed: Counts
    left_over: Counts | None
    rechecked_at: datetime | None
    late: Counts | None


class DeletionAccepted(ApiResponse):
    """What is deleted is gone for every reader; poll `GET /v1/deletions/{id}` until its status is `done`."""

    deletion: DeletionResponse
