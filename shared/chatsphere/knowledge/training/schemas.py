"""Bodies of the training runs' requests and responses."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chatsphere.http.models import ApiRequest, ApiResponse
from chatsphere.knowledge.calibration.calibrations import FittedCalibration
from chatsphere.knowledge.calibration.schemas import CalibrationResponse, calibration_response
from chatsphere.ports.embedding import EmbeddingModel

ModelName = Annotated[str, Field(min_length=1, max_length=200, description="One of `GET /v1/embedding-models`.")]


class EmbeddingModelResponse(ApiResponse):
    """A model that bots can be embedded with. `is_default`: it embeds the first document of a new bot.

    `calibrated`: what a cosine of this model is worth is known. Where it is not, words alone say how sure a search is.
    """

    name: str
    dimensions: int
    microdollars_per_million_tokens: int
    is_default: bool
    calibrated: bool
    calibration: CalibrationResponse


class EmbeddingModelsResponse(ApiResponse):
    """All models of this deployment, the default first."""

    data: list[EmbeddingModelResponse]


class StartTrainingRunRequest(ApiRequest):
    """Embed the bot with this model; the one that it has makes lost vectors anew. `dry_run` only tells the cost."""

    embedding_model: ModelName
    dry_run: bool = False
    include_memory: bool = Field(
        default=False,
        description="Also make anew what the bot remembers of conversations. Only of use with the model that it has: "
        "its memory follows it to another by itself.",
    )


class EstimateResponse(ApiResponse):
    """What a run would take. Tokens are those that were counted when the documents were read: the model's own count
    differs a little. `from_model` is null where the bot was never embedded. What its memory takes, where that was
    asked for, is estimated by the length of the messages, and part of the cost.
    """

    documents: int
    chunks: int
    tokens: int
    batches: int
    cost_microdollars: int
    from_model: str | None
    to_model: str
    memory_messages: int | None = None
    memory_tokens: int | None = None


class TrainingRunResponse(ApiResponse):
    """One time that a bot was trained: documents that came in (`ingest`), or the bot embedded anew (`reembed`).

    `total_batches` follows the bot while a run goes on. Tokens and cost are those so far. `memory_left`, of one run
    that was asked to make the memory anew, too: how many messages are not embedded yet.
    """

    id: UUID
    bot_id: UUID
    kind: Literal["ingest", "reembed"]
    status: Literal["running", "succeeded", "failed", "cancelled"]
    embedding_model: str | None
    former_model: str | None
    document_count: int
    failed_count: int
    page_count: int
    chunk_count: int
    token_count: int
    cost_microdollars: int
    estimate: EstimateResponse | None
    done_batches: int
    total_batches: int | None
    error_code: str | None
    memory_left: int | None = None
    awaits_budget_since: datetime | None = Field(
        default=None,
        description="Since when the month's budget has no room for the next batch; the run goes on by itself when it "
        "has: it is looked at after an hour, where the reaper runs seldom with its next run.",
    )
    started_at: datetime
    finished_at: datetime | None


class TrainingRunStarted(ApiResponse):
    """The estimate, and the run; no run where only the cost was asked for."""

    estimate: EstimateResponse
    training_run: TrainingRunResponse | None = None


def model_response(model: EmbeddingModel, fitted: FittedCalibration | None) -> EmbeddingModelResponse:
    """Return a model as it is shown to an organization that has fitted this calibration to it."""
    calibration = calibration_response(model.name, fitted)
    return EmbeddingModelResponse(
        **asdict(model), calibrated=calibration.source != "words_alone", calibration=calibration
    )


def run_response(row: dict[str, Any], memory_left: int | None = None) -> TrainingRunResponse:
    """Return a run as it is shown."""
    return TrainingRunResponse.model_validate(row | {"memory_left": memory_left})
