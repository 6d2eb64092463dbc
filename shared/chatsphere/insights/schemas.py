"""Parameters and bodies of the insights."""

import re
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, BeforeValidator, Field

from chatsphere.http.models import ApiResponse, is_storable


def _storable(text: str | None) -> str | None:
    if text is not None and not is_storable(text):
        raise ValueError("must not hold U+0000 or a lone surrogate")
    return text


def _day(text: object) -> object:
    # A date is also read from moments and from seconds: of a moment in another zone that would be another day.
    if isinstance(text, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("must be a day, as in 2026-11-22")
    return text


_Text = Annotated[str | None, AfterValidator(_storable)]
_Day = Annotated[date | None, BeforeValidator(_day)]

Since = Annotated[_Day, Query(description="First day (UTC); 30 days up to `until` where it is left out.")]
Until = Annotated[_Day, Query(description="Last day (UTC), included; today where it is left out.")]
BotId = Annotated[UUID | None, Query(description="Only this bot; left out: all, which takes the role admin.")]
ApiKeyId = Annotated[UUID | None, Query(description="Only what was asked with this API key.")]
EndUser = Annotated[_Text, Query(min_length=1, max_length=255, description="Only this end user's.")]
Model = Annotated[_Text, Query(min_length=1, max_length=200, description="Only of this model.")]
Channel = Annotated[
    str | None, Query(pattern=r"^[a-z0-9_-]{1,64}$", description="Only of this channel: `api`, `public`.")
]
GroupBy = Annotated[
    Literal["day", "bot", "api_key", "end_user", "model", "channel"],
    Query(description="What the numbers are split by."),
]
GroupLatencyBy = Annotated[
    Literal["day", "bot", "api_key", "model", "channel"], Query(description="What the numbers are split by.")
]
Groups = Annotated[int, Query(ge=1, le=1000, description="How many groups at most.")]
Format = Annotated[
    Literal["json", "csv"] | None, Query(description="Of the answer; left out: as `Accept` says, else JSON.")
]
Found = Annotated[
    Literal["ever", "never"] | None, Query(description="Only documents that were found, or that never were.")
]
Status = Annotated[
    Literal["open", "resolved", "ignored"] | None, Query(description="Only questions of which this came.")
]


class Usage(ApiResponse):
    """What was used."""

    answers: int = Field(description="All of them, however they ended.")
    answered: int
    refused: int
    failed: int
    interrupted: int
    stopped: int
    cached: int = Field(description="Of the answers, those that came from the cache.")
    searches: int
    documents_embedded: int
    messages_embedded: int
    ratings: int
    prompt_tokens: int
    completion_tokens: int
    embedding_tokens: int


class Cost(ApiResponse):
    """What it cost, in millionths of a dollar."""

    cost_microdollars: int
    answer_microdollars: int
    search_microdollars: int
    embedding_microdollars: int
    answers: int
    microdollars_per_answer: float | None = Field(description="Of `answer_microdollars`; null without answers.")
    prompt_tokens: int
    completion_tokens: int
    embedding_tokens: int


class Quality(ApiResponse):
    """How good the answers were."""

    answers: int
    answered: int
    refused: int
    refused_no_documents: int
    refused_no_relevant_passage: int
    refused_unsupported: int
    refusal_rate: float | None = Field(description="Of those answered or refused, the refused; null without any.")
    failed: int
    interrupted: int
    stopped: int
    ratings: int
    rating_mean: float | None = Field(description="From 1 (worst) to 5 (best); null without ratings.")
    rated_share: float | None = Field(description="Ratings per answer; null without answers.")
    positive_ratings: int = Field(description="4 and 5.")
    negative_ratings: int = Field(description="1 and 2.")
    citations: int
    dropped_citations: int = Field(description="Claims of the model that pointed at nothing, and were left out.")
    dropped_share: float | None = Field(description="Of all citations that a model made; null without any.")


class Latency(ApiResponse):
    """How long a stage of answers took, in milliseconds; percentiles are within `relative_error` of the exact ones."""

    stage: str = Field(description="`total`, `first_token` or `retrieve`.")
    answers: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float


class _Group(ApiResponse):
    group: str | None = Field(description="Day or id or name of what the numbers are of; null: the events name none.")
    name: str | None = Field(description="What a bot or API key is called, while it is there.")


class UsageGroup(Usage, _Group):
    """Usage of one group."""


class CostGroup(Cost, _Group):
    """Cost of one group."""


class QualityGroup(Quality, _Group):
    """Quality of one group."""


class LatencyGroup(Latency, _Group):
    """Latency of one group and stage."""


class _Report(ApiResponse):
    since: date
    until: date
    group_by: str
    next_cursor: str | None
    has_more: bool


class UsageReport(_Report):
    """What was used: in all, and a page of groups."""

    total: Usage
    data: list[UsageGroup]


class CostReport(_Report):
    """What it cost: in all, and a page of groups."""

    total: Cost
    data: list[CostGroup]


class QualityReport(_Report):
    """How good the answers were: in all, and a page of groups."""

    total: Quality
    data: list[QualityGroup]


class LatencyReport(_Report):
    """How long answers took: in all, and a page of groups, each by stage."""

    relative_error: float
    total: list[Latency]
    data: list[LatencyGroup]


class SourceRow(ApiResponse):
    """How often a document was given to the model, and cited, since it was added."""

    document_id: UUID
    document_name: str
    bot_id: UUID
    bot_name: str
    retrieved: int
    cited: int
    last_retrieved: datetime | None
    ready_at: datetime | None


class UnansweredRow(ApiResponse):
    """A question that a bot had no answer to; counts and times are of the period. `question`: null when erased."""

    id: UUID
    bot_id: UUID
    bot_name: str
    question: str | None
    reason: str
    status: str
    asked_count: int
    conversations: int
    first_asked_at: datetime
    last_asked_at: datetime
    best_confidence: float


class ErrorGroup(ApiResponse):
    """Errors of one service and type whose messages differ in ids, numbers and quoted words only."""

    fingerprint: str
    service: str
    error_type: str
    pattern: str
    errors: int
    first_seen_at: datetime
    last_seen_at: datetime
    bots: int
    bot_ids: list[UUID] = Field(description="Ten of them at most.")
    example_id: UUID
    message: str = Field(description="The example's.")
    example_document_id: UUID | None
