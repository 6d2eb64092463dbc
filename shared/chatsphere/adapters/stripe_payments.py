"""The `Payments` port on Stripe, through its official library."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import stripe

from chatsphere.errors import (
    InvalidSignatureError,
    MalformedBodyError,
    ProviderOverloadedError,
    ProviderRejectedError,
    UnavailableError,
)
from chatsphere.observability import logger
from chatsphere.ports.payments import PaymentEvent, Subscription
from chatsphere.settings import StripeSettings

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 4.0
RETRIES: Final = 1
"""With the pause between the tries two calls in a row take 25 s at most: the function has time left to answer."""

SIGNATURE_SECONDS: Final = 300
"""How old a webhook's signature may be. A delivery that Stripe repeats is signed anew."""

ORGANIZATION: Final = "organization_id"

Json = Mapping[str, Any]


def _id(value: Any) -> str | None:
    """Return the id of what is either an object or its id alone."""
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) else None


def _of_invoice(invoice: Json) -> str | None:
    # Where it stands depends on the API version that the webhook's endpoint was made with.
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    return _id(parent.get("subscription")) or _id(invoice.get("subscription"))


SUBSCRIPTION_OF: Final[Mapping[str, Callable[[Json], str | None]]] = {
    "checkout.session": lambda session: _id(session.get("subscription")),
    "subscription": lambda subscription: _id(dict(subscription)),
    "invoice": _of_invoice,
}
"""How an event's object, by its kind, names the subscription that it is about."""


class StripePayments:
    """Calls Stripe. Opens nothing until it is used."""

    def __init__(self, settings: StripeSettings) -> None:
        self._settings = settings

    @cached_property
    def _client(self) -> stripe.StripeClient:
        return stripe.StripeClient(
            self._settings.stripe_api_key or "",
            base_addresses={"api": self._settings.stripe_endpoint} if self._settings.stripe_endpoint else None,
            http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, READ_SECONDS)),
            max_network_retries=RETRIES,
        )

    def create_customer(self, organization_id: UUID, *, name: str, email: str) -> str:
        """Make a customer. See `Payments.create_customer`."""
        # Stripe refuses a key that comes again with other parameters, such as a name that was changed meanwhile.
        variant = sha256(f"{name}\0{email}".encode()).hexdigest()[:16]
        with _public_errors():
            customer = self._client.v1.customers.create(
                {"name": name, "email": email, "metadata": {ORGANIZATION: str(organization_id)}},
                {"idempotency_key": f"customer-{organization_id}-{variant}"},
            )
        return customer.id

    def checkout_url(self, customer_id: str, *, price_id: str, organization_id: UUID, return_url: str) -> str:
        """Open a checkout for one subscription. See `Payments.checkout_url`."""
        named = {ORGANIZATION: str(organization_id)}
        with _public_errors():
            session = self._client.v1.checkout.sessions.create(
                {
                    "mode": "subscription",
                    "customer": customer_id,
                    "client_reference_id": str(organization_id),
                    "line_items": [{"price": price_id, "quantity": 1}],
                    "metadata": named,
                    "subscription_data": {"metadata": named},
                    "success_url": return_url,
                    "cancel_url": return_url,
                }
            )
        if session.url is None:
            raise UnavailableError("The payment provider opened no page.")
        return session.url

    def portal_url(self, customer_id: str, *, return_url: str) -> str:
        """Open the customer portal. See `Payments.portal_url`."""
        with _public_errors():
            return self._client.v1.billing_portal.sessions.create(
                {"customer": customer_id, "return_url": return_url}
            ).url

    def subscription(self, subscription_id: str) -> Subscription:
        """Read a subscription. See `Payments.subscription`."""
        with _public_errors():
            found = self._client.v1.subscriptions.retrieve(subscription_id)
        return _subscription(found.to_dict())

    def end_subscription(self, subscription_id: str) -> None:
        """End a subscription. See `Payments.end_subscription`."""
        with _public_errors(), _unless_missing():
            self._client.v1.subscriptions.cancel(subscription_id, {"prorate": True, "invoice_now": True})

    def has_customer(self, customer_id: str) -> bool:
        """Look for a customer. See `Payments.has_customer`."""
        with _public_errors(), _unless_missing():
            # Of a deleted one Stripe goes on to say that it is.
            return not getattr(self._client.v1.customers.retrieve(customer_id), "deleted", False)
        return False

    def delete_customer(self, customer_id: str) -> None:
        """Delete a customer. See `Payments.delete_customer`."""
        with _public_errors(), _unless_missing():
            self._client.v1.customers.delete(customer_id)

    def read_event(self, body: str, signature: str) -> PaymentEvent:
        """Check the signature and read the event. See `Payments.read_event`."""
        try:
            stripe.WebhookSignature.verify_header(
                body, signature, self._settings.stripe_webhook_secret, SIGNATURE_SECONDS
            )
        # TypeError: what the library says of a signature that is not ASCII.
        except (stripe.SignatureVerificationError, ValueError, TypeError):
            raise InvalidSignatureError from None
        try:
            event = json.loads(body)
            told = event["data"]["object"]
            find = SUBSCRIPTION_OF.get(told.get("object", ""))
            return PaymentEvent(str(event["id"]), str(event["type"]), find(told) if find else None)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise MalformedBodyError("The body is no event of the payment provider.") from None


def _subscription(found: Json) -> Subscription:
    try:
        item = found["items"]["data"][0]
        # Each item has its own period since API version 2025-03-31.
        ends = item.get("current_period_end") or found.get("current_period_end")
        return Subscription(
            id=found["id"],
            customer_id=_id(found["customer"]) or "",
            organization_id=_organization((found.get("metadata") or {}).get(ORGANIZATION)),
            status=found["status"],
            price_id=item["price"]["id"],
            current_period_end=datetime.fromtimestamp(ends, UTC) if ends else None,
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        raise UnavailableError("The payment provider's answer cannot be read.") from None


def _organization(text: Any) -> UUID | None:
    try:
        return UUID(text)
    except (ValueError, TypeError, AttributeError):
        return None


@contextmanager
def _unless_missing() -> Iterator[None]:
    """Go on where Stripe has nothing of this id, or no more."""
    try:
        yield
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise


@contextmanager
def _public_errors() -> Iterator[None]:
    """Raise Stripe's errors as ours; what it says in words stays here."""
    try:
        yield
    except stripe.StripeError as error:
        logger.warning(
            "stripe did not do it",
            error_type=type(error).__name__,
            status=error.http_status,
            code=error.code,
            stripe_request=error.request_id,
        )
        raise _public(error) from None


def _public(error: stripe.StripeError) -> Exception:
    if isinstance(error, stripe.RateLimitError):
        return ProviderOverloadedError("The payment provider is overloaded.")
    refused = (stripe.AuthenticationError, stripe.PermissionError, stripe.InvalidRequestError, stripe.CardError)
    if isinstance(error, refused):
        return ProviderRejectedError("The payment provider does not accept the request.")
    return UnavailableError("The payment provider does not answer.")
