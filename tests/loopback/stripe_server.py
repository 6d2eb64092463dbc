"""Stripe's API on a loopback port, as far as subscriptions need it: form-encoded requests in, its JSON objects out.

Its shapes are those of the API version that the official library asks for. It keeps what Stripe keeps: customers,
checkout sessions, subscriptions, and the answers of requests with an Idempotency-Key.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import stripe

from tests.loopback.scripted_http import Answer, LoopbackServer, Request, serving

API_KEY = "sk_test_loopback"
WEBHOOK_SECRET = "whsec_loopback"
PRICES = {"Basic": "price_basic", "Pro": "price_pro"}
RETURN_URL = "https://app.example.com/billing"

_OVERLOADED = Answer(429, {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "slow down"}})
_UNAVAILABLE = Answer(503, {"error": {"type": "api_error", "message": "try later"}})
_ONE_CALL = frozenset({"customers", "checkout/sessions", "billing_portal/sessions"})

Form = Mapping[str, str]


@dataclass
class FakeStripe:
    """What Stripe knows. `pay` and `end` are what people do on its pages."""

    server: LoopbackServer
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, tuple[Form, Answer]] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------- what people do

    def pay(self, session_url: str, *, status: str = "active") -> str:
        """Pay at a checkout; return the id of the subscription that this begins."""
        session = next(session for session in self.sessions.values() if session["url"] == session_url)
        subscription = self._new("sub")
        self.subscriptions[subscription] = {
            "id": subscription,
            "object": "subscription",
            "customer": session["customer"],
            "status": status,
            "metadata": session["subscription_metadata"],
            "items": {
                "object": "list",
                "data": [
                    {
                        "id": self._new("si"),
                        "object": "subscription_item",
                        "price": {"id": session["price"], "object": "price"},
                        "current_period_end": int(time.time()) + 30 * 86_400,
                    }
                ],
            },
        }
        session |= {"status": "complete", "subscription": subscription}
        return subscription

    def change(self, subscription: str, *, status: str | None = None, price: str | None = None) -> None:
        """Let a subscription be another than it was."""
        kept = self.subscriptions[subscription]
        kept["status"] = status or kept["status"]
        if price:
            kept["items"]["data"][0]["price"]["id"] = price

    # ------------------------------------------------------------------------------------------------ webhooks

    def event(self, kind: str, subscription: str, *, event_id: str | None = None) -> str:
        """Return the body of an event, with the subscription as it is now."""
        return json.dumps(
            {
                "id": event_id or self._new("evt"),
                "object": "event",
                "type": kind,
                "livemode": False,
                "data": {"object": self._object_of(kind, subscription)},
            },
            indent=2,
            ensure_ascii=False,
        )

    def _object_of(self, kind: str, subscription: str) -> dict[str, Any]:
        if kind.startswith("invoice."):
            details = {"type": "subscription_details", "subscription_details": {"subscription": subscription}}
            # Stripe's bodies hold names as people write them.
            return {"id": self._new("in"), "object": "invoice", "customer_name": "Ada Lövelace", "parent": details}
        if kind.startswith("checkout.session."):
            return next(session for session in self.sessions.values() if session["subscription"] == subscription)
        return self.subscriptions[subscription]

    # ------------------------------------------------------------------------------------------------- requests

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {API_KEY}":
            return _error(401, "invalid_request_error", "Invalid API Key provided")
        path = request.path.removeprefix("/v1/")
        if request.method == "GET" and path.startswith("subscriptions/"):
            found = self.subscriptions.get(path.removeprefix("subscriptions/"))
            return Answer(200, found) if found else _error(404, "invalid_request_error", "No such subscription")
        if path.startswith("customers/") and request.method in ("GET", "DELETE"):
            return self._customer(path.removeprefix("customers/"), request.method)
        if request.method == "DELETE" and path.startswith("subscriptions/"):
            return self._cancel(path.removeprefix("subscriptions/"))
        if request.method != "POST" or path not in _ONE_CALL:
            return _error(404, "invalid_request_error", "Unrecognized request URL")
        return self._once(request.headers.get("idempotency-key"), path, request.body or {})

    def _cancel(self, subscription: str) -> Answer:
        found = self.subscriptions.get(subscription)
        if found is None or found["status"] == "canceled":
            return _error(404, "invalid_request_error", "No such subscription", code="resource_missing")
        found["status"] = "canceled"
        return Answer(200, found)

    def _customer(self, customer: str, method: str) -> Answer:
        gone = {"id": customer, "object": "customer", "deleted": True}
        if customer in self.deleted and method == "GET":
            return Answer(200, gone)
        if customer not in self.customers:
            return _error(404, "invalid_request_error", "No such customer", code="resource_missing")
        if method == "GET":
            return Answer(200, self.customers[customer])
        del self.customers[customer]
        self.deleted.add(customer)
        for subscription in self.subscriptions.values():
            if subscription["customer"] == customer:
                subscription["status"] = "canceled"
        return Answer(200, gone)

    def _once(self, key: str | None, path: str, form: Form) -> Answer:
        if key is None:
            return self._make(path, form)
        if key not in self.answers:
            self.answers[key] = form, self._make(path, form)
        known, answer = self.answers[key]
        if known != form:
            return _error(400, "idempotency_error", "Keys for idempotent requests can only be used with the same")
        return answer

    def _make(self, path: str, form: Form) -> Answer:
        if path == "customers":
            customer = self._new("cus")
            named = {"id": customer, "object": "customer", "metadata": _nested(form, "metadata")}
            self.customers[customer] = named | _flat(form)
            return Answer(200, self.customers[customer])
        if form.get("customer") not in self.customers:
            return _error(400, "invalid_request_error", "No such customer", code="resource_missing")
        if path == "billing_portal/sessions":
            session = {"id": self._new("bps"), "object": "billing_portal.session", **_flat(form)}
            return Answer(200, session | {"url": f"https://billing.stripe.example/{session['id']}"})
        return self._checkout(form)

    def _checkout(self, form: Form) -> Answer:
        price = form.get("line_items[0][price]")
        if form.get("mode") != "subscription" or form.get("line_items[0][quantity]") != "1":
            return _error(400, "invalid_request_error", "Invalid checkout")
        if price not in PRICES.values():
            return _error(400, "invalid_request_error", "No such price", code="resource_missing")
        UUID(form["client_reference_id"])
        identity = self._new("cs_test")
        session = {
            "id": identity,
            "object": "checkout.session",
            "customer": form["customer"],
            "client_reference_id": form["client_reference_id"],
            "price": price,
            "metadata": _nested(form, "metadata"),
            "subscription_metadata": _nested(form, "subscription_data[metadata]"),
            "subscription": None,
            "status": "open",
            "url": f"https://checkout.stripe.example/{identity}",
        }
        self.sessions[identity] = session
        return Answer(200, session)

    def _new(self, mark: str) -> str:
        return f"{mark}_{uuid4().hex}"


def signature(body: str, *, secret: str = WEBHOOK_SECRET, age_seconds: int = 0) -> str:
    """Return the header `Stripe-Signature` of a body, as the vendor's own library makes it."""
    made: str = stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time()) - age_seconds)
    return made


@contextmanager
def running_stripe() -> Iterator[FakeStripe]:
    """Run an empty Stripe until the block ends."""
    fake: list[FakeStripe] = []
    with serving(lambda request: fake[0].answer(request), _OVERLOADED, _UNAVAILABLE) as server:
        fake.append(FakeStripe(server))
        yield fake[0]


def _flat(form: Form) -> dict[str, str]:
    return {name: value for name, value in form.items() if "[" not in name}


def _nested(form: Form, name: str) -> dict[str, str]:
    mark = f"{name}["
    return {key.removeprefix(mark).removesuffix("]"): value for key, value in form.items() if key.startswith(mark)}


def _error(status: int, kind: str, message: str, *, code: str | None = None) -> Answer:
    return Answer(status, {"error": {"type": kind, "message": f"{message}: of Stripe", "code": code}})
