"""Bodies of the history's and the status's responses, and of the stream's events."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chatsphere.http.models import ApiResponse
from chatsphere.knowledge.history.runs import DocumentRun
from chatsphere.knowledge.history.status import IngestionStatus

Outcome = Literal["ready", "unchanged", "failed", "superseded", "deleted"]


class StageSeconds(ApiResponse):
    """How long each stage took that has ended; null: it was not come to, or has not ended."""

    upload: Annotated[float | None, Field(description="From the announcement to the content.")] = None
    scan: Annotated[float | None, Field(description="Waiting for the malware scan.")] = None
    queue: Annotated[float | None, Field(description="Waiting to be read.")] = None
    extract: float | None = None
    embed: float | None = None
    total: float | None = None


class DocumentRunResponse(ApiResponse):
    """What became of one generation of a document; `outcome` null: it is under way, at `stage`.

    `unchanged`: the bytes were those that are searched already. `superseded`: newer content came before the end.
    Counts and cost are of this run's work; the cost is that of embedding.
    """

    id: UUID
    generation: int
    outcome: Outcome | None
    stage: str
    requested_at: datetime
    finished_at: datetime | None
    seconds: StageSeconds
    attempts: int
    error_code: str | None
    retryable: bool | None
    size: int | None
    page_count: int | None
    chunk_count: int | None
    token_count: int | None
    cost_microdollars: int
    embedding_model: str | None


class DocumentStateBody(ApiResponse):
    """A document's state. `progress`: the share, from 0 to 1, of its stage that is done, where that is known."""

    id: UUID
    name: str | None
    status: Literal["registered", "extracting", "embedding", "ready", "failed", "deleted"]
    stage: str
    error_code: str | None
    error_message: str | None
    retryable: bool | None
    attempts: int
    generation: int
    page_count: int | None
    chunk_count: int | None
    sha256: str | None
    progress: float | None
    updated_at: datetime


class IngestionTotals(ApiResponse):
    """Documents by status, and what they hold: what is searched. The cost is that of the runs that are kept."""

    registered: int
    extracting: int
    embedding: int
    ready: int
    failed: int
    page_count: int
    chunk_count: int
    token_count: int
    size: int
    cost_microdollars: int


class UnfinishedBody(ApiResponse):
    """What was asked for first of all that is under way."""

    document_id: UUID
    stage: str
    requested_at: datetime


class TrainingUnderWayBody(ApiResponse):
    """The bot's training that is under way."""

    id: UUID
    started_at: datetime


class IngestionStatusResponse(ApiResponse):
    """How far a bot's ingestion is. The lists are cut (50 under way, 20 failures); `totals` counts all."""

    bot_id: UUID
    bot_status: str
    totals: IngestionTotals
    under_way: list[DocumentStateBody]
    oldest_unfinished: UnfinishedBody | None
    failures: list[DocumentStateBody]
    training_run: TrainingUnderWayBody | None


class IdleEvent(ApiResponse):
    """Nothing is under way."""

    totals: IngestionTotals


class ReconnectEvent(ApiResponse):
    """The stream ends; another goes on from `last_event_id`, sent as `Last-Event-ID`."""

    last_event_id: str


def run_response(run: DocumentRun) -> DocumentRunResponse:
    """Return a run as the API shows it."""
    return DocumentRunResponse(
        seconds=StageSeconds(**run.seconds()),
        **{name: getattr(run, name) for name in DocumentRunResponse.model_fields if name != "seconds"},
    )


def status_response(status: IngestionStatus) -> IngestionStatusResponse:
    """Return a status as the API shows it."""
    return IngestionStatusResponse.model_validate(status)
