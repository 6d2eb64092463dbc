"""Endpoints and deliveries as rows say them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.errors import ConflictError


class WebhookDisabledError(ConflictError):
    """The endpoint is disabled: nothing is sent to it."""

    code = "webhook_disabled"
    title = "The webhook is disabled: enable it first"


class TooManyWebhooksError(ConflictError):
    """The organization has as many endpoints as it may."""

    code = "too_many_webhooks"
    title = "There are as many webhooks as there may be"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an organization wants to be told, without its secret. `event_types` empty: everything; `bot_ids` None:
    every bot, and what is about none.
    """

    id: UUID
    url: str
    description: str
    event_types: Sequence[str]
    bot_ids: Sequence[UUID] | None
    is_enabled: bool
    disabled_reason: str | None
    disabled_at: datetime | None
    failing_since: datetime | None
    former_secret_expires_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint, and its secret, which is shown this once."""

    endpoint: Endpoint
    secret: str


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """What may be said of an endpoint."""

    url: str
    description: str = ""
    event_types: Sequence[str] = ()
    bot_ids: Sequence[UUID] | None = None
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """One event on its way to one endpoint."""

    id: UUID
    event_id: UUID
    type: str
    occurred_at: datetime
    sequence: int
    status: str
    attempts: int
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    latency_ms: int | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A delivery with what is sent and what came back. `response_excerpt` is the endpoint's: nobody vouches for it."""

    summary: DeliverySummary
    data: dict[str, Any]
    response_excerpt: str | None
