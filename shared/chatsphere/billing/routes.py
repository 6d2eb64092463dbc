"""HTTP routes of plans, usage and billing: translate in, call one use case, translate out."""

# The tenant is the credential's; that the path names the same one, the gate has checked.
# ruff: noqa: ARG001

from dataclasses import asdict
from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.billing import plans, schemas, subscriptions
from chatsphere.billing.usage import OrganizationUsage, organization_overview
from chatsphere.bootstrap import container
from chatsphere.db.database import Connection
from chatsphere.http.operations import NO_CONTENT, PUBLIC, described, no_content, problem_response, requires
from chatsphere.http.proxy_event import header
from chatsphere.http.rest_api import principal

router = Router()

TAGS = ["billing"]
OFF = problem_response("No payments are taken (`billing_off`), or a subscription stands against it.")
PROVIDER = problem_response("The payment provider does not accept the request.")


@router.get(
    "/v1/plans",
    summary="List the plans",
    tags=TAGS,
    operation_id="listPlans",
    openapi_extensions=PUBLIC,
)
def list_plans() -> schemas.PlansResponse:
    """Return the plans with what they permit and cost."""
    with container().database.transaction(None) as connection:
        found = plans.active_plans(connection)
    return schemas.PlansResponse(data=[schemas.PlanResponse.model_validate(asdict(plan)) for plan in found])


@router.get(
    "/v1/organizations/<organization_id>/usage",
    summary="What the organization may use, and what it uses",
    tags=TAGS,
    operation_id="getUsage",
    openapi_extensions=requires(Permission.ORGANIZATION_READ),
)
def get_usage(organization_id: UUID) -> schemas.UsageResponse:
    """Return the plan, its quotas and the month's budgets, each with what is used of it."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return _usage(connection, caller)


@router.put(
    "/v1/organizations/<organization_id>/plan",
    summary="Choose a plan",
    tags=TAGS,
    operation_id="choosePlan",
    openapi_extensions=requires(Permission.ORGANIZATION_OWN),
    responses={
        200: described("The plan is in force."),
        402: problem_response("The plan begins when a checkout is paid (`payment_required`)."),
        409: problem_response("A subscription is paid for (`subscription_active`)."),
    },
)
def choose_plan(organization_id: UUID, body: schemas.PlanRequest) -> schemas.UsageResponse:
    """Put the organization on a plan. What exceeds a smaller one is not taken away; there is only no more of it."""
    caller, c = principal(router), container()
    sale = _sale()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        plans.choose_plan(connection, body.plan, sale, now=c.clock.now())
        return _usage(connection, caller)


@router.post(
    "/v1/organizations/<organization_id>/billing/checkout",
    summary="Open the page on which a plan is paid for",
    tags=TAGS,
    operation_id="openCheckout",
    openapi_extensions=requires(Permission.ORGANIZATION_OWN),
    responses={200: described("The page."), 409: OFF, 502: PROVIDER},
)
def open_checkout(organization_id: UUID, body: schemas.PlanRequest) -> schemas.PageResponse:
    """Return a page of the payment provider's. The plan is in force when it says that it was paid."""
    caller = principal(router)
    url = subscriptions.checkout(_billing(), caller.organization_id, caller.user_id, body.plan)
    return schemas.PageResponse(url=url)


@router.post(
    "/v1/organizations/<organization_id>/billing/portal",
    summary="Open the page on which the subscription is changed or ended",
    tags=TAGS,
    operation_id="openBillingPortal",
    openapi_extensions=requires(Permission.ORGANIZATION_OWN),
    responses={200: described("The page."), 409: OFF, 502: PROVIDER},
)
def open_portal(organization_id: UUID) -> schemas.PageResponse:
    """Return a page of the payment provider's."""
    caller = principal(router)
    return schemas.PageResponse(url=subscriptions.portal(_billing(), caller.organization_id, caller.user_id))


@router.post(
    "/v1/billing/stripe-webhook",
    status_code=204,
    summary="Tell what happened at Stripe",
    tags=TAGS,
    operation_id="receiveStripeEvent",
    openapi_extensions=PUBLIC,
    responses=NO_CONTENT
    | {
        400: problem_response("The body is no event, or not signed by Stripe (`invalid_signature`)."),
        409: problem_response("No payments are taken (`billing_off`)."),
        502: PROVIDER,
    },
)
def receive_stripe_event() -> Response[Any]:
    """Follow an event of Stripe's, proved by its header `Stripe-Signature`. Called by Stripe only."""
    billing, event = _billing(), router.current_event.raw_event
    # The text that came, to the letter: the signature is over its bytes.
    signed = billing.payments.read_event(event.get("body") or "", header(event, "stripe-signature") or "")
    subscriptions.follow(billing, signed)
    return no_content()


def _sale() -> plans.Sale | None:
    """Return what is sold; None where owners choose for themselves."""
    c = container()
    if c.stripe_settings.stripe_api_key is not None:
        return _billing().sale
    return None if c.plan_settings.owners_choose_plan else plans.Sale(c.plan_settings.default_plan, ())


def _billing() -> subscriptions.Billing:
    c = container()
    chosen = c.stripe_settings
    return subscriptions.Billing(
        database=c.database,
        payments=c.payments,
        clock=c.clock,
        prices=chosen.prices,
        free_plan=c.plan_settings.default_plan,
        return_url=chosen.billing_return_url or "",
    )


def _usage(connection: Connection, caller: Principal) -> schemas.UsageResponse:
    now = container().clock.now()
    return _usage_response(organization_overview(connection, caller.organization_id, now))


def _usage_response(usage: OrganizationUsage) -> schemas.UsageResponse:
    return schemas.UsageResponse.model_validate(
        {
            "plan": usage.plan,
            "subscription_status": usage.subscription_status,
            "current_period_end": usage.current_period_end,
            "period": usage.month.period,
            "quotas": {quota.value: measure for quota, measure in usage.quotas.items()},
            "budgets": {"tokens": usage.budget_tokens, "microdollars": usage.budget_microdollars},
        }
    )
