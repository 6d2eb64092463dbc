"""Who pays for what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Subscription:
    """What an organization pays for. `status` is Stripe's word; `price_id` names the plan.

    `organization_id` is None where it was not made by a checkout of ours.
    """

    id: str
    customer_id: str
    organization_id: UUID | None
    status: str
    price_id: str
    current_period_end: datetime | None


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """Something that the payment provider tells, once its signature was checked. `id` is the same on each delivery.

    Events come late, twice and in any order: `subscription_id` only says where to look.
    """

    id: str
    kind: str
    subscription_id: str | None


class Payments(Protocol):
    """Takes money for plans."""

    def create_customer(self, organization_id: UUID, *, name: str, email: str) -> str:
        """Return the id of the organization's customer; asked twice for one organization, the same.

        Raises, as all that follow but the last do:
            UnavailableError: it may succeed later.
            ProviderRejectedError: the key or the request is refused.
        """
        ...

    def checkout_url(self, customer_id: str, *, price_id: str, organization_id: UUID, return_url: str) -> str:
        """Return the page on which a person pays for a plan."""
        ...

    def portal_url(self, customer_id: str, *, return_url: str) -> str:
        """Return the page on which a person changes or ends what they pay for."""
        ...

    def subscription(self, subscription_id: str) -> Subscription:
        """Return the subscription as it is now."""
        ...

    def end_subscription(self, subscription_id: str) -> None:
        """End a subscription at once; what was paid for and not used is credited to the customer. One that has ended,
        or that there is not, is left as it is.
        """
        ...

    def has_customer(self, customer_id: str) -> bool:
        """Return whether there is such a customer; one that was deleted is none."""
        ...

    def delete_customer(self, customer_id: str) -> None:
        """Delete a customer with name and address, and end what they pay for; nothing where there is none."""
        ...

    def read_event(self, body: str, signature: str) -> PaymentEvent:
        """Return what a webhook's body tells.

        Raises:
            InvalidSignatureError: it was not signed by the provider, or too long ago.
            MalformedBodyError: it is no event.
        """
        ...
