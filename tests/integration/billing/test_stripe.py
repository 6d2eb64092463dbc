"""Plans that are paid for: the API with the official library against a loopback Stripe."""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatsphere.billing.subscriptions import Billing, follow
from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.ports.payments import PaymentEvent
from tests.builders.running_api import Account, Answer, FixedClock, RunningApi, running_api
from tests.loopback.scripted_http import Fault
from tests.loopback.stripe_server import (
    API_KEY,
    PRICES,
    RETURN_URL,
    WEBHOOK_SECRET,
    FakeStripe,
    running_stripe,
    signature,
)
from tests.postgres import DatabaseUrls
from tests.racing import race

UPDATED = "customer.subscription.updated"


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    with running_stripe() as server:
        yield server


@pytest.fixture
def api(database_urls: DatabaseUrls, stripe: FakeStripe) -> Iterator[RunningApi]:
    with running_api(
        database_urls,
        STRIPE_API_KEY=API_KEY,
        STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET,
        STRIPE_PRICE_IDS=", ".join(f"{plan}={price}" for plan, price in PRICES.items()),
        STRIPE_ENDPOINT=stripe.server.url,
        BILLING_RETURN_URL=RETURN_URL,
    ) as api:
        yield api


@pytest.fixture
def account(api: RunningApi) -> Account:
    return api.register()


def post(api: RunningApi, account: Account, path: str, body: Any = None) -> Answer:
    return api.request("POST", f"/v1/organizations/{account.organization_id}/{path}", body, token=account.access_token)


def choose(api: RunningApi, account: Account, plan: str) -> Answer:
    path = f"/v1/organizations/{account.organization_id}/plan"
    return api.request("PUT", path, {"plan": plan}, token=account.access_token)


def plan_of(api: RunningApi, account: Account) -> tuple[str, str]:
    body = api.request("GET", f"/v1/organizations/{account.organization_id}/usage", token=account.access_token).json
    return body["plan"], body["subscription_status"]


def subscribe(api: RunningApi, stripe: FakeStripe, account: Account, plan: str = "Pro", status: str = "active") -> str:
    """Pay for a plan on Stripe's page; nobody has told us yet."""
    opened = post(api, account, "billing/checkout", {"plan": plan})
    assert opened.status == 200, opened.text
    return stripe.pay(opened.json["url"], status=status)


def tell(api: RunningApi, body: str, *, signed: str | None = None, as_base64: bool = False) -> Answer:
    """Deliver an event as Stripe does."""
    headers = {
        "Stripe-Signature": signature(body) if signed is None else signed,
        "Content-Type": "application/json; charset=utf-8",
    }
    sent = base64.b64encode(body.encode()).decode() if as_base64 else body
    return api.request("POST", "/v1/billing/stripe-webhook", raw_body=sent, headers=headers, base64=as_base64)


def test_a_paid_checkout_puts_the_organization_on_its_plan(
    api: RunningApi, stripe: FakeStripe, account: Account
) -> None:
    subscription = subscribe(api, stripe, account)
    assert plan_of(api, account) == ("Free", "free")

    answer = tell(api, stripe.event("checkout.session.completed", subscription))

    assert (answer.status, answer.text) == (204, "")
    assert plan_of(api, account) == ("Pro", "active")
    (customer,) = stripe.customers.values()
    assert customer["email"] == account.email


def test_bytes_are_verified_as_they_came(api: RunningApi, stripe: FakeStripe, account: Account) -> None:
    subscription = subscribe(api, stripe, account)
    body = stripe.event("invoice.paid", subscription)
    assert "ö" in body

    assert tell(api, body, as_base64=True).status == 204
    assert plan_of(api, account) == ("Pro", "active")


def test_the_same_event_counts_once(api: RunningApi, stripe: FakeStripe, account: Account) -> None:
    subscription = subscribe(api, stripe, account)
    body = stripe.event("customer.subscription.created", subscription)
    tell(api, body)
    stripe.change(subscription, price=PRICES["Basic"])

    assert tell(api, body).status == 204

    # Its second delivery was not followed; the event of the change is.
    assert plan_of(api, account)[0] == "Pro"
    tell(api, stripe.event(UPDATED, subscription))
    assert plan_of(api, account)[0] == "Basic"


