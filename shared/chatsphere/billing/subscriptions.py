"""Paying for a plan: a person pays at the payment provider, whose events tell what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.billing import subscription_queries as queries
from chatsphere.billing.plans import Sale
from chatsphere.db.database import Connection, Database
from chatsphere.errors import (
    ConfigurationError,
    ConflictError,
    FieldError,
    InvalidRequestError,
    SubscriptionActiveError,
    UnavailableError,
)
from chatsphere.observability import logger
from chatsphere.ports.payments import PaymentEvent, Payments, Subscription
from chatsphere.ports.system import Clock

PAID: Final = frozenset({"active", "trialing", "past_due"})
"""The plan is in force; of `past_due` the provider still tries to collect."""

WAITING: Final = frozenset({"incomplete"})
"""The first payment is not made yet: nothing changes. Every other status means that nobody pays any more."""

FOLLOWED: Final = frozenset({
    "checkout.session.completed",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.paid",
    "invoice.payment_failed",
})  # fmt: skip
"""Events after which a subscription may be another than before."""


class NoCustomerError(ConflictError):
    """The organization has never paid for anything."""

    code = "no_customer"
    title = "There is nothing to manage yet"


@dataclass(frozen=True, slots=True)
class Billing:
    """What payments depend on. `prices` has the provider's price of each plan that is sold."""

    database: Database
    payments: Payments
    clock: Clock
    prices: Mapping[str, str]
    free_plan: str
    return_url: str

    @property
    def sale(self) -> Sale:
        """How plans are sold."""
        return Sale(self.free_plan, frozenset(self.prices))


def checkout(billing: Billing, organization_id: UUID, user_id: UUID, plan: str) -> str:
    """Return the page on which the organization's plan is paid for.

    Raises:
        InvalidRequestError: the plan is not sold.
        SubscriptionActiveError: a plan is paid for already.
        UnavailableError, ProviderRejectedError: see `Payments`.
    """
    if plan not in billing.prices:
        wrong = FieldError("body/plan", "not_for_sale", f"Choose one of: {', '.join(sorted(billing.prices))}.")
        raise InvalidRequestError("The plan is not for sale.", (wrong,))
    with billing.database.transaction(organization_id, user_id) as connection:
        payer = _payer(connection, user_id)
    if payer["stripe_subscription_id"] is not None:
        raise SubscriptionActiveError("Change it in the billing portal.")
    customer = payer["stripe_customer_id"] or _new_customer(billing, organization_id, user_id, payer)
    return billing.payments.checkout_url(
        customer, price_id=billing.prices[plan], organization_id=organization_id, return_url=billing.return_url
    )


def portal(billing: Billing, organization_id: UUID, user_id: UUID) -> str:
    """Return the page on which the organization's payments are managed.

    Raises:
        NoCustomerError: there has never been any.
        UnavailableError, ProviderRejectedError: see `Payments`.
    """
    with billing.database.transaction(organization_id, user_id) as connection:
        customer = _payer(connection, user_id)["stripe_customer_id"]
    if customer is None:
        raise NoCustomerError("Begin with a checkout.")
    return billing.payments.portal_url(customer, return_url=billing.return_url)


def follow(billing: Billing, event: PaymentEvent) -> None:
    """Let the organization's plan follow its subscription. The same event again, or an older one, changes nothing.

    The subscription is read anew, for events come in any order. One that was begun while another is paid for is ended.
    Should anything fail, the provider sends the event again.

    Raises:
        UnavailableError, ProviderRejectedError: see `Payments`.
        ConfigurationError: no plan is sold at the subscription's price.
    """
    if event.kind not in FOLLOWED or event.subscription_id is None:
        return
    asked_at = billing.clock.now()
    found = billing.payments.subscription(event.subscription_id)
    organization_id = found.organization_id
    if organization_id is None:
        logger.info("subscription of nobody here", subscription=found.id)
        return
    with billing.database.transaction(organization_id) as connection:
        former = _other(connection, found)
    if former is not None:
        found = _settle_two(billing, found, former, organization_id, asked_at)
    with billing.database.transaction(organization_id) as connection:
        if connection.execute(queries.NOTE_EVENT, {"id": event.id, "now": asked_at}).rowcount == 0:
            return
        if not _apply(connection, billing, found, asked_at) and _other(connection, found) is not None:
            # Two that were paid for at once: the one that came second is ended when its event comes again.
            raise UnavailableError("Another subscription was followed meanwhile.")


def _other(connection: Connection, found: Subscription) -> str | None:
    """Return which other subscription the organization pays for, where this one is paid for, too."""
    if found.status not in PAID:
        return None
    values = {"customer_id": found.customer_id, "subscription_id": found.id}
    row = connection.execute(queries.PAYS_ALREADY, values).fetchone()
    return None if row is None else str(row["subscription_id"])


def _settle_two(
    billing: Billing, found: Subscription, former: str, organization_id: UUID, asked_at: datetime
) -> Subscription:
    """Leave one of two subscriptions: the former, unless it has ended and its event is still to come.

    Returns this one, which was asked for at `asked_at`, as it is then. Done again, it does no harm.
    """
    other = billing.payments.subscription(former)
    if other.status in PAID:
        logger.warning("second subscription ended", subscription=found.id, first=former)
        billing.payments.end_subscription(found.id)
        return replace(found, status="canceled")
    with billing.database.transaction(organization_id) as connection:
        # Not as seen later than this one, which would then be dropped as overtaken.
        _apply(connection, billing, other, asked_at)
    return found


def _apply(connection: Connection, billing: Billing, found: Subscription, asked_at: datetime) -> bool:
    """Let the organization follow its subscription; return whether there was anything to follow."""
    values: dict[str, Any] = {
        "subscription_id": found.id,
        "customer_id": found.customer_id,
        "status": found.status,
        "current_period_end": found.current_period_end,
        "asked_at": asked_at,
    }
    if found.status in WAITING:
        return False
    if found.status in PAID:
        statement, values["plan"] = queries.SUBSCRIBE, _plan_of(billing, found)
    else:
        statement, values["plan"] = queries.UNSUBSCRIBE, billing.free_plan
    if connection.execute(statement, values).rowcount:
        return True
    logger.warning("subscription not followed", subscription=found.id, status=found.status)
    return False


def _plan_of(billing: Billing, found: Subscription) -> str:
    for plan, price_id in billing.prices.items():
        if price_id == found.price_id:
            return plan
    raise ConfigurationError(f"STRIPE_PRICE_IDS names no plan for the price {found.price_id}.")


def _payer(connection: Connection, user_id: UUID) -> dict[str, Any]:
    row = connection.execute(queries.PAYER, {"user_id": user_id}).fetchone()
    assert row is not None
    return row


def _new_customer(billing: Billing, organization_id: UUID, user_id: UUID, payer: Mapping[str, Any]) -> str:
    made = billing.payments.create_customer(organization_id, name=payer["name"], email=payer["email"])
    with billing.database.transaction(organization_id, user_id) as connection:
        # Of two at once the first one's stays.
        row = connection.execute(queries.KEEP_CUSTOMER, {"customer_id": made}).fetchone()
    return str(row["stripe_customer_id"]) if row else made
