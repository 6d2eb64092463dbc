"""Bodies of webhooks' requests and responses."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from chatsphere.http.models import ApiRequest, ApiResponse, unchanged
from chatsphere.knowledge.web.urls import MAX_URL
from chatsphere.webhooks.event_types import EventType
from chatsphere.webhooks.model import EndpointSettings

WEEK = 7 * 86_400

Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_URL),
    Field(description="https, on port 443, of a public host.", examples=["https://example.com/chatsphere"]),
]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Types = Annotated[
    frozenset[EventType], Field(max_length=len(EventType), description="Which events to send; empty for all.")
]
Bots = Annotated[
    frozenset[UUID] | None,
    Field(
        min_length=1,
        max_length=100,
        description="The only bots whose events to send; null for all, and for what is about none.",
    ),
]


class WebhookRequest(ApiRequest):
    """A new webhook."""

    url: Url
    description: Description = ""
    event_types: Types = frozenset()
    bot_ids: Bots = None
    is_enabled: bool = True

    def settings(self, url: str) -> EndpointSettings:
        """Return what is asked for, with the URL as it is used."""
        types = sorted(self.event_types)
        return EndpointSettings(url, self.description, types, _sorted(self.bot_ids), self.is_enabled)


class WebhookChanges(ApiRequest):
    """A change of a webhook; what is left out stays. Enabling forgets past failures."""

    url: Url = unchanged()
    description: Description = unchanged()
    event_types: Types = unchanged()
    bot_ids: Bots = unchanged()
    is_enabled: bool = unchanged()

    def changes(self) -> dict[str, Any]:
        """Return what is named."""
        given = self.model_dump(exclude_unset=True)
        if "event_types" in given:
            given["event_types"] = sorted(self.event_types)
        if "bot_ids" in given:
            given["bot_ids"] = _sorted(self.bot_ids)
        return given


class SecretRotationRequest(ApiRequest):
    """How long deliveries are signed with the former secret, too."""

    overlap_seconds: Annotated[int, Field(ge=0, le=WEEK)] = 86_400


class ReplayRequest(ApiRequest):
    """From when on what failed is sent again."""

    since: AwareDatetime


class WebhookResponse(ApiResponse):
    """A webhook without its secret."""

    id: UUID
    url: str
    description: str
    event_types: list[EventType]
    bot_ids: list[UUID] | None
    is_enabled: bool
    disabled_reason: Annotated[
        Literal["asked", "gone", "failing"] | None,
        Field(description="`gone`: it answered 410. `failing`: every try of three days has failed."),
    ]
    disabled_at: datetime | None
    failing_since: Annotated[
        datetime | None, Field(description="Since when every try has failed; null: the last did not.")
    ]
    former_secret_expires_at: Annotated[datetime | None, Field(description="Until then former secrets sign, too.")]
    created_at: datetime
    updated_at: datetime


class NewWebhookResponse(WebhookResponse):
    """A webhook with its secret, which is shown this once and cannot be had again."""

    secret: Annotated[str, Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]


class DeliveryResponse(ApiResponse):
    """One event on its way to one webhook."""

    id: UUID
    event_id: Annotated[UUID, Field(description="`webhook-id`: the same at each try, and at each webhook.")]
    type: EventType
    occurred_at: datetime
    sequence: Annotated[int, Field(description="`webhook-sequence`: of the webhook, in the order of finding.")]
    status: Literal["pending", "succeeded", "failed"]
    attempts: int
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    last_status: Annotated[int | None, Field(description="The webhook's HTTP status, where it answered.")]
    last_error: Annotated[
        Literal[
            "status",
            "redirect",
            "timeout",
            "tls",
            "unreachable",
            "url_not_allowed",
            "secret_unreadable",
            "endpoint_disabled",
        ]
        | None,
        Field(description="Why the last try failed, or why there is none any more."),
    ]
    latency_ms: int | None
    created_at: datetime
    finished_at: datetime | None


class DeliveryWithContentResponse(DeliveryResponse):
    """A delivery with its body and the beginning of the answer."""

    payload: dict[str, Any]
    response_excerpt: Annotated[str | None, Field(description="Up to 1,000 characters that the webhook answered.")]


class ReplayResponse(ApiResponse):
    """How many deliveries are sent again."""

    replayed: int
    limit: Annotated[int, Field(description="The most of one request. Where it was reached, ask again.")]


class EventTypeField(ApiResponse):
    """A field of an event's `data`."""

    name: str
    description: str


class EventTypeResponse(ApiResponse):
    """What a webhook may be told."""

    type: EventType
    description: str
    fields: Annotated[list[EventTypeField], Field(description="Of `data`.")]
    example: dict[str, Any]


class EventTypesResponse(ApiResponse):
    """All types. `version` is the payload's: within one, fields are only added."""

    version: int
    data: list[EventTypeResponse]


def _sorted(bot_ids: frozenset[UUID] | None) -> list[UUID] | None:
    return None if bot_ids is None else sorted(bot_ids)