def test_of_deliveries_of_one_event_at_once_one_is_followed(
    api: RunningApi, stripe: FakeStripe, account: Account, database_urls: DatabaseUrls
) -> None:
    subscription = subscribe(api, stripe, account)
    event = PaymentEvent(f"evt_{subscription}", UPDATED, subscription)
    c = api.container

    def deliver(database: Database, _: int) -> bool:
        follow(Billing(database, c.payments, c.clock, c.stripe_settings.prices, "Free", RETURN_URL), event)
        return True

    assert race(database_urls.app, 4, deliver) == [True] * 4

    with c.database.transaction(UUID(account.organization_id)) as connection:
        taken = connection.execute("SELECT count(*) AS events FROM stripe_events WHERE id = %s", (event.id,)).fetchone()
        changes = connection.execute(
            "SELECT count(*) AS changes FROM audit_log WHERE action = 'organization.updated' AND after ? 'plan_id'"
        ).fetchone()
    assert (taken, changes) == ({"events": 1}, {"changes": 1})
    assert plan_of(api, account) == ("Pro", "active")


def test_a_look_that_was_overtaken_by_a_later_one_changes_nothing(
    api: RunningApi, stripe: FakeStripe, account: Account
) -> None:
    subscription = subscribe(api, stripe, account)
    tell(api, stripe.event(UPDATED, subscription))
    stripe.change(subscription, price=PRICES["Basic"])
    late = stripe.event(UPDATED, subscription)

    # It was begun a second before the one that has been followed already.
    api.clock.advance(seconds=-1)
    assert tell(api, late).status == 204

    assert plan_of(api, account)[0] == "Pro"


def test_events_in_the_wrong_order_end_in_the_right_plan(api: RunningApi, stripe: FakeStripe, account: Account) -> None:
    subscription = subscribe(api, stripe, account)
    created = stripe.event("customer.subscription.created", subscription)
    stripe.change(subscription, price=PRICES["Basic"])
    changed = stripe.event(UPDATED, subscription)
    stripe.change(subscription, status="canceled")
    ended = stripe.event("customer.subscription.deleted", subscription)

    for body in (ended, changed, created):
        assert tell(api, body).status == 204

    assert plan_of(api, account)[0] == "Free"


@pytest.mark.parametrize("status", ["canceled", "unpaid", "incomplete_expired", "paused"])
def test_when_nobody_pays_any_more_the_free_plan_is_left(
    api: RunningApi, stripe: FakeStripe, account: Account, status: str
) -> None:
    subscription = subscribe(api, stripe, account)
    tell(api, stripe.event(UPDATED, subscription))
    stripe.change(subscription, status=status)

    tell(api, stripe.event(UPDATED, subscription))

    assert plan_of(api, account) == ("Free", status)


def test_a_late_payment_keeps_the_plan_and_is_shown(api: RunningApi, stripe: FakeStripe, account: Account) -> None:
    subscription = subscribe(api, stripe, account)
    tell(api, stripe.event(UPDATED, subscription))
    stripe.change(subscription, status="past_due")

    tell(api, stripe.event("invoice.payment_failed", subscription))

    assert plan_of(api, account) == ("Pro", "past_due")


def test_before_the_first_payment_nothing_changes(api: RunningApi, stripe: FakeStripe, account: Account) -> None:
    subscription = subscribe(api, stripe, account, status="incomplete")

    tell(api, stripe.event("customer.subscription.created", subscription))

    assert plan_of(api, account) == ("Free", "free")


def test_a_second_subscription_does_not_replace_the_first(
    api: RunningApi, stripe: FakeStripe, account: Account
) -> None:
    first = subscribe(api, stripe, account, "Pro")
    second = subscribe(api, stripe, account, "Basic")
    tell(api, stripe.event(UPDATED, first))

    tell(api, stripe.event(UPDATED, second))
    stripe.change(second, status="canceled")
    tell(api, stripe.event(UPDATED, second))

    assert plan_of(api, account) == ("Pro", "active")


