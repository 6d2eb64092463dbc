"""Use cases of deliveries: what was sent and what came of it, tests, replays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.audit.recording import note
from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError
from chatsphere.webhooks import delivery_queries as queries
from chatsphere.webhooks import endpoints
from chatsphere.webhooks.model import DeliveryRecord, DeliverySummary, WebhookDisabledError

MOST_REPLAYED: Final = 1000
"""Deliveries of one request: asked for again, the rest follows."""


def page(
    connection: Connection,
    endpoint_id: UUID,
    *,
    status: str | None,
    event_type: str | None,
    after: UUID | None,
    limit: int,
    now: datetime,
) -> Sequence[DeliverySummary]:
    """Return up to `limit + 1` deliveries to the endpoint, the newest first; `NotFoundError` where there is none."""
    endpoints.get(connection, endpoint_id, now=now)
    values = {"endpoint_id": endpoint_id, "status": status, "type": event_type, "after": after, "limit": limit + 1}
    return [DeliverySummary(**row) for row in connection.execute(queries.PAGE, values)]


def get(connection: Connection, endpoint_id: UUID, delivery_id: UUID) -> DeliveryRecord:
    """Return one delivery.

    Raises:
        NotFoundError: the endpoint has no such delivery.
    """
    row = connection.execute(queries.GET, {"endpoint_id": endpoint_id, "id": delivery_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such delivery.")
    data, excerpt = row.pop("data"), row.pop("response_excerpt")
    return DeliveryRecord(DeliverySummary(**row), data, excerpt)


def test(
    connection: Connection, endpoint_id: UUID, *, event_id: UUID, delivery_id: UUID, now: datetime
) -> DeliveryRecord:
    """Make an event for this endpoint only. The caller has it delivered after the commit.

    Raises:
        NotFoundError: there is no such endpoint.
        WebhookDisabledError: nothing is sent to it.
    """
    _hold_enabled(connection, endpoint_id, now)
    values: dict[str, Any] = {"endpoint_id": endpoint_id, "event_id": event_id, "id": delivery_id, "now": now}
    connection.execute(queries.INSERT_TEST, values | {"data": Jsonb({"webhook_id": str(endpoint_id)})})
    note(connection, "webhook.tested", "webhook", endpoint_id)
    return get(connection, endpoint_id, delivery_id)


def replay(connection: Connection, endpoint_id: UUID, delivery_id: UUID, *, now: datetime) -> DeliveryRecord:
    """Have a delivery sent again, whatever came of it, with all its tries. The event's id stays.

    Raises:
        NotFoundError: there is no such endpoint, or it has no such delivery.
        WebhookDisabledError: nothing is sent to it.
    """
    _hold_enabled(connection, endpoint_id, now)
    get(connection, endpoint_id, delivery_id)
    connection.execute(queries.REPLAY_ONE, {"endpoint_id": endpoint_id, "id": delivery_id, "now": now})
    note(connection, "webhook.replayed", "webhook", endpoint_id, after={"delivery_id": str(delivery_id)})
    return get(connection, endpoint_id, delivery_id)


def replay_failed(connection: Connection, endpoint_id: UUID, *, since: datetime, now: datetime) -> int:
    """Have what has failed since then sent again, the oldest first, up to `MOST_REPLAYED`; return how many.

    Raises:
        NotFoundError: there is no such endpoint.
        WebhookDisabledError: nothing is sent to it.
    """
    _hold_enabled(connection, endpoint_id, now)
    values = {"endpoint_id": endpoint_id, "since": since, "now": now, "limit": MOST_REPLAYED}
    count = len(connection.execute(queries.REPLAY_FAILED, values).fetchall())
    note(connection, "webhook.replayed", "webhook", endpoint_id, after={"deliveries": count})
    return count


def _hold_enabled(connection: Connection, endpoint_id: UUID, now: datetime) -> None:
    if not endpoints.get(connection, endpoint_id, now=now, hold=True).is_enabled:
        raise WebhookDisabledError
