"""HTTP routes of webhooks: translate in, call one use case, translate out."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.errors import FieldError, InvalidRequestError, UrlNotAllowedError
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import NO_CONTENT, described, no_content, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.webhooks import endpoints, schemas
from chatsphere.webhooks.event_types import EVENT_TYPES, VERSION
from chatsphere.webhooks.model import NewEndpoint

router = Router()

TAGS = ["webhooks"]


@router.get(
    "/v1/webhook-event-types",
    summary="List what a webhook may be told, with examples",
    tags=TAGS,
    operation_id="listWebhookEventTypes",
    openapi_extensions=requires(Permission.WEBHOOKS_READ),
)
def list_event_types() -> schemas.EventTypesResponse:
    """Return each type with the fields of its `data`."""
    shown = [
        schemas.EventTypeResponse(
            type=one.type,
            description=one.description,
            fields=[schemas.EventTypeField(name=name, description=text) for name, (text, _) in one.fields.items()],
            example=one.example,
        )
        for one in EVENT_TYPES
    ]
    return schemas.EventTypesResponse(version=VERSION, data=shown)


@router.post(
    "/v1/webhooks",
    status_code=201,
    summary="Make a webhook",
    tags=TAGS,
    operation_id="createWebhook",
    openapi_extensions=requires(Permission.WEBHOOKS_WRITE),
    responses={
        201: described("The webhook; its secret is shown this once."),
        409: problem_response("There are as many as there may be (`too_many_webhooks`)."),
    },
)
def create_webhook(body: schemas.WebhookRequest) -> schemas.NewWebhookResponse:
    """Have events sent to a URL from now on."""
    caller, c = principal(router), container()
    settings = body.settings(_checked(body.url))
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        made = _new(
            endpoints.create(connection, settings, endpoint_id=c.ids.new(), box=c.webhook_box, now=c.clock.now())
        )
        keep_answer(connection, 201, made)
    return made


@router.get(
    "/v1/webhooks",
    summary="List the webhooks",
    tags=TAGS,
    operation_id="listWebhooks",
    openapi_extensions=requires(Permission.WEBHOOKS_READ),
)
def list_webhooks(limit: Limit = 20, cursor: Cursor = None) -> Page[schemas.WebhookResponse]:
    """Return a page of the organization's webhooks, newest first."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = endpoints.page(connection, after=decode_cursor(cursor), limit=limit, now=c.clock.now())
    return page_of([schemas.WebhookResponse.model_validate(row) for row in rows], limit, lambda row: row.id)


@router.get(
    "/v1/webhooks/<webhook_id>",
    summary="Get a webhook",
    tags=TAGS,
    operation_id="getWebhook",
    openapi_extensions=requires(Permission.WEBHOOKS_READ),
)
def get_webhook(webhook_id: UUID) -> schemas.WebhookResponse:
    """Return one webhook without its secret."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        return schemas.WebhookResponse.model_validate(endpoints.get(connection, webhook_id, now=c.clock.now()))


@router.patch(
    "/v1/webhooks/<webhook_id>",
    summary="Change, enable or disable a webhook",
    tags=TAGS,
    operation_id="updateWebhook",
    openapi_extensions=requires(Permission.WEBHOOKS_WRITE),
)
def update_webhook(webhook_id: UUID, body: schemas.WebhookChanges) -> schemas.WebhookResponse:
    """Change what is given. While a webhook is disabled, no event is kept for it."""
    caller, c = principal(router), container()
    changes = body.changes()
    if "url" in changes:
        changes["url"] = _checked(changes["url"])
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        changed = endpoints.change(connection, webhook_id, changes, now=c.clock.now())
    return schemas.WebhookResponse.model_validate(changed)


@router.post(
    "/v1/webhooks/<webhook_id>/rotate-secret",
    summary="Give a webhook another secret",
    tags=TAGS,
    operation_id="rotateWebhookSecret",
    openapi_extensions=requires(Permission.WEBHOOKS_WRITE),
    responses={200: described("The webhook; its new secret is shown this once.")},
)
def rotate_webhook_secret(webhook_id: UUID, body: schemas.SecretRotationRequest) -> schemas.NewWebhookResponse:
    """Sign with a new secret, and until the overlap ends with the former one, too."""
    caller, c = principal(router), container()
    overlap = timedelta(seconds=body.overlap_seconds)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        made = _new(endpoints.rotate(connection, webhook_id, overlap=overlap, box=c.webhook_box, now=c.clock.now()))
        keep_answer(connection, 200, made)
    return made


@router.delete(
    "/v1/webhooks/<webhook_id>",
    status_code=204,
    summary="Delete a webhook with its deliveries",
    tags=TAGS,
    operation_id="deleteWebhook",
    openapi_extensions=requires(Permission.WEBHOOKS_WRITE),
    responses=NO_CONTENT,
)
def delete_webhook(webhook_id: UUID) -> Response[Any]:
    """Send nothing to it any more. A try that is under way may still arrive."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        endpoints.delete(connection, webhook_id, now=c.clock.now())
    return no_content()


def _checked(url: str) -> str:
    try:
        return container().web_poster.check(url)
    except UrlNotAllowedError as error:
        wrong = FieldError("body/url", error.code, error.detail)
        raise InvalidRequestError("See `errors` for the fields that are not valid.", (wrong,)) from None


def _new(made: NewEndpoint) -> schemas.NewWebhookResponse:
    shown = schemas.WebhookResponse.model_validate(made.endpoint)
    return schemas.NewWebhookResponse(**shown.model_dump(), secret=made.secret)