def test_a_second_subscription_is_ended_however_often_that_is_told(
    api: RunningApi, stripe: FakeStripe, account: Account
) -> None:
    first = subscribe(api, stripe, account, "Pro")
    second = subscribe(api, stripe, account, "Basic")
    tell(api, stripe.event(UPDATED, first))
    body = stripe.event("checkout.session.completed", second)
    stripe.server.faults.queue_after(2, Fault.UNAVAILABLE, Fault.UNAVAILABLE)

    # Stripe does not answer when it is to be ended: it tells once more.
    assert tell(api, body).status == 503
    assert stripe.subscriptions[second]["status"] == "active"
    assert [tell(api, body).status for _ in range(2)] == [204, 204]

    assert (stripe.subscriptions[first]["status"], stripe.subscriptions[second]["status"]) == ("active", "canceled")
    assert plan_of(api, account) == ("Pro", "active")


def test_of_two_subscriptions_that_are_told_at_once_one_is_ended(
    api: RunningApi, stripe: FakeStripe, account: Account, database_urls: DatabaseUrls
) -> None:
    subscriptions = [subscribe(api, stripe, account, plan) for plan in ("Pro", "Basic", "Pro")]
    c = api.container

    def deliver(database: Database, number: int) -> None:
        billing = Billing(database, c.payments, c.clock, c.stripe_settings.prices, "Free", RETURN_URL)
        event = PaymentEvent(f"evt_{subscriptions[number]}", UPDATED, subscriptions[number])
        with suppress(UnavailableError):
            follow(billing, event)
            return
        follow(billing, event)

    assert race(database_urls.app, 3, deliver) == [None] * 3

    left = [subscription for subscription in subscriptions if stripe.subscriptions[subscription]["status"] == "active"]
    with c.database.transaction(UUID(account.organization_id)) as connection:
        kept = connection.execute("SELECT stripe_subscription_id FROM organizations").fetchone()
    assert kept == {"stripe_subscription_id": left[0]}
    assert len(left) == 1


