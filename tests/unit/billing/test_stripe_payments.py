"""The `Payments` port on Stripe's official library, against a loopback Stripe."""

import json
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from chatsphere.adapters import stripe_payments
from chatsphere.adapters.stripe_payments import StripePayments
from chatsphere.errors import (
    ChatSphereError,
    ConfigurationError,
    InvalidSignatureError,
    MalformedBodyError,
    ProviderOverloadedError,
    ProviderRejectedError,
    UnavailableError,
)
from chatsphere.settings import StripeSettings
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

ORGANIZATION = uuid4()


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    with running_stripe() as server:
        yield server


def payments(stripe: FakeStripe, key: str = API_KEY) -> StripePayments:
    return StripePayments(
        StripeSettings(
            stripe_api_key=key,
            stripe_webhook_secret=WEBHOOK_SECRET,
            stripe_price_ids=",".join(f"{plan}={price}" for plan, price in PRICES.items()),
            stripe_endpoint=stripe.server.url,
            billing_return_url=RETURN_URL,
        )
    )


def checkout(stripe: FakeStripe, organization_id: UUID = ORGANIZATION) -> str:
    adapter = payments(stripe)
    customer = adapter.create_customer(organization_id, name="Ada Ltd", email="ada@example.com")
    return adapter.checkout_url(
        customer, price_id=PRICES["Pro"], organization_id=organization_id, return_url=RETURN_URL
    )


def test_a_customer_is_made_once(stripe: FakeStripe) -> None:
    adapter = payments(stripe)

    first = adapter.create_customer(ORGANIZATION, name="Ada Ltd", email="ada@example.com")
    again = adapter.create_customer(ORGANIZATION, name="Ada Ltd", email="ada@example.com")

    assert first == again
    assert stripe.customers[first] == {
        "id": first,
        "object": "customer",
        "name": "Ada Ltd",
        "email": "ada@example.com",
        "metadata": {"organization_id": str(ORGANIZATION)},
    }


def test_a_customer_whose_name_changed_meanwhile_is_no_conflict(stripe: FakeStripe) -> None:
    adapter = payments(stripe)
    adapter.create_customer(ORGANIZATION, name="Ada Ltd", email="ada@example.com")

    assert adapter.create_customer(ORGANIZATION, name="Ada Inc", email="ada@example.com")


def test_a_checkout_names_the_organization_everywhere(stripe: FakeStripe) -> None:
    url = checkout(stripe)

    (session,) = stripe.sessions.values()
    assert session["url"] == url
    assert session["client_reference_id"] == str(ORGANIZATION)
    assert session["metadata"] == session["subscription_metadata"] == {"organization_id": str(ORGANIZATION)}
    sent = stripe.server.requests[-1]
    assert (sent.body["success_url"], sent.body["cancel_url"]) == (RETURN_URL, RETURN_URL)
    assert sent.headers["stripe-version"]


def test_a_portal_is_opened_for_a_customer(stripe: FakeStripe) -> None:
    customer = payments(stripe).create_customer(ORGANIZATION, name="Ada", email="ada@example.com")

    assert payments(stripe).portal_url(customer, return_url=RETURN_URL).startswith("https://billing.stripe.example/")


def test_a_subscription_is_read(stripe: FakeStripe) -> None:
    subscription = stripe.pay(checkout(stripe), status="past_due")

    found = payments(stripe).subscription(subscription)

    assert (found.id, found.status, found.price_id) == (subscription, "past_due", "price_pro")
    assert found.organization_id == ORGANIZATION
    assert found.customer_id in stripe.customers
    assert found.current_period_end is not None
    assert found.current_period_end.utcoffset() is not None


# ------------------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        ([Fault.OVERLOADED], ProviderOverloadedError),
        ([Fault.UNAVAILABLE] * 2, UnavailableError),
        ([Fault.LOST] * 2, UnavailableError),
        ([Fault.CUT] * 2, UnavailableError),
        ([Fault.MALFORMED], UnavailableError),
    ],
    ids=str,
)
def test_what_stripe_fails_at_is_an_error_of_ours(
    stripe: FakeStripe, faults: list[Fault], error: type[ChatSphereError]
) -> None:
    stripe.server.faults.queue(*faults)

    with pytest.raises(error) as failed:
        payments(stripe).create_customer(ORGANIZATION, name="Ada", email="ada@example.com")

    assert "tripe" not in failed.value.detail


def test_a_stripe_that_hangs_is_given_up(stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_payments, "READ_SECONDS", 0.2)
    stripe.server.faults.queue(Fault.HANG, Fault.HANG)

    with pytest.raises(UnavailableError):
        payments(stripe).create_customer(ORGANIZATION, name="Ada", email="ada@example.com")


