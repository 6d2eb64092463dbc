"""HTTP routes of deliveries: translate in, call one use case, translate out."""

from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.webhooks import delivery_log, schemas
from chatsphere.webhooks.attempts import payload
from chatsphere.webhooks.event_types import EventType
from chatsphere.webhooks.model import DeliveryRecord
from chatsphere.webhooks.waking import wake

router = Router()

TAGS = ["webhooks"]
DISABLED = problem_response("The webhook is disabled (`webhook_disabled`).")

Status = Annotated[
    Literal["pending", "succeeded", "failed"] | None, Query(description="Only deliveries with this status.")
]
Type = Annotated[EventType | None, Query(alias="type", description="Only deliveries of this type of event.")]


@router.post(
    "/v1/webhooks/<webhook_id>/test",
    status_code=202,
    summary="Send a test event to a webhook",
    tags=TAGS,
    operation_id="testWebhook",
    openapi_extensions=requires(Permission.WEBHOOKS_WRITE),
    responses={202: described("The delivery, on its way."), 409: DISABLED},
)
def test_webhook(webhook_id: UUID) -> schemas.DeliveryWithContentResponse:
    """Send `webhook.test` to this webhook only, at once; what comes of it is read from the delivery."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        made = delivery_log.test(
            connection, webhook_id, event_id=c.ids.new(), delivery_id=c.ids.new(), now=c.clock.now()
        )
        shown = _shown(made, caller.organization_id)
        keep_answer(connection, 202, shown)
    _wake(caller.organization_id)
    return shown


@router.post(
    "/v1/webhooks/<webhook_id>/replay",
    status_code=202,
    summary="Send again what has failed since a time",
    tags=TAGS,
    operation_id="replayWebhook",
    openapi_extensions=requires(Permission.WEBHOOKS_WRITE),
    responses={202: described("How many deliveries are on their way."), 409: DISABLED},
)
def replay_webhook(webhook_id: UUID, body: schemas.ReplayRequest) -> schemas.ReplayResponse:
    """Send deliveries again that failed for good, the oldest first."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        count = delivery_log.replay_failed(connection, webhook_id, since=body.since, now=c.clock.now())
        answer = schemas.ReplayResponse(replayed=count, limit=delivery_log.MOST_REPLAYED)
        keep_answer(connection, 202, answer)
    _wake(caller.organization_id)
    return answer


@router.get(
    "/v1/webhooks/<webhook_id>/deliveries",
    summary="List the deliveries to a webhook",
    tags=TAGS,
    operation_id="listWebhookDeliveries",
    openapi_extensions=requires(Permission.WEBHOOKS_READ),
)
def list_webhook_deliveries(
    webhook_id: UUID, limit: Limit = 20, cursor: Cursor = None, status: Status = None, event_type: Type = None
) -> Page[schemas.DeliveryResponse]:
    """Return a page of the last 30 days' deliveries, newest first."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = delivery_log.page(
            connection,
            webhook_id,
            status=status,
            event_type=event_type,
            after=decode_cursor(cursor),
            limit=limit,
            now=c.clock.now(),
        )
    return page_of([schemas.DeliveryResponse.model_validate(row) for row in rows], limit, lambda row: row.id)


@router.get(
    "/v1/webhooks/<webhook_id>/deliveries/<delivery_id>",
    summary="Get a delivery with what was sent and answered",
    tags=TAGS,
    operation_id="getWebhookDelivery",
    openapi_extensions=requires(Permission.WEBHOOKS_READ),
)
def get_webhook_delivery(webhook_id: UUID, delivery_id: UUID) -> schemas.DeliveryWithContentResponse:
    """Return one delivery."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        return _shown(delivery_log.get(connection, webhook_id, delivery_id), caller.organization_id)


@router.post(
    "/v1/webhooks/<webhook_id>/deliveries/<delivery_id>/replay",
    status_code=202,
    summary="Send a delivery again",
    tags=TAGS,
    operation_id="replayWebhookDelivery",
    openapi_extensions=requires(Permission.WEBHOOKS_WRITE),
    responses={202: described("The delivery, on its way."), 409: DISABLED},
)
def replay_webhook_delivery(webhook_id: UUID, delivery_id: UUID) -> schemas.DeliveryWithContentResponse:
    """Send it again, also where it succeeded. `webhook-id` stays, so that a receiver can tell."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        again = delivery_log.replay(connection, webhook_id, delivery_id, now=c.clock.now())
        shown = _shown(again, caller.organization_id)
        keep_answer(connection, 202, shown)
    _wake(caller.organization_id)
    return shown


def _shown(record: DeliveryRecord, organization_id: UUID) -> schemas.DeliveryWithContentResponse:
    summary = record.summary
    return schemas.DeliveryWithContentResponse(
        **asdict(summary),
        payload=payload(summary.type, summary.occurred_at, organization_id, record.data),
        response_excerpt=record.response_excerpt,
    )


def _wake(organization_id: UUID) -> None:
    """After the commit: a message that came first would find nothing. Where it is lost, the reaper sends another."""
    wake(lambda: container().webhooks_queue, [organization_id])