class Ticking:
    """A clock that goes on each time somebody looks."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        self._clock.advance(seconds=1)
        return self._clock.now()


def test_a_new_subscription_is_followed_where_the_end_of_the_former_is_told_later(
    api: RunningApi, stripe: FakeStripe, account: Account
) -> None:
    first, second = (subscribe(api, stripe, account, plan) for plan in ("Pro", "Basic"))
    tell(api, stripe.event(UPDATED, first))
    stripe.change(first, status="canceled")

    c, created = api.container, PaymentEvent(f"evt_{second}", "customer.subscription.created", second)
    follow(Billing(c.database, c.payments, Ticking(api.clock), c.stripe_settings.prices, "Free", RETURN_URL), created)
    assert plan_of(api, account) == ("Basic", "active")
    tell(api, stripe.event("customer.subscription.deleted", first))

    assert plan_of(api, account) == ("Basic", "active")
    assert stripe.subscriptions[second]["status"] == "active"


def test_what_is_not_signed_by_stripe_changes_nothing(api: RunningApi, stripe: FakeStripe, account: Account) -> None:
    body = stripe.event(UPDATED, subscribe(api, stripe, account))

    for signed in ("", "t=1,v1=00", signature(body, secret="whsec_other"), signature(body + " ")):
        answer = tell(api, body, signed=signed)
        assert (answer.status, answer.code) == (400, "invalid_signature")

    assert plan_of(api, account)[0] == "Free"


def test_a_subscription_of_another_customer_changes_nothing(
    api: RunningApi, stripe: FakeStripe, account: Account
) -> None:
    other = api.register()
    subscription = subscribe(api, stripe, other, "Basic")
    post(api, account, "billing/checkout", {"plan": "Pro"})
    stripe.subscriptions[subscription]["metadata"]["organization_id"] = account.organization_id

    assert tell(api, stripe.event(UPDATED, subscription)).status == 204

    assert plan_of(api, account)[0] == "Free"
    assert plan_of(api, other)[0] == "Free"


def test_events_of_others_and_about_other_things_are_taken_and_ignored(
    api: RunningApi, stripe: FakeStripe, account: Account
) -> None:
    subscription = subscribe(api, stripe, account)
    stripe.subscriptions[subscription]["metadata"] = {}
    assert tell(api, stripe.event(UPDATED, subscription)).status == 204
    stripe.subscriptions[subscription]["metadata"] = {"organization_id": str(uuid4())}
    assert tell(api, stripe.event(UPDATED, subscription)).status == 204
    about_prices = {"id": "evt_p", "type": "price.created", "data": {"object": {"object": "price", "id": "price_1"}}}
    assert tell(api, json.dumps(about_prices)).status == 204

    assert plan_of(api, account)[0] == "Free"


def test_while_stripe_does_not_answer_the_event_is_refused_and_followed_later(
    api: RunningApi, stripe: FakeStripe, account: Account
) -> None:
    body = stripe.event(UPDATED, subscribe(api, stripe, account))
    stripe.server.faults.queue(Fault.UNAVAILABLE, Fault.UNAVAILABLE)

    assert tell(api, body).status == 503
    assert plan_of(api, account)[0] == "Free"

    assert tell(api, body).status == 204
    assert plan_of(api, account)[0] == "Pro"


def test_a_price_that_no_plan_has_is_not_swallowed(api: RunningApi, stripe: FakeStripe, account: Account) -> None:
    subscription = subscribe(api, stripe, account)
    stripe.change(subscription, price="price_unheard_of")
    body = stripe.event(UPDATED, subscription)

    assert tell(api, body).status == 500

    stripe.change(subscription, price=PRICES["Pro"])
    assert tell(api, body).status == 204
    assert plan_of(api, account)[0] == "Pro"


# --------------------------------------------------------------------------------------------- what people ask


def test_a_sold_plan_cannot_be_chosen_without_paying(api: RunningApi, account: Account) -> None:
    refused = choose(api, account, "Pro")

    assert (refused.status, refused.code) == (402, "payment_required")
    assert "billing/checkout" in refused.json["detail"]


def test_a_plan_by_agreement_cannot_be_chosen(api: RunningApi, account: Account) -> None:
    refused = choose(api, account, "Enterprise")

    assert (refused.status, refused.code) == (403, "forbidden")
    assert choose(api, account, "Free").status == 200


def test_a_subscription_is_ended_in_the_portal_only(api: RunningApi, stripe: FakeStripe, account: Account) -> None:
    tell(api, stripe.event(UPDATED, subscribe(api, stripe, account)))

    refused = choose(api, account, "Free")
    again = post(api, account, "billing/checkout", {"plan": "Basic"})

    assert (refused.status, refused.code) == (409, "subscription_active")
    assert (again.status, again.code) == (409, "subscription_active")
    assert post(api, account, "billing/portal").json["url"].startswith("https://billing.stripe.example/")


def test_before_the_first_checkout_there_is_no_portal(api: RunningApi, account: Account) -> None:
    refused = post(api, account, "billing/portal")

    assert (refused.status, refused.code) == (409, "no_customer")


def test_only_what_is_sold_can_be_paid_for(api: RunningApi, account: Account) -> None:
    for plan in ("Enterprise", "Free", "Nothing"):
        assert post(api, account, "billing/checkout", {"plan": plan}).status == 422


def test_two_checkouts_have_one_customer(api: RunningApi, stripe: FakeStripe, account: Account) -> None:
    for plan in ("Basic", "Pro"):
        assert post(api, account, "billing/checkout", {"plan": plan}).status == 200

    assert len(stripe.customers) == 1
    assert len(stripe.sessions) == 2


def test_a_refusal_of_stripes_shows_nothing_of_its_words(api: RunningApi, stripe: FakeStripe, account: Account) -> None:
    post(api, account, "billing/checkout", {"plan": "Pro"})
    stripe.customers.clear()

    refused = post(api, account, "billing/portal")

    assert (refused.status, refused.code) == (502, "provider_rejected")
    assert "of Stripe" not in refused.text


def test_billing_is_the_owners(api: RunningApi, account: Account) -> None:
    key = api.api_key(account, scopes=["organization:write", "organization:read"])

    path = f"/v1/organizations/{account.organization_id}/billing/checkout"
    refused = api.request("POST", path, {"plan": "Pro"}, token=key["key"])

    assert (refused.status, refused.code) == (403, "forbidden")