def test_a_call_whose_answer_was_lost_is_repeated_and_done_once(stripe: FakeStripe) -> None:
    stripe.server.faults.queue(Fault.LOST)

    customer = payments(stripe).create_customer(ORGANIZATION, name="Ada", email="ada@example.com")

    assert list(stripe.customers) == [customer]
    keys = [request.headers["idempotency-key"] for request in stripe.server.requests]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_checkout_whose_answer_was_lost_opens_one_page(stripe: FakeStripe) -> None:
    adapter = payments(stripe)
    customer = adapter.create_customer(ORGANIZATION, name="Ada", email="ada@example.com")
    stripe.server.faults.queue(Fault.LOST)

    adapter.checkout_url(customer, price_id="price_pro", organization_id=ORGANIZATION, return_url=RETURN_URL)

    assert len(stripe.sessions) == 1


def test_a_refused_key_or_request_is_not_hidden(stripe: FakeStripe) -> None:
    with pytest.raises(ProviderRejectedError) as refused:
        payments(stripe, "sk_test_wrong").create_customer(ORGANIZATION, name="Ada", email="ada@example.com")
    assert "of Stripe" not in refused.value.detail
    with pytest.raises(ProviderRejectedError):
        payments(stripe).portal_url("cus_unknown", return_url=RETURN_URL)
    with pytest.raises(ProviderRejectedError):
        payments(stripe).subscription("sub_unknown")


# ----------------------------------------------------------------------------------------------------- webhooks


@pytest.mark.parametrize(
    "kind",
    ["checkout.session.completed", "customer.subscription.updated", "customer.subscription.deleted", "invoice.paid"],
)
def test_an_event_leads_to_its_subscription(stripe: FakeStripe, kind: str) -> None:
    subscription = stripe.pay(checkout(stripe))
    body = stripe.event(kind, subscription, event_id="evt_x")

    event = payments(stripe).read_event(body, signature(body))

    assert (event.id, event.kind, event.subscription_id) == ("evt_x", kind, subscription)


def test_an_invoice_of_an_older_api_version_is_understood(stripe: FakeStripe) -> None:
    body = json.dumps(
        {"id": "evt_1", "type": "invoice.paid", "data": {"object": {"object": "invoice", "subscription": "sub_1"}}}
    )

    assert payments(stripe).read_event(body, signature(body)).subscription_id == "sub_1"


def test_an_event_about_something_else_has_no_subscription(stripe: FakeStripe) -> None:
    body = json.dumps(
        {"id": "evt_1", "type": "price.created", "data": {"object": {"object": "price", "id": "price_1"}}}
    )

    assert payments(stripe).read_event(body, signature(body)).subscription_id is None


@pytest.mark.parametrize("secret", ["whsec_other", ""])
def test_what_another_signed_is_refused(stripe: FakeStripe, secret: str) -> None:
    with pytest.raises(InvalidSignatureError):
        payments(stripe).read_event("{}", signature("{}", secret=secret))


@pytest.mark.parametrize("header", ["", "t=1", "t=x,v1=y", "v1=abc", "nonsense", "t=1,v1=\u00e9"])
def test_a_header_that_is_no_signature_is_refused(stripe: FakeStripe, header: str) -> None:
    with pytest.raises(InvalidSignatureError):
        payments(stripe).read_event("{}", header)


def test_one_other_byte_is_refused(stripe: FakeStripe) -> None:
    body = '{"name": "Ada L\u00f6velace"}'

    with pytest.raises(InvalidSignatureError):
        payments(stripe).read_event(body.replace("\u00f6", "o"), signature(body))


def test_an_old_signature_is_refused(stripe: FakeStripe) -> None:
    with pytest.raises(InvalidSignatureError):
        payments(stripe).read_event("{}", signature("{}", age_seconds=stripe_payments.SIGNATURE_SECONDS + 5))


@pytest.mark.parametrize("body", ["", "[]", "{}", "no json", '{"id": "evt_1", "type": "x", "data": {"object": 1}}'])
def test_a_signed_body_that_is_no_event_is_malformed(stripe: FakeStripe, body: str) -> None:
    with pytest.raises(MalformedBodyError):
        payments(stripe).read_event(body, signature(body))


# ----------------------------------------------------------------------------------------------------- settings


def test_a_key_alone_is_not_enough() -> None:
    with pytest.raises(ConfigurationError, match="STRIPE_API_KEY requires STRIPE_WEBHOOK_SECRET"):
        StripeSettings.load({"STRIPE_API_KEY": "sk_test_x"})


@pytest.mark.parametrize("prices", ["Pro", "Pro=", "=price_1", "Pro=price_1,Basic"])
def test_prices_must_name_plan_and_price(prices: str) -> None:
    with pytest.raises(ConfigurationError, match="STRIPE_PRICE_IDS must read"):
        StripeSettings.load(
            {
                "STRIPE_API_KEY": "sk_test_x",
                "STRIPE_WEBHOOK_SECRET": "whsec_x",
                "BILLING_RETURN_URL": RETURN_URL,
                "STRIPE_PRICE_IDS": prices,
            }
        )


def test_without_a_key_nothing_is_needed() -> None:
    assert StripeSettings.load({}).prices == {}
