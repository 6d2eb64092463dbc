"""Use cases of endpoints: made, changed, rotated, deleted. Who may do it, the gate has checked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.audit.recording import note
from chatsphere.billing.quotas import hold_organization
from chatsphere.db.database import Connection
from chatsphere.errors import FieldError, InvalidRequestError, NotFoundError
from chatsphere.ports.vault import SecretBox
from chatsphere.webhooks import endpoint_queries as queries
from chatsphere.webhooks.dispatch_queries import HOLD_ENDPOINTS, MAKE_DELIVERIES
from chatsphere.webhooks.model import Endpoint, EndpointSettings, NewEndpoint, TooManyWebhooksError
from chatsphere.webhooks.signing import new_secret

MOST: Final = 20
"""Endpoints of one organization."""

MOST_FORMER: Final = 4
"""Secrets of before that sign together with the present one."""

MOST_WAITING: Final = 1000
"""Events whose deliveries are made before endpoints change; more wait only where nobody has looked for long."""


def create(
    connection: Connection, settings: EndpointSettings, *, endpoint_id: UUID, box: SecretBox, now: datetime
) -> NewEndpoint:
    """Make an endpoint; its URL was checked.

    Raises:
        TooManyWebhooksError: the organization has as many as it may.
        InvalidRequestError: a bot is none of the organization's.
    """
    hold_organization(connection)
    counted = connection.execute(queries.COUNT).fetchone()
    assert counted is not None
    if counted["endpoints"] >= MOST:
        raise TooManyWebhooksError(f"An organization has {MOST} webhooks at most.")
    _check_bots(connection, settings.bot_ids)
    _deliver_what_happened(connection, now)
    secret = new_secret()
    values = _values(settings) | {"id": endpoint_id, "secret": box.seal(secret), "now": now}
    row = connection.execute(queries.INSERT, values).fetchone()
    assert row is not None
    return NewEndpoint(Endpoint(**row), secret)


def page(connection: Connection, *, after: UUID | None, limit: int, now: datetime) -> Sequence[Endpoint]:
    """Return up to `limit + 1` endpoints, the newest first."""
    rows = connection.execute(queries.PAGE, {"after": after, "limit": limit + 1, "now": now})
    return [Endpoint(**row) for row in rows]


def get(connection: Connection, endpoint_id: UUID, *, now: datetime, hold: bool = False) -> Endpoint:
    """Return one endpoint; `hold`: until the transaction ends nobody else changes it.

    Raises:
        NotFoundError: the organization has no such endpoint.
    """
    row = connection.execute(queries.HOLD if hold else queries.GET, {"id": endpoint_id, "now": now}).fetchone()
    if row is None:
        raise NotFoundError("There is no such webhook.")
    return Endpoint(**row)


def change(connection: Connection, endpoint_id: UUID, changes: Mapping[str, Any], *, now: datetime) -> Endpoint:
    """Change what is named. Enabling forgets past failures; disabling ends what is on its way.

    Raises:
        NotFoundError: there is no such endpoint.
        InvalidRequestError: a bot is none of the organization's.
    """
    # First: all endpoints are held in one order.
    _deliver_what_happened(connection, now)
    present = get(connection, endpoint_id, now=now, hold=True)
    wanted = replace(_settings_of(present), **changes)
    if "bot_ids" in changes:
        new = set(wanted.bot_ids or ()) - set(present.bot_ids or ())
        _check_bots(connection, sorted(new))
    # Where it is somewhere else now, how the former place failed says nothing.
    forget = wanted.is_enabled and ("is_enabled" in changes or wanted.url != present.url)
    values = _values(wanted) | {"id": endpoint_id, "forget_failures": forget, "now": now}
    row = connection.execute(queries.UPDATE, values).fetchone()
    assert row is not None
    if not wanted.is_enabled:
        connection.execute(queries.END_DELIVERIES, {"id": endpoint_id, "now": now})
    return Endpoint(**row)


def rotate(
    connection: Connection, endpoint_id: UUID, *, overlap: timedelta, box: SecretBox, now: datetime
) -> NewEndpoint:
    """Give the endpoint another secret. Until the overlap ends, deliveries are signed with the former, too.

    Without an overlap none of before signs any more.

    Raises:
        NotFoundError: there is no such endpoint.
    """
    get(connection, endpoint_id, now=now, hold=True)
    secret = new_secret()
    values = {"id": endpoint_id, "secret": box.seal(secret), "former_expires_at": now + overlap, "now": now}
    values |= {"most": MOST_FORMER}
    row = connection.execute(queries.ROTATE, values).fetchone()
    assert row is not None
    note(connection, "webhook.rotated", "webhook", endpoint_id, after={"overlap_seconds": overlap.total_seconds()})
    return NewEndpoint(Endpoint(**row), secret)


def delete(connection: Connection, endpoint_id: UUID, *, now: datetime) -> None:
    """Delete an endpoint with its deliveries.

    Raises:
        NotFoundError: there is no such endpoint.
    """
    get(connection, endpoint_id, now=now, hold=True)
    connection.execute(queries.DELETE, {"id": endpoint_id})


def _deliver_what_happened(connection: Connection, now: datetime) -> None:
    """Make the deliveries of events that wait: what changes now is for what happens from now on."""
    connection.execute(HOLD_ENDPOINTS)
    connection.execute(MAKE_DELIVERIES, {"now": now, "limit": MOST_WAITING})


def _values(settings: EndpointSettings) -> dict[str, Any]:
    values = asdict(settings)
    bots = settings.bot_ids
    return values | {"event_types": list(settings.event_types), "bot_ids": None if bots is None else list(bots)}


def _settings_of(endpoint: Endpoint) -> EndpointSettings:
    return EndpointSettings(
        endpoint.url, endpoint.description, endpoint.event_types, endpoint.bot_ids, endpoint.is_enabled
    )


def _check_bots(connection: Connection, bot_ids: Sequence[UUID] | None) -> None:
    if not bot_ids:
        return
    known = {row["id"] for row in connection.execute(queries.BOTS, {"bot_ids": list(bot_ids)})}
    if unknown := sorted(set(bot_ids) - known):
        errors = tuple(FieldError("body/bot_ids", "unknown_bot", f"There is no bot {bot_id}.") for bot_id in unknown)
        raise InvalidRequestError("The webhook names a bot that does not exist.", errors)
